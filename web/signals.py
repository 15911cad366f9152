"""Signals over HTTP for the rooms: the room page, its schedule beforehand, its reports afterwards.

The contract for players is docs/design/signals.md. Pages keep no truth: a wake says "look again".
"""

from typing import Final

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    render_template,
    request,
    send_from_directory,
)

from config.procedures import load_procedures
from evidence.day import load_rooms
from exam.day import Room
from web.access import may_enter
from web.audio import AUDIO_EXTENSION, AudioLibrary
from web.services import room_topic, services
from web.signal_emission import due_now, emit
from web.signal_reports import ReportError, read_reports, take_report
from web.signal_schedule import RoomDay, load_room_day, schedule
from web.stream import event_stream

blueprint: Final = Blueprint("signals", __name__)

YEAR_S: Final = 365 * 24 * 3600


@blueprint.get("/rooms/<code>")
def room_page(code: str) -> str:
    return render_template("signals/room.html", room=_day(code).room)


@blueprint.get("/api/clock")
def clock() -> Response:
    return jsonify(server_now_us=services().clock.wall_us())


@blueprint.get("/api/rooms/<code>/schedule")
def room_schedule(code: str) -> Response:
    day = _day(code)
    return jsonify(schedule(day, load_procedures(), audio_library(), services().clock.wall_us()))


@blueprint.get("/api/rooms/<code>/wakes")
def room_wakes(code: str) -> Response:
    return event_stream(room_topic(_day(code).room.id))


@blueprint.post("/api/rooms/<code>/reports")
def room_reports(code: str) -> Response:
    room = _day(code).room
    try:
        reports = read_reports(request.get_json(), room.id)
    except ReportError as error:
        abort(400, description=str(error))
    with services().exam.write() as connection:
        now_us = services().clock.wall_us()
        # A room that rang may be quicker than the next tick: the signal is then given here, by schedule,
        # in all rooms at once, and the report finds it.
        emitted = emit(connection, due_now(connection, load_procedures(), now_us), now_us)
        kept = sum(take_report(connection, report, load_procedures(), now_us) for report in reports)
    for room_id in {room.id, *(one.room_id for one in emitted)}:
        services().bus.publish(room_topic(room_id))
    return jsonify(kept=kept, dropped=len(reports) - kept)


@blueprint.get("/audio/<name>")
def audio(name: str) -> Response:
    response = send_from_directory(services().settings.audio_folder.absolute(), name, mimetype="audio/wav")
    response.headers["Cache-Control"] = f"private, max-age={YEAR_S}, immutable"
    return response


def audio_library() -> AudioLibrary:
    """The prepared audio; empty where nobody prepared any."""
    library: AudioLibrary = current_app.extensions.get(AUDIO_EXTENSION, {})
    return library


def room_by_code(code: str) -> Room:
    """The room of that code, or 404."""
    with services().exam.read() as connection:
        room = next((room for room in load_rooms(connection).values() if room.code == code), None)
    if room is None:
        abort(404)
    return room


def _day(code: str) -> RoomDay:
    """The room with today's sessions in which the person who asks works; 403 when all are others'."""
    room = room_by_code(code)
    with services().exam.read() as connection:
        day = load_room_day(connection, room, services().clock.wall_us())
    own = tuple(one for one in day.sessions if may_enter(one[0].id, room.id))
    if day.sessions and not own:
        abort(403)
    return RoomDay(room, own)
