"""Puts together the preflight page: every camera's last result, the run that is going on, the verdict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence import accounts, day, overview
from evidence.database import ReaderDatabase
from evidence.overview import RoomCamera
from evidence.preflight import CameraPreflight, latest_preflights
from evidence.work_orders import Order, OrderKind, Report, WorkState, orders, report
from exam.clock import MINUTE_US, SECOND_US
from exam.day import Room
from exam.preflight import Grade
from web.preflight_words import GRADE_WORDS, Sentence, sentences

# A result older than this says nothing about today's exam.
VALID_US: Final = 24 * 60 * MINUTE_US
# An order that nobody takes up, and a run without progress, for this long: the recorder is away.
UNTAKEN_US: Final = 10 * SECOND_US
STUCK_US: Final = MINUTE_US

NOT_CHECKED: Final = ("off", "off", "未检查")
TOO_OLD: Final = ("off", "off", "检查已过期")


@dataclass(frozen=True, slots=True)
class CameraCheck:
    """One camera and its last result; `result` None when it was never checked."""

    room: Room
    camera: RoomCamera
    result: CameraPreflight | None
    is_valid: bool
    checked_by: str

    @property
    def verdict(self) -> tuple[str, str, str]:
        if self.result is None:
            return NOT_CHECKED
        return GRADE_WORDS[self.result.grade] if self.is_valid else TOO_OLD

    @property
    def sentences(self) -> list[Sentence]:
        return [] if self.result is None else sentences(self.result)

    @property
    def is_fit(self) -> bool:
        return self.is_valid and self.result is not None and self.result.grade is Grade.GOOD


@dataclass(frozen=True, slots=True)
class CheckRun:
    """The last check run that somebody ordered."""

    order: Order
    report: Report
    ordered_by: str
    trouble: str

    @property
    def is_running(self) -> bool:
        return not self.report.is_final


@dataclass(frozen=True, slots=True)
class PreflightView:
    """The whole page."""

    cameras: tuple[CameraCheck, ...]
    run: CheckRun | None

    @property
    def counts(self) -> Mapping[str, int]:
        kinds = [check.verdict[0] for check in self.cameras]
        return {kind: kinds.count(kind) for kind in ("good", "wait", "bad", "off")}

    @property
    def verdict(self) -> tuple[str, str, str]:
        """The whole site, by its worst camera; unchecked ones keep it from being fit."""
        counts = self.counts
        if counts["bad"]:
            return "bad", "bad", f"不合格：{counts['bad']}台摄像机需要处理"
        if counts["off"]:
            return "off", "off", f"还有{counts['off']}台摄像机未检查"
        if counts["wait"]:
            return "wait", "wait", f"可以开考，{counts['wait']}台摄像机需要注意"
        return "good", "good", f"全部合格，共{len(self.cameras)}台摄像机"

    @property
    def to_repeat(self) -> tuple[CameraCheck, ...]:
        return tuple(check for check in self.cameras if not check.is_fit)

    @property
    def is_usual(self) -> bool:
        """Whether some cameras have results, so that repeating the others makes sense."""
        return 0 < len(self.to_repeat) < len(self.cameras)


def load_view(exam: Connection, footage: ReaderDatabase | None, now_us: int) -> PreflightView:
    """Read everything the page shows."""
    names = {account.id: account.display_name for account in accounts.load_accounts(exam)}
    given = orders(exam, OrderKind.CAMERA_PREFLIGHT)
    results, last = _footage_side(footage, given)
    people = {order.id: names.get(order.ordered_by, "") for order in given}
    run = None if last is None else _run(last, people, now_us)
    return PreflightView(tuple(_checks(exam, results, people, now_us)), run)


def _footage_side(
    footage: ReaderDatabase | None, given: Sequence[Order]
) -> tuple[Mapping[str, CameraPreflight], tuple[Order, Report] | None]:
    last = given[-1] if given else None
    if footage is None:
        return {}, None if last is None else (last, Report(last.id, WorkState.WAITING))
    with footage.read() as connection:
        results = latest_preflights(connection)
        return results, None if last is None else (last, report(connection, last.id))


def _run(last: tuple[Order, Report], people: Mapping[int, str], now_us: int) -> CheckRun:
    order, made = last
    return CheckRun(order, made, people[order.id], _trouble(order, made, now_us))


def _trouble(order: Order, made: Report, now_us: int) -> str:
    if made.state is WorkState.WAITING and now_us - order.ordered_at_us > UNTAKEN_US:
        return "录像程序没有响应，检查尚未开始。录像程序恢复后会自动进行；请联系系统管理员。"
    if made.state is WorkState.RUNNING and now_us - made.updated_at_us > STUCK_US:
        return "检查没有进展，录像程序可能已停止。录像程序恢复后会自动继续；请联系系统管理员。"
    return ""


def _checks(
    exam: Connection, results: Mapping[str, CameraPreflight], people: Mapping[int, str], now_us: int
) -> Iterable[CameraCheck]:
    cameras = overview.room_cameras(exam)
    for room_id, room in day.load_rooms(exam).items():
        for camera in cameras.get(room_id, ()):
            result = results.get(camera.uuid)
            is_valid = result is not None and now_us - result.checked_at_us <= VALID_US
            checked_by = "" if result is None else people.get(result.order_id, "")
            yield CameraCheck(room, camera, result, is_valid, checked_by)
