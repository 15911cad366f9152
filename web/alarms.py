"""Alarms of cameras, volumes and the recorder as people read them, and 已知悉: who knows of them."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from flask import Blueprint, Response, abort, jsonify, request
from flask_login import current_user

from config.picture_health import load_picture_health
from evidence import cameras, day, kiosks, overview
from evidence.camera_alarms import (
    Acknowledgement,
    AlarmKey,
    AlarmKind,
    CameraAlarm,
    acknowledge,
    acknowledged,
    index_alarms,
    open_alarms,
)
from evidence.footage import Cause
from evidence.kiosk_alarms import kiosk_alarms
from exam.kiosk_health import Trouble
from web.services import services

blueprint: Final = Blueprint("alarms", __name__)

SHOWN_CAMERAS: Final = 4
TOPIC: Final = "alarms"

# What is wrong, by kind and code; a cause that is not named here adds nothing for a person.
CAUSE_WORDS: Final[Mapping[str, str]] = {
    "unreachable": "摄像机连接不上，请检查电源和网线",
    "unauthorized": "摄像机拒绝登录，密码不对",
    "refused": "摄像机拒绝连接，可能同时观看的人太多",
    "too_many_sessions": "摄像机拒绝连接，同时观看的人太多",
    "unplayable": "画面格式不能录制",
    "stalled": "画面中断",
    "camera_closed": "摄像机断开连接",
    "disk_full": "存储空间已满",
    "disk_fault": "存储设备故障",
    "disk_missing": "证据卷未就绪",
    "operator_stop": "录像已由人工停止，而本时段应当录像",
}
LOCKED_WORDS: Final = "密码无法解密，请重新导入考点安排"
VOLUME_WORDS: Final[Mapping[str, str]] = {
    "not_mounted": "没有挂载",
    "no_mark": "没有标识，可能不是原来的盘",
    "damaged_mark": "标识已损坏",
    "wrong_volume": "不是应有的盘",
    "swapped": "与另一块盘对调了",
    "duplicate": "与另一块盘标识相同",
    "read_only": "只读，不能写入",
    "full": "空间已满",
    "no_inodes": "文件数已满",
    "fault": "读写故障",
    "no_answer": "没有响应",
}
DAMAGE_WORDS: Final[Mapping[str, str]] = {
    "damaged": "有录像文件内容已变",
    "missing": "有录像文件不见了",
    "unreadable": "有录像文件读不出来",
}
SITE_WORDS: Final[Mapping[AlarmKind, str]] = {
    AlarmKind.RECORDER_AWAY: "录像程序无响应，各摄像机可能没有录像。请联系系统管理员。",
    AlarmKind.INDEX: "已损坏；录像照常进行，影像文件不受影响。"
    "考试结束后请系统管理员停止录像程序，运行 run.py rebuild 重建索引",
}
KIOSK_WORDS: Final[Mapping[Trouble, str]] = {
    Trouble.LOST_WITH_QUEUE: "联系不上，机内还有未上传的签到记录。请检查电源和网络，不要重装或清除本机",
    Trouble.CLOCK: "时钟与控制台相差超过5秒，迟到的判断可能不准。请校准该机时钟",
    Trouble.STALE_ROSTER: "离线名单没有更新。请检查网络；断网时该机按旧名单判断",
    Trouble.NEEDS_HUMAN: "有上传被拒的签到记录，须人工处理。请到该机旁查看",
    Trouble.DISK: "磁盘空间不足，签到记录可能存不下。请联系系统管理员",
}
MIRROR_WORDS: Final[Mapping[str, str]] = {
    "same_disk": "与证据卷在同一块盘上，不能作第二份副本",
    "is_volume": "是一个证据卷，不能作第二份副本",
    "absent": "没有接上",
    "no_mark": "没有标识，可能没有挂载",
    "wrong_mirror": "不是原来的副本盘",
    "read_only": "只读，不能写入",
    "full": "空间已满",
    "fault": "读写故障",
    "bad_copies": "写入的内容读回不一致",
    "given_up": "已由两人登记为灭失，不再使用。如盘又找到，请按规定销毁或另作保管",
}


@dataclass(frozen=True, slots=True)
class AlarmView:
    """One trouble, of all cameras that share it. `known_by` is None while nobody has acknowledged it."""

    keys: tuple[AlarmKey, ...]
    where: str
    words: str
    since_us: int
    known_by: Acknowledgement | None

    @property
    def id(self) -> str:
        """Names its button on the page, the same at every refresh."""
        return f"know-{self.keys[0].kind}-{self.keys[0].code}-{crc32(self.keys[0].subject.encode())}"

    @property
    def body(self) -> dict[str, list[list[str]]]:
        """What its button sends."""
        return {"alarms": [[key.kind.value, key.subject, key.code] for key in self.keys]}


def read_alarms() -> list[CameraAlarm]:
    """What is wrong now: at the kiosks, and with the recording once a recorder ever ran."""
    with services().exam.read() as connection:
        found = kiosk_alarms(connection, services().clock.wall_us())
    return [*found, *_recording_alarms()]


def _recording_alarms() -> list[CameraAlarm]:
    footage = services().footage()
    if footage is None:
        return []
    with services().exam.read() as connection:
        uuids = [camera.uuid for room in overview.room_cameras(connection).values() for camera in room]
    damages = index_alarms(services().settings.footage_db)
    try:
        with footage.read() as connection:
            return [*damages, *open_alarms(connection, uuids, services().clock.wall_us())]
    except sqlite3.DatabaseError:  # a damaged page; the alarm of the index must be seen all the same
        if not damages:
            raise
        return damages


def alarm_views(alarms: Sequence[CameraAlarm]) -> list[AlarmView]:
    """The alarms, same troubles together, those that nobody knows of first."""
    with services().exam.read() as connection:
        names = _names()
        known = acknowledged(connection, alarms)
    groups: dict[tuple[str, str, bool], list[CameraAlarm]] = defaultdict(list)
    for alarm in alarms:
        own = alarm.key.subject if alarm.key.kind in (AlarmKind.VOLUME, AlarmKind.MIRROR) else ""
        groups[alarm_words(alarm), own, alarm.key in known].append(alarm)
    views = [_view(words, group, names, known) for (words, _, _), group in groups.items()]
    return sorted(views, key=lambda view: view.known_by is not None)


def alarm_words(alarm: CameraAlarm) -> str:
    """What is wrong, in words."""
    match alarm.key.kind:
        case AlarmKind.RECORDER_AWAY | AlarmKind.INDEX:
            words = SITE_WORDS[alarm.key.kind]
        case AlarmKind.VOLUME:
            words = f"证据卷{VOLUME_WORDS.get(alarm.cause, '不能使用')}"
        case AlarmKind.PICTURE:
            picture = load_picture_health().words[alarm.key.code]
            words = f"{picture.word}。{picture.act}"
        case AlarmKind.FOOTAGE:
            words = f"{DAMAGE_WORDS[alarm.key.code]}，详见完整性校验"
        case AlarmKind.MIRROR:
            words = f"副本盘{MIRROR_WORDS[alarm.cause]}；录像不受影响"
        case AlarmKind.KIOSK:
            words = KIOSK_WORDS[Trouble(alarm.key.code)]
        case AlarmKind.NO_FOOTAGE:
            is_locked = alarm.cause == Cause.UNAUTHORIZED and _is_locked(alarm.key.subject)
            cause = LOCKED_WORDS if is_locked else CAUSE_WORDS.get(alarm.cause)
            words = f"没有录像：{cause}" if cause else "没有录像"
    return words


@blueprint.post("/alarms/acknowledge")
def know() -> Response:
    """Keep that this person knows of these alarms, as far as they still last."""
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict) or not isinstance(sent.get("alarms"), list):
        abort(400)
    wanted = {tuple(one) for one in sent["alarms"] if isinstance(one, list)}
    chosen = [
        alarm
        for alarm in read_alarms()
        if (alarm.key.kind.value, alarm.key.subject, alarm.key.code) in wanted
    ]
    with services().exam.write() as connection:
        known = acknowledged(connection, chosen)
        for alarm in chosen:
            if alarm.key not in known:
                acknowledge(connection, alarm, current_user.account_id, services().clock.wall_us())
    services().bus.publish(TOPIC)
    return jsonify(acknowledged=len(chosen))


def _is_locked(camera_uuid: str) -> bool:
    with services().exam.read() as connection:
        return cameras.is_locked(connection, services().vault, camera_uuid)


def _names() -> dict[str, str]:
    with services().exam.read() as connection:
        rooms = day.load_rooms(connection)
        cameras = {
            camera.uuid: f"{rooms[room_id].label}{camera.label}"
            for room_id, own in overview.room_cameras(connection).items()
            for camera in own
        }
        return cameras | {kiosk.uuid: kiosk.label for kiosk in kiosks.load_kiosks(connection)}


def _view(
    words: str,
    group: Sequence[CameraAlarm],
    names: Mapping[str, str],
    known: Mapping[AlarmKey, Acknowledgement],
) -> AlarmView:
    keys = tuple(alarm.key for alarm in group)
    first = min(
        (known[key] for key in keys if key in known), key=lambda one: one.acknowledged_at_us, default=None
    )
    return AlarmView(keys, _where(keys, names), words, min(alarm.since_us for alarm in group), first)


def _where(keys: Iterable[AlarmKey], names: Mapping[str, str]) -> str:
    if any(key.kind is AlarmKind.INDEX for key in keys):
        return "影像索引"
    named = [names.get(key.subject, key.subject) for key in keys if key.kind is not AlarmKind.RECORDER_AWAY]
    if not named:
        return "全部摄像机"
    if len(named) <= SHOWN_CAMERAS:
        return "、".join(named)
    return f"{'、'.join(named[:SHOWN_CAMERAS])}等{len(named)}台"
