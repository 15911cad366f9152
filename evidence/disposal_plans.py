"""Disposal registers (销毁清册) as people make them: proposed, approved, given time from outside, ordered.

Written by the console. A plan's document is frozen at its proposal: whoever approves, approves its
digest. Nothing here touches footage; `evidence.disposal` does, and trusts no row of these tables.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any, Final

from evidence.disposal_people import act_of, time_faults, who
from evidence.ledger import LeafKind, append, canonical, salted_digest
from evidence.outside_time import Authority, AuthorityKind, check_authority
from evidence.retention import Decision, RetentionError
from evidence.work_orders import NewOrder, OrderKind, give_order
from exam.clock import site_time
from exam.disposal_approval import (
    Act,
    ApprovalFault,
    approval_faults,
    completeness_faults,
    proposal_faults,
    witness_faults,
)

APPROVED: Final = "approved"
REJECTED: Final = "rejected"


class PlanError(RetentionError):
    """The plan cannot go on; `faults` say why in codes, the message in Chinese."""

    def __init__(self, sentence: str, faults: Sequence[ApprovalFault] = ()) -> None:
        super().__init__(sentence)
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One line of the register: a file with everything that names it after it is gone."""

    segment_id: int
    camera_uuid: str
    path: str
    started_at_us: int
    ended_at_us: int
    size_bytes: int
    sha256: str
    retain_until_us: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an archivist puts forward."""

    batch_id: int
    basis: str
    appraisal: str
    files: Sequence[PlannedFile]


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """An approval or rejection, with the name for people."""

    account_id: int
    name: str
    decision: str
    note: str
    recorded_at_us: int


@dataclass(frozen=True, slots=True)
class TimeRow:
    """A word about time that was checked when it was handed in, and who had registered whose word it is."""

    authority: str
    kind: AuthorityKind
    proved_at_us: int
    recorded_at_us: int
    registered_by: str
    registered_at_us: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """The order to carry a plan out, and who watches."""

    id: int
    name: str
    witnesses: tuple[str, ...]
    ordered_at_us: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A register with everything that people did about it."""

    id: int
    number: str
    batch_id: int
    document: str
    digest: bytes
    appraisal: str
    account_id: int
    proposed_by: str
    proposed_at_us: int
    approvals: tuple[ApprovalRow, ...]
    times: tuple[TimeRow, ...]
    orders: tuple[OrderRow, ...]

    @property
    def head(self) -> dict[str, Any]:
        """The document's first line."""
        head: dict[str, Any] = json.loads(self.document.splitlines()[0])
        return head

    @property
    def files(self) -> list[PlannedFile]:
        """The files, in the document's order."""
        return planned_files(self.document)

    @property
    def is_rejected(self) -> bool:
        """Whether somebody said no."""
        return any(each.decision == REJECTED for each in self.approvals)


def planned_files(document: str) -> list[PlannedFile]:
    """The files of a document."""
    return [PlannedFile(**json.loads(line)) for line in document.splitlines()[1:]]


def _document(number: str, proposal: Proposal, now_us: int) -> str:
    head: dict[str, int | str] = {
        "number": number,
        "batch_id": proposal.batch_id,
        "basis": proposal.basis,
        "proposed_at_us": now_us,
        "files": len(proposal.files),
        "size_bytes": sum(each.size_bytes for each in proposal.files),
        "retain_until_us": max(each.retain_until_us for each in proposal.files),
    }
    lines = [canonical(head), *(canonical(_line(each)) for each in proposal.files)]
    return "".join(line + "\n" for line in lines)


def _line(each: PlannedFile) -> dict[str, int | str]:
    return {name: getattr(each, name) for name in PlannedFile.__slots__}


