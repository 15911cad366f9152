"""The invented site of the shortened exam day: rooms, cameras, staff, sessions, and their times.

Everything here is data for the same imports a real site uses; nobody and nothing in it exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from exam.clock import SECOND_US, site_time
from rehearsal.camera_plan import CameraPlan, SceneKind

SITE_NAME: Final = "青山职业技能鉴定考点（演示）"
BATCH: Final = "DEMO-2026"
CAMERA_USER: Final = "recorder"
# Pictures are small and slow enough for the oldest office machine.
CAMERA_FPS: Final = 25

# Seconds after the start of the theory session; the demo procedures open check-in 45 s before a start.
PRACTICAL_AFTER_S: Final = 60
REVIEW_AFTER_S: Final = 72
THEORY_SECONDS: Final = 75
PRACTICAL_SECONDS: Final = 45
REVIEW_SECONDS: Final = 35
# From "everything runs" to the planned start of theory: room for the first steps and for somebody to log in.
LEAD_SECONDS: Final = 112


@dataclass(frozen=True, slots=True)
class DemoRoom:
    """A room of the demo site and what its cameras look at."""

    code: str
    label: str
    kind: str
    directions: str
    rows: int
    columns: int
    scene: SceneKind
    cameras: tuple[str, ...]


ROOMS: Final = (
    DemoRoom("R01", "第1考场", "theory", "教学楼一楼东侧", 4, 5, SceneKind.CLASSROOM, ("前方", "后方")),
    DemoRoom("R02", "第2考场", "theory", "教学楼一楼西侧", 4, 5, SceneKind.CLASSROOM, ("前方",)),
    DemoRoom("P01", "电工实训室", "practical", "实训楼二楼", 2, 4, SceneKind.WORKSHOP, ("全景",)),
    DemoRoom("V01", "答辩室", "viva_room", "办公楼三楼", 1, 4, SceneKind.VIVA_ROOM, ("评审席",)),
)

# badge, name, login name, roles of the account
STAFF: Final = (
    ("FZ001", "李强", "lead", ("site_lead",)),
    ("JK001", "王芳", "proctor1", ("proctor",)),
    ("JK002", "刘洋", "proctor2", ("proctor",)),
    ("JK003", "赵敏", "proctor3", ("proctor",)),
    ("KP001", "张建国", "assessor", ("assessor",)),
    ("PS001", "陈静", "chair", ("review_chair",)),
    ("KW001", "孙丽", "officer", ("exams_officer",)),
    ("FH001", "周海", "supervisor", ("supervisor",)),
)

# session code, kind, subject, procedure, rooms, duties (badge, role, room)
SESSIONS: Final = (
    (
        "T1",
        "theory",
        "理论知识",
        "demo_theory",
        ("R01", "R02"),
        (("JK001", "proctor", "R01"), ("JK002", "proctor", "R02")),
    ),
    (
        "P1",
        "practical",
        "操作技能",
        "demo_practical",
        ("P01",),
        (("JK003", "proctor", "P01"), ("KP001", "lead_assessor", "P01")),
    ),
    (
        "V1",
        "review",
        "综合评审",
        "demo_review",
        ("V01",),
        (("PS001", "review_chair", "V01"), ("JK003", "proctor", "V01")),
    ),
)


@dataclass(frozen=True, slots=True)
class DemoDay:
    """When the sessions of the demo day start and how long they last."""

    theory_start_us: int

    def start_us(self, session_code: str) -> int:
        """Planned start of a session."""
        later_s = {"T1": 0, "P1": PRACTICAL_AFTER_S, "V1": REVIEW_AFTER_S}[session_code]
        return self.theory_start_us + later_s * SECOND_US

    def seconds(self, session_code: str) -> int:
        """Working time of a session."""
        return {"T1": THEORY_SECONDS, "P1": PRACTICAL_SECONDS, "V1": REVIEW_SECONDS}[session_code]

    @property
    def end_us(self) -> int:
        """When the last step of the last session has been due."""
        return max(self.start_us(code) + (self.seconds(code) + 20) * SECOND_US for code, *_ in SESSIONS)


def plan_day(now_us: int) -> DemoDay:
    """The day that begins now: starts fall on whole seconds, so that clocks on screen agree with it."""
    return DemoDay((now_us // SECOND_US + LEAD_SECONDS) * SECOND_US)


def camera_name(room: DemoRoom, index: int) -> str:
    """The simulated camera's name, the path of its address."""
    return f"{room.code}-{index + 1}"


def camera_plans(password: str) -> list[CameraPlan]:
    """One simulated camera for each camera of the site, all with the same invented password."""
    return [
        CameraPlan.model_validate(
            {
                "name": camera_name(room, index),
                "label": f"{room.label} {label}",
                "scene": room.scene,
                "view": number * 2 + index,
                "user": CAMERA_USER,
                "password": password,
                "fps": CAMERA_FPS,
                "bitrate_kbps": 1500,
                # Drifting, but not seconds off: people compare the picture's clock with the timeline.
                "clock_offset_s": 0.0,
            }
        )
        for number, room in enumerate(ROOMS)
        for index, label in enumerate(room.cameras)
    ]


def write_site_plan(path: Path, day: DemoDay, addresses: Mapping[str, str], password: str) -> None:
    """Write the site plan that `run.py import` takes in. `addresses` by camera name."""
    path.touch(mode=0o600)
    lines = ["[site]", 'code = "DEMO"', f'name = "{SITE_NAME}"', 'address = "青山市示范路1号"']
    for room in ROOMS:
        lines += _room_lines(room, addresses, password)
    for badge, name, *_ in STAFF:
        lines += ["", "[[staff]]", f'badge = "{badge}"', f'name = "{name}"']
    lines += ["", "[batch]", f'code = "{BATCH}"', 'name = "演示批次"', 'occupation = "电工"']
    lines += ['level = "三级/高级工"']
    for session in SESSIONS:
        lines += _session_lines(session, day)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _room_lines(room: DemoRoom, addresses: Mapping[str, str], password: str) -> list[str]:
    lines = ["", "[[rooms]]", f'code = "{room.code}"', f'label = "{room.label}"', f'kind = "{room.kind}"']
    lines += [f'directions = "{room.directions}"']
    lines += [f"places = {{ rows = {room.rows}, columns = {room.columns} }}"]
    for index, label in enumerate(room.cameras):
        lines += ["", "[[rooms.cameras]]", f'label = "{label}"']
        lines += [f'address = "{addresses[camera_name(room, index)]}"']
        lines += [f'username = "{CAMERA_USER}"', f'password = "{password}"']
    return lines


def _session_lines(
    session: tuple[str, str, str, str, tuple[str, ...], tuple[tuple[str, str, str], ...]], day: DemoDay
) -> list[str]:
    code, kind, subject, procedure, rooms, duties = session
    start: datetime = site_time(day.start_us(code)).replace(tzinfo=None)
    lines = ["", "[[sessions]]", f'code = "{code}"', f'kind = "{kind}"', f'subject = "{subject}"']
    lines += [f'procedure = "{procedure}"', f"start = {start.isoformat()}"]
    lines += [f"minutes = {day.seconds(code) / 60!r}"]
    lines += ["rooms = [" + ", ".join(f'"{room}"' for room in rooms) + "]", "duties = ["]
    lines += ['  { badge = "FZ001", role = "site_lead" },', '  { badge = "KW001", role = "exams_officer" },']
    lines += [f'  {{ badge = "{badge}", role = "{role}", room = "{room}" }},' for badge, role, room in duties]
    return [*lines, "]"]
