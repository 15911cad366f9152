"""What the signed ledger of exam.db says about keeping and disposing: the only facts that can permit it.

Every leaf is hashed again and the whole must have the root that was signed last; rows of tables are
not looked at, so editing one permits nothing. What is not signed yet may forbid, never permit.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from sqlite3 import Connection
from typing import Any, Final

from evidence.joint_decisions import DecisionKind
from evidence.ledger import Leaf, LeafKind, LedgerError, read_leaves
from evidence.merkle import Frontier, TreeHead, hash_leaf
from evidence.outside_time import AuthorityKind
from evidence.retention import CLOSED, read_reach
from evidence.work_orders import OrderKind
from exam.disposal_approval import STAFF, Act
from exam.holds import HoldKind, HoldStep, Taken, keeps, state_after
from exam.joint_decisions import Step
from exam.retention import Hold, Reach, Term

APPROVED: Final = "approved"
_READ: Final = (
    LeafKind.BATCH_CLOSING,
    LeafKind.DAY_ASSIGNMENT,
    LeafKind.LEGAL_HOLD,
    LeafKind.TIME_AUTHORITY,
    LeafKind.DISPOSAL_PLAN,
    LeafKind.DISPOSAL_APPROVAL,
    LeafKind.DISPOSAL_TIME,
    LeafKind.DISPOSAL_WITNESS,
    LeafKind.JOINT_DECISION,
    LeafKind.WORK_ORDER,
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A word about time given to a plan: digests of the token and of the authority's public part.

    `registrar` is who registered the authority.
    """

    time_id: int
    authority_id: int
    kind: AuthorityKind
    public_sha256: str
    token_sha256: str
    registrar: Act


@dataclass(slots=True)
class PlanFacts:
    """A proposed disposal as the ledger knows it."""

    plan_id: int
    number: str
    digest: str
    proposal: Act
    approvals: list[Act] = field(default_factory=list)
    stamps: list[Stamp] = field(default_factory=list)
    is_rejected: bool = False

    @property
    def acts(self) -> list[Act]:
        """Who proposed and who approved."""
        return [self.proposal, *self.approvals]


@dataclass(slots=True)
class LedgerFacts:
    """Everything the ledger says that matters here."""

    terms: list[Term] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    plans: dict[int, PlanFacts] = field(default_factory=dict)
    # Work order id -> (plan id, plan digest) of disposals that were ordered.
    orders: dict[int, tuple[int, str]] = field(default_factory=dict)
    # Work order id -> how many people were named to watch.
    witnesses: dict[int, int] = field(default_factory=dict)
    # Uuids of mirrors that two people have given up for lost.
    lost_mirrors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Fact:
    index: int
    kind: str
    body: dict[str, Any]
    recorded_at_us: int
    is_signed: bool


class FactReader:
    """Reads the ledger of exam.db as far as it is signed, each leaf once, and what follows anew each time.

    What was checked stays in memory: whoever changes an old leaf afterwards changes nothing here.
    """

    def __init__(self) -> None:
        self._edge = Frontier()
        self._signed: list[_Fact] = []

    def read(self, connection: Connection, signed: TreeHead) -> LedgerFacts:
        """Everything up to now. Raises LedgerError unless the leaves have the root that was signed."""
        tail: list[_Fact] = []
        for leaf, _hash in read_leaves(connection, self._edge.size):
            is_signed = leaf.index < signed.size
            if is_signed:
                self._check_in(leaf)
            if leaf.kind in _READ:
                facts = self._signed if is_signed else tail
                facts.append(_fact(leaf, is_signed=is_signed))
        if TreeHead(self._edge.size, self._edge.root()) != signed:
            raise LedgerError(f"the first {signed.size} ledger rows are not those that were signed")
        facts = [*self._signed, *tail]
        return LedgerFacts(
            _terms(facts), _holds(facts), _plans(facts), _orders(facts), _witnesses(facts), _lost(facts)
        )

    def _check_in(self, leaf: Leaf) -> None:
        if leaf.index != self._edge.size:
            raise LedgerError(f"leaf {self._edge.size} is missing from the ledger")
        self._edge.add(hash_leaf(leaf.entry()))


def _fact(leaf: Leaf, *, is_signed: bool) -> _Fact:
    return _Fact(leaf.index, leaf.kind, json.loads(leaf.body), leaf.recorded_at_us, is_signed)


def _of(facts: Iterable[_Fact], kind: LeafKind, *, signed: bool = False) -> Iterator[_Fact]:
    return (fact for fact in facts if fact.kind == kind and (fact.is_signed or not signed))


def _terms(facts: list[_Fact]) -> list[Term]:
    closings: dict[int, list[_Fact]] = {}
    for fact in _of(facts, LeafKind.BATCH_CLOSING):
        closings.setdefault(fact.body["batch_id"], []).append(fact)
    days: dict[int, set[date]] = {}
    for fact in _of(facts, LeafKind.DAY_ASSIGNMENT, signed=True):
        days.setdefault(fact.body["batch_id"], set()).add(date.fromisoformat(fact.body["site_day"]))
    return [_term(batch_id, each, days.get(batch_id, set())) for batch_id, each in closings.items()]


def _term(batch_id: int, closings: list[_Fact], assigned: set[date]) -> Term:
    bodies = [fact.body for fact in closings]
    is_closed = closings[-1].is_signed and bodies[-1]["action"] == CLOSED
    reaches: dict[Reach, None] = {read_reach(text): None for body in bodies for text in body["reaches"]}
    return Term(
        batch_id=batch_id,
        reaches=tuple(reaches),
        days=frozenset(assigned | {date.fromisoformat(day) for body in bodies for day in body["days"]}),
        closed_at_us=max(fact.recorded_at_us for fact in closings) if is_closed else None,
        years=max(body["years"] for body in bodies),
    )


