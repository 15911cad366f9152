"""The small world that every test knows: one site, two theory rooms, three cameras, a few people.

Theory session T1 is planned for 2026-11-22 09:00 (Asia/Shanghai) in rooms R01 and R02, sixty
minutes. The clock stands at 08:50, so check-in is open. 陈一诺 comes on time, 赵迟 is late, 孙错
holds somebody else's ticket, 周远 sits in the other room. Nobody here exists: the area code of
every number is one that was never issued.
"""

import atexit
import shutil
import sqlite3
import tempfile
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from argon2 import PasswordHasher

from evidence.database import WriterDatabase
from evidence.vault import Vault
from exam.clock import MINUTE_US, SITE_ZONE, SimulatedClock, to_us
from exam.identity import check_digit, tail

START_US = to_us(datetime(2026, 11, 22, 9, 0, tzinfo=SITE_ZONE))
DURATION_US = 60 * MINUTE_US
CLOCK_US = START_US - 10 * MINUTE_US
KIOSK_TOKEN = "world-kiosk-token-0001"
PASSWORD = "world-password-0001"
GRID_ROWS, GRID_COLS = 3, 4


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate as the world knows him, with the full number that no database shows."""

    id: int
    name: str
    id_number: str
    ticket_no: str
    room_id: int
    place_id: int
    place_label: str


@dataclass(frozen=True, slots=True)
class World:
    """Real databases, key and clock of the small site, and the ids of everything in it."""

    folder: Path
    exam: WriterDatabase
    footage: WriterDatabase
    vault: Vault
    clock: SimulatedClock
    batch_id: int
    session_id: int
    room_1: int
    room_2: int
    cameras_1: tuple[str, str]  # uuids of 第1考场: 前方, 后方
    camera_2: str  # uuid of 第2考场: 前方
    kiosk_id: int  # serves the whole site
    proctor_staff_id: int  # 王芳, duty in 第1考场
    site_lead_staff_id: int  # 李强, duty in the whole session
    proctor_account_id: int
    site_lead_account_id: int
    administrator_account_id: int
    on_time: Person
    late: Person
    wrong_ticket: Person
    other_room: Person

    def close(self) -> None:
        """Give both writers' locks back."""
        self.exam.close()
        self.footage.close()


def invented_number(order: int, birth: str = "19900307") -> str:
    """A document number nobody has: area 990101 was never issued, the check digit is right."""
    first = f"990101{birth}{order:03d}"
    return first + check_digit(first)


@dataclass(frozen=True, slots=True)
class _Laid:
    """The small site as files that nobody has open, and what is in them."""

    folder: Path
    batch_id: int
    session_id: int
    rooms: list[int]
    cameras: list[str]
    staff: list[int]
    accounts: list[int]
    kiosk_id: int
    people: list[Person]


def build_world(folder: Path) -> World:
    """Lay the small site into `folder`. Close the world when done with it.

    It is made once a process and copied: a test's own world costs a few milliseconds.
    """
    laid = _laid()
    shutil.copytree(laid.folder, folder, dirs_exist_ok=True)
    return World(
        folder=folder,
        exam=WriterDatabase(folder / "exam.db", "exam"),
        footage=WriterDatabase(folder / "footage.db", "footage"),
        vault=Vault.open(folder / "keys" / "site.key"),
        clock=SimulatedClock(CLOCK_US),
        batch_id=laid.batch_id,
        session_id=laid.session_id,
        room_1=laid.rooms[0],
        room_2=laid.rooms[1],
        cameras_1=(laid.cameras[0], laid.cameras[1]),
        camera_2=laid.cameras[2],
        kiosk_id=laid.kiosk_id,
        proctor_staff_id=laid.staff[0],
        site_lead_staff_id=laid.staff[1],
        proctor_account_id=laid.accounts[0],
        site_lead_account_id=laid.accounts[1],
        administrator_account_id=laid.accounts[2],
        on_time=laid.people[0],
        late=laid.people[1],
        wrong_ticket=laid.people[2],
        other_room=laid.people[3],
    )


