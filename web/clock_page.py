"""The exam wall clock (考场时钟): the actual time, large, and start and end as announced; never a countdown.

Candidates must not be counted down at (JCQ 11), so nothing on this page depends on how much time is left.
The variant for a display in the room needs no login: it shows what hangs on the door anyway.
"""

from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, render_template

from evidence.day import load_sessions
from exam.day import Room
from exam.room_times import planned_end_us, room_times
from web.services import services
from web.signal_schedule import RoomCourse, load_room_day
from web.signals import room_by_code

blueprint: Final = Blueprint("clock_page", __name__)


@blueprint.get("/rooms/<code>/clock")
def page(code: str) -> str:
    return render_template("clock/page.html", room=room_by_code(code), is_display=False)


@blueprint.get("/display/<code>")
def display(code: str) -> str:
    """For a screen in the room, without a login."""
    return render_template("clock/page.html", room=_sitting_room(code), is_display=True)


@blueprint.get("/api/display/<code>")
def facts(code: str) -> Response:
    """The time, and what is announced in the room."""
    room = _sitting_room(code)
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        day = load_room_day(connection, room, services().procedures, now_us)
    current = day.current(now_us)
    told = _session_json(current) if current else None
    return jsonify(server_now_us=services().clock.wall_us(), room=room.label, session=told)


def _session_json(one: RoomCourse) -> dict[str, Any]:
    session, times = one.course.session, room_times(one.course, one.origin_id)
    return {
        "subject": session.subject,
        "starts_at_us": times.started_at_us or session.planned_start_us,
        "has_started": times.started_at_us is not None,
        # While a room stands still nobody knows its end yet.
        "ends_at_us": None if times.is_held else times.stopped_at_us or planned_end_us(session, times),
        "is_over": times.stopped_at_us is not None,
    }


def _sitting_room(code: str) -> Room:
    """A room in which sessions sit; others have nothing to show to strangers: 404."""
    room = room_by_code(code)
    with services().exam.read() as connection:
        if not any(room.id in session.room_ids for session in load_sessions(connection)):
            abort(404)
    return room
