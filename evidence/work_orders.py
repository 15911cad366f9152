"""What the console orders from the recorder, and how far the recorder is with it.

Orders are rows of exam.db, written by web; reports are rows of footage.db, written by recorder. An
order without a final report is carried out again after a crash, so carrying it out twice must do no
harm.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection, Row
from typing import Any

from evidence.ledger import LeafKind, append, canonical, salted_digest

Subject = Mapping[str, int | str | Sequence[str] | None]


class OrderKind(StrEnum):
    """What can be ordered."""

    CAMERA_PREFLIGHT = "camera_preflight"
    EXPORT = "export"
    FIXITY_CHECK = "fixity_check"
    DISPOSAL = "disposal"
    VOLUME_RESTORE = "volume_restore"


class WorkState(StrEnum):
    """How far an order is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What somebody wants done, to what, and why."""

    kind: OrderKind
    subject: Subject
    reason: str
    ordered_by: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it was given. `subject` holds ids, codes and times."""

    id: int
    kind: OrderKind
    subject: dict[str, Any]
    reason: str
    ordered_by: int
    ordered_at_us: int


@dataclass(frozen=True, slots=True)
class Report:
    """How far the recorder is; `outcome` is set once it is done or has failed."""

    order_id: int
    state: WorkState
    done_units: int = 0
    total_units: int = 0
    words: str = ""
    outcome: dict[str, Any] | None = None
    updated_at_us: int = 0

    @property
    def is_final(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in (WorkState.DONE, WorkState.FAILED)


def give_order(exam: Connection, new: NewOrder, now_us: int) -> int:
    """Write the order and its ledger leaf; returns its id."""
    row = exam.execute(
        "insert into work_order (kind, subject, reason, ordered_by, ordered_at_us) values (?, ?, ?, ?, ?)"
        " returning id, salt",
        (new.kind, canonical(new.subject), new.reason, new.ordered_by, now_us),
    ).fetchone()
    body = {
        "work_order_id": row["id"],
        "kind": new.kind.value,
        "subject": canonical(new.subject),
        "account_id": new.ordered_by,
        "reason_salted_sha256": salted_digest(row["salt"], new.reason),
    }
    append(exam, LeafKind.WORK_ORDER, body, now_us)
    return int(row["id"])


def find_order(exam: Connection, order_id: int) -> Order | None:
    """The order with this id."""
    row = exam.execute("select * from work_order where id = ?", (order_id,)).fetchone()
    return None if row is None else _order(row)


def orders(exam: Connection, kind: OrderKind, after_id: int = 0) -> list[Order]:
    """The orders of a kind that came after one, oldest first."""
    rows = exam.execute("select * from work_order where kind = ? and id > ? order by id", (kind, after_id))
    return [_order(row) for row in rows]


def report(footage: Connection, order_id: int) -> Report:
    """How far an order is; one that the recorder has not taken up is waiting."""
    row = footage.execute("select * from work_report where order_id = ?", (order_id,)).fetchone()
    if row is None:
        return Report(order_id, WorkState.WAITING)
    return Report(
        order_id,
        WorkState(row["state"]),
        row["done_units"],
        row["total_units"],
        row["words"],
        None if row["outcome"] is None else json.loads(row["outcome"]),
        row["updated_at_us"],
    )


def write_report(footage: Connection, made: Report, now_us: int) -> None:
    """Replace what was reported of this order; a final report stays as it is."""
    outcome = None if made.outcome is None else canonical(made.outcome)
    footage.execute(
        "insert into work_report"
        " (order_id, state, done_units, total_units, words, outcome, started_at_us, updated_at_us)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)"
        " on conflict (order_id) do update set state = excluded.state, done_units = excluded.done_units,"
        " total_units = excluded.total_units, words = excluded.words, outcome = excluded.outcome,"
        " updated_at_us = excluded.updated_at_us where work_report.state = 'running'",
        (made.order_id, made.state, made.done_units, made.total_units, made.words, outcome, now_us, now_us),
    )


def unfinished(exam: Connection, footage: Connection, kind: OrderKind) -> list[Order]:
    """The orders of a kind that have no final report, oldest first."""
    final = {
        row["order_id"]
        for row in footage.execute("select order_id from work_report where state in ('done', 'failed')")
    }
    return [order for order in orders(exam, kind) if order.id not in final]


def _order(row: Row) -> Order:
    return Order(
        row["id"],
        OrderKind(row["kind"]),
        json.loads(row["subject"]),
        row["reason"],
        row["ordered_by"],
        row["ordered_at_us"],
    )
