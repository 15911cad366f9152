"""Signals over HTTP for the rooms: the room page, its schedule beforehand, its reports afterwards.

The contract for players is docs/design/signals.md. Pages keep no truth: a wake says "look again".
"""

import base64
import hashlib
from pathlib import Path
from typing import Any, Final

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
from flask_login import current_user

from evidence.announcements import PlayedReport, is_known
from evidence.day import load_rooms
from evidence.players import current_test
from exam.clock import SteadyClock
from exam.day import Room
from web.access import may_enter
from web.audio import AUDIO_EXTENSION, TEST_TONE, AudioLibrary
from web.quiet_rooms import room_may_test
from web.rehearsal_running import running, set_strangers_aside
from web.restart_page import hear_player
from web.services import room_topic, services
from web.signal_emission import due_now, emit
from web.signal_reports import ReportError, read_reports, take_report
from web.signal_schedule import RoomDay, load_room_day, schedule, test_json
from web.stream import event_stream

blueprint: Final = Blueprint("signals", __name__)

YEAR_S: Final = 365 * 24 * 3600


@blueprint.get("/rooms/<code>")
def room_page(code: str) -> str:
    return render_template("signals/room.html", room=room_day(code).room)


@blueprint.get("/rooms/worker.js")
def room_worker() -> Response:
    """The service worker of room pages; its text carries the version of everything the page is made of."""
    folder = Path(current_app.static_folder or "")
    parts = [*sorted((folder / "signals").iterdir()), folder / "base.css", folder / "theme.js"]
    version = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:16]
    words = (folder / "signals" / "worker.js").read_text(encoding="utf-8")
    response = Response(f'const VERSION = "{version}";\n{words}', mimetype="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/api/clock")
def clock() -> Response:
    return hear_player(f"login {current_user.login_id}") or jsonify(told_time())


@blueprint.get("/api/rooms/<code>/schedule")
def room_schedule(code: str) -> Response:
    return jsonify(_schedule_json(room_day(code)))


@blueprint.get("/api/rooms/<code>/wakes")
def room_wakes(code: str) -> Response:
    return event_stream(room_topic(room_day(code).room.id))


@blueprint.post("/api/rooms/<code>/reports")
def room_reports(code: str) -> Response:
    room = room_day(code).room
    try:
        reports = read_reports(request.get_json(), room.id)
    except ReportError as error:
        abort(400, description=str(error))
    kept = keep_reports(reports)
    services().bus.publish(room_topic(room.id))
    return jsonify(kept=kept, dropped=len(reports) - kept)


@blueprint.get("/audio/<name>")
def audio(name: str) -> Response:
    return audio_file(name)


def audio_file(name: str) -> Response:
    """A prepared sound, with the digest of its bytes (RFC 9530): players keep only what arrived whole."""
    folder = services().settings.audio_folder.absolute()
    response = send_from_directory(folder, name, mimetype="audio/wav")
    response.headers["Cache-Control"] = f"private, max-age={YEAR_S}, immutable"
    digest = hashlib.sha256((folder / name).read_bytes()).digest()
    response.headers["Content-Digest"] = f"sha-256=:{base64.b64encode(digest).decode()}:"
    return response


def keep_reports(reports: list[PlayedReport]) -> int:
    """Take in what players report; returns how many of the reports were kept."""
    with services().exam.write() as connection:
        now_us = services().clock.wall_us()
        # A room that rang may be quicker than the next tick: the signal is then given here, by schedule,
        # in all rooms at once, and the report finds it.
        is_news = not all(is_known(connection, report) for report in reports)
        due = due_now(connection, services().procedures, now_us) if is_news else []
        emitted = emit(connection, due, now_us)
        strangers = [
            one for one in reports if not take_report(connection, one, services().procedures, now_us)
        ]
    set_strangers_aside(strangers)
    for room_id in {*(report.room_id for report in reports), *(one.room_id for one in emitted)}:
        services().bus.publish(room_topic(room_id))
    return len(reports) - len(strangers)


def told_time() -> dict[str, Any]:
    """The moment, and the name of the clock it is told by; a rehearsal's time has none."""
    clock = services().clock
    now_us, name = clock.told() if isinstance(clock, SteadyClock) else (clock.wall_us(), "")
    return {"server_now_us": now_us, "clock": "" if running() else name}


def schedule_of(room: Room) -> dict[str, Any]:
    """What a player of the room needs to know beforehand."""
    return _schedule_json(_load_day(room))


def _schedule_json(day: RoomDay) -> dict[str, Any]:
    told_at = told_time()
    now_us = told_at["server_now_us"]
    with services().exam.read() as connection:
        test = current_test(connection, day.room.id, now_us)
        is_quiet = not room_may_test(connection, day.room.id, now_us)
    tone = audio_library().get(TEST_TONE)
    told = schedule(day, audio_library(), now_us)
    return told | {
        "clock": told_at["clock"],
        "test": test and test_json(test, tone),
        "tone": tone and f"/audio/{tone.name}",
        "may_test": not is_quiet,
        "rehearsal": running() is not None,
    }


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


def room_day(code: str) -> RoomDay:
    """The room with today's sessions in which the person who asks works; 403 when all are others'."""
    day = _load_day(room_by_code(code))
    own = tuple(one for one in day.courses if may_enter(one.course.session.id, one.origin_id))
    if day.courses and not own:
        abort(403)
    return RoomDay(day.room, own)


def _load_day(room: Room) -> RoomDay:
    with services().exam.read() as connection:
        return load_room_day(connection, room, services().procedures, services().clock.wall_us())
