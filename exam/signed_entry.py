"""Who may come in by a signed ticket alone, at a kiosk that holds the site's key and no roster (13(2)).

Pure. Whoever shows a ticket of today with the ID number for which it was signed is let in provisionally, in
the minutes before the planned start: the kiosk knows no signal, no bar and no later ticket, so the console
judges when the entry is brought (`exam.upload_rules`). After the planned start people decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from exam.admission_facts import Seat, Sitting, Verdict
from exam.clock import MINUTE_US, SITE_ZONE, site_time, to_us
from exam.outcomes import Outcome
from exam.signed_tickets import SignedTicket, TicketSitting

# 考前15分钟组织考生签到入场: what the procedures say that a kiosk without the day part cannot read.
OPENS_US: Final = 15 * MINUTE_US


@dataclass(frozen=True, slots=True)
class TicketVerdict:
    """What a ticket comes to, and the sitting that is meant; None: none of today."""

    verdict: Verdict
    sitting: TicketSitting | None = None


def judge_ticket(ticket: SignedTicket, *, is_holder: bool, now_us: int) -> TicketVerdict:
    """The verdict on a ticket whose signature is good. `is_holder`: the ID number shown is the ticket's."""
    if not is_holder:
        return TicketVerdict(Verdict((Outcome.ID_TICKET_MISMATCH,)))
    starts = sorted(_starts(ticket), key=lambda one: one[0])
    if ticket.day != site_time(now_us).date():
        return _told(Outcome.WRONG_DAY, *starts[0])
    coming = [one for one in starts if now_us < one[0]]
    if not coming:
        return _told(Outcome.LATE_REFERRED, *starts[-1])
    start_us, sitting = coming[0]
    is_open = now_us >= start_us - OPENS_US
    is_begun = len(coming) < len(starts)
    if is_open:
        return _told(Outcome.OK_PROVISIONAL, start_us, sitting)
    # One of today has begun: whether he is late for it or early for the next, a person can tell.
    return _told(Outcome.LATE_REFERRED if is_begun else Outcome.TOO_EARLY, start_us, sitting)


def _starts(ticket: SignedTicket) -> Iterator[tuple[int, TicketSitting]]:
    for sitting in ticket.sittings:
        yield to_us(datetime.combine(ticket.day, sitting.starts, SITE_ZONE)), sitting


def _told(outcome: Outcome, start_us: int, sitting: TicketSitting) -> TicketVerdict:
    """The console's numbers of candidate, session and place are not known here: 0."""
    when = Sitting(0, 0, start_us, 0, OPENS_US, late_cutoff_us=None)
    return TicketVerdict(Verdict((outcome,), seat=Seat(0, 0, when)), sitting)
