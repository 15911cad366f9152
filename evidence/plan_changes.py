"""Arming a session, taking that back, and changes of its plan: rows with a leaf each, and the session's row.

Rows are only added; `session` holds what the latest of them come to, for everybody who reads the plan.
Whether a change may be made is decided in `exam.effects`, under the writer's lock.
"""

from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection

from evidence.ledger import LeafKind, append_fact
from exam.arming import ArmingPlan, read_plan
from exam.arming_warnings import SeenWarnings, read_seen
from exam.day import Session


class PlanKind(StrEnum):
    """What of a session's plan was changed."""

    START = "start"
    DURATION = "duration"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A decision of the site lead. `to_us`: the new start or working time; None when cancelled."""

    session_id: int
    kind: PlanKind
    to_us: int | None
    reason: str
    told_by_hand: str = ""


@dataclass(frozen=True, slots=True)
class ChangedPlan:
    """A change as people read it."""

    kind: PlanKind
    from_us: int | None
    to_us: int | None
    reason: str
    by: str
    changed_at_us: int


class ArmingKind(StrEnum):
    """What a person did about the automatic signals of a session."""

    # Checked the plan, for a second person to arm.
    ASKED = "asked"
    ARMED = "armed"
    DISARMED = "disarmed"


@dataclass(frozen=True, slots=True)
class ArmingLook:
    """What was shown to whoever armed: every signal, and everything that stood against it."""

    plan: ArmingPlan
    warnings: SeenWarnings


@dataclass(frozen=True, slots=True)
class ArmingAct:
    """One act on record; `plan` and `warnings`: what was shown, where it was kept; `by`: a name for pages."""

    id: int
    kind: ArmingKind
    plan: ArmingPlan | None
    warnings: SeenWarnings | None
    reason: str
    by: str
    acted_at_us: int


def arm_session(
    connection: Connection, session_id: int, account_id: int, now_us: int, look: ArmingLook | None = None
) -> bool:
    """Let the session's automatic cues sound from now on. False: already armed, cancelled or unknown.

    `look` is what the person was shown; it is kept, and its digests stand in the leaf.
    """
    changed = connection.execute(
        "update session set armed_at_us = ?, armed_by = ?"
        " where id = ? and armed_at_us is null and cancelled_at_us is null",
        (now_us, account_id, session_id),
    )
    if changed.rowcount == 1:
        shown = _kept_look(connection, look)
        _record_arming(connection, (session_id, ArmingKind.ARMED, *shown, "", account_id), now_us)
    return changed.rowcount == 1


def ask_to_arm(
    connection: Connection, session_id: int, account_id: int, now_us: int, look: ArmingLook
) -> None:
    """The first of two people has checked the plan; in the same transaction the second one arms it."""
    shown = _kept_look(connection, look)
    _record_arming(connection, (session_id, ArmingKind.ASKED, *shown, "", account_id), now_us)


def disarm_session(
    connection: Connection, session_id: int, account_id: int, now_us: int, reason: str
) -> bool:
    """Nothing sounds by itself any more. False: it was not armed."""
    changed = connection.execute(
        "update session set armed_at_us = null, armed_by = null where id = ? and armed_at_us is not null",
        (session_id,),
    )
    if changed.rowcount == 1:
        _record_arming(connection, (session_id, ArmingKind.DISARMED, "", None, reason, account_id), now_us)
    return changed.rowcount == 1


def arming_acts(connection: Connection, session_id: int) -> list[ArmingAct]:
    """Everything that was done about arming the session, oldest first."""
    rows = connection.execute(
        "select session_arming.id, act, arming_plan.content as plan, arming_warnings.content as warnings,"
        " reason, display_name, acted_at_us from session_arming join account on account.id = account_id"
        " left join arming_plan on arming_plan.sha256 = plan_sha256"
        " left join arming_warnings on arming_warnings.sha256 = warnings_sha256"
        " where session_id = ? order by session_arming.id",
        (session_id,),
    )
    return [
        ArmingAct(
            row["id"],
            ArmingKind(row["act"]),
            read_plan(row["plan"] or ""),
            read_seen(row["warnings"] or ""),
            *tuple(row)[4:],
        )
        for row in rows
    ]


def load_armed(connection: Connection, from_us: int, until_us: int) -> list[tuple[int, str]]:
    """Id and procedure of armed sessions that are not cancelled and planned to start in the interval."""
    rows = connection.execute(
        "select id, procedure_code from session where armed_at_us is not null and cancelled_at_us is null"
        " and planned_start_us between ? and ? order by planned_start_us, code",
        (from_us, until_us),
    )
    return [(row["id"], row["procedure_code"]) for row in rows]


def change_plan(
    connection: Connection, session: Session, change: PlanChange, account_id: int, now_us: int
) -> None:
    """Keep the change and what it comes to."""
    column, value = _column(change, now_us)
    before_us = {
        PlanKind.START: session.planned_start_us,
        PlanKind.DURATION: session.duration_us,
        PlanKind.CANCELLED: None,
    }[change.kind]
    row = connection.execute(
        "insert into plan_change (session_id, kind, from_us, to_us, reason, told_by_hand, decided_by,"
        " changed_at_us) values (?, ?, ?, ?, ?, ?, ?, ?) returning id as plan_change_id, session_id, kind,"
        " from_us, to_us, reason, salt, told_by_hand, decided_by",
        (
            session.id,
            change.kind,
            before_us,
            change.to_us,
            change.reason,
            change.told_by_hand,
            account_id,
            now_us,
        ),
    ).fetchone()
    connection.execute(f"update session set {column} = ? where id = ?", (value, session.id))  # noqa: S608 - our own names
    append_fact(connection, LeafKind.PLAN_CHANGE, row, now_us, "reason")


def plan_changes(connection: Connection, session_id: int) -> list[ChangedPlan]:
    """Every change of the session's plan, oldest first."""
    rows = connection.execute(
        "select kind, from_us, to_us, reason, display_name, changed_at_us from plan_change"
        " join account on account.id = decided_by where session_id = ? order by plan_change.id",
        (session_id,),
    )
    return [ChangedPlan(PlanKind(row[0]), *tuple(row)[1:]) for row in rows]


