"""Who comes in by a signed ticket alone: the ticket's holder, on its day, just before a start."""

from datetime import date, time, timedelta

import pytest

from exam.clock import MINUTE_US, site_time
from exam.day import PlaceKind
from exam.outcomes import Outcome
from exam.signed_entry import OPENS_US, judge_ticket
from exam.signed_tickets import SignedTicket, TicketSitting
from tests.world import START_US

DAY = site_time(START_US).date()
FIRST = TicketSitting("T1", time(9, 0), "R1", "第1考场", "12", PlaceKind.SEAT)
SECOND = TicketSitting("P1", time(14, 0), "R9", "实训室", "3", PlaceKind.STATION)
SECOND_US = START_US + 300 * MINUTE_US


def judged(now_us: int, day: date = DAY, *, is_holder: bool = True) -> tuple[Outcome, str]:
    ticket = SignedTicket("SITE-01", "B1", "202611220001", 1, day, b"", (SECOND, FIRST))
    found = judge_ticket(ticket, is_holder=is_holder, now_us=now_us)
    return found.verdict.outcome, "" if found.sitting is None else found.sitting.session_code


@pytest.mark.parametrize(
    ("now_us", "outcome", "session"),
    [
        (START_US - OPENS_US - 1, Outcome.TOO_EARLY, "T1"),
        (START_US - OPENS_US, Outcome.OK_PROVISIONAL, "T1"),
        (START_US - 1, Outcome.OK_PROVISIONAL, "T1"),
        (START_US, Outcome.LATE_REFERRED, "P1"),
        (SECOND_US - OPENS_US, Outcome.OK_PROVISIONAL, "P1"),
        (SECOND_US, Outcome.LATE_REFERRED, "P1"),
    ],
)
def test_the_moment_tells_which_sitting_is_meant(now_us: int, outcome: Outcome, session: str) -> None:
    assert judged(now_us) == (outcome, session)


def test_a_ticket_of_another_day_or_in_other_hands_lets_nobody_in() -> None:
    assert judged(START_US - 1, DAY + timedelta(days=1)) == (Outcome.WRONG_DAY, "T1")
    assert judged(START_US - 1, is_holder=False) == (Outcome.ID_TICKET_MISMATCH, "")