def _holds(facts: list[_Fact]) -> list[Hold]:
    steps: dict[int, list[_Fact]] = {}
    for fact in _of(facts, LeafKind.LEGAL_HOLD):
        steps.setdefault(fact.body["hold_id"], []).append(fact)
    return [_hold(hold_id, each[0].body) for hold_id, each in steps.items() if _keeps(each)]


def _keeps(steps: list[_Fact]) -> bool:
    # A step that ends a hold counts once it is signed; one that makes it counts at once.
    taken = [Taken(HoldStep(fact.body["step"]), fact.body["account_id"]) for fact in steps]
    return keeps(state_after(taken)) or not steps[-1].is_signed


def _hold(hold_id: int, body: Mapping[str, Any]) -> Hold:
    reaches = tuple(read_reach(text) for text in body["reaches"])
    return Hold(hold_id, body["kind"] == HoldKind.RESTRICTION, body["batch_id"], reaches)


def _plans(facts: list[_Fact]) -> dict[int, PlanFacts]:
    plans: dict[int, PlanFacts] = {}
    proposed_at: dict[int, int] = {}
    for fact in _of(facts, LeafKind.DISPOSAL_PLAN, signed=True):
        body = fact.body
        plan = PlanFacts(body["plan_id"], body["number"], body["plan_sha256"], _act(body))
        plans[plan.plan_id], proposed_at[plan.plan_id] = plan, fact.index
    for fact in _of(facts, LeafKind.DISPOSAL_APPROVAL):
        _judge_plan(plans, fact)
    authorities = {
        fact.body["time_authority_id"]: fact for fact in _of(facts, LeafKind.TIME_AUTHORITY, signed=True)
    }
    revoked_at = _revocations(facts)
    for fact in _of(facts, LeafKind.DISPOSAL_TIME, signed=True):
        plan_id, authority_id = fact.body["plan_id"], fact.body["time_authority_id"]
        authority = authorities.get(authority_id)
        if authority is None or fact.index > revoked_at.get(authority_id, fact.index):
            continue
        if plan_id in plans and authority.index < proposed_at[plan_id]:
            plans[plan_id].stamps.append(_stamp(fact.body, authority.body))
    return plans


def _revocations(facts: list[_Fact]) -> dict[int, int]:
    """From which leaf on the word of a source no longer counts; what was given before stays."""
    return {int(fact.body["subject"]): fact.index for fact in _decided(facts, DecisionKind.REVOKE_AUTHORITY)}


def _lost(facts: list[_Fact]) -> frozenset[str]:
    # It lets a disposal go on, so it counts once it is signed.
    decided = _decided(facts, DecisionKind.GIVE_UP_MIRROR)
    return frozenset(fact.body["subject"] for fact in decided if fact.is_signed)


def _decided(facts: list[_Fact], kind: DecisionKind) -> list[_Fact]:
    """The leaves by which a second person confirmed what another had proposed before."""
    found: list[_Fact] = []
    proposed: dict[int, str] = {}
    for fact in _of(facts, LeafKind.JOINT_DECISION):
        body = fact.body
        if body["kind"] == kind and body["step"] == Step.PROPOSED:
            proposed[body["decision_id"]] = body["person"]
        elif body["kind"] == kind and body["step"] == Step.CONFIRMED:
            found += [fact] if _are_two(proposed.get(body["decision_id"]), body["person"]) else []
    return found


def _are_two(first: str | None, second: str) -> bool:
    """Two people, each known by a badge."""
    return first is not None and first != second and first.startswith(STAFF) and second.startswith(STAFF)


def _witnesses(facts: list[_Fact]) -> dict[int, int]:
    named: dict[int, set[str]] = {}
    for fact in _of(facts, LeafKind.DISPOSAL_WITNESS, signed=True):
        named.setdefault(fact.body["order_id"], set()).add(fact.body["name_salted_sha256"])
    return {order_id: len(names) for order_id, names in named.items()}


def _judge_plan(plans: dict[int, PlanFacts], fact: _Fact) -> None:
    plan = plans.get(fact.body["plan_id"])
    if plan is None:
        return
    if fact.body["decision"] != APPROVED:
        plan.is_rejected = True
    elif fact.is_signed:
        plan.approvals.append(_act(fact.body))


def _act(body: Mapping[str, Any]) -> Act:
    return Act(body["account_id"], body["person"], frozenset(body["roles"]), body["plan_sha256"])


def _stamp(body: Mapping[str, Any], authority: Mapping[str, Any]) -> Stamp:
    return Stamp(
        body["disposal_time_id"],
        body["time_authority_id"],
        AuthorityKind(authority["kind"]),
        authority["public_sha256"],
        body["token_sha256"],
        Act(authority["account_id"], authority.get("person", ""), frozenset(), ""),
    )


def _orders(facts: list[_Fact]) -> dict[int, tuple[int, str]]:
    # A work order's leaf holds its subject as canonical JSON text.
    found: dict[int, tuple[int, str]] = {}
    for fact in _of(facts, LeafKind.WORK_ORDER, signed=True):
        if fact.body["kind"] == OrderKind.DISPOSAL:
            subject = json.loads(fact.body["subject"])
            found[fact.body["work_order_id"]] = (subject["plan_id"], subject["plan_sha256"])
    return found
