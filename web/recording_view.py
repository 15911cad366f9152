"""What the recording of each room is doing by the plan, in words: by schedule, by hand, or standing by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.overview import RoomCamera, room_cameras
from evidence.recording_orders import load_room_orders
from evidence.recording_plan import load_plan, load_schedules, owed_for_unknown
from exam.clock import site_time
from exam.day import Room
from exam.procedure import Procedure
from exam.recording_decision import Decision, Ground, RecordingMode, RoomOrders, RoomRecording, decide

MODE_WORDS: Final[Mapping[RecordingMode, str]] = {
    RecordingMode.SCHEDULE: "按计划录像",
    RecordingMode.ALL_DAY: "全天录像",
    RecordingMode.MANUAL: "仅手动录像",
}
_GROUND_WORDS: Final[Mapping[Ground, str]] = {
    Ground.SESSION: "按计划录像",
    Ground.EXAM_DAY: "考试日录像",
    Ground.ALL_DAY: "全天录像",
    Ground.BY_HAND: "手动录像",
}
_OPEN_END: Final[Mapping[Ground, str]] = {
    Ground.SESSION: "到终止考试并交接为止",
    Ground.ALL_DAY: "不停止",
    Ground.BY_HAND: "到人工停止为止",
}


@dataclass(frozen=True, slots=True)
class RoomRecordingView:
    """One room's recording as a person reads it. `own_mode` is None where the room follows the site."""

    room: Room
    decision: Decision
    cameras: Sequence[RoomCamera]
    own_mode: RecordingMode | None
    has_session_now: bool
    # A session whose stop signal is long overdue, and whether recording gave up waiting for it.
    is_overdue: bool
    now_us: int

    @property
    def words(self) -> tuple[str, str, str]:
        """Colour, shape and words."""
        until_us, ground = self.decision.until_us, self.decision.ground
        match self.decision.state:
            case RoomRecording.RECORD if ground is not None:
                end = _OPEN_END.get(ground, "") if until_us is None else f"到 {self._moment(until_us)}"
                return ("off", "recording", f"{_GROUND_WORDS[ground]}，{end}")
            case RoomRecording.HELD:
                return ("wait", "wait", f"人工停止录像，应录{self._until(until_us)}")
        return (
            "off",
            "wait",
            f"待命，{self._moment(until_us)} 开始录像" if until_us else "待命，今天没有安排",
        )

    @property
    def is_on(self) -> bool:
        """Whether the room's cameras record, or are about to."""
        return self.decision.state is RoomRecording.RECORD

    @property
    def needs_second_person(self) -> bool:
        """Stopping now would leave a session without footage (F28)."""
        return self.is_on and self.has_session_now

    def _until(self, until_us: int | None) -> str:
        return "到人工恢复为止" if until_us is None else f"到 {self._moment(until_us)}"

    def _moment(self, moment_us: int) -> str:
        moment, today = site_time(moment_us), site_time(self.now_us).date()
        if moment.date() == today:
            return f"{moment:%H:%M}"
        is_midnight = (moment.date() - today).days == 1 and f"{moment:%H%M}" == "0000"
        return "24:00" if is_midnight else f"{moment.month}月{moment.day}日 {moment:%H:%M}"


def recording_views(
    connection: Connection, rooms: Mapping[int, Room], procedures: Mapping[str, Procedure], now_us: int
) -> dict[int, RoomRecordingView]:
    """Every room that has cameras, by its id."""
    plan, orders = load_plan(connection, procedures, now_us), load_room_orders(connection)
    cameras = room_cameras(connection)
    near = load_schedules(connection, procedures, now_us)
    running = {one.room_id for one in near if one.from_us <= now_us < one.until_us or one.is_open_ended}
    if any(owed_for_unknown(session).contains(now_us) for session in plan.unknown):
        running |= set(rooms)  # nobody knows when such a session is over
    overdue = {one.room_id for one in near if one.is_overdue}
    return {
        room.id: RoomRecordingView(
            room,
            decide(plan.owed.get(room.id, ()), now_us),
            cameras[room.id],
            _own_mode(orders[room.id]),
            room.id in running,
            room.id in overdue,
            now_us,
        )
        for room in rooms.values()
        if room.id in cameras
    }


def site_mode(orders: Mapping[int, RoomOrders]) -> RecordingMode:
    """The mode of rooms that have none of their own."""
    changes = next((one.site_modes for one in orders.values()), ())
    return (changes[-1].mode if changes else None) or RecordingMode.SCHEDULE


def _own_mode(orders: RoomOrders) -> RecordingMode | None:
    return orders.room_modes[-1].mode if orders.room_modes else None
