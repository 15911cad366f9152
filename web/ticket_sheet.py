"""Laying admission tickets on A4 sheets: positions, codes and the PDF.

The layout is fixed and written down here in millimetres, so that whoever shows a printed page to a
camera knows where each ticket lies. Codes carry the bare ticket number in ASCII.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import segno
from barcode.codex import Code128
from flask import render_template
from weasyprint import CSS, HTML

from config.ticket_sheet import load_ticket_words
from evidence.admission_tickets import AdmissionTicket, TicketHead
from exam.clock import site_time

PAGE_MM: Final = (210.0, 297.0)
PER_PAGE: Final = 3
# Left, top, width, height of the first ticket; the next ones follow below without a gap, cut along the lines.
FIRST_BOX_MM: Final = (0.0, 0.0, 210.0, 99.0)
STYLESHEET: Final = Path(__file__).parent / "static" / "tickets" / "sheet.css"
QUIET_MODULES: Final = 10
# A bare number makes few modules: a quarter of them may be dirty.
PLAIN_CORRECTION: Final = "q"
# A signed ticket makes many. With half the correction they are a seventh larger, which a camera at its
# usual distance needs more than dirt does (measured: docs/design/kiosk-sync.md).
SIGNED_CORRECTION: Final = "m"
PAIR_99: Final = 99


class _TicketBars(Code128):  # type: ignore[misc]  # the library ships no types
    """Code 128 that keeps a leading 99, which the library takes for a change of character set and drops."""

    def _try_to_optimize(self, encoded: list[int]) -> list[int]:
        shorter: list[int] = encoded if encoded[1:2] == [PAIR_99] else super()._try_to_optimize(encoded)
        return shorter


@dataclass(frozen=True, slots=True)
class Outline:
    """A drawing of black modules: an SVG path in a box of so many modules."""

    path: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class PrintedTicket:
    """One ticket with its codes and its place on the sheets."""

    ticket: AdmissionTicket
    bars: Outline
    qr: Outline
    page: int
    box_mm: tuple[float, float, float, float]


def laid_out(tickets: Sequence[AdmissionTicket], codes: Mapping[int, str]) -> list[list[PrintedTicket]]:
    """The tickets page by page. `codes`: texts of signed tickets by candidate; else the bare number."""
    pages = [tickets[first : first + PER_PAGE] for first in range(0, len(tickets), PER_PAGE)]
    return [
        [
            _printed(ticket, codes.get(ticket.candidate_id), (page, slot))
            for slot, ticket in enumerate(on_page)
        ]
        for page, on_page in enumerate(pages, 1)
    ]


def _printed(ticket: AdmissionTicket, signed: str | None, at: tuple[int, int]) -> PrintedTicket:
    page, slot = at
    left, top, width, height = FIRST_BOX_MM
    box = (left, top + slot * height, width, height)
    qr = qr_of(ticket.ticket_no) if signed is None else qr_of(signed, SIGNED_CORRECTION)
    return PrintedTicket(ticket, bars_of(ticket.ticket_no), qr, page, box)


def bars_of(text: str) -> Outline:
    """The text as Code 128, one module high, with its quiet zones."""
    row = "0" * QUIET_MODULES + bar_modules(text) + "0" * QUIET_MODULES
    return Outline(_path([row]), len(row), 1)


def bar_modules(text: str) -> str:
    """The modules of the text as Code 128, dark ones as 1."""
    modules: str = _TicketBars(text).build()[0]
    return modules


def qr_of(text: str, correction: str = PLAIN_CORRECTION) -> Outline:
    """The text as a QR code with its quiet zone."""
    code = segno.make_qr(text, error=correction, boost_error=False)
    rows = ["".join("1" if module else "0" for module in row) for row in code.matrix_iter(border=4)]
    return Outline(_path(rows), len(rows[0]), len(rows))


def _path(rows: Iterable[str]) -> str:
    return "".join(
        f"M{start} {y}h{length}v1h-{length}z" for y, row in enumerate(rows) for start, length in _runs(row)
    )


def _runs(row: str) -> Iterable[tuple[int, int]]:
    start = row.find("1")
    while start >= 0:
        end = row.find("0", start)
        end = len(row) if end < 0 else end
        yield start, end - start
        start = row.find("1", end)


def sheet_html(head: TicketHead, pages: list[list[PrintedTicket]], *, for_pdf: bool, waiting: int = 0) -> str:
    """All tickets of a session as one printable page."""
    words = load_ticket_words()
    return render_template(
        "tickets/sheet.html",
        head=head,
        pages=pages,
        count=sum(map(len, pages)),
        words=words,
        kind=words.kinds[head.kind],
        starts=_period(head),
        for_pdf=for_pdf,
        waiting=waiting,
    )


def _period(head: TicketHead) -> str:
    starts = site_time(head.planned_start_us)
    ends = site_time(head.planned_start_us + head.duration_us)
    return f"{starts.year}年{starts.month}月{starts.day}日 {starts:%H:%M}—{ends:%H:%M}"


def sheet_pdf(head: TicketHead, pages: list[list[PrintedTicket]]) -> bytes:
    """All tickets of a session as PDF, fonts embedded. Reads nothing but its own stylesheet."""
    document = HTML(string=sheet_html(head, pages, for_pdf=True))
    pdf: bytes = document.write_pdf(stylesheets=[CSS(filename=str(STYLESHEET))])
    return pdf
