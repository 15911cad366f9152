"""Whose word is taken from outside the machine: registered cosigners and time stamping authorities.

Two people together can revoke one: its word counts no more from then on, and what it gave before stays.
"""

from dataclasses import dataclass
from sqlite3 import Connection, Row

from evidence.joint_decisions import DecisionKind, decided_subjects
from evidence.outside_time import AuthorityKind


@dataclass(frozen=True, slots=True)
class TimeAuthority:
    """One registered authority; `public_pem` as in `evidence.outside_time.Authority`."""

    id: int
    kind: AuthorityKind
    name: str
    public_pem: str


def load_authorities(exam: Connection) -> list[TimeAuthority]:
    """Those whose word counts, the newest first."""
    revoked = decided_subjects(exam, DecisionKind.REVOKE_AUTHORITY)
    rows = exam.execute("select * from time_authority order by id desc")
    return [_authority(row) for row in rows if str(row["id"]) not in revoked]


def load_authority(exam: Connection, authority_id: int) -> TimeAuthority | None:
    """The one with this id, whose word counts."""
    return next((each for each in load_authorities(exam) if each.id == authority_id), None)


def is_revoked(exam: Connection, authority_id: int) -> bool:
    """Whether two people have decided that its word counts no more."""
    return str(authority_id) in decided_subjects(exam, DecisionKind.REVOKE_AUTHORITY)


def _authority(row: Row) -> TimeAuthority:
    return TimeAuthority(row["id"], AuthorityKind(row["kind"]), row["name"], row["public_pem"])
