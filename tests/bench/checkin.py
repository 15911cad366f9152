"""How long a candidate waits: from a camera frame to the console's answer.

Real tickets, printed by the product, are seen by the simulated camera; the kiosk's scanner reads
them and asks a real console (gunicorn, own process, one machine) over HTTP. Beside it, on the very
same frames, pyzbar alone. Then kiosks that work alone, the races for double admissions and of uploads, and
repeated requests.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import structlog
from pyzbar import pyzbar
from pyzbar.wrapper import ZBarSymbol

from config.settings import KioskSettings, Settings, WebSettings
from evidence.admission_tickets import load_head, load_tickets
from evidence.database import WriterDatabase
from evidence.vault import Vault
from exam.clock import SimulatedClock
from kiosk.acceptance import Acceptance
from kiosk.asking import Asker
from kiosk.console import HttpConsole
from kiosk.local import open_local
from kiosk.scan import Scan
from kiosk.scanner import Scanner, grey_of
from kiosk.visit import TicketRead
from rehearsal.people_names import RosterLine
from rehearsal.ticket_show import PrintedSheet, hand_movement, rasterised, seen
from tests.bench.bench_report import Row, percentile, print_report, progress
from tests.bench.checkin_alone import alone_rows
from tests.bench.checkin_console import CLOCK, first_heartbeat, running_console
from tests.bench.checkin_race import (
    prepare,
    race_double_admissions,
    race_wrong_uploads,
    replays_other_answer,
)
from tests.kiosk.stage import free_port
from tests.world import CLOCK_US
from web.app import create_app
from web.services import FootageReader, Services
from web.ticket_sheet import PAGE_MM, laid_out, sheet_pdf

SYMBOLS = [ZBarSymbol.CODE128, ZBarSymbol.QRCODE]


@dataclass
class Timings:
    """Milliseconds; the lists of a pair belong together item by item."""

    scan: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    # Only frames that were read: frame to answer, and pyzbar alone on that frame.
    answer: list[float] = field(default_factory=list)
    answer_alone: list[float] = field(default_factory=list)
    # All frames a candidate showed, up to the answer.
    candidate: list[float] = field(default_factory=list)
    read_frames: int = 0
    read_frames_alone: int = 0
    read_tickets: int = 0
    read_tickets_alone: int = 0
    admitted: int = 0


def main(argv: list[str]) -> int:
    """Measure and print the report."""
    parser = argparse.ArgumentParser(prog="bench checkin", description=__doc__)
    parser.add_argument("--candidates", type=int, default=40, help="tickets to show (40)")
    parser.add_argument("--frames", type=int, default=8, help="frames a hand needs for one ticket (8)")
    parser.add_argument("--alone-kiosks", type=int, default=3, help="kiosks that lost their console (3)")
    parser.add_argument("--alone-candidates", type=int, default=300, help="candidates there (300)")
    parser.add_argument("--race-kiosks", type=int, default=8)
    parser.add_argument("--race-candidates", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=10_000, help="repeats of answered requests (10000)")
    chosen = parser.parse_args(argv)
    # The report alone goes to stdout.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory() as name:
        timings = measure(Path(name), chosen.candidates, chosen.frames)
    with tempfile.TemporaryDirectory() as name:
        alone = alone_rows(Path(name), chosen.alone_kiosks, chosen.alone_candidates)
    progress("race for double admissions")
    race = race_double_admissions(chosen.race_kiosks, chosen.race_candidates)
    progress("race of uploads")
    uploads = race_wrong_uploads(chosen.race_kiosks, chosen.race_candidates)
    progress("repeated requests")
    repeats = replays_other_answer(chosen.repeats)
    print_report("checkin", [*rows(timings, chosen.candidates), *alone, race, uploads, repeats])
    return 0


def measure(folder: Path, candidates: int, frames: int) -> Timings:
    """Show every candidate's ticket once and check him in."""
    settings = Settings(
        data_folder=folder, web=WebSettings(port=free_port()), kiosk=KioskSettings(camera=f"folder:{folder}")
    )
    database, _, lines = prepare(folder, 1, candidates)
    settings.keys_folder.mkdir(exist_ok=True)
    shutil.copy(folder / "site.key", settings.site_key)
    progress(f"printing {candidates} tickets")
    sheet = printed(settings, database)
    database.close()
    timings = Timings()
    with running_console(settings):
        console = HttpConsole(settings.kiosk_server, settings.kiosk_token)
        forms = first_heartbeat(console)
        scanner = Scanner(settings.kiosk.symbologies)
        # The console's clock is simulated, so this kiosk has none of its own.
        local = open_local(settings, console, SimulatedClock(CLOCK_US))
        for number, line in enumerate(lines):
            if number % 10 == 0:
                progress(f"candidate {number + 1} of {candidates}")
            show(Show(sheet, line, number, frames), scanner, Acceptance(forms), local.asker, timings)
        scanner.close()
        local.close()
        console.close()
    return timings


