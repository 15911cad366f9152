"""The site plan file: site, rooms, places, cameras, staff, batch, sessions and duties as TOML.

Reads and checks the whole file before anything is written; every fault is named at once with its
key path, counted from 1 as people count. The format is described in docs/guide/site-plan.zh.md.
What it means for the database is decided in `evidence.site_import`.
"""

import tomllib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evidence.floor_maps import FloorMap, FloorMapError, read_map
from exam.clock import MINUTE_US, SITE_ZONE, to_us
from exam.day import PlaceKind, RoomKind, SessionKind
from exam.procedure import Procedure

MAX_GRID: Final = 40

# What pydantic calls a fault, in the words of the person who wrote the file.
FAULT_WORDS: Final = {
    "missing": "缺少此项",
    "extra_forbidden": "没有这一项，请检查拼写",
    "string_type": "应为文字（加引号）",
    "string_too_short": "不能为空",
    "string_too_long": "过长，最多{max_length}个字",
    "string_pattern_mismatch": "格式不正确",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "greater_than_equal": "不能小于{ge}",
    "less_than_equal": "不能大于{le}",
    "enum": "只能是：{expected}",
    "datetime_type": "应为日期和时间，不加引号，如 2026-11-22T09:00:00",
    "greater_than": "应大于{gt}",
    "too_short": "至少需要{min_length}个",
    "too_long": "最多{max_length}个",
    "float_type": "应为数字",
    "tuple_type": "应为列表",
    "list_type": "应为列表",
    "model_type": "应为表",
}


class SitePlanError(Exception):
    """The plan cannot be used; `faults` names every fault with its key path."""

    def __init__(self, source: str, faults: Iterable[str]) -> None:
        """`source` is the file as people know it."""
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"考点安排 {source} 有 {len(self.faults)} 处错误，未作任何修改：\n{lines}")


class Numbering(StrEnum):
    """How places are numbered over the grid, always from the front left corner."""

    ROWS = "rows"
    COLUMNS = "columns"
    # Down the first column, up the next: the usual exam-room order (S形).
    SNAKE = "snake"


class DutyRole(StrEnum):
    """What a person does in a session (Art. 10)."""

    PROCTOR = "proctor"
    ASSESSOR = "assessor"
    LEAD_ASSESSOR = "lead_assessor"
    REVIEW_CHAIR = "review_chair"
    RECORDER = "recorder"
    EXAMS_OFFICER = "exams_officer"
    SITE_LEAD = "site_lead"
    INSPECTOR = "inspector"
    QUALITY_SUPERVISOR = "quality_supervisor"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


