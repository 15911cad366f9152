"""When a recorder ran at all (`recorder_presence` in footage.db): outside of that nobody could record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from sqlite3 import Connection

from evidence.footage import Cause
from evidence.timeline import Interval


@dataclass(frozen=True, slots=True)
class Presence:
    """One stretch of the service. `ended_at_us` is None while it runs, and for ever when it died."""

    boot_id: str
    started_at_us: int
    last_seen_at_us: int
    ended_at_us: int | None


def begin_presence(connection: Connection, boot_id: str, now_us: int) -> int:
    """The service starts; returns the row that the other functions complete."""
    row = connection.execute(
        "insert into recorder_presence (boot_id, started_at_us, last_seen_at_us) values (?, ?, ?)"
        " returning id",
        (boot_id, now_us, now_us),
    ).fetchone()
    return int(row[0])


def keep_presence(connection: Connection, presence_id: int, now_us: int) -> None:
    """The service is still there."""
    connection.execute("update recorder_presence set last_seen_at_us = ? where id = ?", (now_us, presence_id))


def end_presence(connection: Connection, presence_id: int, now_us: int) -> None:
    """The service stops because it was asked to."""
    connection.execute(
        "update recorder_presence set last_seen_at_us = ?, ended_at_us = ? where id = ?",
        (now_us, now_us, presence_id),
    )


def load_presences(connection: Connection) -> list[Presence]:
    """Every stretch in which a recorder ran, oldest first."""
    rows = connection.execute(
        "select boot_id, started_at_us, last_seen_at_us, ended_at_us from recorder_presence order by id"
    )
    return [Presence(*row) for row in rows]


def nobody_there(presences: Sequence[Presence], interval: Interval) -> Iterator[tuple[Interval, Cause]]:
    """The parts of an interval in which no recorder ran, and why; the last presence is the one that runs."""
    edges = [(None, presences[0])] if presences else []
    for before, after in [*edges, *pairwise(presences)]:
        from_us = 0 if before is None else before.ended_at_us or before.last_seen_at_us
        cut = Interval(max(from_us, interval.from_us), min(after.started_at_us, interval.until_us))
        if cut.from_us < cut.until_us:
            yield cut, _why(before, after)


def _why(before: Presence | None, after: Presence) -> Cause:
    if before is None or before.ended_at_us is not None:
        return Cause.RECORDER_OFF
    return Cause.RECORDER_CRASH if before.boot_id == after.boot_id else Cause.POWER_LOSS