def propose_plan(connection: Connection, proposal: Proposal, decision: Decision) -> int:
    """Freeze the list under the next number of the year; returns the plan's id. Raises PlanError."""
    if not proposal.files:
        raise PlanError("没有已到期、可以销毁的录像。")
    faults = proposal_faults(act_of(connection, decision.account_id, ""))
    if faults:
        raise PlanError("只有档案管理员可以拟定销毁清册，账户须有证卡号，系统管理员不得参与。", faults)
    number = _next_number(connection, decision.now_us)
    document = _document(number, proposal, decision.now_us)
    digest = hashlib.sha256(document.encode())
    row = connection.execute(
        "insert into disposal_plan (number, batch_id, document, digest, appraisal, account_id,"
        " recorded_at_us) values (?, ?, ?, ?, ?, ?, ?) returning id, salt",
        (
            number,
            proposal.batch_id,
            document,
            digest.digest(),
            proposal.appraisal,
            decision.account_id,
            decision.now_us,
        ),
    ).fetchone()
    body = {
        "plan_id": row["id"],
        "number": number,
        **who(act_of(connection, decision.account_id, digest.hexdigest())),
        "appraisal_salted_sha256": salted_digest(row["salt"], proposal.appraisal),
    }
    append(connection, LeafKind.DISPOSAL_PLAN, body, decision.now_us)
    return int(row["id"])


def decide_plan(connection: Connection, plan_id: int, verdict: str, decision: Decision) -> None:
    """Approve or reject. Raises PlanError when this account may not, or the plan is past that."""
    plan = find_plan(connection, plan_id)
    approval = act_of(connection, decision.account_id, plan.digest.hex())
    proposal, *earlier = plan_acts(connection, plan)
    faults = approval_faults(proposal, earlier, approval)
    if faults:
        raise PlanError("您不能审批这份清册：拟定、审批须为不同的人，须有审批权限，账户须有证卡号。", faults)
    if plan.is_rejected or plan.orders:
        raise PlanError("这份清册已有结论，请刷新页面。")
    row = connection.execute(
        "insert into disposal_approval (plan_id, decision, note, account_id, recorded_at_us)"
        " values (?, ?, ?, ?, ?) returning id, salt",
        (plan_id, verdict, decision.reason, decision.account_id, decision.now_us),
    ).fetchone()
    body = {
        "approval_id": row["id"],
        "plan_id": plan_id,
        "decision": verdict,
        **who(approval),
        "note_salted_sha256": salted_digest(row["salt"], decision.reason),
    }
    append(connection, LeafKind.DISPOSAL_APPROVAL, body, decision.now_us)


def add_authority(connection: Connection, name: str, authority: Authority, decision: Decision) -> int:
    """Register whose word about time counts from now on. Raises OutsideTimeError or PlanError."""
    check_authority(authority)
    registrar = act_of(connection, decision.account_id, "")
    if not registrar.has_badge:
        raise PlanError("您的账户没有证卡号，不能登记时间来源。", [ApprovalFault.NO_BADGE])
    row = connection.execute(
        "insert into time_authority (kind, name, public_pem, account_id, recorded_at_us)"
        " values (?, ?, ?, ?, ?) returning id",
        (authority.kind, name, authority.public_pem, decision.account_id, decision.now_us),
    ).fetchone()
    body = {
        "time_authority_id": row["id"],
        "kind": authority.kind.value,
        "public_sha256": hashlib.sha256(authority.public_pem.encode()).hexdigest(),
        "account_id": decision.account_id,
        "person": registrar.person,
    }
    append(connection, LeafKind.TIME_AUTHORITY, body, decision.now_us)
    return int(row["id"])


def order_disposal(connection: Connection, plan_id: int, witnesses: Iterable[str], decision: Decision) -> int:
    """Order the recorder to carry the plan out; returns the order's id. Raises PlanError."""
    plan = find_plan(connection, plan_id)
    names = sorted({name.strip() for name in witnesses} - {""})
    proposal, *approvals = plan_acts(connection, plan)
    faults = [*completeness_faults(proposal, approvals), *witness_faults(names)]
    faults += time_faults(connection, plan_id, [proposal, *approvals], names)
    if faults or plan.is_rejected or not plan.times:
        raise PlanError(
            "还不能执行：须有两人批准（含现场负责人）、外部时间证明（来源由无关人员登记）和两名监销人。",
            faults,
        )
    subject: dict[str, int | str] = {"plan_id": plan_id, "plan_sha256": plan.digest.hex()}
    order = NewOrder(OrderKind.DISPOSAL, subject, decision.reason, decision.account_id)
    order_id = give_order(connection, order, decision.now_us)
    name_witnesses(connection, order_id, names, decision.now_us)
    return order_id


