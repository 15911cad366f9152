"""Many kiosks ask for the same candidates at the same instant: is anybody admitted twice?

Two races of questions. Threads go through the console's one writer, as on exam day. Processes each open
the database for themselves and hold no lock while they judge, so that only the unique indexes stand
between a candidate and a second admission. One race of uploads: every kiosk let everybody in alone. And
many repeats of answered requests.
"""

import multiprocessing
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Barrier

from config.outcomes import load_outcome_texts
from config.procedures import load_procedures
from config.roster_columns import load_roster_columns
from evidence import kiosk_enrolments
from evidence.check_in_facts import CheckInRules
from evidence.check_in_rows import KioskSaid
from evidence.checkins import CheckInRequest, KioskDecision, decide
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import WriterDatabase
from evidence.roster import RosterRequest, import_roster
from evidence.vault import Vault
from exam.clock import SECOND_US, SimulatedClock
from exam.outcomes import Outcome
from rehearsal.people_names import RosterLine
from tests.bench.bench_report import Row
from tests.bench.big_site import BATCH, lay_site, write_big_roster
from tests.world import CLOCK_US

ADMITTING = (Outcome.OK_ADMITTED, Outcome.OK_LATE)


@dataclass(frozen=True, slots=True)
class RaceResult:
    """What stands in the database after a race."""

    attempts: int
    # Candidates who were let in at all.
    admitted: int
    # Answers that let somebody in, and admissions on record, beyond one for each candidate.
    double_answers: int
    double_admissions: int


@dataclass(frozen=True, slots=True)
class UploadResult:
    """What stands in the database after everybody uploaded."""

    # Uploads that are on no record.
    lost: int
    # Candidates without exactly one admission that stands, or with another than the earliest entry's.
    wrong: int
    # Doubts opened by the conflicts: one for each candidate.
    cases: int


def prepare(
    folder: Path, kiosk_count: int, candidates: int
) -> tuple[WriterDatabase, Vault, list[RosterLine]]:
    """A site with candidates and kiosks, ready for a race."""
    database, vault = lay_site(folder, candidates)
    lines = write_big_roster(folder / "roster.xlsx", candidates)
    with signed(database, folder), database.write() as connection:
        request = RosterRequest(folder / "roster.xlsx", BATCH, load_roster_columns())
        import_roster(connection, vault, request, CLOCK_US)
        for number in range(kiosk_count):
            kiosk_enrolments.enrol(connection, f"{number + 1}号签到机", None, CLOCK_US)
    return database, vault, lines


def signed(database: WriterDatabase, folder: Path) -> AbstractContextManager[Signing]:
    """Sign the ledger meanwhile, or the console would miss the checkpoints of what is written."""
    return closing(Signing(Checkpoints(database, folder / "keys", "exam"), SimulatedClock(CLOCK_US)))


def scan(kiosk: int, number: int, line: RosterLine) -> CheckInRequest:
    return CheckInRequest(
        kiosk_id=kiosk,
        nonce=f"race-{kiosk:04d}-{number:08d}",
        scanned_at_us=CLOCK_US,
        ticket_no=line.person.ticket_no,
        id_number=line.person.id_number,
    )


def through_one_writer(
    prepared: tuple[WriterDatabase, Vault, list[RosterLine]],
    kiosk_count: int,
    asking: Callable[[int, int, RosterLine], CheckInRequest],
    now_us: int,
) -> None:
    """Every kiosk is a thread; all of them write through the one writer."""
    database, vault, lines = prepared
    rules = CheckInRules(load_procedures(), load_outcome_texts())
    barrier = Barrier(kiosk_count)

    def run(kiosk: int) -> None:
        barrier.wait()
        for number, line in enumerate(lines):
            with database.write() as connection:
                decide(connection, vault, asking(kiosk, number, line), rules, now_us)

    with ThreadPoolExecutor(kiosk_count) as pool:
        list(pool.map(run, range(1, kiosk_count + 1)))


def race_threads(folder: Path, kiosk_count: int, candidates: int) -> RaceResult:
    """Everybody asks at every kiosk."""
    prepared = prepare(folder, kiosk_count, candidates)
    through_one_writer(prepared, kiosk_count, scan, CLOCK_US)
    result = count(folder)
    prepared[0].close()
    return result


def race_processes(folder: Path, kiosk_count: int, candidates: int) -> RaceResult:
    """Every kiosk is a process with its own connection that judges without holding any lock."""
    database, _, lines = prepare(folder, kiosk_count, candidates)
    database.close()
    # Forked, so that all kiosks stand at the line at once; the parent's connection is closed by now.
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(kiosk_count)
    runners = [
        context.Process(target=run_kiosk, args=(folder, kiosk, lines, barrier))
        for kiosk in range(1, kiosk_count + 1)
    ]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert {runner.exitcode for runner in runners} == {0}
    return count(folder)


def race_uploads(folder: Path, kiosk_count: int, candidates: int) -> UploadResult:
    """Every kiosk worked alone and let everybody in, each at another moment; all upload at once."""
    prepared = prepare(folder, kiosk_count, candidates)
    through_one_writer(prepared, kiosk_count, upload, CLOCK_US + 3600 * SECOND_US)
    with prepared[0].read() as connection:
        result = upload_result(connection, kiosk_count * candidates)
    prepared[0].close()
    return result


