"""Printed admission tickets (准考证, Art. 12(1)): on screen, as PDF, where each one lies, and issued anew.

With `web.signed_tickets` the QR code is a signed ticket instead of the bare number; the bars stay, so that
every scanner still reads something. A reissue voids the signed codes printed before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import (
    Blueprint,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import current_user

from evidence.admission_tickets import AdmissionTicket, TicketHead, load_head, load_tickets
from evidence.recording_orders import Who
from evidence.stretched_numbers import missing
from evidence.ticket_reissues import reissue
from evidence.ticket_signing import session_numbers, session_tickets
from exam.signed_tickets import claimed_number
from exam.tickets import normalise_ticket
from web.downloads import download
from web.roster_keeper import RosterKeeper
from web.services import services
from web.ticket_sheet import PAGE_MM, PrintedTicket, laid_out, sheet_html, sheet_pdf

blueprint = Blueprint("tickets", __name__)

# So many numbers are stretched while somebody waits: about a second.
AT_ONCE: Final = 20
RETRY_S: Final = 5
SHORTEST_REASON: Final = 2
LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What is printed, or how far its codes are."""

    head: TicketHead
    pages: list[list[PrintedTicket]]
    # Signed codes that are still to be made; 0: everything is ready.
    waiting: int = 0


@blueprint.get("/sessions/<int:session_id>/tickets")
def sheet(session_id: int) -> ResponseReturnValue:
    """The sheet for looking at and printing from the browser."""
    found = _sheet(session_id)
    return sheet_html(found.head, found.pages, for_pdf=False, waiting=found.waiting)


@blueprint.get("/sessions/<int:session_id>/tickets.pdf")
def pdf(session_id: int) -> ResponseReturnValue:
    """The same sheet as a file for a print shop."""
    found = _sheet(session_id)
    if found.waiting:
        return _not_ready(found.waiting)
    if not found.pages:
        abort(404)
    return download(
        sheet_pdf(found.head, found.pages), "application/pdf", f"tickets-{found.head.session_code}.pdf"
    )


@blueprint.get("/sessions/<int:session_id>/tickets.json")
def positions(session_id: int) -> ResponseReturnValue:
    """Where each ticket lies: page counted from 1, box as left, top, width, height in millimetres."""
    found = _sheet(session_id)
    if found.waiting:
        return _not_ready(found.waiting)
    tickets = [
        {
            "candidate_id": printed.ticket.candidate_id,
            "ticket_no": printed.ticket.ticket_no,
            "room_label": printed.ticket.room_label,
            "place_label": printed.ticket.place_label,
            "page": printed.page,
            "box_mm": printed.box_mm,
        }
        for page in found.pages
        for printed in page
    ]
    return jsonify(page_mm=PAGE_MM, tickets=tickets)


@blueprint.get("/sessions/<int:session_id>/tickets/reissue")
def reissue_page(session_id: int) -> Response:
    """Ask whose ticket is issued anew, and why."""
    return _reissue_page(session_id, "", 200)


@blueprint.post("/sessions/<int:session_id>/tickets/reissue")
def issue_anew(session_id: int) -> ResponseReturnValue:
    """Void what was printed for this candidate, and lead to the new ticket."""
    reason = request.form.get("reason", "").strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        return _reissue_page(session_id, "请写明原因（2至200字）。", 400)
    wanted = normalise_ticket(claimed_number(request.form.get("ticket_no", "")))
    with services().exam.write() as connection:
        found = [one for one in load_tickets(connection, session_id) if one.ticket_no == wanted]
        if not found:
            return _reissue_page(session_id, "本场次没有这个准考证号，请核对。没有作任何更改。", 404)
        who = Who(current_user.account_id, reason)
        reissue(connection, found[0].candidate_id, who, services().clock.wall_us())
    return redirect(url_for("tickets.sheet", session_id=session_id, only=found[0].candidate_id), 303)


def _reissue_page(session_id: int, fault: str, code: int) -> Response:
    with services().exam.read() as connection:
        head = load_head(connection, session_id)
    if head is None:
        abort(404)
    content = render_template(
        "tickets/reissue.html",
        head=head,
        fault=fault,
        form=request.form,
        is_signed=services().settings.web.signed_tickets,
    )
    return make_response(content, code)


def _sheet(session_id: int) -> _Sheet:
    only = request.args.get("only", type=int)
    with services().exam.read() as connection:
        head = load_head(connection, session_id)
        if head is None:
            abort(404)
        tickets = load_tickets(connection, session_id)
    wanted = [one for one in tickets if only is None or one.candidate_id == only]
    if not services().settings.web.signed_tickets or not wanted:
        return _Sheet(head, laid_out(wanted, {}))
    return _signed_sheet(head, wanted)


def _signed_sheet(head: TicketHead, tickets: list[AdmissionTicket]) -> _Sheet:
    everything = services()
    with everything.exam.read() as connection:
        numbers = session_numbers(connection, everything.vault, head.session_id)
        waiting = missing(connection, everything.vault, numbers)
    if len(waiting) > AT_ONCE:  # the keeper is at it
        return _Sheet(head, [], len(waiting))
    RosterKeeper(everything).stretch(waiting)
    with everything.exam.read() as connection:
        codes: Mapping[int, str] = session_tickets(connection, everything.vault, head.session_id)
    return _Sheet(head, laid_out(tickets, codes))


def _not_ready(waiting: int) -> ResponseReturnValue:
    words = f"签名二维码还在准备（还差{waiting}张），请稍后再试。"
    return jsonify(error="准考证还没有准备好", advice=words), 503, {"Retry-After": str(RETRY_S)}