def name_witnesses(connection: Connection, order_id: int, names: Sequence[str], now_us: int) -> None:
    """Put on record who watches: the names here, their salted digests in the ledger."""
    for place, name in enumerate(names, 1):
        row = connection.execute(
            "insert into disposal_witness (order_id, place, name, salt) values (?, ?, ?, randomblob(16))"
            " returning salt",
            (order_id, place, name),
        ).fetchone()
        digest = salted_digest(row["salt"], name)
        body: dict[str, int | str] = {"order_id": order_id, "place": place, "name_salted_sha256": digest}
        append(connection, LeafKind.DISPOSAL_WITNESS, body, now_us)


def plan_acts(connection: Connection, plan: Plan) -> list[Act]:
    """Who proposed, then who approved or rejected, as they are now."""
    accounts = [plan.account_id, *(each.account_id for each in plan.approvals)]
    return [act_of(connection, each, plan.digest.hex()) for each in accounts]


def find_plan(connection: Connection, plan_id: int) -> Plan:
    """One plan. Raises PlanError when there is none with this id."""
    row = connection.execute(_PLANS + " where plan.id = ?", (plan_id,)).fetchone()
    if row is None:
        raise PlanError("没有这份销毁清册。")
    return _plan(connection, row)


def load_plans(connection: Connection) -> list[Plan]:
    """Every plan that ever was, the newest first."""
    return [_plan(connection, row) for row in connection.execute(_PLANS + " order by plan.id desc")]


def load_authorities(connection: Connection) -> list[Row]:
    """Whose word about time was ever registered, in that order; revoked ones too."""
    return connection.execute(
        "select time_authority.*, display_name from time_authority"
        " join account on account.id = time_authority.account_id order by time_authority.id"
    ).fetchall()


_PLANS: Final = (
    "select plan.*, display_name from disposal_plan plan join account on account.id = plan.account_id"
)


def _next_number(connection: Connection, now_us: int) -> str:
    year = site_time(now_us).year
    count = connection.execute(
        "select count(*) from disposal_plan where number like ?", (f"销毁-{year}-%",)
    ).fetchone()[0]
    return f"销毁-{year}-{count + 1:03d}"


def _plan(connection: Connection, row: Row) -> Plan:
    approvals = connection.execute(
        "select account_id, display_name, decision, note, recorded_at_us from disposal_approval"
        " join account on account.id = account_id where plan_id = ? order by disposal_approval.id",
        (row["id"],),
    )
    times = connection.execute(
        "select name, kind, proved_at_us, disposal_time.recorded_at_us, display_name,"
        " time_authority.recorded_at_us from disposal_time"
        " join time_authority on time_authority.id = authority_id"
        " join account on account.id = time_authority.account_id"
        " where plan_id = ? order by disposal_time.id",
        (row["id"],),
    )
    return Plan(
        id=row["id"],
        number=row["number"],
        batch_id=row["batch_id"],
        document=row["document"],
        digest=row["digest"],
        appraisal=row["appraisal"],
        account_id=row["account_id"],
        proposed_by=row["display_name"],
        proposed_at_us=row["recorded_at_us"],
        approvals=tuple(ApprovalRow(*each) for each in approvals),
        times=tuple(TimeRow(each[0], AuthorityKind(each[1]), *each[2:]) for each in times),
        orders=_orders(connection, row["id"]),
    )


def _orders(connection: Connection, plan_id: int) -> tuple[OrderRow, ...]:
    rows = connection.execute(
        "select work_order.id, display_name, ordered_at_us from work_order"
        " join account on account.id = ordered_by"
        " where kind = ? and json_extract(subject, '$.plan_id') = ? order by work_order.id",
        (OrderKind.DISPOSAL, plan_id),
    ).fetchall()
    return tuple(OrderRow(row[0], row[1], _witnesses(connection, row[0]), row[2]) for row in rows)


def _witnesses(connection: Connection, order_id: int) -> tuple[str, ...]:
    question = "select name from disposal_witness where order_id = ? order by name"
    rows = connection.execute(question, (order_id,))
    return tuple(row["name"] for row in rows)
