"""Delays, the time given back for them, and stations that stop on their own: rows with a leaf each (R13).

Rows are only added: a delay ends, is withdrawn or agreed to by rows of their own. What they come to is
decided in `exam.delays`, `exam.room_times` and `exam.lost_time`.
"""

from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Final

from evidence.day import clock_epoch, shifted
from evidence.ledger import LeafKind, append_fact
from exam.course import Approval, Delay, DelayReason, Grant, Loss, StationStop


class GivenTimeError(Exception):
    """The entry contradicts what stands, such as a delay that ends before it began."""


@dataclass(frozen=True, slots=True)
class NewDelay:
    """What an assessor records. `place_id` None: the whole room."""

    session_id: int
    room_id: int
    place_id: int | None
    reason: DelayReason
    started_at_us: int
    witness: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class NewGrant:
    """What the site lead gives a room. `loss` and `lost_us` name what it is for; None: of its own."""

    session_id: int
    room_id: int
    granted_us: int
    reason: str
    loss: Loss | None = None
    lost_us: int | None = None
    agreed_by: int | None = None
    told_by_hand: str = ""


@dataclass(frozen=True, slots=True)
class RecordedDelay:
    """A delay as people read it."""

    delay: Delay
    session_id: int
    place_label: str | None
    witness: str
    comment: str
    by: str
    recorded_at_us: int


_DELAYS: Final = f"""
select delay.id, delay.session_id, delay.room_id, delay.place_id, delay.reason_class,
       {shifted("delay", "started_at_us")}, {shifted("delay_end", "stopped_at_us")},
       delay_withdrawal.delay_id is not null as is_withdrawn, witness, comment, delay.recorded_at_us,
       place.label as place_label, account.display_name as by
  from delay join account on account.id = delay.account_id
  left join delay_end on delay_end.delay_id = delay.id
  left join delay_withdrawal on delay_withdrawal.delay_id = delay.id
  left join place on place.id = delay.place_id
 where delay.session_id = ? order by delay.id
"""  # noqa: S608 - our own names

_GRANTS: Final = """
select time_grant.id, room_id, granted_us, loss_cue_code, loss_occurrence,
       time_grant_withdrawal.grant_id is not null as is_withdrawn
  from time_grant left join time_grant_withdrawal on grant_id = time_grant.id
 where session_id = ? order by time_grant.id
"""


def record_delay(connection: Connection, new: NewDelay, account_id: int, now_us: int) -> int:
    """Keep the delay; returns its id. Raises GivenTimeError when the place is not in the room."""
    if new.place_id is not None:
        _require(
            connection,
            "select 1 from place where id = ? and room_id = ?",
            (new.place_id, new.room_id),
            "the station is not in this room",
        )
    row = connection.execute(
        "insert into delay (session_id, room_id, place_id, reason_class, started_at_us, witness, comment,"
        " account_id, recorded_at_us, clock_epoch) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " returning id as delay_id, session_id, room_id, place_id, reason_class, started_at_us, witness,"
        " comment, salt, account_id",
        (
            new.session_id,
            new.room_id,
            new.place_id,
            new.reason,
            new.started_at_us,
            new.witness,
            new.comment,
            account_id,
            now_us,
            clock_epoch(connection),
        ),
    ).fetchone()
    append_fact(connection, LeafKind.DELAY, row, now_us, "witness", "comment")
    return int(row["delay_id"])


def end_delay(
    connection: Connection, delay_id: int, stopped_at_us: int, account_id: int, now_us: int
) -> bool:
    """The work goes on. False: it went on before. Raises GivenTimeError for an end before the beginning."""
    _require(
        connection,
        f"select 1 from (select {shifted('delay', 'started_at_us')} from delay where id = ?)"  # noqa: S608 - our own names
        " where started_at_us < ?",
        (delay_id, stopped_at_us),
        "a delay ends after it began",
    )
    row = connection.execute(
        "insert into delay_end (delay_id, stopped_at_us, account_id, recorded_at_us, clock_epoch)"
        " values (?, ?, ?, ?, ?) on conflict do nothing returning delay_id, stopped_at_us, account_id",
        (delay_id, stopped_at_us, account_id, now_us, clock_epoch(connection)),
    ).fetchone()
    if row is not None:
        append_fact(connection, LeafKind.DELAY_END, row, now_us)
    return row is not None


def withdraw_delay(connection: Connection, delay_id: int, reason: str, account_id: int, now_us: int) -> bool:
    """The delay was recorded by mistake. False: it was withdrawn before."""
    row = connection.execute(
        "insert into delay_withdrawal (delay_id, reason, account_id, withdrawn_at_us) values (?, ?, ?, ?)"
        " on conflict do nothing returning delay_id, reason, salt, account_id",
        (delay_id, reason, account_id, now_us),
    ).fetchone()
    if row is not None:
        append_fact(connection, LeafKind.DELAY_WITHDRAWN, row, now_us, "reason")
    return row is not None