@cache
def _laid() -> _Laid:
    folder = Path(tempfile.mkdtemp(prefix="kaochang-world-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    vault = Vault.open(folder / "keys" / "site.key")
    exam = WriterDatabase(folder / "exam.db", "exam")
    WriterDatabase(folder / "footage.db", "footage").close()
    with exam.write() as connection:
        rooms = _insert_site(connection)
        batch_id, session_id = _insert_session(connection, rooms)
        staff = _insert_staff(connection, session_id, rooms[0])
        people = [
            _insert_candidate(connection, vault, batch_id, session_id, rooms[room], order, name)
            for order, (name, room) in enumerate([("陈一诺", 0), ("赵迟", 0), ("孙错", 0), ("周远", 1)], 1)
        ]
        accounts = _insert_accounts(connection, staff)
        kiosk_id = _insert(
            connection,
            "kiosk",
            uuid=str(uuid.uuid4()),
            label="一号签到机",
            token_sha256=sha256(KIOSK_TOKEN.encode()).digest(),
            enrolled_at_us=CLOCK_US,
        )
        cameras = [row["uuid"] for row in connection.execute("select uuid from camera order by id")]
    exam.close()
    return _Laid(folder, batch_id, session_id, rooms, cameras, staff, accounts, kiosk_id, people)


def announce(world: World, cue_code: str, emitted_at_us: int, room_id: int | None = None) -> None:
    """Record that a cue sounded: in one room, or in both."""
    with world.exam.write() as connection:
        for room in [room_id] if room_id else [world.room_1, world.room_2]:
            _insert(
                connection,
                "announcement",
                session_id=world.session_id,
                room_id=room,
                cue_code=cue_code,
                planned_at_us=emitted_at_us,
                outcome="emitted",
                emitted_at_us=emitted_at_us,
                source="schedule",
                recorded_at_us=emitted_at_us,
            )


def _insert(connection: sqlite3.Connection, table: str, **values: object) -> int:
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    cursor = connection.execute(f"insert into {table} ({names}) values ({marks})", tuple(values.values()))
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _insert_site(connection: sqlite3.Connection) -> list[int]:
    _insert(
        connection,
        "site",
        id=1,
        uuid=str(uuid.uuid4()),
        code="SITE-01",
        name="示例职业技能考点",
        created_at_us=CLOCK_US,
    )
    rooms = [
        _insert(connection, "room", code="R01", label="第1考场", kind="theory", directions="一楼东侧"),
        _insert(connection, "room", code="R02", label="第2考场", kind="theory", directions="二楼西侧"),
    ]
    for room_id in rooms:
        for index in range(GRID_ROWS * GRID_COLS):
            row, column = divmod(index, GRID_COLS)
            _insert(
                connection,
                "place",
                room_id=room_id,
                kind="seat",
                label=str(index + 1),
                grid_row=row + 1,
                grid_col=column + 1,
            )
    for room_id, label, path in [
        (rooms[0], "前方", "r01-front"),
        (rooms[0], "后方", "r01-back"),
        (rooms[1], "前方", "r02-front"),
    ]:
        address = f"rtsp://127.0.0.1:8554/{path}"
        _insert(connection, "camera", uuid=str(uuid.uuid4()), room_id=room_id, label=label, address=address)
    return rooms


def _insert_session(connection: sqlite3.Connection, rooms: list[int]) -> tuple[int, int]:
    batch_id = _insert(
        connection, "batch", code="B2026-1", name="2026年第1批次", occupation="电工", level="三级/高级工"
    )
    session_id = _insert(
        connection,
        "session",
        batch_id=batch_id,
        code="T1",
        kind="theory",
        subject="理论知识",
        procedure_code="theory",
        planned_start_us=START_US,
        duration_us=DURATION_US,
    )
    for room_id in rooms:
        _insert(connection, "session_room", session_id=session_id, room_id=room_id)
    return batch_id, session_id


def _insert_staff(connection: sqlite3.Connection, session_id: int, room_id: int) -> list[int]:
    staff = [
        _insert(connection, "staff", name="王芳", badge_no="JK001"),
        _insert(connection, "staff", name="李强", badge_no="FZ001"),
    ]
    _insert(connection, "duty", staff_id=staff[0], session_id=session_id, room_id=room_id, role="proctor")
    _insert(connection, "duty", staff_id=staff[1], session_id=session_id, role="site_lead")
    return staff


def _insert_candidate(
    connection: sqlite3.Connection,
    vault: Vault,
    batch_id: int,
    session_id: int,
    room_id: int,
    order: int,
    name: str,
) -> Person:
    number, ticket_no = invented_number(order), f"2026112200{order:02d}"
    candidate_id = _insert(
        connection,
        "candidate",
        batch_id=batch_id,
        name=name,
        document_type="id_card",
        id_number_cipher=vault.encrypt(number, "id_number"),
        id_number_index=vault.index(number),
        id_number_tail=tail(number),
        ticket_no=ticket_no,
    )
    place_id, label = connection.execute(
        "select id, label from place where room_id = ? and id not in (select place_id from seating)"
        " order by id limit 1",
        (room_id,),
    ).fetchone()
    _insert(connection, "seating", session_id=session_id, candidate_id=candidate_id, place_id=place_id)
    return Person(candidate_id, name, number, ticket_no, room_id, place_id, label)


def _insert_accounts(connection: sqlite3.Connection, staff: list[int]) -> list[int]:
    cheap_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    accounts = []
    for staff_id, login_name, display_name, role in [
        (staff[0], "wangfang", "王芳", "proctor"),
        (staff[1], "liqiang", "李强", "site_lead"),
        (None, "guanli", "系统管理员", "administrator"),
    ]:
        account_id = _insert(
            connection,
            "account",
            staff_id=staff_id,
            login_name=login_name,
            display_name=display_name,
            password_hash=cheap_hash,
            created_at_us=CLOCK_US,
        )
        _insert(connection, "account_role", account_id=account_id, role=role)
        accounts.append(account_id)
    return accounts
