"""延误登记: a station that could not work gets its time back, and is stopped on its own (14(4), R13).

The assessor or the site lead writes down from when to when, why, and who saw it; the station's end follows
from all its delays (`exam.delays`). The room-wide end never stops an extended station: somebody does it here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from evidence.courses import load_course
from evidence.day import load_places, load_rooms
from evidence.given_time import (
    NewDelay,
    RecordedDelay,
    approve_delays,
    end_delay,
    record_delay,
    recorded_delays,
    stop_station,
    withdraw_delay,
)
from exam.clock import MINUTE_US
from exam.course import Approval, DelayReason, SessionCourse, StationStop
from exam.day import Place, Room, Session
from exam.delay_entries import DelayRefusal, delay_refusal
from exam.delays import AGREED_FROM_US
from exam.room_times import RoomTimes, room_times
from web.access import may_act, require_room
from web.change_desk import find_course
from web.room_view import todays_sessions
from web.services import room_topic, services
from web.signed_forms import RefusedFormError, moment_on_day_of, reason_given

blueprint: Final = Blueprint("delays", __name__)

REASON_WORDS: Final[Mapping[DelayReason, str]] = {
    DelayReason.EQUIPMENT: "设备故障（补时）",
    DelayReason.VENUE: "场地问题（补时）",
    DelayReason.OTHER: "考生自身原因、疾病等（只登记，不补时）",
}
REFUSAL_WORDS: Final[Mapping[DelayRefusal, str]] = {
    DelayRefusal.NOT_RUNNING: "本考场尚未开考，不需要登记延误。",
    DelayRefusal.OVER: "本考场已经全部结束，不能再登记延误。",
    DelayRefusal.WRONG_WAY_ROUND: "恢复时间须晚于停止时间。",
    DelayRefusal.IN_THE_FUTURE: "恢复时间还没有到。请在恢复操作之后登记。",
    DelayRefusal.BEFORE_START: "这段时间在开考之前，不需要补时。",
}
LONGEST_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class RoomDelays:
    """One running room of a session: its stations, what was written down, and who goes on."""

    course: SessionCourse
    room: Room
    places: list[Place]
    times: RoomTimes
    delays: list[RecordedDelay]

    @property
    def labels(self) -> dict[int, str]:
        return {place.id: place.label for place in self.places}


@blueprint.get("/delays")
def page() -> Response:
    return _page("", 200)


@blueprint.post("/delays/<int:session_id>/<int:room_id>")
def record(session_id: int, room_id: int) -> Response:
    """Write down one delay of a station that is over."""
    course = _course(session_id, room_id)
    try:
        new, stopped_at_us = _entry(course, room_id)
    except RefusedFormError as refused:
        return _page(str(refused), 400, (session_id, room_id))
    with services().exam.write() as connection:
        now_us = services().clock.wall_us()
        times = room_times(load_course(connection, course.session, services().procedures), room_id)
        refusal = delay_refusal(times, new.started_at_us, stopped_at_us, now_us)
        if refusal is None:
            delay_id = record_delay(connection, new, current_user.account_id, now_us)
            end_delay(connection, delay_id, stopped_at_us, current_user.account_id, now_us)
    if refusal is not None:
        return _page(REFUSAL_WORDS[refusal], 409, (session_id, room_id))
    return _changed(room_id)


@blueprint.post("/delays/<int:session_id>/<int:room_id>/<int:delay_id>/withdrawn")
def withdraw(session_id: int, room_id: int, delay_id: int) -> Response:
    """It was written down by mistake: the row stays and no longer counts."""
    _course(session_id, room_id)
    try:
        reason = reason_given()
    except RefusedFormError as refused:
        return _page(str(refused), 400)
    with services().exam.write() as connection:
        mine = {
            one.delay.id for one in recorded_delays(connection, session_id) if one.delay.room_id == room_id
        }
        if delay_id in mine:
            now_us = services().clock.wall_us()
            withdraw_delay(connection, delay_id, reason, current_user.account_id, now_us)
    return _changed(room_id) if delay_id in mine else abort(404)


@blueprint.post("/delays/<int:session_id>/<int:room_id>/stations/<int:place_id>/stopped")
def stop(session_id: int, room_id: int, place_id: int) -> Response:
    """The extended station was told to stop just now."""
    course = _course(session_id, room_id)
    with services().exam.write() as connection:
        now_us = services().clock.wall_us()
        course = load_course(connection, course.session, services().procedures)
        going_on = {one.place_id for one in room_times(course, room_id).going_on}
        if place_id in going_on:
            station = StationStop(room_id, place_id, now_us)
            stop_station(connection, session_id, station, current_user.account_id, now_us)
    return _changed(room_id) if place_id in going_on else _page("这个工位已经停止，或没有延误补时。", 409)


@blueprint.post("/delays/<int:session_id>/<int:room_id>/stations/<int:place_id>/approved")
def approve(session_id: int, room_id: int, place_id: int) -> Response:
    """The site lead agrees to delays of the station beyond half an hour, up to so many minutes together."""
    _course(session_id, room_id)
    minutes = request.form.get("minutes", type=int) or 0
    if not AGREED_FROM_US < minutes * MINUTE_US <= 4 * 60 * MINUTE_US:
        return _page("请填写大于30、不超过240的分钟数。", 400)
    with services().exam.write() as connection:
        if place_id not in {place.id for place in load_places(connection, room_id)}:
            abort(404)
        approval = Approval(room_id, place_id, minutes * MINUTE_US)
        now_us = services().clock.wall_us()
        approve_delays(connection, session_id, approval, current_user.account_id, now_us)
    return _changed(room_id)


def _course(session_id: int, room_id: int) -> SessionCourse:
    """The session, when the person may act in that room of it."""
    with services().exam.read() as connection:
        course = find_course(connection, session_id, services().procedures)
    if course is None or room_id not in course.session.room_ids:
        abort(404)
    require_room(session_id, room_id, to_act=True)
    return course


def _entry(course: SessionCourse, room_id: int) -> tuple[NewDelay, int]:
    """The delay that the form speaks of, and when it ended. Raises RefusedFormError."""
    witness, comment = (request.form.get(name, "").strip() for name in ("witness", "comment"))
    if not witness or max(len(witness), len(comment)) > LONGEST_WORDS:
        raise RefusedFormError("请填写见证人姓名；说明不超过200字。")
    reason, place_id = request.form.get("reason_class"), request.form.get("place", type=int)
    with services().exam.read() as connection:
        places = {place.id for place in load_places(connection, room_id)}
    if reason not in set(DelayReason) or place_id not in places:
        abort(400)
    started_at_us, stopped_at_us = _moment(course, "from"), _moment(course, "until")
    new = NewDelay(course.session.id, room_id, place_id, DelayReason(reason), started_at_us, witness, comment)
    return new, stopped_at_us


def _moment(course: SessionCourse, name: str) -> int:
    typed = request.form.get(name, "").strip().replace("：", ":")
    wrong = "请按 09:30 的格式填写停止时间和恢复时间。"
    return moment_on_day_of(course.session.planned_start_us, typed, wrong)


def _changed(room_id: int) -> Response:
    services().bus.publish(room_topic(room_id))
    return redirect(url_for(".page"), 303)


def _page(fault: str, code: int, typed_in: tuple[int, int] | None = None) -> Response:
    """The page; a refused entry stays in the form of its session and room."""
    facts: dict[str, Any] = {"reason_words": REASON_WORDS, "fault": fault, "typed_in": typed_in}
    return make_response(render_template("delays/page.html", rooms=_rooms(), **facts), code)


def _rooms() -> list[RoomDelays]:
    """The rooms of today that have started and in which the person may act."""
    with services().exam.read() as connection:
        sessions = [
            one
            for one in todays_sessions(connection, services().clock.wall_us())
            if one.procedure_code in services().procedures and one.cancelled_at_us is None
        ]
        return [room for session in sessions for room in _rooms_of(connection, session)]


def _rooms_of(connection: Connection, session: Session) -> Iterator[RoomDelays]:
    course = load_course(connection, session, services().procedures)
    written, rooms = recorded_delays(connection, session.id), load_rooms(connection)
    for room_id in session.room_ids:
        times = room_times(course, room_id)
        if times.started_at_us is not None and may_act(session.id, room_id):
            own = [one for one in written if one.delay.room_id == room_id]
            yield RoomDelays(course, rooms[room_id], load_places(connection, room_id), times, own)