Text = Annotated[str, Field(min_length=1, max_length=80)]
Code = Annotated[str, Field(min_length=1, max_length=16, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
GridCell = Annotated[int, Field(ge=1, le=MAX_GRID)]
Percent = Annotated[float, Field(ge=0, le=100)]


class SiteTable(_Table):
    """The site itself."""

    code: Text
    name: Text
    address: str = ""


class PlacesTable(_Table):
    """A room's places as a grid."""

    rows: GridCell
    columns: GridCell
    numbering: Numbering = Numbering.ROWS
    # Grid cells without a desk, each [row, column].
    skip: list[tuple[GridCell, GridCell]] = []

    def cells(self) -> dict[str, tuple[int, int]]:
        """Each place's label and its row and column."""
        missing = set(self.skip)
        cells = [cell for cell in self._walk() if cell not in missing]
        return {str(number): cell for number, cell in enumerate(cells, 1)}

    def _walk(self) -> Iterator[tuple[int, int]]:
        rows, columns = range(1, self.rows + 1), range(1, self.columns + 1)
        if self.numbering is Numbering.ROWS:
            yield from ((row, column) for row in rows for column in columns)
            return
        for column in columns:
            is_upward = self.numbering is Numbering.SNAKE and column % 2 == 0
            yield from ((row, column) for row in (reversed(rows) if is_upward else rows))


class CameraTable(_Table):
    """One room camera."""

    label: Text
    address: Annotated[str, Field(pattern=r"^rtsp://[^@\s]+$", max_length=300)]
    username: str = ""
    # None keeps the stored password, an empty one removes it.
    password: str | None = None


class RoomTable(_Table):
    """One room with its places and cameras."""

    code: Code
    label: Text
    kind: RoomKind
    directions: str = ""
    # A picture of the floor beside this file, and where on it the door is: percent from the left and the top.
    map: Text | None = None
    map_at: tuple[Percent, Percent] | None = None
    places: PlacesTable | None = None
    cameras: list[CameraTable] = []

    @property
    def place_kind(self) -> PlaceKind:
        """Practical rooms have stations, all others seats."""
        return PlaceKind.STATION if self.kind is RoomKind.PRACTICAL else PlaceKind.SEAT


class StaffTable(_Table):
    """One person working at the site."""

    badge: Text
    name: Text


class BatchTable(_Table):
    """The assessment round."""

    code: Text
    name: Text
    occupation: Text
    level: Text


class DutyTable(_Table):
    """Who does what in a session; without a room: in all of it."""

    badge: Text
    role: DutyRole
    room: Code | None = None


class SessionTable(_Table):
    """One sitting."""

    code: Code
    kind: SessionKind
    subject: Text
    procedure: Text
    start: Annotated[datetime, Field(strict=True)]
    minutes: Annotated[float, Field(gt=0, le=24 * 60)]
    rooms: Annotated[list[Code], Field(min_length=1)]
    duties: list[DutyTable] = []

    @property
    def planned_start_us(self) -> int:
        """A time without zone is the site's own."""
        return to_us(self.start if self.start.tzinfo else self.start.replace(tzinfo=SITE_ZONE))

    @property
    def duration_us(self) -> int:
        """Working time; fractions of a minute serve shortened days."""
        return round(self.minutes * MINUTE_US)


class SitePlan(_Table):
    """The whole file."""

    site: SiteTable
    rooms: Annotated[list[RoomTable], Field(min_length=1)]
    staff: list[StaffTable] = []
    batch: BatchTable
    sessions: list[SessionTable] = []


def read_site_plan(path: Path, procedures: Mapping[str, Procedure]) -> SitePlan:
    """The checked plan. Raises SitePlanError with every fault of the file."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SitePlanError(str(path), [f"文件无法读取（{error.strerror}）"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SitePlanError(str(path), [f"不是有效的 TOML 文件（UTF-8）：{error}"]) from error
    try:
        plan = SitePlan.model_validate(raw)
    except ValidationError as error:
        # `include_input=False`: a wrong camera table must not print its password.
        faults = [
            f"{_key_path(fault['loc'])}：{_words(fault['type'], fault.get('ctx', {}), fault['msg'])}"
            for fault in error.errors(include_input=False)
        ]
        raise SitePlanError(str(path), faults) from None
    faults = [
        *_duplicates(plan),
        *_session_faults(plan, procedures),
        *_overlaps(plan),
        *read_maps(plan, path.parent)[1],
    ]
    if faults:
        raise SitePlanError(str(path), faults)
    return plan


def read_maps(plan: SitePlan, folder: Path) -> tuple[dict[str, FloorMap], list[str]]:
    """The pictures that the plan names, by name, and what is wrong with them."""
    maps: dict[str, FloorMap] = {}
    faults = []
    for number, room in enumerate(plan.rooms, 1):
        if room.map is None and room.map_at is not None:
            faults.append(f"rooms[{number}].map_at：没有写 map，不知道是哪张平面图上的位置")
        if room.map is None or room.map in maps:
            continue
        try:
            maps[room.map] = read_map(folder, room.map)
        except FloorMapError as error:
            faults.append(f"rooms[{number}].map：{error}")
    return maps, faults


def _key_path(location: tuple[int | str, ...]) -> str:
    parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).lstrip(".") or "文件"


def _words(fault: str, context: Mapping[str, object], message: str) -> str:
    return FAULT_WORDS[fault].format_map(context) if fault in FAULT_WORDS else message


def _duplicates(plan: SitePlan) -> Iterator[str]:
    yield from _repeated("rooms", "考室编号", [room.code for room in plan.rooms])
    yield from _repeated("rooms", "考室名称", [room.label for room in plan.rooms])
    for number, room in enumerate(plan.rooms, 1):
        labels = [camera.label for camera in room.cameras]
        yield from _repeated(f"rooms[{number}].cameras", "摄像机名称", labels)
    yield from _repeated("staff", "证卡号", [person.badge for person in plan.staff])
    yield from _repeated("sessions", "场次编号", [session.code for session in plan.sessions])


def _repeated(key: str, name: str, values: Iterable[Hashable]) -> Iterator[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f"{key}：{name}“{value}”重复了 {times} 次"


def _session_faults(plan: SitePlan, procedures: Mapping[str, Procedure]) -> Iterator[str]:
    rooms = {room.code for room in plan.rooms}
    for number, session in enumerate(plan.sessions, 1):
        key = f"sessions[{number}]"
        yield from _procedure_faults(key, session, procedures)
        yield from _repeated(f"{key}.rooms", "考室", session.rooms)
        for code in session.rooms:
            if code not in rooms:
                yield f"{key}.rooms：没有编号为“{code}”的考室"
        yield from _duty_faults(key, session, {person.badge for person in plan.staff})


def _procedure_faults(key: str, session: SessionTable, procedures: Mapping[str, Procedure]) -> Iterator[str]:
    procedure = procedures.get(session.procedure)
    if procedure is None:
        yield f"{key}.procedure：没有规程“{session.procedure}”，可用的有：{'、'.join(sorted(procedures))}"
    elif procedure.session_kind is not session.kind:
        kinds = f"规程“{session.procedure}”用于 {procedure.session_kind}，而场次为 {session.kind}"
        yield f"{key}.procedure：{kinds}"


def _duty_faults(key: str, session: SessionTable, badges: set[str]) -> Iterator[str]:
    for number, duty in enumerate(session.duties, 1):
        if duty.badge not in badges:
            yield f"{key}.duties[{number}].badge：人员名单中没有证卡号“{duty.badge}”"
        if duty.room is not None and duty.room not in session.rooms:
            yield f"{key}.duties[{number}].room：“{duty.room}”不是本场次的考室"
    duties = [(duty.badge, duty.role.value, duty.room or "全场") for duty in session.duties]
    yield from _repeated(f"{key}.duties", "岗位", ["/".join(duty) for duty in duties])


def _overlaps(plan: SitePlan) -> Iterator[str]:
    for one, other in combinations(sorted(plan.sessions, key=lambda session: session.planned_start_us), 2):
        if other.planned_start_us >= one.planned_start_us + one.duration_us:
            continue
        for code in sorted(set(one.rooms) & set(other.rooms)):
            yield f"sessions：考室“{code}”同时安排了场次“{one.code}”和“{other.code}”"
