"""Attempts to delete footage over the console that were refused at the door: written down like the others."""

from dataclasses import dataclass
from sqlite3 import Connection

from evidence.ledger import LeafKind, append


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tried what, and what the console answered."""

    endpoint: str
    account_id: int
    answer: int


def note_attempt(connection: Connection, attempt: Attempt, now_us: int) -> None:
    """The attempt as row and leaf."""
    row = connection.execute(
        "insert into disposal_attempt (endpoint, account_id, answer, recorded_at_us) values (?, ?, ?, ?)"
        " returning id",
        (attempt.endpoint, attempt.account_id, attempt.answer, now_us),
    ).fetchone()
    body = {
        "disposal_attempt_id": row["id"],
        "endpoint": attempt.endpoint,
        "account_id": attempt.account_id,
        "answer": attempt.answer,
    }
    append(connection, LeafKind.DISPOSAL_REFUSED, body, now_us)
