"""Playback: choose a room and a time, give a reason, and watch every camera of the room beside its timeline.

No picture without a recorded reason (R18): the reason makes a grant, and every media address below a
grant serves only that room and that stretch of time to the account that gave it. Media addresses
carry numbers, never paths. Bytes are those of the recorded files.
"""

from typing import Final

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, send_file, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from config.footage_words import load_footage_words
from evidence import coverage, day, footage, timeline
from evidence.coverage import Part, PartKind
from evidence.footage_access import FootageRequest, Grant, find_grant, record_access
from evidence.fragments import FragmentMapError
from evidence.health import HealthChange, health_changes
from evidence.restrictions import restricted, restricted_room
from evidence.thumbnails import thumbnail_at
from evidence.timeline import RoomCamera
from exam.clock import MINUTE_US
from exam.day import Room
from exam.retention import Reach
from web.playback_choice import Choice, Wanted, checked, session_interval, submitted, suggested
from web.playback_words import KIND_WORDS, marks_json, part_json, trouble_json
from web.playlist import playlist
from web.services import services

blueprint: Final = Blueprint("playback", __name__, url_prefix="/playback")

RESTRICTED_WORDS: Final = "该时段录像正在限制处理：继续保存，任何人不得查看。如需使用，须先由两人解除限制。"

# The last file of an interval is complete, and a camera that was away has its footage adopted, by then.
SETTLED_US: Final = 10 * MINUTE_US


@blueprint.get("/")
def choose() -> str:
    with services().exam.read() as connection:
        rooms = list(day.load_rooms(connection).values())
        sessions = day.load_sessions(connection)
    return _choice_page(suggested(request.args, rooms, sessions, services().clock.wall_us()), [])


@blueprint.post("/")
def access() -> tuple[str, int] | AnyResponse:
    """Record who looks and why, then show it."""
    now_us = services().clock.wall_us()
    choice = submitted(request.form)
    with services().exam.read() as connection:
        rooms = day.load_rooms(connection)
    wanted = checked(choice, rooms.values(), now_us)
    if not isinstance(wanted, Wanted):
        return _choice_page(choice, wanted), 400
    with services().exam.read() as connection:
        closed = restricted_room(connection, wanted.room_id, wanted.interval)
    if closed:
        return _choice_page(choice, [RESTRICTED_WORDS]), 403
    asked = FootageRequest(current_user.account_id, wanted.room_id, wanted.interval, wanted.reason)
    with services().exam.write() as connection:
        access_id = record_access(connection, asked, now_us)
    return redirect(url_for(".page", access_id=access_id, at=wanted.at_us), 303)


@blueprint.get("/<int:access_id>")
def page(access_id: int) -> str | AnyResponse:
    grant = _own_grant(access_id)
    if not grant.is_open(current_user.account_id, services().clock.wall_us()):
        return redirect(
            url_for(".choose", room=grant.room_id, at=request.args.get("at") or grant.interval.from_us)
        )
    with services().exam.read() as connection:
        room = day.load_rooms(connection)[grant.room_id]
    return render_template(
        "playback/page.html",
        grant=grant,
        room=room,
        cameras=_cameras(grant),
        kind_words=KIND_WORDS,
        at_us=request.args.get("at", type=int),
    )


@blueprint.get("/<int:access_id>/timeline.json")
def room_timeline(access_id: int) -> Response:
    grant = _open_grant(access_id)
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        marks = timeline.marks(connection, grant.room_id, grant.interval)
    return jsonify(
        now_us=now_us,
        from_us=grant.interval.from_us,
        until_us=grant.interval.until_us,
        live=not _is_settled(grant, now_us),
        cameras=[
            {
                "uuid": camera.uuid,
                "parts": [part_json(part) for part in _parts(camera, grant, now_us)],
                "troubles": [trouble_json(change, now_us) for change in _troubles(camera, grant)],
            }
            for camera in _cameras(grant)
        ],
        marks=marks_json(marks),
    )


@blueprint.get("/<int:access_id>/cameras/<uuid:camera_uuid>.m3u8")
def camera_playlist(access_id: int, camera_uuid: object) -> Response:
    grant = _viewable_grant(access_id)
    index = services().footage()
    if index is None or str(camera_uuid) not in {camera.uuid for camera in _cameras(grant)}:
        abort(404)
    with index.read() as connection:
        segments = coverage.playable_segments(connection, str(camera_uuid), grant.interval)
    text = playlist(
        segments,
        grant.interval,
        lambda segment_id: f"../segments/{segment_id}.mp4",
        complete=_is_settled(grant, services().clock.wall_us()),
    )
    return _unkept(Response(text, mimetype="application/vnd.apple.mpegurl"))


