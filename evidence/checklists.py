"""The entries of a step's checklist that people ticked, one row with a leaf each (obligations 13, 28, 36).

Once all entries are ticked the step counts as confirmed: that is a row of `evidence.announcements`.
"""

from dataclasses import asdict, dataclass
from sqlite3 import Connection

from evidence.ledger import LeafKind, append_fact


@dataclass(frozen=True, slots=True)
class Tick:
    """A person's tick of one entry, by its code in the procedure."""

    session_id: int
    room_id: int
    cue_code: str
    entry: str
    account_id: int
    ticked_at_us: int


@dataclass(frozen=True, slots=True)
class Ticked:
    """Who ticked an entry and when, for pages."""

    by: str
    ticked_at_us: int


def tick(connection: Connection, one: Tick) -> bool:
    """Keep the tick. False when the entry was ticked before: the first tick stands."""
    row = connection.execute(
        "insert into checklist_tick (session_id, room_id, cue_code, entry, account_id, ticked_at_us)"
        " values (:session_id, :room_id, :cue_code, :entry, :account_id, :ticked_at_us)"
        " on conflict do nothing returning id as checklist_tick_id, session_id, room_id, cue_code, entry,"
        " account_id",
        asdict(one),
    ).fetchone()
    if row is not None:
        append_fact(connection, LeafKind.CHECKLIST_TICK, row, one.ticked_at_us)
    return row is not None


def load_ticks(connection: Connection, session_id: int, room_id: int) -> dict[tuple[str, str], Ticked]:
    """The ticked entries of a room by cue code and entry."""
    rows = connection.execute(
        "select cue_code, entry, display_name, ticked_at_us from checklist_tick"
        " join account on account.id = account_id where session_id = ? and room_id = ?",
        (session_id, room_id),
    )
    return {(row["cue_code"], row["entry"]): Ticked(row["display_name"], row["ticked_at_us"]) for row in rows}