def upload(kiosk: int, number: int, line: RosterLine) -> CheckInRequest:
    """Clocks are good to a millisecond, the kiosks' moments seconds apart and in another order each time."""
    at_us = CLOCK_US + ((kiosk * 7 + number * 5) % 11) * SECOND_US
    said = KioskSaid(
        boot_id=f"boot-{kiosk:04d}", sequence=number, clock_offset_us=0, clock_uncertainty_us=1000
    )
    decided = KioskDecision(Outcome.OK_OFFLINE)
    return replace(scan(kiosk, number, line), scanned_at_us=at_us, said=said, decided=decided)


def upload_result(connection: sqlite3.Connection, sent: int) -> UploadResult:
    """Counts what is wrong: a record that is missing, or an admission that is not the earliest entry."""
    (kept,) = connection.execute("select count(*) from checkin_attempt").fetchone()
    earliest = dict(
        tuple(row)
        for row in connection.execute(
            "select candidate_id, min(corrected_at_us) from checkin_attempt"
            " join checkin_circumstance on attempt_id = id group by candidate_id"
        )
    )
    standing = [
        tuple(row)
        for row in connection.execute(
            "select candidate_id, admitted_at_us from admission where voided_at_us is null"
        )
    ]
    wrong = sum(earliest[candidate] != at_us for candidate, at_us in standing)
    (cases,) = connection.execute("select count(*) from doubt_case").fetchone()
    return UploadResult(sent - kept, abs(len(earliest) - len(standing)) + wrong, cases)


def replayed(folder: Path, kiosk_count: int, candidates: int, repeats: int) -> int:
    """How many of so many repeated requests got anything but the stored bytes, or left a trace."""
    database, vault, lines = prepare(folder, kiosk_count, candidates)
    rules = CheckInRules(load_procedures(), load_outcome_texts())
    requests = [scan(1 + number % kiosk_count, number, line) for number, line in enumerate(lines)]
    stored = {}
    for request in requests:
        with database.write() as connection:
            stored[request.nonce] = decide(connection, vault, request, rules, CLOCK_US).body

    def repeat(turn: int) -> bool:
        request = requests[turn * 7919 % len(requests)]
        late_us = CLOCK_US + turn * SECOND_US
        with database.write() as connection:
            answer = decide(connection, vault, request, rules, late_us)
        return answer.is_replay and answer.body == stored[request.nonce]

    with ThreadPoolExecutor(kiosk_count) as pool:
        wrong = sum(not is_same for is_same in pool.map(repeat, range(repeats)))
    with database.read() as connection:
        (kept,) = connection.execute("select count(*) from checkin_attempt").fetchone()
    database.close()
    return wrong + kept - len(requests)


def run_kiosk(folder: Path, kiosk: int, lines: Sequence[RosterLine], barrier: Barrier) -> None:
    connection = sqlite3.connect(folder / "exam.db", isolation_level=None, timeout=60)
    connection.row_factory = sqlite3.Row
    connection.execute("pragma foreign_keys = on")
    vault = Vault.open(folder / "site.key")
    rules = CheckInRules(load_procedures(), load_outcome_texts())
    barrier.wait()
    for number, line in enumerate(lines):
        decide(connection, vault, scan(kiosk, number, line), rules, CLOCK_US)
    connection.close()


def count(folder: Path) -> RaceResult:
    connection = sqlite3.connect(folder / "exam.db")
    (attempts,) = connection.execute("select count(*) from checkin_attempt").fetchone()
    answers, admitted = connection.execute(
        "select count(*), count(distinct candidate_id) from checkin_attempt where outcome in (?, ?)",
        ADMITTING,
    ).fetchone()
    admissions, seated = connection.execute(
        "select count(*), count(distinct candidate_id) from admission"
    ).fetchone()
    connection.close()
    return RaceResult(attempts, admitted, answers - admitted, admissions - seated)


def race_double_admissions(kiosk_count: int = 8, candidates: int = 300) -> Row:
    """The row of `bench checkin`: both races together."""
    results = []
    for race in (race_threads, race_processes):
        with tempfile.TemporaryDirectory() as name:
            results.append(race(Path(name), kiosk_count, candidates))
    return Row(
        metric="race_double_admissions",
        value=sum(result.double_answers + result.double_admissions for result in results),
        unit="count",
        n=sum(result.attempts for result in results),
    )


def race_wrong_uploads(kiosk_count: int = 8, candidates: int = 300) -> Row:
    """The row of `bench checkin`: uploads of everybody by every kiosk."""
    with tempfile.TemporaryDirectory() as name:
        result = race_uploads(Path(name), kiosk_count, candidates)
    wrong = result.lost + result.wrong + abs(result.cases - candidates)
    return Row("race_wrong_uploads", wrong, "count", kiosk_count * candidates)


def replays_other_answer(repeats: int = 10_000, kiosk_count: int = 8, candidates: int = 300) -> Row:
    """The row of `bench checkin`: repeated requests that got another answer than the first."""
    with tempfile.TemporaryDirectory() as name:
        wrong = replayed(Path(name), kiosk_count, candidates, repeats)
    return Row("replays_other_answer", wrong, "count", repeats)
