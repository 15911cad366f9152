"""Documents looked at again at the seat (再次查验证件, 13(3)): a row for each touch, the last one counts."""

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.ledger import LeafKind, append

# Of a row that names session and candidate as `seating`: whether the last look stands.
IS_CHECKED: Final = (
    "coalesce((select not is_taken_back from seat_check where seat_check.session_id = seating.session_id"
    " and seat_check.candidate_id = seating.candidate_id order by seat_check.id desc limit 1), 0)"
)


@dataclass(frozen=True, slots=True)
class SeatCheck:
    """Somebody looked at a candidate's documents at the seat, or takes that back."""

    session_id: int
    candidate_id: int
    account_id: int
    is_taken_back: bool = False


def note_check(connection: Connection, check: SeatCheck, now_us: int) -> bool:
    """Keep it with its leaf. False: it stood so already, and nothing is written."""
    row = connection.execute(
        "select is_taken_back from seat_check where session_id = ? and candidate_id = ?"
        " order by id desc limit 1",
        (check.session_id, check.candidate_id),
    ).fetchone()
    is_checked = row is not None and not row["is_taken_back"]
    if is_checked != check.is_taken_back:
        return False
    kept = connection.execute(
        "insert into seat_check (session_id, candidate_id, is_taken_back, account_id, recorded_at_us)"
        " values (?, ?, ?, ?, ?) returning id as seat_check_id, session_id, candidate_id, is_taken_back,"
        " account_id, recorded_at_us",
        (check.session_id, check.candidate_id, check.is_taken_back, check.account_id, now_us),
    ).fetchone()
    append(connection, LeafKind.SEAT_CHECK, dict(kept), now_us)
    return True
