"""Rows of what two people decide together: a source of time is revoked, a mirror is given up for lost.

Written by the console, each step with its leaf. Which step may follow which is `exam.joint_decisions`; what a
decision changes is read from the leaves by those whom it concerns.
"""

from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection, Row

from evidence.disposal_people import act_of, who
from evidence.ledger import LeafKind, append, salted_digest
from evidence.retention import Decision
from exam.joint_decisions import JointError, Step, Taken, is_decided, is_open, require_possible


class DecisionKind(StrEnum):
    """What is decided."""

    # Subject: the id of a time_authority.
    REVOKE_AUTHORITY = "revoke_authority"
    # Subject: the uuid of a mirror.
    GIVE_UP_MIRROR = "give_up_mirror"


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step with the name of who took it, for people."""

    step: Step
    account_id: int
    name: str
    reason: str
    recorded_at_us: int


@dataclass(frozen=True, slots=True)
class JointRow:
    """A decision with everything that was done about it."""

    id: int
    kind: DecisionKind
    subject: str
    steps: tuple[StepRow, ...]

    @property
    def is_open(self) -> bool:
        """Whether it waits for the second person."""
        return is_open([each.step for each in self.steps])

    @property
    def is_decided(self) -> bool:
        """Whether two people have decided it."""
        return is_decided([each.step for each in self.steps])


def propose_jointly(connection: Connection, kind: DecisionKind, subject: str, decision: Decision) -> int:
    """Ask for a decision; returns its id. Raises JointError, also when this was asked or decided already."""
    known = [each for each in joint_rows(connection, kind) if each.subject == subject]
    if any(each.is_open or each.is_decided for each in known):
        raise JointError("已有人提出，或已经决定，请刷新页面。")
    row = connection.execute(
        "insert into joint_decision (kind, subject) values (?, ?) returning id", (kind, subject)
    ).fetchone()
    decide_jointly(connection, int(row["id"]), Step.PROPOSED, decision)
    return int(row["id"])


def decide_jointly(connection: Connection, decision_id: int, step: Step, decision: Decision) -> None:
    """Take the next step and append its leaf. Raises JointError when it is not the time or not the person."""
    known = find_joint(connection, decision_id)
    if known is None:
        raise JointError("没有这项决定。")
    taken = [Taken(each.step, act_of(connection, each.account_id, "")) for each in known.steps]
    act = act_of(connection, decision.account_id, "")
    require_possible(taken, Taken(step, act))
    row = connection.execute(
        "insert into joint_step (decision_id, step, reason, account_id, recorded_at_us)"
        " values (?, ?, ?, ?, ?) returning id, salt",
        (decision_id, step, decision.reason, decision.account_id, decision.now_us),
    ).fetchone()
    body = {
        "joint_step_id": row["id"],
        "decision_id": decision_id,
        "kind": known.kind.value,
        "subject": known.subject,
        "step": step.value,
        **{name: value for name, value in who(act).items() if name != "plan_sha256"},
        "reason_salted_sha256": salted_digest(row["salt"], decision.reason),
    }
    append(connection, LeafKind.JOINT_DECISION, body, decision.now_us)


def find_joint(connection: Connection, decision_id: int) -> JointRow | None:
    """The decision with this id."""
    row = connection.execute("select * from joint_decision where id = ?", (decision_id,)).fetchone()
    return None if row is None else _joint(connection, row)


def joint_rows(connection: Connection, kind: DecisionKind) -> list[JointRow]:
    """Every decision of a kind that was ever asked for, the newest first."""
    rows = connection.execute("select * from joint_decision where kind = ? order by id desc", (kind,))
    return [_joint(connection, row) for row in rows.fetchall()]


def decided_subjects(connection: Connection, kind: DecisionKind) -> set[str]:
    """What two people have decided about, by the rows."""
    return {each.subject for each in joint_rows(connection, kind) if each.is_decided}


def _joint(connection: Connection, row: Row) -> JointRow:
    steps = connection.execute(
        "select step, account_id, display_name, reason, recorded_at_us from joint_step"
        " join account on account.id = account_id where decision_id = ? order by joint_step.id",
        (row["id"],),
    )
    taken = tuple(StepRow(Step(each[0]), *each[1:]) for each in steps)
    return JointRow(row["id"], DecisionKind(row["kind"]), row["subject"], taken)
