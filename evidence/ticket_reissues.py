"""Signed tickets that were issued anew (补发): the paper before counts no more, the number stays (R20).

A signed ticket carries its revision. Everybody's first is revision 1, whether it was printed or not; each
reissue is a row with its reason and its ledger leaf, and voids what was printed before. A plain bar code
carries no revision: an old sheet's bars cannot be told from the new one's.
"""

from sqlite3 import Connection
from typing import Final

from evidence.ledger import LeafKind, append, salted_digest
from evidence.recording_orders import Who

FIRST_REVISION: Final = 1


def reissue(connection: Connection, candidate_id: int, who: Who, now_us: int) -> int:
    """From now on only tickets printed after this count; returns their revision."""
    revision = ticket_revisions(connection).get(candidate_id, FIRST_REVISION) + 1
    row = connection.execute(
        "insert into ticket_reissue (candidate_id, revision, reason, account_id, reissued_at_us)"
        " values (?, ?, ?, ?, ?) returning id, salt",
        (candidate_id, revision, who.reason, who.account_id, now_us),
    ).fetchone()
    body = {
        "ticket_reissue_id": row["id"],
        "candidate_id": candidate_id,
        "revision": revision,
        "reason_salted_sha256": salted_digest(row["salt"], who.reason),
        "account_id": who.account_id,
        "reissued_at_us": now_us,
    }
    append(connection, LeafKind.TICKET_REISSUE, body, now_us)
    return revision


def ticket_revisions(connection: Connection) -> dict[int, int]:
    """The revision in force of every candidate whose ticket was issued anew."""
    rows = connection.execute("select candidate_id, max(revision) from ticket_reissue group by candidate_id")
    return dict(tuple(row) for row in rows)
