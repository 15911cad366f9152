"""Kiosks cut off from their console: how long a candidate waits, how fast records are brought, what is lost.

Real packages of a real console (gunicorn, own process), real stretching, real SQLite with fsync. The kiosks
run side by side in one process, which is slower than machines of their own.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from config.settings import Settings, WebSettings
from evidence import kiosk_enrolments
from evidence.database import ReaderDatabase
from exam.clock import SECOND_US, SimulatedClock
from exam.kiosk_health import Part, PartState
from kiosk.console import HttpConsole
from kiosk.local import Local, open_local
from kiosk.scan import Scan
from rehearsal.people_names import RosterLine
from tests.bench.bench_report import Row, percentile, progress
from tests.bench.checkin_console import CLOCK, first_heartbeat, running_console
from tests.bench.checkin_race import prepare, signed
from tests.kiosk.stage import free_port
from tests.world import CLOCK_US

PARTS = {Part.CAMERA: PartState.OK}
PATIENCE = 600


@dataclass(frozen=True, slots=True)
class AloneResult:
    """What a morning without the console came to."""

    answers_ms: Sequence[float]
    admitted: int
    brought_s: float
    # Scans that are on no record, or on more than one; candidates without exactly one admission.
    lost: int
    doubled: int
    wrong: int


def alone_rows(folder: Path, kiosks: int, candidates: int) -> list[Row]:
    """The figures of `measure_alone`."""
    found = measure_alone(folder, kiosks, candidates)
    return [
        Row("alone_answer_p50", percentile(found.answers_ms, 50), "ms", candidates),
        Row("alone_answer_p95", percentile(found.answers_ms, 95), "ms", candidates),
        Row("alone_admitted", found.admitted, "count", candidates),
        Row("alone_brought", round(candidates / found.brought_s, 1), "scans/s", candidates),
        Row("alone_scans_lost", found.lost, "count", candidates),
        Row("alone_scans_doubled", found.doubled, "count", candidates),
        Row("alone_wrong_admissions", found.wrong, "count", candidates),
    ]


def measure_alone(folder: Path, kiosks: int, candidates: int) -> AloneResult:
    """Let every candidate in at one of the kiosks while the console is away, then bring everything."""
    settings = Settings(data_folder=folder, web=WebSettings(port=free_port()))
    database, _, lines = prepare(folder, 0, candidates)
    settings.keys_folder.mkdir(exist_ok=True)
    (folder / "site.key").rename(settings.site_key)
    with signed(database, folder), database.write() as connection:
        tokens = [kiosk_enrolments.enrol(connection, f"{n}号", None, CLOCK_US) for n in range(kiosks)]
    database.close()
    with running_console(settings):
        opened = [open_kiosk(folder / f"kiosk-{n}", settings, token) for n, token in enumerate(tokens)]
        for local, console in opened:
            wait_for_packages(local, console)
            local.contact.lost()
        answers = [one for share in at_once(opened, lines) for one in share]
        before_us = CLOCK.monotonic_us()
        with ThreadPoolExecutor(kiosks) as pool:
            list(pool.map(lambda one: one[0].contact.turn(PARTS), opened))
        brought_s = (CLOCK.monotonic_us() - before_us) / SECOND_US
        waiting = sum(local.contact.told.counts.waiting for local, _ in opened)
        for local, console in opened:
            local.close()
            console.close()
    reader = ReaderDatabase(settings.exam_db)
    with reader.read() as connection:
        attempts, wrong = on_record(connection, candidates)
    reader.close()
    return AloneResult(
        answers_ms=[ms for ms, _ in answers],
        admitted=sum(admitted for _, admitted in answers),
        brought_s=brought_s,
        lost=max(0, candidates - len(attempts)) + waiting,
        doubled=sum(count - 1 for count in attempts.values()),
        wrong=wrong,
    )


def open_kiosk(folder: Path, site: Settings, token: str) -> tuple[Local, HttpConsole]:
    settings = Settings(data_folder=folder)
    settings.keys_folder.mkdir(parents=True)
    settings.kiosk_token.write_text(token)
    console = HttpConsole(site.kiosk_server, settings.kiosk_token)
    # The console's clock stands still, and so does the kiosk's.
    return open_local(settings, console, SimulatedClock(CLOCK_US)), console


def wait_for_packages(local: Local, console: HttpConsole) -> None:
    first_heartbeat(console)
    progress("waiting for the roster package")
    for _ in range(PATIENCE):
        local.contact.turn(PARTS)
        if local.contact.packages.revision is not None:
            return
        CLOCK.sleep_us(SECOND_US)
    raise TimeoutError("no roster package")


def at_once(
    opened: Sequence[tuple[Local, HttpConsole]], lines: Sequence[RosterLine]
) -> list[list[tuple[float, bool]]]:
    """Every kiosk takes its share, all at the same time: milliseconds and whether he is in."""
    progress(f"{len(lines)} candidates at {len(opened)} kiosks that work alone")

    def share(number: int) -> list[tuple[float, bool]]:
        return [admit(opened[number][0], line) for line in lines[number :: len(opened)]]

    with ThreadPoolExecutor(len(opened)) as pool:
        return list(pool.map(share, range(len(opened))))


def admit(local: Local, line: RosterLine) -> tuple[float, bool]:
    before_us = CLOCK.monotonic_us()
    answer = local.asker.ask(Scan(line.person.ticket_no, line.person.id_number)).answer
    return (CLOCK.monotonic_us() - before_us) / 1000, answer.admitted


def on_record(connection: Connection, candidates: int) -> tuple[Counter[str], int]:
    """How often each scan is on record, and how many candidates have not exactly one admission."""
    attempts = Counter(row["nonce"] for row in connection.execute("select nonce from checkin_attempt"))
    (once,) = connection.execute(
        "select count(*) from (select candidate_id from admission group by candidate_id having count(*) = 1)"
    ).fetchone()
    return attempts, candidates - once
