"""Room for footage as people read it: will the day fit, how many hours are left, what each volume is like."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from flask import Flask
from flask_login import current_user

from evidence.database_reserve import released_at_us
from evidence.overview import room_cameras
from evidence.protection import Level
from evidence.recording_plan import DAY_US, NEAR_US, load_plan, load_unknown
from evidence.volume_rows import VolumeState, last_rates, volume_states
from exam.capacity import Capacity, Owed, Readiness, Room, forecast
from web.access import ADMINISTRATION, LEAD, roles
from web.alarms import VOLUME_WORDS
from web.services import services

_GB: Final = 10**9
# Pages whose people always see the hours left, small.
_SMALL_ON: Final = ("overview.", "proctor.", "wall.")
_KINDS: Final[Mapping[Readiness, str]] = {
    Readiness.ENOUGH: "good",
    Readiness.LOW: "wait",
    Readiness.SHORT: "bad",
    Readiness.NONE: "bad",
}
LEVEL_WORDS: Final[Mapping[Level, str]] = {
    Level.DETECT_ONLY: "R0 仅能发现：文件没有不可更改标志，被删除后台账会显示缺失",
    Level.SINGLE_MACHINE: "R1 单机保护：录完的文件不可更改，只有系统最高权限能解除，解除后台账会显示缺失",
    Level.SECOND_COPY: "R2 双份保护：另有本机不能删除的副本",
    Level.OBJECT_LOCK: "R3 对象锁定：存储系统在到期前拒绝删除",
}


# The recorder's words about what it expected and found, as people at the site read them.
_FOUND_WORDS: Final = (
    (re.compile(r"volume \(a new one\)"), "新的证据卷"),
    (re.compile(r"volume (\S+), which is that of (.+)"), r"标识 \1，这是 \2 的盘"),
    (re.compile(r"volume (\S+)"), r"标识 \1"),
    (re.compile(r"a disk mounted at (.+)"), r"\1 上挂载的磁盘"),
    (re.compile(r"none"), "没有挂载"),
    (re.compile(r"an empty folder"), "空文件夹"),
    (re.compile(r"a folder without mark"), "没有标识的文件夹"),
    (re.compile(r"a uuid in (\S+)"), r"\1 中的标识"),
    (re.compile(r"something else"), "其他内容"),
    (re.compile(r"a writable folder"), "可以写入的文件夹"),
    (re.compile(r"a write that succeeds"), "能够写入"),
    (re.compile(r"free space"), "能够读取剩余空间"),
    (re.compile(r"(\d+) bytes"), r"至少 \1 字节"),
    (re.compile(r"(\d+) bytes, (\S+) inodes"), r"\1 字节，\2 个文件"),
)


@dataclass(frozen=True, slots=True)
class VolumeView:
    """One footage folder in words."""

    name: str
    role: str
    kind: str
    word: str
    detail: str
    room: str
    level: str


@dataclass(frozen=True, slots=True)
class CapacityView:
    """What is said about room. `share` of the free room is taken by what is planned."""

    kind: str
    sentence: str
    hours: str
    advice: str
    share: float
    volumes: tuple[VolumeView, ...]

    @property
    def is_alarm(self) -> bool:
        """Whether the site is not ready because of it."""
        return self.kind == "bad"


def capacity_view() -> CapacityView | None:
    """The room for footage now; None while no recorder has ever looked at its volumes."""
    footage = services().footage()
    if footage is None:
        return None
    now_us = services().clock.wall_us()
    with footage.read() as connection:
        states, rates = volume_states(connection), last_rates(connection)
    if not states:
        return None
    with services().exam.read() as connection:
        plan = load_plan(connection, services().procedures, now_us)
        uuids = [camera.uuid for cameras in room_cameras(connection).values() for camera in cameras]
    owed = [
        Owed(frozenset([camera.uuid]), one.from_us, _end(one.until_us, now_us))
        for camera in plan.cameras
        if camera.uuid in uuids
        for one in plan.owed_by(camera)
    ]
    found = forecast(owed, {uuid: rates.get(uuid, 0) for uuid in uuids}, _rooms(states), now_us)
    return CapacityView(
        _KINDS[found.readiness],
        _sentence(found),
        _hours(found),
        _advice(found),
        found.used_share,
        tuple(_volume_view(state) for state in states),
    )


def database_words() -> list[str]:
    """What is wrong with the disk of a database: its reserve was given up."""
    words = []
    footage = services().footage()
    with services().exam.read() as connection:
        if released_at_us(connection) is not None:
            words.append("签到与信号数据库")
    if footage is not None:
        with footage.read() as connection:
            if released_at_us(connection) is not None:
                words.append("录像索引数据库")
    return words


def unknown_sessions() -> str:
    """The sessions whose procedure file has gone, by their codes; empty when all is known."""
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        return "、".join(one.code for one in load_unknown(connection, services().procedures, now_us))


def found_words(told: str) -> str:
    """What the recorder told about a volume, in Chinese; the system's own words stay as they are."""
    for pattern, words in _FOUND_WORDS:
        match = pattern.fullmatch(told)
        if match:
            return match.expand(words)
    return told