@blueprint.get("/<int:access_id>/thumbnails/<uuid:camera_uuid>.jpg")
def camera_thumbnail(access_id: int, camera_uuid: object) -> Response:
    """The small picture of a moment, by the grant of its footage; nothing (204) where there is none."""
    grant = _viewable_grant(access_id)
    at_us = request.args.get("at", type=int)
    if at_us is None or str(camera_uuid) not in {camera.uuid for camera in _cameras(grant)}:
        abort(404)
    found = thumbnail_at(services().settings.thumbnails_folder, str(camera_uuid), at_us, grant.interval)
    if found is None:
        return _unkept(Response(status=204))
    return _unkept(Response(found.jpeg, mimetype="image/jpeg"))


@blueprint.get("/<int:access_id>/segments/<int:segment_id>.mp4")
def segment_bytes(access_id: int, segment_id: int) -> Response:
    """The recorded file, whole or by byte range."""
    grant = _viewable_grant(access_id)
    found = _segment(segment_id)
    if found is None or not grant.interval.meets(found.started_at_us, found.ended_at_us):
        abort(404)
    if found.camera_uuid not in {camera.uuid for camera in _cameras(grant)}:
        abort(404)
    # The file is longer than what the grant covers: none of it may be restricted.
    with services().exam.read() as connection:
        if restricted(connection, [Reach(found.camera_uuid, found.started_at_us, found.ended_at_us)]):
            abort(403)
    try:
        sent = send_file(found.file, mimetype="video/mp4", conditional=True, etag=found.sha256.hex())
    except OSError:
        abort(404)
    sent.headers["Accept-Ranges"] = "bytes"
    return _unkept(sent)


def _choice_page(choice: Choice, faults: list[str]) -> str:
    with services().exam.read() as connection:
        rooms = list(day.load_rooms(connection).values())
        sessions = [each for each in day.load_sessions(connection) if each.cancelled_at_us is None]
    return render_template(
        "playback/choose.html",
        choice=choice,
        faults=faults,
        rooms=_with_cameras(rooms),
        sessions=[(session, session_interval(session)) for session in sessions],
        reasons=load_footage_words().reasons,
    )


def _with_cameras(rooms: list[Room]) -> list[Room]:
    with services().exam.read() as connection:
        seen = timeline.rooms_with_cameras(connection)
    return [room for room in rooms if room.id in seen]


def _own_grant(access_id: int) -> Grant:
    with services().exam.read() as connection:
        grant = find_grant(connection, access_id)
    if grant is None:
        abort(404)
    if grant.account_id != current_user.account_id:
        abort(403)
    return grant


def _open_grant(access_id: int) -> Grant:
    grant = _own_grant(access_id)
    if not grant.is_open(current_user.account_id, services().clock.wall_us()):
        abort(403)
    return grant


def _viewable_grant(access_id: int) -> Grant:
    """A grant under which pictures may be sent now: not while somebody's request has them restricted."""
    grant = _open_grant(access_id)
    with services().exam.read() as connection:
        if restricted_room(connection, grant.room_id, grant.interval):
            abort(403)
    return grant


def _is_settled(grant: Grant, now_us: int) -> bool:
    return now_us >= grant.interval.until_us + SETTLED_US


def _cameras(grant: Grant) -> list[RoomCamera]:
    with services().exam.read() as connection:
        return timeline.room_cameras(connection, grant.room_id, grant.interval)


def _parts(camera: RoomCamera, grant: Grant, now_us: int) -> list[Part]:
    index = services().footage()
    if index is None:  # no recorder has ever run here
        return [Part(PartKind.UNRECORDED, grant.interval.from_us, grant.interval.until_us)]
    with index.read() as connection:
        return coverage.coverage(connection, camera.uuid, grant.interval, now_us)


def _troubles(camera: RoomCamera, grant: Grant) -> list[HealthChange]:
    index = services().footage()
    if index is None:
        return []
    with index.read() as connection:
        return health_changes(connection, camera.uuid, grant.interval)


def _segment(segment_id: int) -> footage.Segment | None:
    index = services().footage()
    if index is None:
        return None
    with index.read() as connection:
        try:
            return footage.segment(connection, segment_id)
        except FragmentMapError:
            return None


def _unkept(response: Response) -> Response:
    """Footage stays on this machine: browsers keep no copy."""
    response.headers["Cache-Control"] = "private, no-store"
    return response
