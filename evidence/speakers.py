"""Headless speakers: inviting one, enrolling it once, knowing it by its token, shutting it out.

A code is shown once on the console and pasted at the device within ten minutes (`exam.enrolment`); the token
it is exchanged for is kept by the device alone. Inviting a known label again replaces the device: the old
token stops working.
"""

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection, Row
from typing import Final

from exam.enrolment import CODE_LENGTH, CODE_LETTERS, VALID_US

TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Speaker:
    """One speaker; `room_ids` are its own rooms, empty when it serves all."""

    id: int
    uuid: str
    label: str
    serves_all: bool
    room_ids: frozenset[int]
    enrolled_at_us: int | None

    def serves(self, room_id: int) -> bool:
        """Whether it sounds in this room."""
        return self.serves_all or room_id in self.room_ids


def invite(connection: Connection, label: str, room_ids: Iterable[int] | None, now_us: int) -> str:
    """Make a place for a speaker and return the code to be typed there; `room_ids` None: every room.

    The code cannot be shown again. A device that holds the label loses its token at once.
    """
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    row = connection.execute(
        "insert into speaker (uuid, label, serves_all, invitation_sha256, invited_until_us)"
        " values (?, ?, ?, ?, ?) on conflict (label) do update set serves_all = excluded.serves_all,"
        " invitation_sha256 = excluded.invitation_sha256, invited_until_us = excluded.invited_until_us,"
        " token_sha256 = null, enrolled_at_us = null, revoked_at_us = null returning id",
        (str(uuid.uuid4()), label, room_ids is None, _digest(code), now_us + VALID_US),
    ).fetchone()
    connection.execute("delete from speaker_room where speaker_id = ?", (row["id"],))
    connection.executemany(
        "insert into speaker_room (speaker_id, room_id) values (?, ?)",
        [(row["id"], room_id) for room_id in room_ids or ()],
    )
    return code


def enrol(connection: Connection, code: str, now_us: int) -> str | None:
    """Exchange the code for a token, once. None: unknown, used or too old; all three look the same."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    changed = connection.execute(
        "update speaker set token_sha256 = ?, enrolled_at_us = ?, invitation_sha256 = null,"
        " invited_until_us = null where invitation_sha256 = ? and invited_until_us >= ?"
        " and revoked_at_us is null",
        (_digest(token), now_us, _digest(code.strip().lower()), now_us),
    )
    return token if changed.rowcount == 1 else None


def revoke(connection: Connection, speaker_id: int, now_us: int) -> None:
    """Shut the speaker out from now on; its reports stay. Revoking twice keeps the first moment."""
    connection.execute(
        "update speaker set revoked_at_us = ? where id = ? and revoked_at_us is null", (now_us, speaker_id)
    )


def find_by_token(connection: Connection, token: str) -> Speaker | None:
    """The speaker that holds this token, unless it is unknown or revoked."""
    row = connection.execute(
        "select * from speaker where token_sha256 = ? and revoked_at_us is null", (_digest(token),)
    ).fetchone()
    return None if row is None else _speaker(connection, row)


def load_speakers(connection: Connection) -> list[Speaker]:
    """Every speaker that is invited or enrolled and not revoked, by label."""
    rows = connection.execute("select * from speaker where revoked_at_us is null order by label")
    return [_speaker(connection, row) for row in rows.fetchall()]


def _speaker(connection: Connection, row: Row) -> Speaker:
    rooms = connection.execute("select room_id from speaker_room where speaker_id = ?", (row["id"],))
    return Speaker(
        id=row["id"],
        uuid=row["uuid"],
        label=row["label"],
        serves_all=bool(row["serves_all"]),
        room_ids=frozenset(room["room_id"] for room in rooms),
        enrolled_at_us=row["enrolled_at_us"],
    )


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
