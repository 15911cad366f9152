"""How kiosks come, change and go: offers, tokens, where they serve, revoking, the switch (签到机登记).

Every act is a row of `kiosk_change` with its ledger leaf in the same transaction. Tokens and one-time
tokens are given out once and kept as digests; a stolen database lets no machine in.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from sqlite3 import Connection
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from evidence.kiosks import Kiosk, Scope, digest_of, new_uuid, room_by_code
from evidence.ledger import LeafKind, append, salted_digest
from evidence.recording_orders import Who
from exam.clock import MINUTE_US
from exam.enrolment import CODE_LENGTH, CODE_LETTERS, VALID_US, enrolment_message, roll_message

TOKEN_BYTES: Final = 32
# A request to roll that is older was kept by somebody.
ROLL_FRESH_US: Final = 5 * MINUTE_US


class Act(StrEnum):
    """What happened to a kiosk."""

    ENROLLED = "enrolled"
    ROLLED = "rolled"
    REVOKED = "revoked"
    BOUND = "bound"
    OUT_OF_SERVICE = "out_of_service"
    BACK_IN_SERVICE = "back_in_service"


class EnrolmentError(Exception):
    """A machine, or a kiosk that wants another token, is not let in; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Offer:
    """A kiosk that people want: its name, where it serves, and which one it is if it enrols again."""

    label: str
    scope: Scope = field(default_factory=Scope)
    kiosk_id: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine says of itself when it enrols."""

    # Ed25519, raw, 32 bytes.
    public_key: bytes
    # The one-time token and the key, signed with the key.
    signature: bytes
    hardware: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the machine gets. The token cannot be had again."""

    kiosk_id: int
    kiosk_uuid: str
    label: str
    token: str


@dataclass(frozen=True, slots=True)
class _Change:
    kiosk_id: int
    act: Act
    who: Who | None = None
    scope: Scope | None = None

    def texts(self) -> tuple[list[str] | None, list[str] | None]:
        if self.scope is None:
            return None, None
        return [str(room) for room in self.scope.rooms], [str(one) for one in self.scope.sessions]


def offer(connection: Connection, wanted: Offer, account_id: int, now_us: int) -> str:
    """Let one machine enrol within ten minutes; returns the one-time token, which is kept nowhere."""
    token = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    connection.execute(
        "insert into kiosk_enrolment (token_sha256, label, kiosk_id, rooms, sessions, created_by,"
        " created_at_us, expires_at_us) values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            digest_of(token),
            wanted.label,
            wanted.kiosk_id,
            json.dumps(wanted.scope.rooms),
            json.dumps(wanted.scope.sessions),
            account_id,
            now_us,
            now_us + VALID_US,
        ),
    )
    return token


def take_offer(connection: Connection, token: str, machine: Machine, now_us: int) -> Enrolled:
    """Make the machine a kiosk, once. Raises EnrolmentError: unknown_token, expired, used, bad_signature."""
    row = connection.execute(
        "select * from kiosk_enrolment where token_sha256 = ?", (digest_of(token),)
    ).fetchone()
    if row is None:
        raise EnrolmentError("unknown_token")
    if row["used_at_us"] is not None:
        raise EnrolmentError("used")
    if now_us >= row["expires_at_us"]:
        raise EnrolmentError("expired")
    if not is_signed(machine.public_key, machine.signature, enrolment_message(token, machine.public_key)):
        raise EnrolmentError("bad_signature")
    connection.execute("update kiosk_enrolment set used_at_us = ? where id = ?", (now_us, row["id"]))
    scope = Scope(tuple(json.loads(row["rooms"])), tuple(json.loads(row["sessions"])))
    wanted = Offer(row["label"], scope, row["kiosk_id"])
    return _take_in(connection, wanted, machine, row["created_by"], now_us)


def enrol(
    connection: Connection,
    label: str,
    room_code: str | None,
    now_us: int,
    public_key: bytes | None = None,
) -> str:
    """Register a kiosk of our own, or roll its token when the label is known, and return the new token.

    For the kiosk of this very machine. The token cannot be had again. Raises UnknownRoomError.
    """
    rooms = () if room_code is None else (room_by_code(connection, room_code),)
    known = connection.execute("select id from kiosk where label = ?", (label,)).fetchone()
    wanted = Offer(label, Scope(rooms), None if known is None else known["id"])
    machine = None if public_key is None else Machine(public_key, b"")
    return _take_in(connection, wanted, machine, None, now_us).token


def want_roll(connection: Connection, kiosk_id: int, now_us: int) -> None:
    """Ask the kiosk to fetch another token; it hears of it with its next heartbeat."""
    connection.execute("update kiosk set roll_wanted_at_us = ? where id = ?", (now_us, kiosk_id))


def wants_roll(connection: Connection, kiosk_id: int) -> bool:
    """Whether people asked for another token since the kiosk fetched its last."""
    row = connection.execute("select roll_wanted_at_us from kiosk where id = ?", (kiosk_id,)).fetchone()
    return row["roll_wanted_at_us"] is not None


def roll(connection: Connection, kiosk: Kiosk, token: str, signed: tuple[int, bytes], now_us: int) -> str:
    """Another token for the kiosk that holds this one and its key; this one works until that one is used.

    `signed`: when the kiosk asked, by our clock as it knows it, and its signature. Raises EnrolmentError:
    no_key, stale, bad_signature.
    """
    asked_at_us, signature = signed
    if kiosk.public_key is None:
        raise EnrolmentError("no_key")
    if abs(now_us - asked_at_us) > ROLL_FRESH_US:
        raise EnrolmentError("stale")
    if not is_signed(kiosk.public_key, signature, roll_message(kiosk.uuid, token, asked_at_us)):
        raise EnrolmentError("bad_signature")
    fresh = secrets.token_urlsafe(TOKEN_BYTES)
    connection.execute(
        "update kiosk set next_token_sha256 = ?, roll_wanted_at_us = null where id = ?",
        (digest_of(fresh), kiosk.id),
    )
    _note(connection, _Change(kiosk.id, Act.ROLLED), now_us)
    return fresh


