"""Fills the small world: thirty rooms, thirty seats in the first, cameras that record, people who came."""

import json
import uuid
from dataclasses import replace
from sqlite3 import Connection

from evidence.footage import CameraState, Cause, Recording
from evidence.footage_rows import write_states
from evidence.players import keep_heartbeats
from exam.clock import SECOND_US
from tests.exam.test_players import WELL
from tests.world import World, invented_number

NAMES = ["阿卜杜热西提·买买提", "欧阳娜娜", "李四", "王小明", "古丽米热·艾合买提", "赵钱孙"]


def recording(
    world: World, *, stale_us: int = 0, but: dict[str, tuple[Recording, Cause | None]] | None = None
) -> None:
    """Every camera records, except those named in `but`; `stale_us` ago nobody has written since."""
    now_us = world.clock.wall_us() - stale_us
    with world.exam.read() as connection:
        cameras = [row["uuid"] for row in connection.execute("select uuid from camera")]
    with world.footage.write() as connection:
        write_states(
            connection,
            [
                CameraState(
                    camera_uuid=camera,
                    state=(but or {}).get(camera, (Recording.RECORDING, None))[0],
                    since_us=now_us - 600 * SECOND_US,
                    last_bytes_at_us=now_us,
                    cause=(but or {}).get(camera, (Recording.RECORDING, None))[1],
                    bitrate_bps=4_000_000,
                    updated_at_us=now_us,
                )
                for camera in cameras
            ],
        )


def give_players(world: World) -> None:
    """Every room has a player that would ring."""
    now_us = world.clock.wall_us()
    with world.exam.write() as connection:
        rooms = connection.execute("select id from room").fetchall()
        keep_heartbeats(connection, [replace(WELL, room_id=row["id"], seen_at_us=now_us) for row in rooms])


def add_rooms(world: World, count: int) -> None:
    """More rooms in the same session, two cameras and a few candidates each."""
    with world.exam.write() as connection:
        for number in range(3, 3 + count):
            room_id = _insert(
                connection, "room", code=f"R{number:02d}", label=f"第{number}考场", kind="theory"
            )
            _insert(connection, "session_room", session_id=world.session_id, room_id=room_id)
            for label in ("前方", "后方"):
                _insert(
                    connection,
                    "camera",
                    uuid=str(uuid.uuid4()),
                    room_id=room_id,
                    label=label,
                    address=f"rtsp://127.0.0.1:8554/r{number}-{label == '前方'}",
                )
            for seat in range(1, 5):
                seat_facts = {"kind": "seat", "label": str(seat), "grid_row": 1, "grid_col": seat}
                _insert(connection, "place", room_id=room_id, **seat_facts)
                _seat_candidate(connection, world, room_id, str(seat), 100 + number * 10 + seat)


def fill_first_room(world: World) -> None:
    """Thirty seats in five rows of six, all taken, by people with long names too."""
    with world.exam.write() as connection:
        connection.execute("update place set grid_row = id, grid_col = 50 where room_id = ?", (world.room_1,))
        for index in range(30):
            row, column = index // 6 + 1, index % 6 + 1
            known = connection.execute(
                "select id from place where room_id = ? and label = ?", (world.room_1, str(index + 1))
            ).fetchone()
            if known:
                connection.execute(
                    "update place set grid_row = ?, grid_col = ? where id = ?", (row, column, known["id"])
                )
            else:
                _insert(
                    connection,
                    "place",
                    room_id=world.room_1,
                    kind="seat",
                    label=str(index + 1),
                    grid_row=row,
                    grid_col=column,
                )
            if index >= 3:
                _seat_candidate(connection, world, world.room_1, str(index + 1), 500 + index)


def admit(world: World, candidate_id: int, outcome: str = "admitted") -> None:
    """The candidate checked in at the kiosk; `outcome` 'referred' sends him to the site lead instead."""
    with world.exam.write() as connection:
        seat = connection.execute(
            "select place_id from seating where session_id = ? and candidate_id = ?",
            (world.session_id, candidate_id),
        ).fetchone()
        now_us = world.clock.wall_us()
        attempt_id = _insert(
            connection,
            "checkin_attempt",
            kiosk_id=world.kiosk_id,
            nonce=uuid.uuid4().hex,
            scanned_at_us=now_us,
            received_at_us=now_us,
            candidate_id=candidate_id,
            session_id=world.session_id,
            outcome=outcome,
            reasons="[]",
            answer=json.dumps({"kind": "A" if outcome == "admitted" else "H"}),
        )
        if outcome == "admitted":
            _insert(
                connection,
                "admission",
                attempt_id=attempt_id,
                session_id=world.session_id,
                candidate_id=candidate_id,
                place_id=seat["place_id"],
                admitted_at_us=now_us,
            )


def admit_every_second(world: World) -> None:
    """Half of everybody is in."""
    with world.exam.read() as connection:
        rows = connection.execute("select candidate_id from seating where candidate_id % 2 = 0").fetchall()
    for row in rows:
        admit(world, row["candidate_id"])


def _seat_candidate(connection: Connection, world: World, room_id: int, label: str, order: int) -> None:
    number = invented_number(order % 1000)
    candidate_id = _insert(
        connection,
        "candidate",
        batch_id=world.batch_id,
        name=NAMES[order % len(NAMES)],
        document_type="id_card",
        id_number_cipher=world.vault.encrypt(number, "id_number"),
        id_number_index=world.vault.index(number),
        id_number_tail=number[-4:],
        ticket_no=f"20261123{order:04d}",
    )
    place = connection.execute(
        "select id from place where room_id = ? and label = ?", (room_id, label)
    ).fetchone()
    _insert(
        connection, "seating", session_id=world.session_id, candidate_id=candidate_id, place_id=place["id"]
    )


def _insert(connection: Connection, table: str, **values: object) -> int:
    marks = ", ".join("?" * len(values))
    cursor = connection.execute(
        f"insert into {table} ({', '.join(values)}) values ({marks})", tuple(values.values())
    )
    return int(cursor.lastrowid or 0)
