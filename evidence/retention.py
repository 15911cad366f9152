"""Batches closed and opened again, days given to batches, and what follows for keeping footage.

Written by the console. What the rows say is shown to people; disposal does not trust them alone (see
`evidence.disposal_facts`). Deciding is `exam.retention`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from sqlite3 import Connection
from typing import Final

from evidence.ledger import LeafKind, append, salted_digest
from exam.clock import site_time
from exam.retention import AROUND_SESSION_US, Reach, Term, days_of

CLOSED: Final = "closed"
REOPENED: Final = "reopened"


class RetentionError(Exception):
    """The step cannot be taken; the message says why, in Chinese, for the person who tried."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Which retention class closes a batch, and how many years it asks for (config/retention.toml)."""

    code: str
    years: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides something, why and when."""

    account_id: int
    reason: str
    now_us: int


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch as the list of dates shows it. `last_closed_at_us` stays when the batch is opened again."""

    id: int
    code: str
    name: str
    closed_at_us: int | None
    last_closed_at_us: int | None
    sessions: int
    first_us: int | None
    last_us: int | None


def close_batch(connection: Connection, batch_id: int, policy: Policy, decision: Decision) -> None:
    """Close the batch from now on; its period never gets shorter by closing it again."""
    changed = connection.execute(
        "update batch set closed_at_us = ? where id = ? and closed_at_us is null", (decision.now_us, batch_id)
    )
    if changed.rowcount != 1:
        raise RetentionError("该批次已经结束，请刷新页面。")
    _add_closing(connection, batch_id, CLOSED, policy, decision)


def reopen_batch(connection: Connection, batch_id: int, policy: Policy, decision: Decision) -> None:
    """Open a closed batch again: its footage is kept for ever until the next closing."""
    changed = connection.execute(
        "update batch set closed_at_us = null where id = ? and closed_at_us is not null", (batch_id,)
    )
    if changed.rowcount != 1:
        raise RetentionError("该批次没有结束，请刷新页面。")
    _add_closing(connection, batch_id, REOPENED, policy, decision)


def _add_closing(
    connection: Connection, batch_id: int, action: str, policy: Policy, decision: Decision
) -> None:
    row = connection.execute(
        "insert into batch_closing (batch_id, action, years, retention_class, reason, account_id,"
        " recorded_at_us) values (?, ?, ?, ?, ?, ?, ?) returning id, salt",
        (batch_id, action, policy.years, policy.code, decision.reason, decision.account_id, decision.now_us),
    ).fetchone()
    reaches = batch_reaches(connection).get(batch_id, ())
    body = {
        "batch_closing_id": row["id"],
        "batch_id": batch_id,
        "action": action,
        "years": policy.years,
        "reaches": [reach_text(reach) for reach in reaches],
        "days": sorted(day.isoformat() for day in _days(reaches)),
        "account_id": decision.account_id,
        "reason_salted_sha256": salted_digest(row["salt"], decision.reason),
    }
    append(connection, LeafKind.BATCH_CLOSING, body, decision.now_us)


def assign_day(connection: Connection, day: date, batch_id: int, decision: Decision) -> None:
    """Give a day's footage to a batch; days of other batches too stay theirs as well."""
    row = connection.execute(
        "insert into day_assignment (site_day, batch_id, reason, account_id, recorded_at_us)"
        " values (?, ?, ?, ?, ?) returning id, salt",
        (day.isoformat(), batch_id, decision.reason, decision.account_id, decision.now_us),
    ).fetchone()
    body = {
        "day_assignment_id": row["id"],
        "site_day": day.isoformat(),
        "batch_id": batch_id,
        "account_id": decision.account_id,
        "reason_salted_sha256": salted_digest(row["salt"], decision.reason),
    }
    append(connection, LeafKind.DAY_ASSIGNMENT, body, decision.now_us)


def load_batches(connection: Connection) -> list[BatchRow]:
    """Every batch, the latest first."""
    rows = connection.execute(
        "select batch.id, batch.code, batch.name, batch.closed_at_us,"
        " (select max(recorded_at_us) from batch_closing where batch_id = batch.id and action = 'closed')"
        " as last_closed_at_us, count(session.id) as sessions, min(planned_start_us) as first_us,"
        " max(planned_start_us + duration_us) as last_us"
        " from batch left join session on session.batch_id = batch.id group by batch.id"
        " order by max(planned_start_us) desc, batch.id desc"
    )
    return [BatchRow(*row) for row in rows]


