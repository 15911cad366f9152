"""The page 再次查验证件 (13(3)): one touch for each candidate whose documents are in order at the seat.

After the room's own start signal. Another touch takes a slip of the finger back; a doubt is written down
on the candidate's card.
"""

from typing import Any, Final

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from evidence.seat_checks import SeatCheck, note_check
from web.access import require_room
from web.bodies import Body, read_body, refused
from web.check_in_bodies import Key
from web.check_in_desk import room_line
from web.check_in_words import wake
from web.services import services

blueprint: Final = Blueprint("seat_checks", __name__, url_prefix="/check-in/documents")

NOT_STARTED: Final = "本考场还没有开考：开考信号发出后再次查验证件。"
NOT_IN: Final = "这名考生没有入场。有疑问的，请在考生页登记存疑。"


class CheckBody(Body):
    """One touch. `is_taken_back`: it was a slip."""

    candidate_id: Key
    is_taken_back: bool = False


@blueprint.get("/<int:session_id>/<int:room_id>")
def page(session_id: int, room_id: int) -> str:
    return render_template("check_in/documents.html", **_facts(session_id, room_id))


@blueprint.get("/<int:session_id>/<int:room_id>/live")
def live(session_id: int, room_id: int) -> str:
    return render_template("check_in/documents_live.html", **_facts(session_id, room_id))


@blueprint.post("/<int:session_id>/<int:room_id>")
def note(session_id: int, room_id: int) -> ResponseReturnValue:
    """Keep one touch; the same again changes nothing."""
    require_room(session_id, room_id, to_act=True)
    body = read_body(CheckBody)
    line = room_line(session_id, room_id)
    seats = {one.seat.candidate_id: one.seat for one in line.attendance.seats}
    seat = seats.get(body.candidate_id)
    if seat is None:
        abort(404)
    if line.started_at_us is None:
        return refused("not_started", NOT_STARTED, 409)
    if seat.admitted_at_us is None:
        return refused("not_in", NOT_IN, 409)
    check = SeatCheck(session_id, body.candidate_id, current_user.account_id, body.is_taken_back)
    with services().exam.write() as connection:
        is_new = note_check(connection, check, services().clock.wall_us())
    wake((room_id,))
    return {"is_new": is_new}


def _facts(session_id: int, room_id: int) -> dict[str, Any]:
    line = room_line(session_id, room_id)
    inside = [one for one in line.attendance.seats if one.seat.admitted_at_us is not None]
    return {
        "line": line,
        "inside": len(inside),
        "checked": sum(one.seat.is_checked for one in inside),
        "not_started": NOT_STARTED,
    }