def last_change_us(connection: Connection, session_id: int) -> int | None:
    """When the times of the session changed last, by a change of plan or a grant; None: never."""
    row = connection.execute(
        "select max(at_us) as at_us from ("
        " select max(changed_at_us) as at_us from plan_change where session_id = ?1"
        " union all select max(decided_at_us) from time_grant where session_id = ?1"
        " union all select max(withdrawn_at_us) from time_grant_withdrawal"
        "  join time_grant on time_grant.id = grant_id where session_id = ?1)",
        (session_id,),
    ).fetchone()
    return None if row["at_us"] is None else int(row["at_us"])


def _column(change: PlanChange, now_us: int) -> tuple[str, int | None]:
    if change.kind is PlanKind.CANCELLED:
        return "cancelled_at_us", now_us
    return ("planned_start_us" if change.kind is PlanKind.START else "duration_us"), change.to_us


def _kept_look(connection: Connection, look: ArmingLook | None) -> tuple[str, str | None]:
    """The digests of plan and warnings, which are kept; none where nobody was shown any."""
    if look is None:
        return "", None
    plan, warnings = look.plan, look.warnings
    connection.execute("insert or ignore into arming_plan values (?, ?)", (plan.sha256, plan.text))
    connection.execute(
        "insert or ignore into arming_warnings values (?, ?)", (warnings.sha256, warnings.text)
    )
    return plan.sha256, warnings.sha256


def _record_arming(
    connection: Connection, values: tuple[int, str, str, str | None, str, int], now_us: int
) -> None:
    row = connection.execute(
        "insert into session_arming"
        " (session_id, act, plan_sha256, warnings_sha256, reason, account_id, acted_at_us)"
        " values (?, ?, ?, ?, ?, ?, ?)"
        " returning id as session_arming_id, session_id, act, plan_sha256, warnings_sha256, reason, salt,"
        " account_id",
        (*values, now_us),
    ).fetchone()
    append_fact(connection, LeafKind.SESSION_ARMING, row, now_us, "reason")
