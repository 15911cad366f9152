"""The time from outside that a disposal register is given: checked, then kept with its leaf.

Checking asks another program and may take a while, so it needs no transaction; keeping is one.
"""

import hashlib
from dataclasses import dataclass
from sqlite3 import Connection

from evidence.disposal_people import registrars
from evidence.disposal_plans import PlanError, find_plan, plan_acts
from evidence.ledger import LeafKind, append
from evidence.outside_time import Authority, AuthorityKind, proved_time_us
from evidence.retention import Decision
from evidence.time_authorities import is_revoked
from exam.disposal_approval import ApprovalFault, takes_part


@dataclass(frozen=True, slots=True)
class CheckedTime:
    """A word about time that holds for the plan, not yet kept."""

    plan_id: int
    plan_digest: bytes
    authority_id: int
    token: bytes
    proved_at_us: int


def check_time(connection: Connection, plan_id: int, authority_id: int, token: bytes) -> CheckedTime:
    """Check a word about time over the plan, which may take a while. Raises when it does not do."""
    plan = find_plan(connection, plan_id)
    known = connection.execute("select * from time_authority where id = ?", (authority_id,)).fetchone()
    if known is None or known["recorded_at_us"] > plan.proposed_at_us:
        raise PlanError("该时间来源没有在拟定清册之前登记，不能用于本清册。")
    if is_revoked(connection, authority_id):
        raise PlanError("该时间来源已由两人撤销，不能再使用。")
    (registrar,) = registrars(connection, [authority_id])
    if takes_part(registrar, plan_acts(connection, plan)):
        raise PlanError(
            "该时间来源由本清册的拟定人或审批人登记，须使用无关人员登记的来源。",
            [ApprovalFault.REGISTERED_TIME],
        )
    authority = Authority(AuthorityKind(known["kind"]), known["public_pem"])
    proved_at_us = proved_time_us(authority, token, plan.digest)
    if proved_at_us < plan.head["retain_until_us"]:
        raise PlanError("该时间早于清册中录像的保存期届满之日，不能销毁。")
    return CheckedTime(plan_id, plan.digest, authority_id, token, proved_at_us)


def add_time(connection: Connection, checked: CheckedTime, decision: Decision) -> int:
    """Keep a word about time that was checked; returns the moment."""
    word = (checked.plan_id, checked.authority_id, checked.token, checked.proved_at_us)
    row = connection.execute(
        "insert into disposal_time (plan_id, authority_id, token, proved_at_us, account_id, recorded_at_us)"
        " values (?, ?, ?, ?, ?, ?) returning id",
        (*word, decision.account_id, decision.now_us),
    ).fetchone()
    body = {
        "disposal_time_id": row["id"],
        "plan_id": checked.plan_id,
        "plan_sha256": checked.plan_digest.hex(),
        "time_authority_id": checked.authority_id,
        "token_sha256": hashlib.sha256(checked.token).hexdigest(),
        "proved_at_us": checked.proved_at_us,
        "account_id": decision.account_id,
    }
    append(connection, LeafKind.DISPOSAL_TIME, body, decision.now_us)
    return checked.proved_at_us