@dataclass(frozen=True)
class Show:
    """One candidate putting down a ticket."""

    sheet: PrintedSheet
    line: RosterLine
    seed: int
    frames: int


def show(what: Show, scanner: Scanner, acceptance: Acceptance, asker: Asker, timings: Timings) -> None:
    """All frames of one ticket; the first that is read leads to the question."""
    paper = what.sheet.ticket(what.line.person.ticket_no)
    spent_ms, is_answered, was_read_alone = 0.0, False, False
    for index, view in enumerate(hand_movement(what.seed, what.frames)):
        frame = seen(paper, view, what.seed * 1000 + index)
        alone_ms, alone = timed(lambda frame=frame: pyzbar.decode(grey_of(frame), SYMBOLS))
        scan_ms, readings = timed(lambda frame=frame: scanner.scan(frame))
        timings.alone.append(alone_ms)
        timings.scan.append(scan_ms)
        timings.read_frames += bool(readings)
        timings.read_frames_alone += bool(alone)
        was_read_alone = was_read_alone or bool(alone)
        if is_answered:
            continue
        spent_ms += scan_ms
        taken = acceptance.judge(readings, CLOCK.monotonic_us())
        if isinstance(taken, TicketRead):
            ask_ms, answer = timed(
                lambda taken=taken: asker.ask(Scan(taken.ticket_no, what.line.person.id_number))
            )
            is_answered = True
            timings.answer.append(scan_ms + ask_ms)
            timings.answer_alone.append(alone_ms)
            timings.candidate.append(spent_ms + ask_ms)
            timings.admitted += answer.answer.admitted
    timings.read_tickets += is_answered
    timings.read_tickets_alone += was_read_alone


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds and result."""
    before_us = CLOCK.monotonic_us()
    result = action()
    return (CLOCK.monotonic_us() - before_us) / 1000, result


def rows(timings: Timings, candidates: int) -> list[Row]:
    """The figures, each beside pyzbar alone on the same frames."""

    def pair(metric: str, ours: Sequence[float], alone: Sequence[float], at: int) -> Row:
        ratio = median(one / other for one, other in zip(ours, alone, strict=True))
        mine, others = percentile(ours, at), percentile(alone, at)
        return Row(metric, mine, "ms", len(ours), others, "pyzbar alone", round(ratio, 3))

    frames = len(timings.scan)
    return [
        pair("frame_to_answer_p50", timings.answer, timings.answer_alone, 50),
        pair("frame_to_answer_p95", timings.answer, timings.answer_alone, 95),
        pair("scan_frame_p50", timings.scan, timings.alone, 50),
        pair("scan_frame_p95", timings.scan, timings.alone, 95),
        Row("first_frame_to_answer_p95", percentile(timings.candidate, 95), "ms", len(timings.candidate)),
        fraction("frames_read", timings.read_frames, timings.read_frames_alone, frames),
        fraction("tickets_read", timings.read_tickets, timings.read_tickets_alone, candidates),
        Row("candidates_admitted", timings.admitted, "count", candidates),
    ]


def fraction(metric: str, ours: int, alone: int, n: int) -> Row:
    ratio = round(ours / alone, 3) if alone else None
    return Row(metric, round(ours / n, 4), "fraction", n, round(alone / n, 4), "pyzbar alone", ratio)


def printed(settings: Settings, database: WriterDatabase) -> PrintedSheet:
    """The session's tickets as the console prints them, rasterised."""
    services = Services(
        settings,
        SimulatedClock(CLOCK_US),
        database,
        FootageReader(settings.footage_db),
        Vault.open(settings.site_key),
    )
    with database.read() as connection:
        (session_id,) = connection.execute("select id from session").fetchone()
        head = load_head(connection, session_id)
        assert head is not None
        pages = laid_out(load_tickets(connection, session_id), {})
    pdf = settings.data_folder / "tickets.pdf"
    with create_app(services).test_request_context():
        pdf.write_bytes(sheet_pdf(head, pages))
    tickets = [
        {"ticket_no": one.ticket.ticket_no, "page": one.page, "box_mm": one.box_mm}
        for page in pages
        for one in page
    ]
    return PrintedSheet(rasterised(pdf, settings.data_folder), {"page_mm": PAGE_MM, "tickets": tickets})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
