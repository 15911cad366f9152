"""Printed admission tickets (准考证, Art. 12(1)): on screen, as PDF, and where each one lies."""

from flask import Blueprint, abort, jsonify
from flask.typing import ResponseReturnValue

from evidence.admission_tickets import TicketHead, load_head, load_tickets
from web.downloads import download
from web.services import services
from web.ticket_sheet import PAGE_MM, PrintedTicket, laid_out, sheet_html, sheet_pdf

blueprint = Blueprint("tickets", __name__)


@blueprint.get("/sessions/<int:session_id>/tickets")
def sheet(session_id: int) -> ResponseReturnValue:
    """The sheet for looking at and printing from the browser."""
    head, pages = _laid_out(session_id)
    return sheet_html(head, pages, for_pdf=False)


@blueprint.get("/sessions/<int:session_id>/tickets.pdf")
def pdf(session_id: int) -> ResponseReturnValue:
    """The same sheet as a file for a print shop."""
    head, pages = _laid_out(session_id)
    if not pages:
        abort(404)
    return download(sheet_pdf(head, pages), "application/pdf", f"tickets-{head.session_code}.pdf")


@blueprint.get("/sessions/<int:session_id>/tickets.json")
def positions(session_id: int) -> ResponseReturnValue:
    """Where each ticket lies: page counted from 1, box as left, top, width, height in millimetres."""
    _, pages = _laid_out(session_id)
    tickets = [
        {
            "candidate_id": printed.ticket.candidate_id,
            "ticket_no": printed.ticket.ticket_no,
            "room_label": printed.ticket.room_label,
            "place_label": printed.ticket.place_label,
            "page": printed.page,
            "box_mm": printed.box_mm,
        }
        for page in pages
        for printed in page
    ]
    return jsonify(page_mm=PAGE_MM, tickets=tickets)


def _laid_out(session_id: int) -> tuple[TicketHead, list[list[PrintedTicket]]]:
    with services().exam.read() as connection:
        head = load_head(connection, session_id)
        if head is None:
            abort(404)
        return head, laid_out(load_tickets(connection, session_id))
