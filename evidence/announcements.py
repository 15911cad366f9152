"""What was announced, where, when and by whom; what the rooms say they played; what people confirmed.

Rows are only added. The unique index over session, room, cue and occurrence is what makes "never
twice" true whatever threads, processes or restarts do; every function here says whether it was
the first. Serves obligations 13-41; the decisions are made in `exam.cues` and `exam.presses`.
"""

from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass
from sqlite3 import Connection

from evidence.day import clock_epoch
from evidence.ledger import LeafKind, append
from exam.cues import RoomCue
from exam.day import Announced, Source
from exam.hand_records import HandRecord
from exam.presses import Press


@dataclass(frozen=True, slots=True)
class PlayedReport:
    """What one room player says became of one announcement. All moments in this machine's time."""

    session_id: int
    room_id: int
    cue_code: str
    occurrence: int
    player: str
    # None when nothing sounded; `error` then says why.
    started_at_us: int | None
    ended_at_us: int | None
    # Player clock minus this machine's clock, and how wrong that may be.
    offset_us: int
    uncertainty_us: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A person's tick that a step of the procedure was done in a room."""

    session_id: int
    room_id: int
    cue_code: str
    account_id: int
    confirmed_at_us: int


def record_emitted(connection: Connection, one: RoomCue, now_us: int) -> bool:
    """The cue sounds now, by schedule. False when something had already become of it."""
    return _record(connection, one, "emitted", now_us, now_us)


def record_missed(connection: Connection, one: RoomCue, now_us: int) -> bool:
    """The cue's tolerance passed and no room rang by itself. False when something had become of it."""
    return _record(connection, one, "missed", None, now_us)


def record_press(connection: Connection, press: Press, emitted_at_us: int, account_id: int) -> bool:
    """A person gave the signal. False when the same press arrived before."""
    return _insert(
        connection,
        (press.session_id, press.room_id, press.cue_code, press.occurrence),
        (press.planned_at_us, "emitted", emitted_at_us, Source.PRESS, account_id, emitted_at_us),
    )


def record_by_hand(connection: Connection, record: HandRecord, account_id: int, now_us: int) -> bool:
    """A person says when the signal was really given. False when the same record arrived before."""
    return _insert(
        connection,
        (record.session_id, record.room_id, record.cue_code, record.occurrence),
        (record.planned_at_us, "emitted", record.happened_at_us, Source.BY_HAND, account_id, now_us),
    )


def record_room_signal(connection: Connection, one: RoomCue, started_at_us: int, now_us: int) -> bool:
    """A room rang by itself while this machine was away: its moment is the signal's (never before the plan).

    A miss that was recorded stays; the signal becomes the next occurrence.
    """
    emitted_at_us = max(started_at_us, one.planned_at_us)
    return _insert(
        connection,
        (one.session_id, one.room_id, one.cue.code, one.next_occurrence),
        (one.planned_at_us, "emitted", emitted_at_us, Source.ROOM_REPORT, None, now_us),
    )


def add_report(connection: Connection, report: PlayedReport, now_us: int) -> bool:
    """Keep what a player reported. False when it tells nothing new (players resend until they are heard).

    A player reports twice: when the sound began, and again when it ended; the end is filled in once.
    """
    kept = connection.execute(
        "insert into announcement_report (session_id, room_id, cue_code, occurrence, player, started_at_us,"
        " ended_at_us, offset_us, uncertainty_us, error, received_at_us) values (?,?,?,?,?,?,?,?,?,?,?)"
        " on conflict do update set ended_at_us = excluded.ended_at_us"
        " where ended_at_us is null and excluded.ended_at_us is not null and started_at_us is not null"
        " returning session_id, room_id, cue_code, occurrence, player, started_at_us, ended_at_us, offset_us,"
        " uncertainty_us",
        (
            report.session_id,
            report.room_id,
            report.cue_code,
            report.occurrence,
            report.player,
            report.started_at_us,
            report.ended_at_us,
            report.offset_us,
            report.uncertainty_us,
            report.error,
            now_us,
        ),
    ).fetchone()
    if kept is not None:
        # As it stands in the row: the first word about the start counts. Not the error: a player may write
        # anything there. A report without a start did not sound.
        append(connection, LeafKind.ANNOUNCEMENT_REPORT, dict(kept), now_us)
    return kept is not None


def is_known(connection: Connection, report: PlayedReport) -> bool:
    """Whether the announcement that the report speaks of stands already."""
    row = connection.execute(
        "select exists (select 1 from announcement where session_id = ? and room_id = ? and cue_code = ?"
        " and occurrence = ?)",
        (report.session_id, report.room_id, report.cue_code, report.occurrence),
    ).fetchone()
    return bool(row[0])


def load_reports(connection: Connection, session_id: int) -> list[PlayedReport]:
    """Everything the players of the session reported, in the order received."""
    rows = connection.execute(
        "select session_id, room_id, cue_code, occurrence, player, started_at_us, ended_at_us, offset_us,"
        " uncertainty_us, error from announcement_report where session_id = ? order by id",
        (session_id,),
    )
    return [PlayedReport(*row) for row in rows]


def confirm(connection: Connection, tick: Confirmation) -> bool:
    """Keep the tick. False when the step was ticked before: the first tick stands."""
    added = connection.execute(
        "insert into confirmation (session_id, room_id, cue_code, account_id, confirmed_at_us, clock_epoch)"
        " values (?,?,?,?,?,?) on conflict do nothing",
        (*astuple(tick), clock_epoch(connection)),
    )
    if added.rowcount == 1:
        append(connection, LeafKind.CONFIRMATION, asdict(tick), tick.confirmed_at_us)
    return added.rowcount == 1


def load_confirmed(connection: Connection, session_id: int, room_id: int) -> dict[str, int]:
    """When each step of the room was ticked, by cue code."""
    rows = connection.execute(
        "select cue_code, confirmed_at_us from confirmation where session_id = ? and room_id = ?",
        (session_id, room_id),
    )
    return {row["cue_code"]: row["confirmed_at_us"] for row in rows}


def last_heard(announced: Iterable[Announced], room_id: int) -> Announced | None:
    """What sounded last in the room."""
    heard = [one for one in announced if one.room_id == room_id and one.emitted_at_us is not None]
    return max(heard, key=lambda one: one.emitted_at_us or 0, default=None)


def _record(
    connection: Connection, one: RoomCue, outcome: str, emitted_at_us: int | None, now_us: int
) -> bool:
    return _insert(
        connection,
        (one.session_id, one.room_id, one.cue.code, one.next_occurrence),
        (one.planned_at_us, outcome, emitted_at_us, Source.SCHEDULE, None, now_us),
    )


def _insert(
    connection: Connection,
    key: tuple[int, int, str, int],
    facts: tuple[int, str, int | None, str, int | None, int],
) -> bool:
    added = connection.execute(
        "insert into announcement (session_id, room_id, cue_code, occurrence, planned_at_us, outcome,"
        " emitted_at_us, source, account_id, recorded_at_us, clock_epoch) values (?,?,?,?,?,?,?,?,?,?,?)"
        " on conflict do nothing returning id as announcement_id, session_id, room_id, cue_code, occurrence,"
        " planned_at_us, outcome, emitted_at_us, source, account_id",
        (*key, *facts, clock_epoch(connection)),
    ).fetchone()
    if added is not None:
        append(connection, LeafKind.ANNOUNCEMENT, dict(added), facts[-1])
    return added is not None
