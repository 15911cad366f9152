"""A real kiosk and a real console: what was decided alone meets what happened meanwhile, rule by rule."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from evidence.check_in_alarms import load_alarms
from evidence.kiosk_enrolments import enrol, revoke, switch, want_roll
from evidence.kiosk_key import make_key, public_bytes
from evidence.recording_orders import Who
from evidence.ticket_voidings import VoidedTicket, void_ticket
from exam.answers import Answer
from exam.clock import MINUTE_US, SECOND_US
from exam.kiosk_health import Part, PartState
from exam.outcomes import Outcome
from kiosk.console import ConsoleUnreachableError, HttpConsole
from kiosk.local import Local, open_local
from kiosk.scan import Scan
from kiosk.visit import Answered
from tests.kiosk.stage import served
from tests.world import CLOCK_US, Person, World, announce
from web.app import create_app
from web.roster_keeper import RosterKeeper
from web.services import FootageReader, Services

PARTS = {Part.CAMERA: PartState.OK}
# A console on a busy machine may answer the kiosk's first question too late.
TRIES = 5
PEOPLE = Who(1, "")


class TornLine(HttpConsole):
    """The way to the console: whole, cut, or only the answers get lost."""

    is_cut = False
    loses_answers = False

    def check_in(self, body: Mapping[str, Any]) -> Answer:
        if self.is_cut:
            raise ConsoleUnreachableError("cut")
        answer = super().check_in(body)
        if self.loses_answers:
            raise ConsoleUnreachableError("answer lost")
        return answer


class PulledPlugError(BaseException):
    """The kiosk ends here: nothing of it runs any further."""


def ends(*_: object) -> None:
    raise PulledPlugError


def ends_after(work: Callable[..., Any]) -> Callable[..., Any]:
    def done_and_ended(*given: object) -> None:
        work(*given)
        raise PulledPlugError

    return done_and_ended


@dataclass
class Kiosk:
    """One kiosk of the small world, enrolled and with its packages."""

    world: World
    line: TornLine
    local: Local
    settings: Settings

    def comes(self, person: Person) -> str:
        answered: Answered = self.local.asker.ask(Scan(person.ticket_no, person.id_number))
        return answered.answer.outcome

    def restart(self) -> None:
        """Start again on the same disk."""
        self.local.close()
        self.line.close()
        self.line = TornLine(str(self.line._client.base_url), self.settings.kiosk_token)
        self.local = open_local(self.settings, self.line, self.world.clock)

    def cut(self) -> None:
        self.line.is_cut = True
        self.local.contact.lost()

    def back(self) -> None:
        self.line.is_cut = self.line.loses_answers = False
        told = self.local.contact.turn(PARTS)
        assert (told.is_heard, told.is_alone, told.counts.waiting) == (True, False, 0)


@dataclass
class Site:
    """A real console on a real socket over the small world, and kiosks by label."""

    world: World
    folder: Path
    address: str
    kiosks: dict[str, Kiosk] = field(default_factory=dict)

    def kiosk(self, label: str) -> Kiosk:
        settings = Settings(data_folder=self.folder / label)
        key = make_key(settings.kiosk_key)
        with self.world.exam.write() as connection:
            token = enrol(connection, label, None, CLOCK_US, public_bytes(key))
        settings.kiosk_token.write_text(token)
        line = TornLine(self.address, settings.kiosk_token)
        made = Kiosk(self.world, line, open_local(settings, line, self.world.clock), settings)
        self.kiosks[label] = made
        return made

    def wait(self, duration_us: int) -> None:
        self.world.clock.sleep_us(duration_us)

    def on_record(self) -> list[tuple[str, str]]:
        """Outcomes by whoever decided, in the order of arrival."""
        with self.world.exam.read() as connection:
            rows = connection.execute(
                "select outcome, decided_by from checkin_attempt join checkin_circumstance"
                " on attempt_id = checkin_attempt.id order by checkin_attempt.id"
            ).fetchall()
        return [(row["outcome"], row["decided_by"]) for row in rows]

    def alarms(self) -> set[str]:
        with self.world.exam.read() as connection:
            return {alarm.kind for alarm in load_alarms(connection)}

    def inside(self) -> list[tuple[int, int]]:
        """Who is in by the admissions that stand, and since when."""
        with self.world.exam.read() as connection:
            rows = connection.execute(
                "select candidate_id, admitted_at_us from admission where not exists"
                " (select 1 from admission_voiding where admission_id = admission.id) order by candidate_id"
            ).fetchall()
        return [tuple(row) for row in rows]


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    settings = Settings(data_folder=world.folder)
    services = Services(settings, world.clock, world.exam, FootageReader(Path("nowhere")), world.vault)
    keeper = RosterKeeper(services)
    with served(create_app(services)) as address:
        made = Site(world, tmp_path, address)
        for label in ("东门", "西门"):
            kiosk = made.kiosk(label)
            keeper.tend()
            for _ in range(TRIES):
                kiosk.local.contact.turn(PARTS)
                if kiosk.local.contact.packages.revision == 1:
                    break
            assert kiosk.local.contact.packages.revision == 1
        yield made
        for kiosk in made.kiosks.values():
            kiosk.local.close()
            kiosk.line.close()


@pytest.fixture
def east(site: Site) -> Kiosk:
    return site.kiosks["东门"]


@pytest.fixture
def west(site: Site) -> Kiosk:
    return site.kiosks["西门"]


def test_who_came_in_alone_is_in_since_the_moment_he_came(site: Site, east: Kiosk) -> None:
    east.cut()
    assert east.comes(site.world.on_time) == "OK_OFFLINE"
    site.wait(5 * MINUTE_US)
    east.back()
    assert site.on_record() == [("OK_OFFLINE", "kiosk")]
    assert site.inside() == [(site.world.on_time.id, CLOCK_US)]
    assert site.alarms() == set()


def test_a_lost_answer_is_one_entry_and_no_alarm(site: Site, east: Kiosk) -> None:
    east.line.loses_answers = True
    assert east.comes(site.world.on_time) == "OK_OFFLINE"
    east.back()
    assert site.on_record() == [("OK_ADMITTED", "server")]
    assert (len(site.inside()), site.alarms()) == (1, set())


def test_sent_away_by_the_kiosk_though_the_console_had_let_him_in(site: Site, east: Kiosk) -> None:
    east.local.contact.packages.alone = None  # the disk lost its roster
    east.line.loses_answers = True
    assert east.comes(site.world.on_time) == "SYS_STALE_ROSTER"
    east.back()
    assert site.on_record() == [("OK_ADMITTED", "server")]
    assert site.alarms() == {"sent_away"}


def test_under_one_name_at_two_doors_the_first_counts_and_people_hear_of_it(
    site: Site, east: Kiosk, west: Kiosk
) -> None:
    for kiosk in (east, west):
        kiosk.cut()
        assert kiosk.comes(site.world.on_time) == "OK_OFFLINE"
        site.wait(30 * SECOND_US)
    west.back()
    east.back()  # later, but it was earlier
    assert site.on_record() == [("OK_OFFLINE", "kiosk")] * 2
    assert site.inside() == [(site.world.on_time.id, CLOCK_US)]
    assert site.alarms() == {"dup_conflict"}


def test_the_same_person_twice_at_the_same_door_is_here_already(site: Site, east: Kiosk) -> None:
    assert east.comes(site.world.on_time) == "OK_ADMITTED"
    east.cut()  # before the day part could tell
    assert east.comes(site.world.on_time) == "OK_OFFLINE"
    east.back()
    assert site.on_record() == [("OK_ADMITTED", "server"), ("OK_ALREADY_HERE", "kiosk")]
    assert len(site.inside()) == 1


@pytest.mark.parametrize("way", ["void", "block"])
def test_barred_meanwhile_he_is_in_provisionally_and_people_decide(site: Site, east: Kiosk, way: str) -> None:
    person = site.world.on_time
    east.cut()
    with site.world.exam.write() as connection:
        if way == "void":
            void_ticket(connection, VoidedTicket(person.id, person.ticket_no, "补发", 1), CLOCK_US)
            connection.execute("update candidate set ticket_no = '202611229998' where id = ?", (person.id,))
        else:
            connection.execute("update candidate set blocked_reason = '取消' where id = ?", (person.id,))
    assert east.comes(person) == "OK_OFFLINE"
    east.back()
    assert site.on_record() == [("OK_PROVISIONAL", "kiosk")]
    assert site.alarms() == {"void_meanwhile"}
    assert len(site.inside()) == 1


def test_let_in_after_the_cut_off_because_nobody_told_the_kiosk_that_the_exam_began(
    site: Site, east: Kiosk
) -> None:
    east.cut()
    announce(site.world, "C5", CLOCK_US)
    site.wait(32 * MINUTE_US)
    assert east.comes(site.world.late) in {"OK_OFFLINE", "OK_LATE"}
    east.back()
    assert site.on_record() == [("LATE_CUTOFF_REVIEW", "kiosk")]
    assert site.alarms() == {"late_cutoff_review"}


def test_refused_alone_though_he_belongs_here_is_looked_for(site: Site, east: Kiosk) -> None:
    person = site.world.on_time
    east.cut()
    with site.world.exam.write() as connection:
        connection.execute("update candidate set ticket_no = '202611229998' where id = ?", (person.id,))
    renewed = Scan("202611229998", person.id_number)
    assert east.local.asker.ask(renewed).answer.outcome == "NOT_ON_ROSTER"
    east.back()
    assert site.on_record() == [("NOT_ON_ROSTER", "kiosk")]
    assert site.alarms() == {"maybe_outside"}


def test_his_seat_was_moved_meanwhile(site: Site, east: Kiosk) -> None:
    person = site.world.on_time
    east.cut()
    assert east.comes(person) == "OK_OFFLINE"
    with site.world.exam.write() as connection:
        free = connection.execute(
            "select id from place where room_id = ? and id not in (select place_id from seating)",
            (site.world.room_1,),
        ).fetchone()["id"]
        connection.execute("update seating set place_id = ? where candidate_id = ?", (free, person.id))
    east.back()
    assert site.on_record() == [("OK_OFFLINE", "kiosk")]
    assert site.alarms() == {"seat_moved"}


def test_out_of_service_token_and_revocation_reach_the_kiosk_by_its_heartbeat(
    site: Site, east: Kiosk
) -> None:
    with site.world.exam.read() as connection:
        kiosk_id = connection.execute("select id from kiosk where label = '东门'").fetchone()["id"]
    with site.world.exam.write() as connection:
        switch(connection, kiosk_id, PEOPLE, CLOCK_US, is_out=True)
    assert east.local.contact.turn(PARTS).reasons == (Outcome.SYS_OUT,)
    before = east.settings.kiosk_token.read_text()
    with site.world.exam.write() as connection:
        switch(connection, kiosk_id, PEOPLE, CLOCK_US, is_out=False)
        want_roll(connection, kiosk_id, CLOCK_US)
    assert east.local.contact.turn(PARTS).reasons == ()
    assert east.settings.kiosk_token.read_text() != before
    assert east.local.contact.turn(PARTS).is_heard
    assert east.comes(site.world.on_time) == "OK_ADMITTED"
    with site.world.exam.write() as connection:
        revoke(connection, kiosk_id, PEOPLE, CLOCK_US)
    assert east.local.contact.turn(PARTS).reasons[0] is Outcome.SYS_REVOKED
    assert sorted(path.name for path in east.settings.keys_folder.iterdir()) == ["kiosk.outbox"]


def test_the_self_test_of_the_day_is_on_record(site: Site, east: Kiosk) -> None:
    assert east.local.contact.told.self_test == "passed"
    with site.world.exam.read() as connection:
        assert connection.execute("select count(*) from kiosk_self_test").fetchone()[0] == 2


def power_cut(kiosk: Kiosk, where: str, *, is_after: bool) -> None:
    """Pull the plug at a step: before it, or when it was done and nothing came back."""
    holder = kiosk.line if where == "check_in" else kiosk.local.contact._outbox
    step = getattr(holder, where)
    setattr(holder, where, ends_after(step) if is_after else ends)


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["begin", "check_in", "answered"])
def test_a_kiosk_that_ends_while_it_asks_loses_no_scan_and_lets_nobody_in_twice(
    site: Site, east: Kiosk, where: str, *, is_after: bool
) -> None:
    power_cut(east, where, is_after=is_after)
    with pytest.raises(PulledPlugError):
        east.comes(site.world.on_time)
    east.restart()
    east.back()
    was_kept = (where, is_after) != ("begin", False)
    had_arrived = where == "answered" or (where, is_after) == ("check_in", True)
    first = [("OK_ADMITTED", "server")] if had_arrived else [("SYS_OUT", "kiosk")]
    assert site.on_record() == (first if was_kept else [])
    # Nobody knows whether he read the answer, unless it was written down.
    assert site.alarms() == (
        {"sent_away"} if had_arrived and (where, is_after) != ("answered", True) else set()
    )
    assert east.comes(site.world.on_time) == ("OK_ALREADY_HERE" if had_arrived else "OK_ADMITTED")
    assert len(site.inside()) == 1


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["begin", "decided"])
def test_a_kiosk_that_ends_while_it_judges_alone_loses_no_scan_and_lets_nobody_in_twice(
    site: Site, east: Kiosk, where: str, *, is_after: bool
) -> None:
    east.cut()
    power_cut(east, where, is_after=is_after)
    with pytest.raises(PulledPlugError):
        east.comes(site.world.on_time)
    east.restart()
    east.cut()
    was_decided = (where, is_after) == ("decided", True)
    assert east.comes(site.world.on_time) == ("OK_ALREADY_HERE" if was_decided else "OK_OFFLINE")
    east.back()
    first = {("begin", False): [], ("decided", True): [("OK_OFFLINE", "kiosk")]}.get(
        (where, is_after), [("SYS_OUT", "kiosk")]
    )
    second = [("OK_ALREADY_HERE" if was_decided else "OK_OFFLINE", "kiosk")]
    assert site.on_record() == [*first, *second]
    assert (len(site.inside()), site.alarms()) == (1, set())


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["check_in", "delivered"])
def test_a_kiosk_that_ends_while_it_brings_its_scans_brings_each_once(
    site: Site, east: Kiosk, where: str, *, is_after: bool
) -> None:
    east.cut()
    for person in (site.world.on_time, site.world.late):
        east.comes(person)
    east.line.is_cut = False
    power_cut(east, where, is_after=is_after)
    with pytest.raises(PulledPlugError):
        east.local.contact.turn(PARTS)
    east.restart()
    east.back()
    assert site.on_record() == [("OK_OFFLINE", "kiosk")] * 2
    assert (len(site.inside()), site.alarms()) == (2, set())
