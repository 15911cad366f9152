"""Things that happen in a room, written straight into exam.db: check-in attempts and log entries."""

import json
from sqlite3 import Connection

from exam.clock import MINUTE_US
from tests.world import START_US, Person, World


def scan(connection: Connection, world: World, person: Person | None, outcome: str, **other: object) -> int:
    """One check-in attempt at 08:50 unless told otherwise; admitted when its kind is 'A'."""
    kind = other.get("kind", "A")
    scanned_us = int(str(other.get("scanned_us", START_US - 10 * MINUTE_US)))
    cursor = connection.execute(
        "insert into checkin_attempt (kiosk_id, nonce, scanned_at_us, received_at_us, candidate_id,"
        " session_id, outcome, reasons, answer) values (?, hex(randomblob(12)), ?, ?, ?, ?, ?, '[]', ?)",
        (
            other.get("kiosk_id", world.kiosk_id),
            scanned_us,
            other.get("received_us", scanned_us),
            person.id if person else None,
            world.session_id if person else None,
            outcome,
            json.dumps({"title": other.get("title", "签到成功"), "kind": kind}),
        ),
    )
    attempt_id = cursor.lastrowid
    assert attempt_id is not None
    if kind == "A" and person is not None:
        connection.execute(
            "insert into admission (attempt_id, session_id, candidate_id, place_id, admitted_at_us)"
            " values (?, ?, ?, ?, ?)",
            (attempt_id, world.session_id, person.id, person.place_id, scanned_us),
        )
    return attempt_id


def log(connection: Connection, world: World, happened_us: int, text: str, **other: object) -> int:
    cursor = connection.execute(
        "insert into log_entry (nonce, session_id, room_id, happened_at_us, recorded_at_us, account_id, kind,"
        " text, candidate_id, corrects_id)"
        " values (hex(randomblob(12)), ?, ?, ?, ?, ?, 'reminder', ?, ?, ?)",
        (
            world.session_id,
            world.room_1,
            happened_us,
            happened_us,
            world.proctor_account_id,
            text,
            other.get("candidate_id"),
            other.get("corrects_id"),
        ),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid
