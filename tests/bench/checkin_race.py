"""Many kiosks ask for the same candidates at the same instant: is anybody admitted twice?

Two races. Threads go through the console's one writer, as on exam day. Processes each open the
database for themselves and hold no lock while they judge, so that only the unique indexes stand
between a candidate and a second admission.
"""

import multiprocessing
import sqlite3
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

from config.outcomes import load_outcome_texts
from config.procedures import load_procedures
from config.roster_columns import load_roster_columns
from evidence import kiosk_enrolments
from evidence.check_in_facts import CheckInRules
from evidence.checkins import CheckInRequest, decide
from evidence.database import WriterDatabase
from evidence.roster import RosterRequest, import_roster
from evidence.vault import Vault
from exam.admission import Outcome
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


def prepare(
    folder: Path, kiosk_count: int, candidates: int
) -> tuple[WriterDatabase, Vault, list[RosterLine]]:
    """A site with candidates and kiosks, ready for a race."""
    database, vault = lay_site(folder, candidates)
    lines = write_big_roster(folder / "roster.xlsx", candidates)
    with database.write() as connection:
        request = RosterRequest(folder / "roster.xlsx", BATCH, load_roster_columns())
        import_roster(connection, vault, request, CLOCK_US)
        for number in range(kiosk_count):
            kiosk_enrolments.enrol(connection, f"{number + 1}号签到机", None, CLOCK_US)
    return database, vault, lines


def scan(kiosk: int, number: int, line: RosterLine) -> CheckInRequest:
    return CheckInRequest(
        kiosk_id=kiosk,
        nonce=f"race-{kiosk:04d}-{number:08d}",
        scanned_at_us=CLOCK_US,
        ticket_no=line.person.ticket_no,
        id_number=line.person.id_number,
    )


def race_threads(folder: Path, kiosk_count: int, candidates: int) -> RaceResult:
    """Every kiosk is a thread; all of them write through the one writer."""
    database, vault, lines = prepare(folder, kiosk_count, candidates)
    rules = CheckInRules(load_procedures(), load_outcome_texts())
    barrier = Barrier(kiosk_count)

    def run(kiosk: int) -> None:
        barrier.wait()
        for number, line in enumerate(lines):
            with database.write() as connection:
                decide(connection, vault, scan(kiosk, number, line), rules, CLOCK_US)

    with ThreadPoolExecutor(kiosk_count) as pool:
        list(pool.map(run, range(1, kiosk_count + 1)))
    result = count(folder)
    database.close()
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
