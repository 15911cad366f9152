"""完整性校验: how far the regular reading is, what was found and repaired, the second copy, and 立即校验.

The console only reads rows and writes orders; the recorder reads the files. No pictures are shown here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from sqlite3 import Connection
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from evidence.database import ReaderDatabase
from evidence.export_orders import SiteCamera, site_cameras
from evidence.fixity_orders import EVER, CheckRequest, give_check_order
from evidence.fixity_rows import (
    Damage,
    Progress,
    RepairedBy,
    damage_counts,
    latest_damages,
    open_damages,
    read_bytes_since,
    read_progress,
)
from evidence.mirror import MirrorState, mirror_state
from evidence.timeline import Interval
from evidence.work_orders import OrderKind, WorkState, orders
from exam.clock import MINUTE_US, SITE_ZONE, to_us
from web.alarms import DAMAGE_WORDS, MIRROR_WORDS
from web.retention_words import size_words
from web.services import services

blueprint: Final = Blueprint("fixity", __name__, url_prefix="/fixity")

MB: Final = 1_000_000
HOUR_US: Final = 60 * MINUTE_US
HOURS_OF_DAY: Final = 24
SHOWN_DAMAGES: Final = 50
SHOWN_ORDERS: Final = 10
LONGEST_REASON: Final = 200

REPAIR_WORDS: Final[Mapping[RepairedBy, str]] = {
    RepairedBy.MIRROR: "已从第二份副本修复",
    RepairedBy.CAME_BACK: "已恢复原样",
}
STATE_WORDS: Final[Mapping[WorkState, tuple[str, str]]] = {
    WorkState.WAITING: ("wait", "等待录像服务"),
    WorkState.RUNNING: ("wait", "正在校验"),
    WorkState.DONE: ("good", "全部完好"),
    WorkState.FAILED: ("bad", "有问题"),
}


@dataclass(frozen=True, slots=True)
class VolumeView:
    """How far one volume is; `days_left` is None when nothing is left to read."""

    progress: Progress
    share: int
    days_left: float | None

    @property
    def when(self) -> str:
        """When it will be through, in words."""
        if self.days_left is None:
            return "本期已全部校验"
        if self.days_left < 1:
            return f"约{max(1, round(self.days_left * HOURS_OF_DAY))}小时后完成"
        return f"约{round(self.days_left)}天后完成"


@dataclass(frozen=True, slots=True)
class Found:
    """What the recorder said, all at one moment."""

    volumes: list[VolumeView]
    lasting: list[Damage]
    damages: list[Damage]
    counts: tuple[int, int]
    mirror: MirrorState | None


NOTHING: Final = Found([], [], [], (0, 0), None)


@blueprint.get("/")
def page() -> str:
    index = services().footage()
    with services().exam.read() as connection:
        cameras = site_cameras(connection)
        given = orders(connection, OrderKind.FIXITY_CHECK)[-SHOWN_ORDERS:][::-1]
    return render_template(
        "fixity/page.html",
        found=NOTHING if index is None else _found(index),
        orders=[(each, services().footage.report(each.id)) for each in given],
        rooms=_rooms(cameras),
        names={camera.uuid: f"{camera.room} {camera.label}" for camera in cameras},
        settings=services().settings.recorder,
        damage_words=DAMAGE_WORDS,
        repair_words=REPAIR_WORDS,
        mirror_words=MIRROR_WORDS,
        state_words=STATE_WORDS,
        size_words=size_words,
    )


@blueprint.post("/")
def order() -> AnyResponse:
    """Write down what is to be read now; the recorder finds it there."""
    with services().exam.read() as connection:
        cameras = site_cameras(connection)
    asked = _asked(cameras)
    if isinstance(asked, str):
        flash(asked)
    else:
        with services().exam.write() as connection:
            give_check_order(connection, asked, services().clock.wall_us())
    return redirect(url_for(".page"), 303)


def _asked(cameras: list[SiteCamera]) -> CheckRequest | str:
    """The order in the form, or what is wrong with it."""
    reason = request.form.get("reason", "").strip()
    if not 2 <= len(reason) <= LONGEST_REASON:
        return "请填写理由，没有开始校验。"
    room, day = request.form.get("room", ""), request.form.get("day", "")
    chosen = [camera for camera in cameras if str(camera.room_id) == room]
    if room and not chosen:
        return "请选择考场，没有开始校验。"
    try:
        interval = _site_day(date.fromisoformat(day)) if day else EVER
    except (ValueError, OverflowError):
        return "请选择日期，没有开始校验。"
    label = "，".join([chosen[0].room if chosen else "全部考场", day or "所有日期"])
    uuids = [camera.uuid for camera in chosen]
    return CheckRequest(label, uuids, interval, reason, current_user.account_id)


def _site_day(day: date) -> Interval:
    start = datetime.combine(day, time(), SITE_ZONE)
    return Interval(to_us(start), to_us(start + timedelta(days=1)))


def _found(index: ReaderDatabase) -> Found:
    with index.read() as connection:
        mb_per_s = _mb_per_s(connection)
        return Found(
            [_volume(each, mb_per_s) for each in read_progress(connection)],
            open_damages(connection)[:SHOWN_DAMAGES],
            [each for each in latest_damages(connection, SHOWN_DAMAGES) if each.repaired_by is not None],
            damage_counts(connection),
            mirror_state(connection),
        )


def _mb_per_s(connection: Connection) -> float:
    """What was read in the last hour; what the settings allow while that says nothing."""
    read = read_bytes_since(connection, services().clock.wall_us() - HOUR_US) / MB / 3600
    return read or services().settings.recorder.fixity_mb_per_s


def _volume(progress: Progress, mb_per_s: float) -> VolumeView:
    left = progress.total_bytes - progress.checked_bytes
    share = 100 * progress.checked_bytes // max(1, progress.total_bytes)
    return VolumeView(progress, share, left / MB / mb_per_s / 86_400 if left else None)


def _rooms(cameras: list[SiteCamera]) -> dict[int, str]:
    return {camera.room_id: camera.room for camera in cameras}
