"""What is said of the site before an exam day: clocks, sound, cameras, disks, printer, spare room.

Everything is read from the records of those who looked; nothing is measured here.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from sqlite3 import Connection
from typing import Final

from evidence.day import load_places, load_rooms, load_sessions
from evidence.players import Heard, SoundCheck, last_checks, load_players
from evidence.readiness import KeptSheet, Printed, PrinterCheck, last_printer_check, seated_counts, sheets_of
from evidence.rehearsals import rehearsals_of
from exam.clock import site_time
from exam.day import Room, Session
from exam.players import CHECK_LASTS_US, can_ring
from exam.readiness import (
    PRINTER_LASTS_US,
    LineGroup,
    LineState,
    ReadinessLine,
    Topic,
    day_of,
    grouped,
    is_spare_room_large_enough,
    next_exam_day,
    open_lines,
    spare_rooms,
)
from exam.rehearsal import LASTS_US
from web.capacity import capacity_view
from web.clock_check_view import console_alarm, todays_check
from web.preflight_view import CameraCheck, load_view
from web.services import services

TOPIC_WORDS: Final[Mapping[Topic, str]] = {
    Topic.CLOCKS: "时钟",
    Topic.SOUND: "声音",
    Topic.CAMERAS: "摄像机",
    Topic.DISKS: "录像磁盘",
    Topic.PRINTER: "打印机",
    Topic.SPARE_ROOM: "应急考场",
    Topic.REHEARSAL: "演练",
}
# Colour, shape and word.
STATE_WORDS: Final[Mapping[LineState, tuple[str, str]]] = {
    LineState.READY: ("good", "已准备好"),
    LineState.NOTED: ("wait", "请注意"),
    LineState.OPEN: ("bad", "未完成"),
}
# Where each is seen to.
PLACES: Final[Mapping[Topic, str]] = {
    Topic.CLOCKS: "clock_check.page",
    Topic.SOUND: "players.page",
    Topic.CAMERAS: "preflight.page",
    Topic.DISKS: "overview.page",
    Topic.REHEARSAL: "rehearsal.page",
}
# More rooms than this are counted before they are named.
SHOWN_ROOMS: Final = 6
_CAPACITY_STATES: Final = {"good": LineState.READY, "wait": LineState.NOTED, "bad": LineState.OPEN}


@dataclass(frozen=True, slots=True)
class ReadinessView:
    """Every line about one exam day."""

    day: date
    lines: tuple[ReadinessLine, ...]

    @property
    def to_do(self) -> list[ReadinessLine]:
        return open_lines(self.lines)

    @property
    def groups(self) -> list[LineGroup]:
        """The lines, those together that say the same of several rooms."""
        return grouped(self.lines)

    @property
    def singles(self) -> list[LineGroup]:
        """Every line by itself, as it is signed."""
        return [LineGroup((one,)) for one in self.lines]

    @property
    def to_do_groups(self) -> list[LineGroup]:
        """What is to be done, in the same way."""
        return grouped(self.to_do)

    @property
    def verdict(self) -> tuple[str, str]:
        """Shape and sentence."""
        noted = [one for one in self.lines if one.state is LineState.NOTED]
        if self.to_do:
            return "bad", f"还有{_counted(self.to_do)}没有完成"
        return ("wait", f"可以开考，{_counted(noted)}请注意") if noted else ("good", "全部准备好")

    @property
    def shown(self) -> str:
        """Names what a person sees, but for figures that change by themselves: whoever signs looked at it."""
        seen = [[one.topic, one.subject, one.state, one.by, one.at_us] for one in self.lines]
        return hashlib.sha256(json.dumps([self.day.isoformat(), seen]).encode()).hexdigest()

    def name(self, group: LineGroup) -> str:
        """What people call it: the thing, and the rooms it is about; many rooms are counted."""
        topic, rooms = TOPIC_WORDS[group.first.topic], group.subjects
        if len(rooms) > SHOWN_ROOMS:
            return f"{topic} {'全部' if self._is_everywhere(group) else ''}{len(rooms)}个考室"
        return f"{topic} {'、'.join(rooms)}" if rooms else topic

    def which(self, group: LineGroup) -> str:
        """The rooms by name where they were only counted; empty where they are all of them."""
        is_counted = len(group.lines) > SHOWN_ROOMS and not self._is_everywhere(group)
        return "、".join(group.subjects) if is_counted else ""

    def _is_everywhere(self, group: LineGroup) -> bool:
        return len(group.lines) == sum(one.topic is group.first.topic for one in self.lines)


@dataclass(frozen=True, slots=True)
class ReadinessFacts:
    """What the page shows. `view` is None while no exam day is planned."""

    view: ReadinessView | None
    sheets: list[KeptSheet]
    printer: PrinterCheck | None


def _counted(lines: Sequence[ReadinessLine]) -> str:
    """How many things, and in how many lines where rooms stand together."""
    things = len(grouped(lines))
    return f"{things}件事（共{len(lines)}项）" if things != len(lines) else f"{things}项"


def view_of(sheet: KeptSheet) -> ReadinessView:
    """A sheet on record as it was shown."""
    return ReadinessView(date.fromisoformat(sheet.exam_day), tuple(sheet.lines))


def readiness_facts() -> ReadinessFacts:
    """Everything that is known about the next exam day."""
    now_us = services().clock.wall_us()
    with services().exam.read() as connection:
        sessions = load_sessions(connection)
        printer = last_printer_check(connection, now_us - PRINTER_LASTS_US)
        day = next_exam_day(sessions, site_time(now_us).date())
        if day is None:
            return ReadinessFacts(None, [], printer)
        mine = [one for one in sessions if day_of(one) == day and one.cancelled_at_us is None]
        lines = tuple(_lines(connection, mine, printer, now_us))
        return ReadinessFacts(ReadinessView(day, lines), sheets_of(connection, day.isoformat()), printer)


def _lines(
    connection: Connection, sessions: Sequence[Session], printer: PrinterCheck | None, now_us: int
) -> Iterable[ReadinessLine]:
    rooms = load_rooms(connection)
    used = [room for room in rooms.values() if any(room.id in one.room_ids for one in sessions)]
    yield _clock_line(connection, sessions, now_us)
    yield from _sound_lines(connection, used, now_us)
    cameras = load_view(connection, services().footage(), now_us).cameras
    for room in used:
        yield _camera_line(room, [one for one in cameras if one.room.id == room.id])
    yield _disk_line()
    yield _printer_line(printer)
    yield _spare_line(connection, spare_rooms(rooms.values(), sessions), sessions)
    yield _rehearsal_line(connection, day_of(sessions[0]).isoformat(), now_us)


def _clock_line(connection: Connection, sessions: Sequence[Session], now_us: int) -> ReadinessLine:
    check, wrong = todays_check(connection, now_us), console_alarm()
    if wrong:
        return _open(Topic.CLOCKS, f"考点时间不准：{wrong}", "请先校准主机时间，再核对时钟。")
    if check is None:
        return _open(Topic.CLOCKS, "今天还没有核对", "请打开“时钟核对”，逐个处理，确认并记录。")
    handled = f"，{check.wrong_count}项不准或没有测到，已写明处理" if check.wrong_count else ""
    is_today = day_of(sessions[0]) == site_time(now_us).date()
    state = LineState.READY if is_today and not handled else LineState.NOTED
    next_step = "" if is_today else "考试当天考务会上再核对一次。"
    return ReadinessLine(
        Topic.CLOCKS, "", state, f"已核对{handled}", check.by, check.checked_at_us, next_step
    )


def _sound_lines(connection: Connection, rooms: Sequence[Room], now_us: int) -> Iterable[ReadinessLine]:
    able = {one.room_id for one in load_players(connection, now_us) if can_ring(one, now_us)}
    checks = last_checks(connection, now_us - CHECK_LASTS_US)
    for room in rooms:
        yield _sound_line(room, checks.get(room.id), can_ring_now=room.id in able)


def _sound_line(room: Room, check: SoundCheck | None, *, can_ring_now: bool) -> ReadinessLine:
    if check is None:
        advice = "请试音，由在考室的人按“我在场，听到了”。"
        return _open(Topic.SOUND, "还没有人确认听到试音", advice, room.label)
    person = (check.by, check.checked_at_us)
    if check.outcome is not Heard.HEARD:
        advice = "请检查音量和接线，再试音。"
        return ReadinessLine(Topic.SOUND, room.label, LineState.OPEN, "有人报告没有听到试音", *person, advice)
    if not can_ring_now:
        words, advice = "试音已听到；现在没有能响铃的设备", "考试当天请打开播报页面或音箱。"
        return ReadinessLine(Topic.SOUND, room.label, LineState.NOTED, words, *person, advice)
    return ReadinessLine(Topic.SOUND, room.label, LineState.READY, "试音已听到", *person)


def _camera_line(room: Room, checks: Sequence[CameraCheck]) -> ReadinessLine:
    if not checks:
        return _open(Topic.CAMERAS, "没有摄像机", "请在考点安排中登记摄像机，或换一个考室。", room.label)
    results = [one.result for one in checks if one.result is not None]
    by = "、".join(dict.fromkeys(one.checked_by for one in checks if one.checked_by))
    at_us = min((one.checked_at_us for one in results), default=None)
    unfit = [one for one in checks if one.verdict[0] in {"bad", "off"}]
    noted = [one for one in checks if one.verdict[0] == "wait"]
    if unfit:
        advice = "请打开“摄像机检查”，按提示处理，再检查。"
        return ReadinessLine(Topic.CAMERAS, room.label, LineState.OPEN, _named(unfit), by, at_us, advice)
    if noted:
        advice = "提示见“摄像机检查”。"
        return ReadinessLine(Topic.CAMERAS, room.label, LineState.NOTED, _named(noted), by, at_us, advice)
    return ReadinessLine(Topic.CAMERAS, room.label, LineState.READY, f"{len(checks)}台合格", by, at_us)


def _named(checks: Iterable[CameraCheck]) -> str:
    return "；".join(f"{one.camera.label}{one.verdict[2]}" for one in checks)


def _disk_line() -> ReadinessLine:
    capacity = capacity_view()
    if capacity is None:
        advice = "请启动录像程序，等它查看证据卷。"
        return _open(Topic.DISKS, "录像程序还没有查看过证据卷", advice)
    state = _CAPACITY_STATES[capacity.kind]
    return ReadinessLine(Topic.DISKS, "", state, capacity.sentence, next_step=capacity.advice)


def _printer_line(check: PrinterCheck | None) -> ReadinessLine:
    if check is None:
        return _open(Topic.PRINTER, "还没有试打印", "请下载测试页打印，看过之后在下面按一下结果。")
    person = (check.by, check.checked_at_us)
    if check.outcome is Printed.PRINTED:
        return ReadinessLine(Topic.PRINTER, "", LineState.READY, "测试页打印清楚", *person)
    advice = "请检查纸张、墨粉和连接，或换一台打印机，再试。"
    return ReadinessLine(Topic.PRINTER, "", LineState.OPEN, "测试页打印不了或不清楚", *person, advice)


def _spare_line(connection: Connection, spare: Sequence[Room], sessions: Sequence[Session]) -> ReadinessLine:
    if not spare:
        advice = "请在考点安排中登记一个当天不用的应急考场，重新导入。"
        return _open(Topic.SPARE_ROOM, "考点安排中没有空着的应急考场", advice)
    places = {room.label: len(load_places(connection, room.id)) for room in spare}
    words = "、".join(f"{label}{count}个考位" for label, count in places.items())
    seated = seated_counts(connection, [one.id for one in sessions])
    if is_spare_room_large_enough(places.values(), seated):
        return ReadinessLine(Topic.SPARE_ROOM, "", LineState.READY, words, "考点安排")
    words = f"{words}，少于人数最多的考室（{max(seated)}人）"
    advice = "启用时须分到两处，或另备考位。"
    return ReadinessLine(Topic.SPARE_ROOM, "", LineState.NOTED, words, "考点安排", next_step=advice)


def _rehearsal_line(connection: Connection, day: str, now_us: int) -> ReadinessLine:
    """A rehearsal is for the site to do or not; one in which something stayed silent is not left at that."""
    lately = [one for one in rehearsals_of(connection, day) if one.rehearsed.ended_at_us > now_us - LASTS_US]
    if not lately:
        advice = "建议考前把全天信号演练一遍。"
        return ReadinessLine(Topic.REHEARSAL, "", LineState.NOTED, "没有演练过", next_step=advice)
    done, person = lately[0].rehearsed, (lately[0].by, lately[0].rehearsed.ended_at_us)
    if done.failed:
        rooms = "、".join(dict.fromkeys(one.room for one in done.failed))
        found, advice = f"{rooms}有{len(done.failed)}个信号没有响", "请看演练记录，处理后再演练一次。"
        return ReadinessLine(Topic.REHEARSAL, "", LineState.OPEN, found, *person, advice)
    if not done.is_whole:
        advice = "没有演练到的信号，考试当天留意。"
        return ReadinessLine(Topic.REHEARSAL, "", LineState.NOTED, "没有演练完", *person, advice)
    found = f"{len(done.signals)}个信号全部播放"
    return ReadinessLine(Topic.REHEARSAL, "", LineState.READY, found, *person)


def _open(topic: Topic, found: str, next_step: str, subject: str = "") -> ReadinessLine:
    return ReadinessLine(topic, subject, LineState.OPEN, found, next_step=next_step)
