"""The people of the demo day: their accounts, what each does, and what can be read back afterwards."""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from config.procedures import load_procedures
from config.settings import Settings
from evidence import accounts, day_summary
from evidence.accounts import NewAccount
from evidence.database import ReaderDatabase
from evidence.day import load_rooms, load_sessions
from evidence.day_summary import CameraFootage
from exam.clock import SECOND_US, SystemClock
from rehearsal import cast, demo_site
from rehearsal.camera_server import RunningCameras
from rehearsal.console_client import ConsoleClient
from rehearsal.day_check import DayFacts, summary
from rehearsal.footage_check import MarkCheck, check_room, open_room
from rehearsal.kiosk_queue import KioskQueue
from rehearsal.room_player import RoomPlayer
from rehearsal.staff import LogNote, Press, StaffMember
from rehearsal.ticket_show import FolderCamera, PrintedSheet, rasterised

ADMINISTRATOR: Final = "admin"
# The newest pictures can be played a few seconds after they came; a busy machine takes longer.
INDEX_PATIENCE_US: Final = 20 * SECOND_US


@dataclass(frozen=True, slots=True)
class Login:
    """An invented account as it is printed for the person who runs the demo."""

    name: str
    display_name: str
    password: str
    roles: tuple[str, ...]
    badge: str | None


def invent_logins() -> list[Login]:
    """One account for everybody on the demo's staff list, with one new password for all."""
    password = secrets.token_hex(4)
    people = [Login(login, name, password, roles, badge) for badge, name, login, roles in demo_site.STAFF]
    return [*people, Login(ADMINISTRATOR, "管理员", password, ("administrator",), None)]


def create_accounts(
    connection: Connection, logins: Sequence[Login], hashes: Mapping[str, str], now_us: int
) -> None:
    """Make the accounts, tied to the staff list by badge."""
    for login in logins:
        staff_id = accounts.staff_by_badge(connection, login.badge) if login.badge else None
        new = NewAccount(login.name, login.display_name, hashes[login.name], login.roles, staff_id)
        accounts.create_account(connection, new, now_us)


# A busy machine may take long to let everybody in and to print the tickets; nobody goes home for that.
CONSOLE_PATIENCE_S: Final = 60.0


