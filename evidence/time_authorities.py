"""Whose word is taken from outside the machine: registered cosigners and time stamping authorities."""

from dataclasses import dataclass
from sqlite3 import Connection, Row

from evidence.outside_time import AuthorityKind


@dataclass(frozen=True, slots=True)
class TimeAuthority:
    """One registered authority; `public_pem` as in `evidence.outside_time.Authority`."""

    id: int
    kind: AuthorityKind
    name: str
    public_pem: str


def load_authorities(exam: Connection) -> list[TimeAuthority]:
    """All of them, the newest first."""
    return [_authority(row) for row in exam.execute("select * from time_authority order by id desc")]


def load_authority(exam: Connection, authority_id: int) -> TimeAuthority | None:
    """The one with this id."""
    row = exam.execute("select * from time_authority where id = ?", (authority_id,)).fetchone()
    return None if row is None else _authority(row)


def _authority(row: Row) -> TimeAuthority:
    return TimeAuthority(row["id"], AuthorityKind(row["kind"]), row["name"], row["public_pem"])
