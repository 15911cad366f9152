"""Check-in kiosks and the tokens by which they prove themselves.

A token is shown once, at enrolment; only its digest stays. Enrolling a label again rolls the
token: the kiosk keeps its identity and its history, the old token stops working.
"""

import secrets
import uuid
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection
from typing import Final

TOKEN_BYTES: Final = 32


class UnknownRoomError(Exception):
    """The kiosk was to stand at a room that the site does not have."""


@dataclass(frozen=True, slots=True)
class Kiosk:
    """One enrolled kiosk. A kiosk without a room serves the whole site."""

    id: int
    uuid: str
    label: str
    room_id: int | None


def enrol(connection: Connection, label: str, room_code: str | None, now_us: int) -> str:
    """Register the kiosk, or roll its token when the label is known, and return the new token.

    The token cannot be had again. Raises UnknownRoomError.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(
        "insert into kiosk (uuid, label, room_id, token_sha256, enrolled_at_us) values (?, ?, ?, ?, ?)"
        " on conflict (label) do update set room_id = excluded.room_id, token_sha256 = excluded.token_sha256,"
        " enrolled_at_us = excluded.enrolled_at_us, revoked_at_us = null",
        (str(uuid.uuid4()), label, _room_id(connection, room_code), _digest(token), now_us),
    )
    return token


def revoke(connection: Connection, kiosk_id: int, now_us: int) -> None:
    """Shut the kiosk out from now on; its attempts stay. Revoking twice keeps the first moment."""
    connection.execute(
        "update kiosk set revoked_at_us = ? where id = ? and revoked_at_us is null", (now_us, kiosk_id)
    )


def find_by_token(connection: Connection, token: str) -> Kiosk | None:
    """The kiosk that holds this token, unless it is unknown or revoked."""
    row = connection.execute(
        "select id, uuid, label, room_id from kiosk where token_sha256 = ? and revoked_at_us is null",
        (_digest(token),),
    ).fetchone()
    return None if row is None else Kiosk(row["id"], row["uuid"], row["label"], row["room_id"])


def note_seen(connection: Connection, kiosk_id: int, now_us: int) -> None:
    """Remember that the kiosk was heard from."""
    connection.execute("update kiosk set last_seen_at_us = ? where id = ?", (now_us, kiosk_id))


def ticket_forms(connection: Connection) -> list[str]:
    """The patterns of ticket numbers in open batches, learned from their rosters."""
    rows = connection.execute(
        "select distinct ticket_form from batch where closed_at_us is null and ticket_form is not null"
        " order by ticket_form"
    )
    return [row["ticket_form"] for row in rows]


def attempt_room(connection: Connection, kiosk_id: int, nonce: str) -> int | None:
    """The room whose seat map an attempt changed; None when it admitted nobody."""
    row = connection.execute(
        "select place.room_id from checkin_attempt"
        " join admission on admission.attempt_id = checkin_attempt.id"
        " join place on place.id = admission.place_id"
        " where checkin_attempt.kiosk_id = ? and checkin_attempt.nonce = ?",
        (kiosk_id, nonce),
    ).fetchone()
    return None if row is None else int(row["room_id"])


def _room_id(connection: Connection, room_code: str | None) -> int | None:
    if room_code is None:
        return None
    row = connection.execute("select id from room where code = ?", (room_code,)).fetchone()
    if row is None:
        raise UnknownRoomError(f"the site has no room with the code {room_code}")
    return int(row["id"])


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
