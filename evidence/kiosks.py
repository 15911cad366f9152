"""Check-in kiosks (签到机), where they serve, and the tokens by which they prove themselves.

A token is given out once; only its digest stays. A kiosk that enrols again keeps its identity and its
history, the old token stops working. How kiosks come and go is in `evidence.kiosk_enrolments`.
"""

import uuid
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection, Row


class UnknownRoomError(Exception):
    """The kiosk was to stand at a room that the site does not have."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a kiosk serves: ids of rooms and sessions; none of either means all of them."""

    rooms: tuple[int, ...] = ()
    sessions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Kiosk:
    """One enrolled kiosk. `room_id` is set when it serves exactly one room, at whose door it stands."""

    id: int
    uuid: str
    label: str
    room_id: int | None
    # Ed25519, raw; None: enrolled before kiosks had keys.
    public_key: bytes | None = None
    # Found by the token that is to replace the present one.
    came_with_next_token: bool = False


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return sha256(token.encode()).digest()


def find_by_token(connection: Connection, token: str) -> Kiosk | None:
    """The kiosk that holds this token, unless it is unknown or revoked."""
    digest = digest_of(token)
    row = connection.execute(
        "select *, next_token_sha256 is ? as came_with_next from kiosk"
        " where ? in (token_sha256, next_token_sha256) and revoked_at_us is null",
        (digest, digest),
    ).fetchone()
    return None if row is None else _kiosk(row, came_with_next_token=bool(row["came_with_next"]))


def was_revoked(connection: Connection, token: str) -> bool:
    """Whether this is the token of a kiosk that was shut out: it is told so, and wipes itself."""
    row = connection.execute(
        "select 1 from kiosk where ? in (token_sha256, next_token_sha256) and revoked_at_us is not null",
        (digest_of(token),),
    ).fetchone()
    return row is not None


def is_label_revoked(connection: Connection, label: str) -> bool:
    """Whether the kiosk of this name was shut out: only people let it in again."""
    row = connection.execute("select revoked_at_us from kiosk where label = ?", (label,)).fetchone()
    return row is not None and row["revoked_at_us"] is not None


def load_kiosk(connection: Connection, kiosk_id: int) -> Kiosk | None:
    """One kiosk that is not revoked."""
    row = connection.execute(
        "select * from kiosk where id = ? and revoked_at_us is null", (kiosk_id,)
    ).fetchone()
    return None if row is None else _kiosk(row)


def load_kiosks(connection: Connection) -> list[Kiosk]:
    """Every kiosk that is not revoked, by what it is called."""
    rows = connection.execute("select * from kiosk where revoked_at_us is null")
    return sorted(map(_kiosk, rows), key=lambda one: (len(one.label), one.label))


def scope_of(connection: Connection, kiosk_id: int) -> Scope:
    """Where the kiosk serves."""
    rooms = connection.execute(
        "select room_id from kiosk_room where kiosk_id = :kiosk"
        " union select room_id from kiosk where id = :kiosk and room_id is not null order by room_id",
        {"kiosk": kiosk_id},
    )
    sessions = connection.execute(
        "select session_id from kiosk_session where kiosk_id = ? order by session_id", (kiosk_id,)
    )
    return Scope(tuple(room for (room,) in rooms), tuple(session for (session,) in sessions))


def new_uuid() -> str:
    """A name that no other kiosk has."""
    return str(uuid.uuid4())


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


def room_by_code(connection: Connection, room_code: str) -> int:
    """The room's id. Raises UnknownRoomError."""
    row = connection.execute("select id from room where code = ?", (room_code,)).fetchone()
    if row is None:
        raise UnknownRoomError(f"the site has no room with the code {room_code}")
    return int(row["id"])


def _kiosk(row: Row, *, came_with_next_token: bool = False) -> Kiosk:
    return Kiosk(
        row["id"], row["uuid"], row["label"], row["room_id"], row["public_key"], came_with_next_token
    )
