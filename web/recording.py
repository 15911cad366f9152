"""The recording page: what every room's cameras do by the plan, and what the site lead decides about it.

Every decision needs a reason and is kept with its author. Whoever stops the recording of a room in
which a session is on needs a second person with an own password (F28, adr/0005).
"""

from typing import Final

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from evidence.day import load_rooms
from evidence.recording_orders import (
    NewMove,
    RecordingOrderError,
    Who,
    change_mode,
    latest_decisions,
    load_room_orders,
    move_session,
    order_by_hand,
    rooms_of,
)
from exam.clock import MINUTE_US, site_time
from exam.day import Room
from exam.recording_decision import HandAct, RecordingMode
from web.limits import FAILURES, is_failure, limiter
from web.recording_view import MODE_WORDS, RoomRecordingView, recording_views, site_mode
from web.room_view import todays_sessions
from web.services import ANY_TOPIC, services
from web.signed_forms import RefusedFormError, moment_on_day_of, reason_given, second_person

blueprint: Final = Blueprint("recording", __name__)

SHOWN_DECISIONS: Final = 20
# A move is entered while people move: what is farther away is a slip of the hand.
FARTHEST_MOVE_US: Final = 60 * MINUTE_US
AS_SITE: Final = "as_site"
STOPPING: Final = "考试正在进行：停止录像"
UNDONE: Final = "录像没有停止"
ACT_WORDS: Final = {"mode": "录像方式", "start": "开始录像", "stop": "停止录像", "move": "场次换到"}


@blueprint.get("/recording")
def page() -> Response:
    return _page("", 200)


@blueprint.post("/recording/rooms/<int:room_id>/<act>")
@limiter.limit(FAILURES, deduct_when=is_failure)
def by_hand(room_id: int, act: str) -> Response:
    """Start or stop the cameras of a room."""
    if act not in set(HandAct):
        abort(404)
    try:
        view = _view_of(room_id)
        needs_second = act == HandAct.STOP and view.needs_second_person
        who = Who(
            current_user.account_id, reason_given(), second_person(STOPPING, UNDONE) if needs_second else None
        )
    except RefusedFormError as refusal:
        return _page(str(refusal), 400)
    with services().exam.write() as connection:
        order_by_hand(connection, room_id, HandAct(act), who, services().clock.wall_us())
    return _done()


@blueprint.post("/recording/mode")
def mode() -> Response:
    """Change how it is decided when the site, or one room, is recorded."""
    room_id = request.form.get("room_id", type=int)
    wanted = request.form.get("mode", "")
    try:
        if wanted not in {*RecordingMode, AS_SITE} or (wanted == AS_SITE and room_id is None):
            abort(400)
        if room_id is not None:
            _view_of(room_id)
        if _effective(wanted) == RecordingMode.MANUAL and any(
            view.has_session_now for view in _views(room_id)
        ):
            raise RefusedFormError("考试正在进行，不能改为仅手动录像。如确需停止，请停止该考场的录像。")
        who = Who(current_user.account_id, reason_given())
    except RefusedFormError as refusal:
        return _page(str(refusal), 400)
    with services().exam.write() as connection:
        chosen = None if wanted == AS_SITE else RecordingMode(wanted)
        change_mode(connection, room_id, chosen, who, services().clock.wall_us())
    return _done()


@blueprint.post("/recording/moves")
def move() -> Response:
    """Let a session go on in another room: its cameras, its certificate and its schedule follow."""
    session, _, room = request.form.get("from", "").partition("-")
    target = request.form.get("to_room", type=int)
    if not (session.isdigit() and room.isdigit()) or target is None:
        abort(400)
    now_us = services().clock.wall_us()
    try:
        who, moves_at_us = Who(current_user.account_id, reason_given()), _moment(now_us)
        with services().exam.write() as connection:
            if target not in load_rooms(connection):
                raise RefusedFormError("没有这个考室，请重新选择。")
            move_session(connection, NewMove(int(session), int(room), target, moves_at_us), who, now_us)
    except RecordingOrderError:
        return _page("该场次已不在这个考场，请刷新后重新选择。", 409)
    except RefusedFormError as refusal:
        return _page(str(refusal), 400)
    return _done()


def _done() -> Response:
    services().bus.publish(ANY_TOPIC)
    return redirect(url_for("recording.page"))


def _views(room_id: int | None) -> list[RoomRecordingView]:
    with services().exam.read() as connection:
        found = recording_views(
            connection, load_rooms(connection), services().procedures, services().clock.wall_us()
        )
    return [view for view in found.values() if room_id in (None, view.room.id)]


def _view_of(room_id: int) -> RoomRecordingView:
    found = _views(room_id)
    if not found:
        abort(404)
    return found[0]


def _effective(wanted: str) -> str:
    """The mode that a room gets: that of the site where it follows the site."""
    if wanted != AS_SITE:
        return wanted
    with services().exam.read() as connection:
        return site_mode(load_room_orders(connection))


def _moment(now_us: int) -> int:
    """The time of day that was typed, today and not far from now; empty: now."""
    typed = request.form.get("moves_at", "").strip()
    if not typed:
        return now_us
    moment_us = moment_on_day_of(now_us, typed, "请按 09:30 的格式填写转场时间，或者留空表示现在。")
    if abs(moment_us - now_us) > FARTHEST_MOVE_US:
        raise RefusedFormError(
            f"转场时间 {typed} 与现在（{site_time(now_us):%H:%M}）相差超过1小时，请核对。转场没有登记。"
        )
    return moment_us


def _page(fault: str, code: int) -> Response:
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        rooms = load_rooms(connection)
        sessions = [one for one in todays_sessions(connection, now_us) if one.cancelled_at_us is None]
        sittings = [(one, rooms[room]) for one in sessions for room in rooms_of(connection, one.id)]
        views = recording_views(connection, rooms, services().procedures, now_us)
        orders = load_room_orders(connection)
        decisions = latest_decisions(connection, SHOWN_DECISIONS)
    content = render_template(
        "recording/page.html",
        fault=fault,
        views=_ordered(list(views.values())),
        sittings=sittings,
        rooms=list(rooms.values()),
        site_mode=site_mode(orders),
        modes=MODE_WORDS,
        decisions=decisions,
        act_words=ACT_WORDS,
        detail_words={**MODE_WORDS, AS_SITE: "随考点"},
    )
    return make_response(content, code)


def _ordered(views: list[RoomRecordingView]) -> list[RoomRecordingView]:
    """What people changed or must see to first, then by room."""

    def key(view: RoomRecordingView) -> tuple[bool, str]:
        room: Room = view.room
        return view.words[0] != "wait" and not view.is_overdue, room.code

    return sorted(views, key=key)