def load_terms(connection: Connection, years: int) -> list[Term]:
    """What the rows say about every batch; `years` is the policy's, raised by closings that asked more."""
    reaches, assigned = batch_reaches(connection), _assigned_days(connection)
    rows = connection.execute(
        "select batch.id, batch.closed_at_us, max(action.recorded_at_us) as last_us,"
        " max(action.years) as years"
        " from batch left join batch_closing action on action.batch_id = batch.id group by batch.id"
    )
    return [
        Term(
            batch_id=row["id"],
            reaches=reaches.get(row["id"], ()),
            days=_days(reaches.get(row["id"], ())) | assigned.get(row["id"], frozenset()),
            closed_at_us=None
            if row["closed_at_us"] is None
            else max(row["closed_at_us"], row["last_us"] or row["closed_at_us"]),
            years=max(years, row["years"] or years),
        )
        for row in rows
    ]


def batch_reaches(connection: Connection) -> dict[int, tuple[Reach, ...]]:
    """The stretches of each batch: every camera of a session's room, from well before it to well after it."""
    found: dict[int, list[Reach]] = {}
    for batch_id, reach in _session_reaches(connection):
        found.setdefault(batch_id, []).append(reach)
    return {batch_id: tuple(reaches) for batch_id, reaches in found.items()}


def session_room_reaches(connection: Connection, session_id: int, room_id: int) -> tuple[Reach, ...]:
    """The same for one session in one room."""
    return tuple(reach for _batch_id, reach in _session_reaches(connection, session_id, room_id))


def _session_reaches(
    connection: Connection, session_id: int | None = None, room_id: int | None = None
) -> Iterator[tuple[int, Reach]]:
    # What was announced in the room may lie outside the plan: late starts, time given back.
    rows = connection.execute(
        "select session.batch_id, camera.uuid,"
        " min(planned_start_us, coalesce(min(emitted_at_us), planned_start_us)) as from_us,"
        " max(planned_start_us + duration_us, coalesce(max(emitted_at_us), 0)) as until_us"
        " from session join session_room on session_room.session_id = session.id"
        " join camera on camera.room_id = session_room.room_id"
        " left join announcement on announcement.session_id = session.id"
        "  and announcement.room_id = session_room.room_id"
        " where (:session_id is null or session.id = :session_id)"
        "  and (:room_id is null or camera.room_id = :room_id)"
        " group by session.id, camera.id order by session.id, camera.id",
        {"session_id": session_id, "room_id": room_id},
    )
    for row in rows:
        yield (
            row["batch_id"],
            Reach(row["uuid"], row["from_us"] - AROUND_SESSION_US, row["until_us"] + AROUND_SESSION_US),
        )


def reach_text(reach: Reach) -> str:
    """A stretch as one word of the ledger."""
    return f"{reach.camera_uuid}/{reach.from_us}/{reach.until_us}"


def read_reach(text: str) -> Reach:
    """The stretch that such a word means."""
    camera_uuid, from_us, until_us = text.split("/")
    return Reach(camera_uuid, int(from_us), int(until_us))


def site_day(moment_us: int) -> date:
    """The site's date of a moment."""
    return site_time(moment_us).date()


def _days(reaches: Iterable[Reach]) -> frozenset[date]:
    # The hours around a session may touch the day before; the day itself is that of its middle part.
    inner = (
        Reach(each.camera_uuid, each.from_us + AROUND_SESSION_US, each.until_us - AROUND_SESSION_US)
        for each in reaches
    )
    return frozenset(day for each in inner for day in days_of(each))


def _assigned_days(connection: Connection) -> Mapping[int, frozenset[date]]:
    found: dict[int, frozenset[date]] = {}
    for row in connection.execute("select batch_id, site_day from day_assignment"):
        day = date.fromisoformat(row["site_day"])
        found[row["batch_id"]] = found.get(row["batch_id"], frozenset()) | {day}
    return found
