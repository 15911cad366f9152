"""Who looked at which footage, and why (R18): no picture without a row here.

A row is also the grant that the media routes check: it opens one room and one interval to the one
account that gave the reason, for a working day at most.
"""

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.ledger import LeafKind, append, salted_digest
from evidence.timeline import Interval
from exam.clock import MINUTE_US

# Long enough for an afternoon of review, short enough that tomorrow's look needs its own reason.
GRANT_US: Final = 8 * 60 * MINUTE_US


@dataclass(frozen=True, slots=True)
class FootageRequest:
    """What somebody asks to see."""

    account_id: int
    room_id: int
    interval: Interval
    reason: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A recorded look at footage."""

    id: int
    account_id: int
    room_id: int
    interval: Interval
    reason: str
    accessed_at_us: int

    def is_open(self, account_id: int, now_us: int) -> bool:
        """Whether this account may still look under it."""
        return account_id == self.account_id and now_us < self.accessed_at_us + GRANT_US


def record_access(connection: Connection, wanted: FootageRequest, now_us: int) -> int:
    """Write down who looks at what and why; returns the grant's id. Never updated, never deleted."""
    row = connection.execute(
        "insert into footage_access (account_id, room_id, from_us, until_us, reason, accessed_at_us)"
        " values (?, ?, ?, ?, ?, ?)"
        " returning id as footage_access_id, account_id, room_id, from_us, until_us, salt, reason",
        (
            wanted.account_id,
            wanted.room_id,
            wanted.interval.from_us,
            wanted.interval.until_us,
            wanted.reason,
            now_us,
        ),
    ).fetchone()
    fact = dict(row)
    digest = salted_digest(fact.pop("salt"), fact.pop("reason"))
    append(connection, LeafKind.FOOTAGE_ACCESS, {**fact, "reason_salted_sha256": digest}, now_us)
    return int(row["footage_access_id"])


def find_grant(connection: Connection, access_id: int) -> Grant | None:
    """The recorded look with this id, whoever's it is."""
    row = connection.execute("select * from footage_access where id = ?", (access_id,)).fetchone()
    if row is None:
        return None
    interval = Interval(row["from_us"], row["until_us"])
    return Grant(row["id"], row["account_id"], row["room_id"], interval, row["reason"], row["accessed_at_us"])
