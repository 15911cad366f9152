"""What a headless speaker may ask: its rooms' schedules and sounds beforehand, and to tell what it played.

The gate in web.access has already asked for the speaker's token; a speaker learns of its own rooms only.
The contract is docs/design/signals.md.
"""

from sqlite3 import Connection
from typing import Any, Final

from flask import Blueprint, Response, abort, g, jsonify, request

from evidence import speakers
from evidence.announcements import PlayedReport
from evidence.day import load_rooms
from evidence.speakers import Speaker
from exam.day import Room
from exam.players import PlayerKind
from web.heartbeats import HeartbeatError, read_heartbeat
from web.limits import FAILURES, is_failure, limiter
from web.players import keep_states
from web.restart_page import hear_player
from web.services import ANY_TOPIC, room_topic, services
from web.signal_reports import ReportError, read_reports
from web.signals import audio_file, keep_reports, schedule_of, told_time
from web.stream import event_stream

blueprint: Final = Blueprint("speaker_api", __name__, url_prefix="/api/speaker/v1")


@blueprint.post("/enrol")
@limiter.limit(FAILURES, deduct_when=is_failure)
def enrol() -> Response:
    """Exchange the one-time code for a token."""
    told = request.get_json(silent=True)
    code = told.get("code") if isinstance(told, dict) else None
    if not isinstance(code, str):
        abort(400)
    with services().exam.write() as connection:
        token = speakers.enrol(connection, code, services().clock.wall_us())
    if token is None:
        abort(403)
    return jsonify(token=token)


@blueprint.get("/clock")
def clock() -> Response:
    return hear_player(f"speaker {_speaker().uuid}") or jsonify(told_time())


@blueprint.get("/schedules")
def schedules() -> Response:
    """The schedule of each of its rooms, as the room page gets it."""
    return jsonify(
        label=_speaker().label,
        speaker=_speaker().uuid,
        rooms=[schedule_of(room) for room in _rooms().values()],
    )


@blueprint.get("/wakes")
def wakes() -> Response:
    """Every message means: look again."""
    rooms = list(_rooms().values())
    return event_stream(room_topic(rooms[0].id) if len(rooms) == 1 else ANY_TOPIC)


@blueprint.get("/audio/<name>")
def audio(name: str) -> Response:
    return audio_file(name)


@blueprint.post("/reports")
def reports() -> Response:
    """`rooms` maps a room's code to the list of its reports."""
    told = request.get_json()
    if not isinstance(told, dict) or not isinstance(told.get("rooms"), dict):
        abort(400)
    found = _rooms()
    every: list[PlayedReport] = []
    for code, own in told["rooms"].items():
        if code in found:  # a room taken from it since: nobody waits for the report
            every += _read(own, found[code].id)
    return jsonify(kept=keep_reports(every))


@blueprint.post("/heartbeat")
def heartbeat() -> Response:
    """How it is, for all its rooms at once, or those that `rooms` names (it may sound in some only)."""
    told = request.get_json()
    named = told.pop("rooms", None) if isinstance(told, dict) else None
    now_us = services().clock.wall_us()
    body = {**told, "player": _speaker().uuid, "label": _speaker().label} if isinstance(told, dict) else told
    try:
        states = [
            read_heartbeat(body, room.id, PlayerKind.SPEAKER, now_us)
            for room in _rooms().values()
            if named is None or room.code in named
        ]
    except HeartbeatError as error:
        abort(400, description=str(error))
    keep_states(states)
    return jsonify(seen_at_us=now_us)


def _read(own: Any, room_id: int) -> list[PlayedReport]:
    try:
        return read_reports({"player": _speaker().uuid, "reports": own}, room_id)
    except ReportError as error:
        abort(400, description=str(error))


def _speaker() -> Speaker:
    speaker: Speaker = g.speaker
    return speaker


def _rooms() -> dict[str, Room]:
    """Its rooms by code."""
    with services().exam.read() as connection:
        return _own(connection, _speaker())


def _own(connection: Connection, speaker: Speaker) -> dict[str, Room]:
    return {room.code: room for room in load_rooms(connection).values() if speaker.serves(room.id)}