@dataclass(slots=True)
class DemoPeople:
    """Everybody who takes part in the demo day."""

    settings: Settings
    folder: Path
    logins: Sequence[Login]
    day: demo_site.DemoDay
    clock: SystemClock
    _leaving: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _staff: list[StaffMember] = field(default_factory=list)
    _queue: KioskQueue | None = None

    def come(self, stopping: threading.Event) -> None:
        """Everybody logs in and begins; returns at once. They also leave when `stopping` is set."""
        self._begin(self._work_until, stopping)
        pages = self._room_pages()
        for member in self._members(pages):
            self._staff.append(member)
            self._begin(member.run, self._leaving)
        for room, login in (
            ("R01", "proctor1"),
            ("R02", "proctor2"),
            ("P01", "proctor3"),
            ("V01", "proctor3"),
        ):
            self._begin(RoomPlayer(self._console(login), room, self.clock).run, self._leaving)
        self._queue = self._kiosk_queue()
        start_us = self.day.theory_start_us
        arrivals = [(start_us + visit.at_s * SECOND_US, visit) for visit in cast.visits()]
        self._begin(self._queue.run, arrivals, self._leaving)

    def go(self) -> None:
        """Everybody goes home; returns when the last has left."""
        self._leaving.set()
        for thread in self._threads:
            thread.join()

    def summary(self, cameras: RunningCameras) -> dict[str, Any]:
        """What the databases and the playback page say about the day."""
        exam, index = ReaderDatabase(self.settings.exam_db), ReaderDatabase(self.settings.footage_db)
        with exam.read() as facts, index.read() as footage:
            found = DayFacts(
                outcomes=day_summary.outcomes(facts),
                visited=self._queue.visited if self._queue else [],
                signals=day_summary.signals(facts),
                confirmed=day_summary.confirmed(facts),
                log_kinds=day_summary.log_kinds(facts),
                footage=day_summary.footage(facts, footage),
                marks=[],
                open_doubts=day_summary.open_doubts(facts),
                troubles=[trouble for member in self._staff for trouble in member.troubles],
            )
        exam.close()
        index.close()
        marks = self._watch_marks(found.footage, cameras)
        notes = sum(len(notes) for notes in self._notes({}).values())
        return summary(replace(found, marks=marks), load_procedures(), notes)

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work_until(self, stopping: threading.Event) -> None:
        while not self._leaving.wait(0.2):
            if stopping.is_set():
                self._leaving.set()

    def _console(self, name: str) -> ConsoleClient:
        login = next(login for login in self.logins if login.name == name)
        console = ConsoleClient(f"http://127.0.0.1:{self.settings.web.port}", patience_s=CONSOLE_PATIENCE_S)
        console.log_in(login.name, login.password)
        return console

    def _room_pages(self) -> dict[str, str]:
        """The proctor page of each room of each session, as links on the overview name them."""
        database = ReaderDatabase(self.settings.exam_db)
        with database.read() as connection:
            rooms, sessions = load_rooms(connection), load_sessions(connection)
        database.close()
        return {
            rooms[room_id].code: f"/proctor/{session.id}/{room_id}/live"
            for session in sessions
            for room_id in session.room_ids
        }

    def _members(self, pages: Mapping[str, str]) -> list[StaffMember]:
        presses = self._presses(pages)
        notes = self._notes(pages)
        duties = {"proctor1": ["R01"], "proctor2": ["R02"], "proctor3": ["P01", "V01"]}
        duties |= {"assessor": ["P01"], "chair": ["V01"]}
        people = [
            StaffMember(
                name,
                self._console(name),
                self.clock,
                [pages[room] for room in rooms],
                presses=presses.get(name, []),
                notes=notes.get(name, []),
            )
            for name, rooms in duties.items()
        ]
        # The site lead holds the briefings; every other step is somebody else's to confirm.
        lead_pages = ["/overview/live", *pages.values()]
        lead = StaffMember(
            "lead",
            self._console("lead"),
            self.clock,
            lead_pages,
            frozenset({"B1"}),
            arms=True,
            decides=True,
        )
        return [lead, *people]

    def _presses(self, pages: Mapping[str, str]) -> dict[str, list[Press]]:
        return {
            name: [
                Press(self.day.start_us(session) + SECOND_US, "C5", pages[room]),
                Press(
                    self.day.start_us(session) + (self.day.seconds(session) + 2) * SECOND_US,
                    "C8",
                    pages[room],
                ),
            ]
            for name, session, room in (("assessor", "P1", "P01"), ("chair", "V1", "V01"))
        }

    def _notes(self, pages: Mapping[str, str]) -> dict[str, list[LogNote]]:
        start_us = self.day.theory_start_us

        def note(after_s: int, room: str, kind: str, candidate: str = "", text: str = "") -> LogNote:
            return LogNote(start_us + after_s * SECOND_US, pages.get(room, ""), kind, candidate, text)

        return {
            "proctor1": [
                note(26, "R01", "absent", "钱未到"),
                note(34, "R01", "reminder", "何雨桐", "左顾右盼，已口头提醒"),
            ],
            "proctor2": [
                note(27, "R02", "absent", "吴未到"),
                note(29, "R02", "absent", "唐小迟", "迟到，超过入场时间"),
                note(40, "R02", "unwell", "罗文静", "申请喝水"),
            ],
            "proctor3": [note(70, "P01", "equipment", "", "3号工位万用表电池更换")],
        }

    def _kiosk_queue(self) -> KioskQueue:
        officer = self._console("officer")
        papers = self.folder / "tickets"
        papers.mkdir()
        pages: list[Any] = []
        positions: dict[str, Any] = {"tickets": []}
        database = ReaderDatabase(self.settings.exam_db)
        with database.read() as connection:
            sessions = load_sessions(connection)
        database.close()
        for session in sessions:
            pdf = papers / f"{session.code}.pdf"
            pdf.write_bytes(officer.get(f"/sessions/{session.id}/tickets.pdf").content)
            printed = officer.get_json(f"/sessions/{session.id}/tickets.json")
            raster = papers / session.code
            raster.mkdir()
            for ticket in printed["tickets"]:
                positions["tickets"].append(ticket | {"page": ticket["page"] + len(pages)})
            positions["page_mm"] = printed["page_mm"]
            pages += rasterised(pdf, raster)
        camera = FolderCamera(self.folder / "kiosk-camera")
        address = f"http://127.0.0.1:{self.settings.kiosk.port}"
        return KioskQueue(address, camera, PrintedSheet(pages, positions), self.clock)

    def _watch_marks(self, footage: Sequence[CameraFootage], cameras: RunningCameras) -> list[MarkCheck]:
        """Every mark of every room; the last seconds may still be on their way into the index."""
        patience_us = self.clock.monotonic_us() + INDEX_PATIENCE_US
        while True:
            found = self._watch_once(footage, cameras)
            is_whole = all(room.playable == room.marks for room in found)
            if is_whole or self.clock.monotonic_us() >= patience_us:
                return found
            self.clock.sleep_us(SECOND_US)

    def _watch_once(self, footage: Sequence[CameraFootage], cameras: RunningCameras) -> list[MarkCheck]:
        supervisor = self._console("supervisor")
        interval = (self.day.theory_start_us - 60 * SECOND_US, self.day.end_us)
        sent = {one.camera_uuid: cameras[one.address.rsplit("/", 1)[1]].sent() for one in footage}
        rooms = {one.room_code: one.room_id for one in footage}
        return [
            check_room(
                supervisor,
                code,
                open_room(supervisor, str(room_id), interval, "演示：逐条核对时间轴标记"),
                sent,
            )
            for code, room_id in rooms.items()
        ]
