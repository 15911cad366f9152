"""Clock checks (时钟核对, R8) and readings of a reference clock by hand: rows with a leaf each.

What is right is decided in `exam.clock_check`; the clocks are read by `evidence.measured_clocks`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from sqlite3 import Connection, Row
from typing import Any, Final

from evidence.day import clock_epoch
from evidence.ledger import LeafKind, append, append_fact, salted_digest
from exam.clock_check import (
    BY_HAND_US,
    CheckedClock,
    ClockKind,
    ClockReading,
    ClockSource,
    ClockVerdict,
)

_CHECKS: Final = "select clock_check.*, display_name from clock_check join account on account.id = account_id"


@dataclass(frozen=True, slots=True)
class ReferenceReading:
    """What a person read: the console's clock minus the reference, by the console's clock."""

    reference: str
    offset_us: int
    account_id: int
    read_at_us: int


@dataclass(frozen=True, slots=True)
class NewClockCheck:
    """A check that somebody confirms. `note` is needed where a clock is not right."""

    clocks: Sequence[CheckedClock]
    note: str
    account_id: int


@dataclass(frozen=True, slots=True)
class KeptClockCheck:
    """A check on record; `sha256` is of `content` in UTF-8, in hex, as the ledger has it."""

    id: int
    content: str
    wrong_count: int
    note: str
    by: str
    checked_at_us: int
    # Whether the console's clock is still the one that was checked.
    is_of_this_clock: bool

    @property
    def sha256(self) -> str:
        """The digest that stands in the ledger."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def clocks(self) -> list[CheckedClock]:
        """Every clock as it was found."""
        return [_clock(one) for one in json.loads(self.content)["clocks"]]


def keep_reading(connection: Connection, reading: ReferenceReading) -> None:
    """Keep what was read, with its leaf. Reading again adds a row, the latest counts."""
    row = connection.execute(
        "insert into reference_reading (reference, offset_us, error_us, account_id, read_at_us, clock_epoch)"
        " values (?, ?, ?, ?, ?, ?) returning id as reference_reading_id, reference, salt, offset_us,"
        " error_us, account_id, read_at_us, clock_epoch",
        (
            *(reading.reference, reading.offset_us, BY_HAND_US, reading.account_id, reading.read_at_us),
            clock_epoch(connection),
        ),
    ).fetchone()
    append_fact(connection, LeafKind.REFERENCE_READING, row, reading.read_at_us, "reference")


def latest_reading(connection: Connection) -> ClockReading | None:
    """The console's clock by the last reading of a person; None: none since the clock was last changed."""
    row = connection.execute("select * from reference_reading order by id desc limit 1").fetchone()
    if row is None or row["clock_epoch"] != clock_epoch(connection):
        return None
    return ClockReading(
        ClockKind.CONSOLE,
        row["reference"],
        "",
        ClockSource.BY_HAND,
        row["offset_us"],
        row["error_us"],
        row["read_at_us"],
    )


def keep_check(connection: Connection, new: NewClockCheck, now_us: int) -> int:
    """Keep the check and its leaf; returns its id."""
    content = json.dumps(
        {"clocks": [_facts(one) for one in new.clocks]},
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    wrong_count = sum(not one.is_right for one in new.clocks)
    epoch = clock_epoch(connection)
    row = connection.execute(
        "insert into clock_check (content, wrong_count, note, account_id, checked_at_us, clock_epoch)"
        " values (?, ?, ?, ?, ?, ?) returning id, salt",
        (content, wrong_count, new.note, new.account_id, now_us, epoch),
    ).fetchone()
    body = {
        "clock_check_id": row["id"],
        "content_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "wrong_count": wrong_count,
        "note_salted_sha256": salted_digest(row["salt"], new.note),
        "account_id": new.account_id,
        "checked_at_us": now_us,
        "clock_epoch": epoch,
    }
    append(connection, LeafKind.CLOCK_CHECK, body, now_us)
    return int(row["id"])


def clock_checks_since(connection: Connection, since_us: int) -> list[KeptClockCheck]:
    """The checks confirmed since then, the newest first."""
    rows = connection.execute(f"{_CHECKS} where checked_at_us >= ? order by clock_check.id desc", (since_us,))
    epoch = clock_epoch(connection)
    return [_kept(row, epoch) for row in rows.fetchall()]


def find_check(connection: Connection, check_id: int) -> KeptClockCheck | None:
    """One check; None: there is none of this id."""
    row = connection.execute(f"{_CHECKS} where clock_check.id = ?", (check_id,)).fetchone()
    return None if row is None else _kept(row, clock_epoch(connection))


def _kept(row: Row, epoch: int) -> KeptClockCheck:
    return KeptClockCheck(
        row["id"],
        row["content"],
        row["wrong_count"],
        row["note"],
        row["display_name"],
        row["checked_at_us"],
        row["clock_epoch"] == epoch,
    )


def _facts(one: CheckedClock) -> dict[str, Any]:
    return {**asdict(one.reading), "within_us": one.within_us, "verdict": one.verdict}


def _clock(facts: dict[str, Any]) -> CheckedClock:
    within_us, verdict = facts.pop("within_us"), ClockVerdict(facts.pop("verdict"))
    kind, source = ClockKind(facts.pop("kind")), ClockSource(facts.pop("source"))
    return CheckedClock(ClockReading(kind=kind, source=source, **facts), within_us, verdict)