def approve_delays(
    connection: Connection, session_id: int, approval: Approval, account_id: int, now_us: int
) -> None:
    """Delays of the station, or room, count up to this much."""
    row = connection.execute(
        "insert into delay_approval (session_id, room_id, place_id, up_to_us, account_id, approved_at_us)"
        " values (?, ?, ?, ?, ?, ?) returning id as delay_approval_id, session_id, room_id, place_id,"
        " up_to_us, account_id",
        (session_id, approval.room_id, approval.place_id, approval.up_to_us, account_id, now_us),
    ).fetchone()
    append_fact(connection, LeafKind.DELAY_APPROVED, row, now_us)


def grant_time(connection: Connection, new: NewGrant, account_id: int, now_us: int) -> int:
    """Keep the site lead's decision about a room's time; returns its id."""
    row = connection.execute(
        "insert into time_grant (session_id, room_id, granted_us, loss_cue_code, loss_occurrence, lost_us,"
        " reason, decided_by, agreed_by, told_by_hand, decided_at_us) values (?,?,?,?,?,?,?,?,?,?,?)"
        " returning id as time_grant_id, session_id, room_id, granted_us, loss_cue_code, loss_occurrence,"
        " lost_us, reason, salt, decided_by, agreed_by, told_by_hand",
        (
            new.session_id,
            new.room_id,
            new.granted_us,
            new.loss.cue_code if new.loss else None,
            new.loss.occurrence if new.loss else None,
            new.lost_us,
            new.reason,
            account_id,
            new.agreed_by,
            new.told_by_hand,
            now_us,
        ),
    ).fetchone()
    append_fact(connection, LeafKind.TIME_GRANT, row, now_us, "reason")
    return int(row["time_grant_id"])


def withdraw_grant(connection: Connection, grant_id: int, reason: str, account_id: int, now_us: int) -> bool:
    """The grant was given by mistake. False: it was withdrawn before."""
    row = connection.execute(
        "insert into time_grant_withdrawal (grant_id, reason, account_id, withdrawn_at_us)"
        " values (?, ?, ?, ?) on conflict do nothing returning grant_id, reason, salt, account_id",
        (grant_id, reason, account_id, now_us),
    ).fetchone()
    if row is not None:
        append_fact(connection, LeafKind.TIME_GRANT_WITHDRAWN, row, now_us, "reason")
    return row is not None


def stop_station(
    connection: Connection, session_id: int, stop: StationStop, account_id: int, now_us: int
) -> bool:
    """The assessor ended a station's work. False: it was ended before."""
    row = connection.execute(
        "insert into station_stop (session_id, room_id, place_id, stopped_at_us, account_id, recorded_at_us,"
        " clock_epoch) values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing"
        " returning id as station_stop_id, session_id, room_id, place_id, stopped_at_us, account_id",
        (
            session_id,
            stop.room_id,
            stop.place_id,
            stop.stopped_at_us,
            account_id,
            now_us,
            clock_epoch(connection),
        ),
    ).fetchone()
    if row is not None:
        append_fact(connection, LeafKind.STATION_STOP, row, now_us)
    return row is not None


def recorded_delays(connection: Connection, session_id: int) -> list[RecordedDelay]:
    """The ledger of delays of a session, oldest first, with who recorded what and why."""
    return [
        RecordedDelay(
            _delay(row),
            row["session_id"],
            row["place_label"],
            row["witness"],
            row["comment"],
            row["by"],
            row["recorded_at_us"],
        )
        for row in connection.execute(_DELAYS, (session_id,))
    ]


def load_delays(connection: Connection, session_id: int) -> list[Delay]:
    """The delays of a session, withdrawn ones included."""
    return [_delay(row) for row in connection.execute(_DELAYS, (session_id,))]


def load_approvals(connection: Connection, session_id: int) -> list[Approval]:
    """How far long delays of a session were agreed to."""
    rows = connection.execute(
        "select room_id, place_id, up_to_us from delay_approval where session_id = ? order by id",
        (session_id,),
    )
    return [Approval(*row) for row in rows]


def load_grants(connection: Connection, session_id: int) -> list[Grant]:
    """The site lead's decisions about the time of the session's rooms, withdrawn ones included."""
    return [
        Grant(
            row["id"],
            row["room_id"],
            row["granted_us"],
            Loss(row["room_id"], row["loss_cue_code"], row["loss_occurrence"])
            if row["loss_cue_code"]
            else None,
            bool(row["is_withdrawn"]),
        )
        for row in connection.execute(_GRANTS, (session_id,))
    ]


def load_station_stops(connection: Connection, session_id: int) -> list[StationStop]:
    """The stations of a session that were stopped on their own."""
    rows = connection.execute(
        f"select room_id, place_id, {shifted('station_stop', 'stopped_at_us')} from station_stop"  # noqa: S608 - our own names
        " where session_id = ? order by id",
        (session_id,),
    )
    return [StationStop(*row) for row in rows]


def _delay(row: Row) -> Delay:
    return Delay(
        row["id"],
        row["room_id"],
        row["place_id"],
        DelayReason(row["reason_class"]),
        row["started_at_us"],
        row["stopped_at_us"],
        bool(row["is_withdrawn"]),
    )


def _require(connection: Connection, question: str, parameters: tuple[int, ...], otherwise: str) -> None:
    if connection.execute(question, parameters).fetchone() is None:
        raise GivenTimeError(otherwise)
