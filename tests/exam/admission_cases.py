"""The people, sittings and requests of the admission tables, and how one case is judged."""

from dataclasses import dataclass, replace

from exam.admission import (
    AdmissionRequest,
    Admitted,
    Facts,
    Known,
    Outcome,
    Policy,
    Seat,
    Sitting,
    Verdict,
    judge,
)
from exam.clock import MINUTE_US
from exam.day import SessionKind
from exam.identity import DocumentType
from tests.world import START_US, invented_number

NUMBER = invented_number(1)
DAY_US = 24 * 60 * MINUTE_US
POLICY = Policy()
ROOM, OTHER_ROOM = 1, 2
KIOSK, OTHER_KIOSK = 11, 12

THEORY = Sitting(
    session_id=1,
    room_id=ROOM,
    planned_start_us=START_US,
    duration_us=90 * MINUTE_US,
    check_in_opens_us=15 * MINUTE_US,
    late_cutoff_us=30 * MINUTE_US,
)
# As in the procedure: practical T-15, review T-20, and nobody but people decides who is too late.
PRACTICAL = replace(
    THEORY,
    session_id=2,
    planned_start_us=START_US + 240 * MINUTE_US,
    late_cutoff_us=None,
    kind=SessionKind.PRACTICAL,
)
REVIEW = replace(PRACTICAL, session_id=3, check_in_opens_us=20 * MINUTE_US, kind=SessionKind.REVIEW)
STARTED = replace(THEORY, started_at_us=START_US)

WHO = Known(7, DocumentType.ID_CARD, is_blocked=False)
SOMEBODY_ELSE = Known(8, DocumentType.ID_CARD, is_blocked=False)
ASK = AdmissionRequest("992600000001", NUMBER, KIOSK)


def facts(*sittings: Sitting, admission: Admitted | None = None, known: Known = WHO) -> Facts:
    """Facts in which both documents name one person who sits these sittings."""
    return Facts(
        ticket_forms=("9926[0-9]{8}",),
        by_ticket=(known,),
        by_id_number=(known,),
        seats=tuple(Seat(known.candidate_id, 100, sitting, admission) for sitting in sittings),
        sittings_here=sittings,
    )


@dataclass(frozen=True)
class Case:
    name: str
    facts: Facts
    reasons: tuple[Outcome, ...]
    minute: float = -10
    asked: AdmissionRequest = ASK
    policy: Policy = POLICY


def in_at(minute: float, kiosk_id: int = KIOSK) -> Admitted:
    return Admitted(kiosk_id, START_US + round(minute * MINUTE_US))


PASSPORT_HOLDER = Known(7, DocumentType.PASSPORT, is_blocked=False)
BARRED = Known(7, DocumentType.ID_CARD, is_blocked=True)
AT_ROOM = replace(ASK, kiosk_rooms=frozenset({ROOM}))
AT_OTHER_ROOM = replace(ASK, kiosk_rooms=frozenset({OTHER_ROOM}))
BAD_NUMBER = NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")
ANOTHER_DAY = replace(THEORY, planned_start_us=START_US + DAY_US)
EMPTY = Facts((), (), (), (), ())


def judged(case: Case) -> Verdict:
    return judge(case.asked, case.facts, case.policy, START_US + round(case.minute * MINUTE_US))
