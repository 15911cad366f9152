"""The camera wall (监控墙): every camera at a glance, red ones first, for the site lead's second screen.

Thumbnails are small pictures of now; looking at what was recorded needs a reason and goes through
playback. Accounts that administer the machine see no rooms, so they do not see the wall.
"""

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, abort, render_template, url_for

from config.picture_health import load_picture_health
from evidence import day, footage, overview
from evidence.camera_alarms import AlarmKind, CameraAlarm
from evidence.footage import CameraState
from evidence.overview import RoomCamera
from evidence.thumbnails import newest_thumbnail, thumbnail_moments
from evidence.timeline import Interval
from exam.clock import MINUTE_US, SECOND_US
from exam.day import Room
from web.access import Role, roles
from web.alarms import alarm_views, read_alarms
from web.camera_words import CameraView, camera_view
from web.services import ANY_TOPIC, services
from web.stream import event_stream

blueprint: Final = Blueprint("wall", __name__, url_prefix="/wall")

# An older picture is not shown as one of now.
SHOWN_US: Final = 5 * MINUTE_US
# Cameras on the wall, and how many columns show them without scrolling.
_COLUMNS: Final = ((3, 3), (6, 3), (12, 4), (20, 5), (30, 6), (42, 7))
MOST_COLUMNS: Final = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """One camera on the wall."""

    room: Room
    uuid: str
    view: CameraView
    # Words of what is wrong with its pictures.
    troubles: tuple[str, ...]
    last_bytes_at_us: int | None
    # Moment of its newest thumbnail; None when there is none of now.
    shown_us: int | None

    @property
    def is_red(self) -> bool:
        return self.view.is_alarm or bool(self.troubles)


@blueprint.get("/")
def page() -> str:
    return render_template("wall/page.html", **_facts())


@blueprint.get("/live")
def live() -> str:
    return render_template("wall/live.html", **_facts())


@blueprint.get("/stream")
def stream() -> Response:
    return event_stream(ANY_TOPIC)


@blueprint.get("/pictures/<uuid:camera_uuid>.jpg")
def picture(camera_uuid: object) -> Response:
    """The camera's newest thumbnail; its address on the page changes with every picture."""
    _no_administrator()
    now_us = services().clock.wall_us()
    found = newest_thumbnail(services().settings.thumbnails_folder, str(camera_uuid), now_us, SHOWN_US)
    if found is None:
        abort(404)
    response = Response(found.jpeg, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=30"
    return response


def _facts() -> dict[str, Any]:
    _no_administrator()
    alarms = read_alarms()
    tiles = _tiles(alarms)
    return {
        "tiles": sorted(tiles, key=lambda tile: not tile.is_red),
        "alarms": alarm_views(alarms),
        "columns": next((columns for most, columns in _COLUMNS if len(tiles) <= most), MOST_COLUMNS),
        "red_count": sum(tile.is_red for tile in tiles),
        "picture_of": _address,
        "age_words": age_words,
    }


def _no_administrator() -> None:
    if Role.ADMINISTRATOR in roles():
        abort(403)


def _tiles(alarms: list[CameraAlarm]) -> list[Tile]:
    words = load_picture_health().words
    troubles: dict[str, list[str]] = {}
    for alarm in alarms:
        if alarm.key.kind is AlarmKind.PICTURE:
            troubles.setdefault(alarm.key.subject, []).append(words[alarm.key.code].word)
    states = _states()
    with services().exam.read() as connection:
        rooms, cameras = day.load_rooms(connection), overview.room_cameras(connection)
    return [
        _tile(room, camera, states.get(camera.uuid), troubles.get(camera.uuid, []))
        for room_id, room in rooms.items()
        for camera in cameras.get(room_id, ())
    ]


def _states() -> dict[str, CameraState]:
    index = services().footage()
    if index is None:
        return {}
    with index.read() as connection:
        return footage.camera_states(connection)


def _tile(room: Room, camera: RoomCamera, state: CameraState | None, troubles: list[str]) -> Tile:
    now_us = services().clock.wall_us()
    recent = Interval(now_us - SHOWN_US, now_us + 1)
    moments = thumbnail_moments(services().settings.thumbnails_folder, camera.uuid, recent)
    return Tile(
        room=room,
        uuid=camera.uuid,
        view=camera_view(camera, state, now_us),
        troubles=tuple(troubles),
        last_bytes_at_us=None if state is None else state.last_bytes_at_us,
        shown_us=max(moments, default=None),
    )


def _address(tile: Tile) -> str | None:
    return None if tile.shown_us is None else url_for(".picture", camera_uuid=tile.uuid, at=tile.shown_us)


def age_words(moment_us: int, now_us: int) -> str:
    """How long ago, as short as a tile needs it."""
    seconds = max(0, now_us - moment_us) // SECOND_US
    return f"{seconds}秒前" if seconds < 60 else f"{seconds // 60}分钟前"
