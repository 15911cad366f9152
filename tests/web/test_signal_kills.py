"""kill -9 at every SQL statement of an emission: the signal is given exactly once, or missed with a task.

A real process opens the real database, ticks at the start signal and kills itself at one statement after
another; what it leaves is judged as a stranger would, and then by a clean start. That a room's player
sounds a signal once whatever the console does is its own promise (tests/kiosk, tests/soak/signals).
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.procedures import load_procedures
from evidence.announcements import PlayedReport, load_reports
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.courses import load_course
from evidence.database import WriterDatabase
from evidence.day import load_session
from evidence.ledger import recompute
from evidence.plan_changes import arm_session
from exam.clock import SECOND_US, SimulatedClock
from exam.cues import room_cues
from exam.room_alarms import missed
from exam.timetable import timetable
from tests.soak.injected import run_child
from tests.soak.signals.site import MEMORY
from tests.world import CLOCK_US, START_US, build_world
from web.services import Bus
from web.signal_emission import due_now, emit
from web.signal_reports import take_report
from web.signal_ticker import REPORT_GRACE_US, SignalTicker

PROCEDURES = load_procedures()
SOON_US = START_US + SECOND_US // 20


@dataclass(frozen=True)
class Site:
    """A site that is armed for the start, as files; `before` is a copy of it."""

    before: Path
    folder: Path
    session_id: int
    room_ids: tuple[int, int]

    def renew(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.before, self.folder)

    @contextmanager
    def opened(self) -> Iterator[WriterDatabase]:
        database = WriterDatabase(self.folder / "exam.db", "exam")
        try:
            yield database
        finally:
            database.close()

    def report(self, room_id: int) -> PlayedReport:
        """The room's player says that it sounded the start on time."""
        return PlayedReport(self.session_id, room_id, "C5", 1, "player-0001", START_US + 9, None, 0, 4_000)


@pytest.fixture
def site() -> Iterator[Site]:
    """In memory: a process that is killed loses nothing that it wrote, wherever that lies."""
    with tempfile.TemporaryDirectory(prefix=".kaochang-kills-", dir=MEMORY) as folder:
        yield _laid(Path(folder))


def _laid(folder: Path) -> Site:
    world = build_world(folder / "before")
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US)
        connection.execute("update session set armed_at_us = ?", (START_US - 1,))
    world.close()
    return Site(folder / "before", folder / "site", world.session_id, (world.room_1, world.room_2))


Act = Callable[[Site, WriterDatabase], None]


def tick(_site: Site, database: WriterDatabase) -> None:
    """The console looks just after the start."""
    SignalTicker(database, SimulatedClock(SOON_US), Bus(), PROCEDURES).tick()


def take_in(site: Site, database: WriterDatabase) -> None:
    """A room's report comes before the console has looked (web.signals.keep_reports)."""
    with database.write() as connection:
        emit(connection, due_now(connection, PROCEDURES, SOON_US), SOON_US)
        take_report(connection, site.report(site.room_ids[0]), PROCEDURES, SOON_US)


def killed_at(site: Site, act: Act, statement: int) -> bool:
    """Run it in a process that dies at this statement; whether it came so far."""

    def work(_tell: object) -> int:
        left = iter(range(statement))

        def count(_sql: str) -> None:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        with site.opened() as database:
            with database.read() as reading:
                reading.set_trace_callback(count)
            with database.write() as writing:
                writing.set_trace_callback(count)
            act(site, database)
        return 0

    site.renew()
    return run_child(work).status == -signal.SIGKILL


def given(database: WriterDatabase) -> list[str]:
    """What became of the start, once for each room that anything became of; facts and ledger agree."""
    with database.read() as connection:
        recompute(connection)
        assert list(check_facts(connection, EXAM_FACTS)) == []
        rows = connection.execute(
            "select room_id, outcome from announcement where cue_code = 'C5'"
        ).fetchall()
    assert len({row["room_id"] for row in rows}) == len(rows)
    return sorted(row["outcome"] for row in rows)


def asked(site: Site, database: WriterDatabase, now_us: int) -> int:
    """In how many rooms a person is asked for the start."""
    with database.read() as connection:
        session = load_session(connection, site.session_id)
        assert session is not None
        course = load_course(connection, session, PROCEDURES)
        steps = [timetable(room_cues(course, room_id), {}, now_us).steps for room_id in site.room_ids]
    return sum("C5" in {step.room_cue.cue.code for step in missed(one)} for one in steps)


def restart(database: WriterDatabase, at_us: int) -> int:
    """The console is started again and looks until nothing can change any more."""
    clock = SimulatedClock(at_us)
    ticker = SignalTicker(database, clock, Bus(), PROCEDURES)
    ticker.tick()
    clock.sleep_us(REPORT_GRACE_US)
    ticker.tick()
    return clock.wall_us()


@pytest.mark.parametrize("act", [tick, take_in])
def test_killed_at_any_statement_a_signal_is_given_once_or_missed_with_a_task(site: Site, act: Act) -> None:
    statement, left = 0, set()
    while killed_at(site, act, statement):
        with site.opened() as database:
            found = given(database)
            left.add(tuple(found))
            restart(database, SOON_US + SECOND_US)
            assert given(database) == ["emitted", "emitted"]
        killed_at(site, act, statement)
        with site.opened() as database:
            now_us = restart(database, START_US + 30 * SECOND_US)
            assert given(database) == found + ["missed"] * (2 - len(found))
            assert asked(site, database, now_us) == 2 - len(found)
        statement += 1
    # Nothing half done: all rooms or none.
    assert statement > 10
    assert () in left
    assert left <= {(), ("emitted", "emitted")}


def test_killed_while_it_takes_in_a_report_the_room_says_it_again_and_is_believed_once(site: Site) -> None:
    statement = 0
    while killed_at(site, take_in, statement):
        with site.opened() as database:
            for _ in range(2):
                take_in(site, database)
            assert given(database) == ["emitted", "emitted"]
            with database.read() as connection:
                assert len(load_reports(connection, site.session_id)) == 1
        statement += 1
    assert statement > 10
