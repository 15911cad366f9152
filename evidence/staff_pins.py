"""Staff PINs (签到口令): the key pairs that follow from them, and what was signed with them.

From six digits and a salt follow two private keys, by scrypt: one to which room keys are wrapped, one that
signs. Neither PIN nor private keys are kept anywhere; the public halves are. A thief of this table, or of a
kiosk, can try all PINs of a person at half a second of one core each: days for one machine, see
docs/design/kiosk-sync.md. A PIN is therefore no password: it works at kiosks only.
"""

import os
from dataclasses import dataclass, field
from hashlib import sha256
from sqlite3 import Connection, Row
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from evidence.kiosk_enrolments import is_signed
from evidence.ledger import LeafKind, append
from evidence.stretching import PIN_COST, Cost, stretch
from exam.clock import MINUTE_US
from exam.staff_acts import StaffAct

SALT_BYTES: Final = 16
# How far a kiosk's idea of our clock may be off.
CLOCK_SLACK_US: Final = MINUTE_US


class StaffActError(Exception):
    """A signed act does not count; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class PinKeys:
    """The two private keys that follow from a PIN. Only ever in memory."""

    exchange: X25519PrivateKey
    signing: Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class NewPin:
    """A PIN about to be set: its public keys, and what they were derived with."""

    salt: bytes
    cost: Cost
    exchange_public: bytes
    signing_public: bytes


@dataclass(frozen=True, slots=True)
class StaffPin:
    """A person's PIN in force, as its public keys."""

    id: int
    account_id: int
    display_name: str
    staff_id: int | None
    roles: frozenset[str]
    salt: bytes
    cost: Cost
    exchange_public: bytes
    signing_public: bytes
    set_at_us: int
    # The last time the site lead unlocked it; None: never.
    unlocked_at_us: int | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose act it was. `doubts`: what the kiosk could not know when it was alone, for people to look at."""

    account_id: int
    pin_id: int
    # old_pin: another was set before it was signed; disabled: the account was shut before.
    doubts: tuple[str, ...] = ()


def keys_from_pin(pin: str, salt: bytes, cost: Cost = PIN_COST) -> PinKeys:
    """The private keys that follow from a PIN. Takes half a second on purpose."""
    seed = stretch(pin, salt, cost, 64)
    return PinKeys(
        X25519PrivateKey.from_private_bytes(seed[:32]), Ed25519PrivateKey.from_private_bytes(seed[32:])
    )


def new_pin(pin: str, cost: Cost = PIN_COST) -> NewPin:
    """What will be kept of a PIN. Takes half a second: never call it inside a transaction."""
    salt = os.urandom(SALT_BYTES)
    keys = keys_from_pin(pin, salt, cost)
    exchange, signing = keys.exchange.public_key(), keys.signing.public_key()
    return NewPin(salt, cost, exchange.public_bytes_raw(), signing.public_bytes_raw())


def set_pin(connection: Connection, account_id: int, new: NewPin, now_us: int) -> int:
    """From now on this is the person's PIN; returns its id. What the earlier one signed stays signed."""
    row = connection.execute(
        "insert into staff_pin (account_id, salt, cost_n, cost_r, cost_p, exchange_public, signing_public,"
        " set_at_us) values (?, ?, ?, ?, ?, ?, ?, ?) returning id",
        (
            account_id,
            new.salt,
            new.cost.n,
            new.cost.r,
            new.cost.p,
            new.exchange_public,
            new.signing_public,
            now_us,
        ),
    ).fetchone()
    body = {
        "staff_pin_id": row["id"],
        "account_id": account_id,
        "exchange_public_sha256": sha256(new.exchange_public).hexdigest(),
        "signing_public_sha256": sha256(new.signing_public).hexdigest(),
        "set_at_us": now_us,
    }
    append(connection, LeafKind.STAFF_PIN, body, now_us)
    return int(row["id"])


def unlock(connection: Connection, account_id: int, by_account_id: int, now_us: int) -> None:
    """Let the person try again at every kiosk; the kiosks hear of it with their next look."""
    row = connection.execute(
        "insert into staff_pin_unlock (account_id, unlocked_by, unlocked_at_us) values (?, ?, ?)"
        " returning id as staff_pin_unlock_id, account_id, unlocked_by, unlocked_at_us",
        (account_id, by_account_id, now_us),
    ).fetchone()
    append(connection, LeafKind.STAFF_PIN_UNLOCK, dict(row), now_us)


def load_pins(connection: Connection) -> list[StaffPin]:
    """The PINs in force of all accounts that are not disabled."""
    rows = connection.execute(
        "select staff_pin.*, display_name, staff_id,"
        " (select group_concat(role) from account_role where account_id = account.id) as roles,"
        " (select max(unlocked_at_us) from staff_pin_unlock where account_id = account.id) as unlocked_at_us"
        " from staff_pin join account on account.id = account_id and disabled_at_us is null"
        " where staff_pin.id in (select max(id) from staff_pin group by account_id) order by staff_pin.id"
    )
    return [_pin(row) for row in rows]


def pin_set_at_us(connection: Connection, account_id: int) -> int | None:
    """When the person set the PIN in force; None: he has none."""
    row = connection.execute(
        "select max(set_at_us) from staff_pin where account_id = ?", (account_id,)
    ).fetchone()
    return None if row[0] is None else int(row[0])


def verify_act(connection: Connection, act: StaffAct, signature: bytes) -> Signer:
    """Whose act it is, and what is doubtful about it. What he may do is asked by the caller.

    Raises StaffActError: unknown_pin, bad_signature, not_yet (signed before the PIN was set).
    """
    row = connection.execute(
        "select staff_pin.*, disabled_at_us, (select min(later.set_at_us) from staff_pin later"
        "  where later.account_id = staff_pin.account_id and later.id > staff_pin.id) as replaced_at_us"
        " from staff_pin join account on account.id = account_id where staff_pin.id = ?",
        (act.pin_id,),
    ).fetchone()
    if row is None:
        raise StaffActError("unknown_pin")
    if not is_signed(row["signing_public"], signature, act.message()):
        raise StaffActError("bad_signature")
    if act.signed_at_us < row["set_at_us"] - CLOCK_SLACK_US:
        raise StaffActError("not_yet")
    ended = {"old_pin": row["replaced_at_us"], "disabled": row["disabled_at_us"]}
    doubts = tuple(doubt for doubt, at_us in ended.items() if at_us is not None and act.signed_at_us >= at_us)
    return Signer(row["account_id"], row["id"], doubts)


def _pin(row: Row) -> StaffPin:
    return StaffPin(
        id=row["id"],
        account_id=row["account_id"],
        display_name=row["display_name"],
        staff_id=row["staff_id"],
        roles=frozenset((row["roles"] or "").split(",")) - {""},
        salt=row["salt"],
        cost=Cost(row["cost_n"], row["cost_r"], row["cost_p"]),
        exchange_public=row["exchange_public"],
        signing_public=row["signing_public"],
        set_at_us=row["set_at_us"],
        unlocked_at_us=row["unlocked_at_us"],
    )
