"""Legal holds (封存) and restrictions (限制处理) as rows: asked for by one person, confirmed by another.

Written by the console. Which step may follow which is `exam.holds`; each step has its ledger leaf.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection, Row

from evidence.ledger import LeafKind, append, salted_digest
from evidence.retention import Decision, reach_text, read_reach
from exam.holds import (
    HoldError,
    HoldKind,
    HoldState,
    HoldStep,
    Taken,
    closes_to_viewers,
    keeps,
    needs_another,
    state_after,
)
from exam.retention import Hold, Reach


@dataclass(frozen=True, slots=True)
class NewHold:
    """What somebody wants to have kept: a whole batch, or stretches of cameras; `words` say it to people."""

    kind: HoldKind
    batch_id: int | None
    reaches: tuple[Reach, ...]
    words: str


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step with the name of who took it, for people."""

    step: HoldStep
    account_id: int
    name: str
    reason: str
    recorded_at_us: int


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold with everything that was done about it."""

    id: int
    kind: HoldKind
    batch_id: int | None
    reaches: tuple[Reach, ...]
    words: str
    steps: tuple[StepRow, ...]

    @property
    def state(self) -> HoldState:
        """Where it stands."""
        return state_after([Taken(each.step, each.account_id) for each in self.steps])

    @property
    def last(self) -> StepRow:
        """What was done last."""
        return self.steps[-1]


def propose_hold(connection: Connection, new: NewHold, decision: Decision) -> int:
    """Ask for a hold; it stops disposal from now on. Returns its id."""
    row = connection.execute(
        "insert into hold (kind, batch_id, reaches, words) values (?, ?, ?, ?) returning id",
        (new.kind, new.batch_id, json.dumps([reach_text(reach) for reach in new.reaches]), new.words),
    ).fetchone()
    hold_id = int(row["id"])
    take_step(connection, hold_id, HoldStep.PROPOSED, decision)
    return hold_id


def take_step(connection: Connection, hold_id: int, step: HoldStep, decision: Decision) -> HoldState:
    """Take the next step and append its leaf. Raises HoldError when it is not the time or not the person."""
    taken = [
        Taken(HoldStep(row["step"]), row["account_id"])
        for row in connection.execute(
            "select step, account_id from hold_step where hold_id = ? order by id", (hold_id,)
        )
    ]
    state = state_after([*taken, Taken(step, decision.account_id)])
    asks_for_less = step is HoldStep.LIFT_PROPOSED
    if (needs_another(step) or asks_for_less) and not _has_badge(connection, decision.account_id):
        raise HoldError("您的账户没有证卡号，不能确定您是谁，不能办理。")
    if needs_another(step) and _is_same_person(connection, taken[-1].account_id, decision.account_id):
        raise HoldError("须由另一人办理：两个账户属于同一名工作人员。")
    row = connection.execute(
        "insert into hold_step (hold_id, step, reason, account_id, recorded_at_us) values (?, ?, ?, ?, ?)"
        " returning salt",
        (hold_id, step, decision.reason, decision.account_id, decision.now_us),
    ).fetchone()
    hold = connection.execute("select kind, batch_id, reaches from hold where id = ?", (hold_id,)).fetchone()
    body = {
        "hold_id": hold_id,
        "kind": hold["kind"],
        "step": step.value,
        "batch_id": hold["batch_id"],
        "reaches": json.loads(hold["reaches"]),
        "account_id": decision.account_id,
        "reason_salted_sha256": salted_digest(row["salt"], decision.reason),
    }
    append(connection, LeafKind.LEGAL_HOLD, body, decision.now_us)
    return state


def _has_badge(connection: Connection, account_id: int) -> bool:
    row = connection.execute("select staff_id from account where id = ?", (account_id,)).fetchone()
    return row["staff_id"] is not None


def _is_same_person(connection: Connection, account_id: int, other_id: int) -> bool:
    """Whether both accounts belong to one person of the staff list."""
    row = connection.execute(
        "select 1 from account one join account other on other.staff_id = one.staff_id"
        " where one.id = ? and other.id = ?",
        (account_id, other_id),
    ).fetchone()
    return row is not None


def load_holds(connection: Connection) -> list[HoldRow]:
    """Every hold and restriction that ever was, the newest first."""
    steps: dict[int, list[StepRow]] = {}
    for row in connection.execute(
        "select hold_id, step, account_id, display_name, reason, recorded_at_us from hold_step"
        " join account on account.id = account_id order by hold_step.id"
    ):
        steps.setdefault(row["hold_id"], []).append(_step(row))
    rows = connection.execute("select * from hold order by id desc")
    return [_hold(row, steps[row["id"]]) for row in rows]


def keeping(rows: Sequence[HoldRow]) -> list[Hold]:
    """The holds that keep footage now, as the rule takes them."""
    return [
        Hold(row.id, row.kind is HoldKind.RESTRICTION, row.batch_id, row.reaches)
        for row in rows
        if keeps(row.state)
    ]


def closing_to_viewers(connection: Connection) -> list[Hold]:
    """The restrictions under which nobody may view or export."""
    return [
        Hold(row.id, restricts=True, batch_id=row.batch_id, reaches=row.reaches)
        for row in load_holds(connection)
        if closes_to_viewers(row.kind, row.state)
    ]


def _step(row: Row) -> StepRow:
    return StepRow(
        HoldStep(row["step"]), row["account_id"], row["display_name"], row["reason"], row["recorded_at_us"]
    )


def _hold(row: Row, steps: list[StepRow]) -> HoldRow:
    reaches = tuple(read_reach(text) for text in json.loads(row["reaches"]))
    return HoldRow(row["id"], HoldKind(row["kind"]), row["batch_id"], reaches, row["words"], tuple(steps))
