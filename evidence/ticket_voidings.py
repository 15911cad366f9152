"""Ticket numbers that count no more (准考证作废): withdrawn by people, or replaced by a later roster (R20).

A number is never issued here and never given to anybody else by us; what is voided stays on record, so
that whoever still holds the paper is told so and not that nobody knows him.
"""

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.ledger import LeafKind, append, salted_digest

# Joins the candidate whose number it was. A number that a later roster brought back counts again.
VOIDED: Final = (
    " join ticket_voiding on ticket_voiding.candidate_id = candidate.id"
    " and (ticket_voiding.account_id is not null or not exists (select 1 from candidate as holder"
    "  where holder.ticket_no = ticket_voiding.ticket_no and holder.batch_id = candidate.batch_id))"
)


@dataclass(frozen=True, slots=True)
class VoidedTicket:
    """One number, whose it was, and why it counts no more. `account_id`: who decided; None: a roster did."""

    candidate_id: int
    ticket_no: str
    reason: str
    account_id: int | None = None


def void_ticket(connection: Connection, voided: VoidedTicket, now_us: int) -> int:
    """Write down that the number counts no more, with its leaf; returns the row's id."""
    row = connection.execute(
        "insert into ticket_voiding (candidate_id, ticket_no, reason, account_id, voided_at_us)"
        " values (?, ?, ?, ?, ?) returning id as ticket_voiding_id, candidate_id, ticket_no, reason, salt,"
        " account_id, voided_at_us",
        (voided.candidate_id, voided.ticket_no, voided.reason, voided.account_id, now_us),
    ).fetchone()
    fact = dict(row)
    salt = fact.pop("salt")
    body = {
        **fact,
        "ticket_no_salted_sha256": salted_digest(salt, fact["ticket_no"]),
        "reason_salted_sha256": salted_digest(salt, fact["reason"]),
    }
    del body["ticket_no"], body["reason"]
    append(connection, LeafKind.TICKET_VOIDED, body, now_us)
    return int(row["ticket_voiding_id"])
