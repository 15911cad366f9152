"""Legal holds (封存) and restrictions (限制处理): asked for by one person, confirmed by another."""

from typing import Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from evidence import day
from evidence.holds import HoldRow, NewHold, load_holds, propose_hold, take_step
from evidence.retention import load_batches, session_room_reaches
from evidence.timeline import RoomCamera, room_cameras
from exam.holds import HoldError, HoldKind, HoldState, HoldStep
from exam.retention import Reach
from web import retention_words
from web.playback_choice import Wanted, checked, submitted
from web.retention_page import decision, reason_of_form
from web.services import services

blueprint: Final = Blueprint("holds", __name__, url_prefix="/holds")

# What may be done next, the careful side first: step and word on the button.
NEXT: Final = {
    HoldState.PROPOSED: ((HoldStep.CONFIRMED, "确认生效"), (HoldStep.WITHDRAWN, "不予确认")),
    HoldState.IN_FORCE: ((HoldStep.LIFT_PROPOSED, "申请解除"),),
    HoldState.LIFT_PROPOSED: ((HoldStep.LIFT_REFUSED, "不同意解除"), (HoldStep.LIFTED, "同意解除")),
}
TAKEN: Final = frozenset(HoldStep) - {HoldStep.PROPOSED}


@blueprint.get("/")
def page() -> str:
    with services().exam.read() as connection:
        rooms = list(day.load_rooms(connection).values())
        facts = {
            "holds": load_holds(connection),
            "batches": load_batches(connection),
            "sessions": [
                (session, room)
                for session in day.load_sessions(connection)
                for room in rooms
                if room.id in session.room_ids
            ],
            "rooms": rooms,
        }
    return render_template("retention/holds.html", **facts, words=retention_words, next_steps=next_steps)


def next_steps(hold: HoldRow) -> list[tuple[HoldStep, str]]:
    """What the person who asks may do about it; what one began, another confirms."""
    steps = NEXT.get(hold.state, ())
    own = hold.last.account_id == current_user.account_id
    alone = {HoldStep.LIFT_PROPOSED, HoldStep.LIFT_REFUSED}
    return [(step, word) for step, word in steps if not own or step in alone]


@blueprint.post("/")
def propose() -> AnyResponse:
    kind = request.form.get("kind", "")
    if kind not in set(HoldKind) or not reason_of_form():
        abort(400)
    found = _scope(HoldKind(kind))
    if isinstance(found, str):
        flash(found)
        return redirect(url_for(".page"), 303)
    with services().exam.write() as connection:
        propose_hold(connection, found, decision(reason_of_form()))
    return redirect(url_for(".page"), 303)


@blueprint.post("/<int:hold_id>/<step>")
def take(hold_id: int, step: str) -> AnyResponse:
    if step not in TAKEN or not reason_of_form():
        abort(400)
    try:
        with services().exam.write() as connection:
            take_step(connection, hold_id, HoldStep(step), decision(reason_of_form()))
    except HoldError as error:
        flash(str(error))
    return redirect(url_for(".page"), 303)


def _scope(kind: HoldKind) -> NewHold | str:
    """What is to be held; a sentence when nothing can be made of the form."""
    scope = request.form.get("scope", "")
    if scope == "batch":
        return _batch(kind)
    return _session_room(kind) if scope == "session" else _interval(kind)


def _batch(kind: HoldKind) -> NewHold | str:
    batch_id = request.form.get("batch", type=int)
    with services().exam.read() as connection:
        names = {row.id: row.name for row in load_batches(connection)}
    if batch_id is None or batch_id not in names:
        return "请选择批次。"
    return NewHold(kind, batch_id, (), f"批次 {names[batch_id]}")


def _session_room(kind: HoldKind) -> NewHold | str:
    session_id, _dash, room_id = request.form.get("session", "").partition("-")
    if not (session_id.isdecimal() and room_id.isdecimal()):
        return "请选择场次和考场。"
    with services().exam.read() as connection:
        sessions = {each.id: each for each in day.load_sessions(connection)}
        rooms = day.load_rooms(connection)
        reaches = session_room_reaches(connection, int(session_id), int(room_id))
    if not reaches:
        return "该场次在该考场没有摄像机。"
    session, room = sessions[int(session_id)], rooms[int(room_id)]
    return NewHold(kind, None, reaches, f"{room.label} 场次 {session.code} {session.subject}")


def _interval(kind: HoldKind) -> NewHold | str:
    with services().exam.read() as connection:
        rooms = day.load_rooms(connection)
    choice = submitted(request.form)
    wanted = checked(choice, rooms.values(), services().clock.wall_us())
    if not isinstance(wanted, Wanted):
        return "".join(wanted)
    with services().exam.read() as connection:
        cameras: list[RoomCamera] = room_cameras(connection, wanted.room_id, wanted.interval)
    if not cameras:
        return "该考场没有摄像机。"
    interval = wanted.interval
    reaches = tuple(Reach(camera.uuid, interval.from_us, interval.until_us) for camera in cameras)
    moments = f"{retention_words.moment_words(interval.from_us)} 至 {choice.time_until}"
    return NewHold(kind, None, reaches, f"{rooms[wanted.room_id].label} {moments}")