def use_next_token(connection: Connection, kiosk_id: int) -> None:
    """The kiosk has its new token: the old one stops working."""
    connection.execute(
        "update kiosk set token_sha256 = next_token_sha256, next_token_sha256 = null"
        " where id = ? and next_token_sha256 is not null",
        (kiosk_id,),
    )


def revoke(connection: Connection, kiosk_id: int, who: Who | None, now_us: int) -> None:
    """Shut the kiosk out from now on; its attempts stay. Revoking twice keeps the first moment."""
    changed = connection.execute(
        "update kiosk set revoked_at_us = ? where id = ? and revoked_at_us is null", (now_us, kiosk_id)
    )
    if changed.rowcount:
        connection.execute("delete from kiosk_state where kiosk_id = ?", (kiosk_id,))
        _note(connection, _Change(kiosk_id, Act.REVOKED, who), now_us)


def bind(connection: Connection, kiosk_id: int, scope: Scope, who: Who, now_us: int) -> None:
    """Let the kiosk serve these rooms and sessions from now on."""
    _bind(connection, kiosk_id, scope)
    _note(connection, _Change(kiosk_id, Act.BOUND, who, scope), now_us)


def switch(connection: Connection, kiosk_id: int, who: Who, now_us: int, *, is_out: bool) -> None:
    """Take the kiosk out of service, or back; it stays so whatever restarts. Twice is once."""
    if is_out != is_out_of_service(connection, kiosk_id):
        act = Act.OUT_OF_SERVICE if is_out else Act.BACK_IN_SERVICE
        _note(connection, _Change(kiosk_id, act, who), now_us)


def is_out_of_service(connection: Connection, kiosk_id: int) -> bool:
    """Whether people took it out of service."""
    row = connection.execute(
        "select act from kiosk_change where kiosk_id = ? and act in (?, ?) order by id desc limit 1",
        (kiosk_id, Act.OUT_OF_SERVICE, Act.BACK_IN_SERVICE),
    ).fetchone()
    return row is not None and row["act"] == Act.OUT_OF_SERVICE


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the holder of the Ed25519 key signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: no key at all
        return False
    return True


def _take_in(
    connection: Connection, wanted: Offer, machine: Machine | None, account_id: int | None, now_us: int
) -> Enrolled:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    key = None if machine is None else machine.public_key
    hardware = json.dumps(dict(machine.hardware) if machine else {}, ensure_ascii=False)
    if wanted.kiosk_id is None:
        row = connection.execute(
            "insert into kiosk (uuid, label, token_sha256, enrolled_at_us, public_key, hardware)"
            " values (?, ?, ?, ?, ?, ?) returning id, uuid",
            (new_uuid(), wanted.label, digest_of(token), now_us, key, hardware),
        ).fetchone()
    else:
        row = connection.execute(
            "update kiosk set token_sha256 = ?, next_token_sha256 = null, roll_wanted_at_us = null,"
            " enrolled_at_us = ?, revoked_at_us = null, public_key = ?, hardware = ?"
            " where id = ? returning id, uuid",
            (digest_of(token), now_us, key, hardware, wanted.kiosk_id),
        ).fetchone()
    _bind(connection, row["id"], wanted.scope)
    who = None if account_id is None else Who(account_id, "")
    _note(connection, _Change(row["id"], Act.ENROLLED, who, wanted.scope), now_us)
    return Enrolled(row["id"], row["uuid"], wanted.label, token)


def _bind(connection: Connection, kiosk_id: int, scope: Scope) -> None:
    connection.execute("delete from kiosk_room where kiosk_id = ?", (kiosk_id,))
    connection.execute("delete from kiosk_session where kiosk_id = ?", (kiosk_id,))
    connection.executemany(
        "insert into kiosk_room (kiosk_id, room_id) values (?, ?)", [(kiosk_id, one) for one in scope.rooms]
    )
    connection.executemany(
        "insert into kiosk_session (kiosk_id, session_id) values (?, ?)",
        [(kiosk_id, one) for one in scope.sessions],
    )
    only_room = scope.rooms[0] if len(scope.rooms) == 1 else None
    connection.execute("update kiosk set room_id = ? where id = ?", (only_room, kiosk_id))


def _note(connection: Connection, change: _Change, now_us: int) -> None:
    reason = "" if change.who is None else change.who.reason
    account_id = None if change.who is None else change.who.account_id
    rooms, sessions = change.texts()
    row = connection.execute(
        "insert into kiosk_change (kiosk_id, act, rooms, sessions, reason, account_id, changed_at_us)"
        " values (?, ?, ?, ?, ?, ?, ?) returning id, salt,"
        " (select uuid from kiosk where kiosk.id = kiosk_id) as uuid",
        (
            change.kiosk_id,
            change.act,
            None if rooms is None else json.dumps(rooms),
            None if sessions is None else json.dumps(sessions),
            reason,
            account_id,
            now_us,
        ),
    ).fetchone()
    body: dict[str, int | str | list[str] | None] = {
        "kiosk_change_id": row["id"],
        "kiosk_id": change.kiosk_id,
        "kiosk_uuid": row["uuid"],
        "act": change.act.value,
        "rooms": rooms,
        "sessions": sessions,
        "reason_salted_sha256": salted_digest(row["salt"], reason),
        "account_id": account_id,
        "changed_at_us": now_us,
    }
    append(connection, LeafKind.KIOSK_CHANGE, body, now_us)