def install(app: Flask) -> None:
    """Give every page what it must say about room."""

    @app.context_processor
    def about() -> dict[str, object]:
        return {
            "storage_line": storage_line,
            "database_words": database_words,
            "unknown_sessions": unknown_sessions,
        }


def storage_line(endpoint: str | None) -> CapacityView | None:
    """What staff read at the top of a page: always small where recording is watched, else only when short."""
    if not current_user.is_authenticated:
        return None
    view = capacity_view()
    if view is None or (view.kind == "good" and not (endpoint or "").startswith(_SMALL_ON)):
        return None
    if view.kind != "good" and not roles() & (LEAD | ADMINISTRATION):
        return replace(view, kind="wait", advice="录像存储空间不足，请告知现场负责人")
    return view


def _end(until_us: int, now_us: int) -> int:
    """Recording without an end is counted for a day."""
    return until_us if until_us <= now_us + 2 * NEAR_US else now_us + DAY_US


def _rooms(states: list[VolumeState]) -> list[Room]:
    return [
        Room(state.space.device, state.space.free_bytes - state.keep_free_bytes, state.is_reserve)
        for state in states
        if state.space is not None and state.trouble is None
    ]


def _gb(size_bytes: int) -> str:
    return f"{size_bytes / _GB:.0f} GB" if size_bytes >= 10 * _GB else f"{size_bytes / _GB:.1f} GB"


def _hours(found: Capacity) -> str:
    if found.hours_left is None:
        return ""
    if found.hours_left >= 1:
        return f"可录{found.hours_left:.0f}小时"
    return f"可录{found.hours_left * 60:.0f}分钟"


def _sentence(found: Capacity) -> str:
    parts = [f"计划内录像还需要 {_gb(found.needed_bytes)}", f"证据卷可用 {_gb(found.free_bytes)}"]
    if found.reserve_bytes:
        parts.append(f"另有备用卷 {_gb(found.reserve_bytes)}")
    if found.hours_left is not None:
        parts.append(f"全部摄像机同时录像{_hours(found)}")
    return "，".join(parts)


def _advice(found: Capacity) -> str:
    if found.readiness is Readiness.NONE:
        return "没有可用的证据卷，录像无法保存。请检查磁盘，或接上有空间的证据卷。"
    if found.readiness is Readiness.SHORT:
        return f"存储空间不足，还差 {_gb(found.needed_bytes - found.free_bytes)}。请在开考前增加证据卷。"
    if found.readiness is Readiness.LOW:
        return "存储空间不多，请尽快增加证据卷。"
    return ""


def _volume_view(state: VolumeState) -> VolumeView:
    expected, found = found_words(state.expected), found_words(state.found)
    detail = f"应为：{expected}；实际：{found}" if state.trouble and state.expected else ""
    room = "空间未知"
    if state.space is not None:
        usable_bytes = max(0, state.space.free_bytes - state.keep_free_bytes)
        room = f"可用 {_gb(usable_bytes)}，共 {_gb(state.space.total_bytes)}"
    return VolumeView(
        name=state.path,
        role="备用卷" if state.is_reserve else "证据卷",
        kind="bad" if state.trouble else "good",
        word=VOLUME_WORDS[state.trouble] if state.trouble else "正常",
        detail=detail,
        room=room,
        level=LEVEL_WORDS[state.level],
    )
