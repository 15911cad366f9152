"""The goals that every fault is judged by, and one line of the table: fault, expected, seen."""

from dataclasses import dataclass

from evidence.footage import Cause
from exam.clock import SECOND_US
from tests.soak.fault_site import VICTIM, Outage

NOTICED_US, ALARM_US, BOUNDS_US = 5 * SECOND_US, 10 * SECOND_US, SECOND_US // 2
GOP_US = 2 * SECOND_US
RESUME_US = 3 * SECOND_US + GOP_US
__all__ = ["VICTIM", "Seen", "judged"]
OUTAGE = "noticed 5 s, alarm 10 s, back 5 s, bounds 0.5 s, all accounted"


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one fault in one round."""

    fault: str
    expected: str
    seen: str
    is_good: bool


def judged(fault: str, found: Outage, cause: set[Cause], *, lasts_s: float) -> Seen:
    """An outage against the goals; one shorter than a patience need not be noticed before it is over."""
    is_long = lasts_s * SECOND_US > ALARM_US
    is_good = (
        (not is_long or (found.noticed_us is not None and found.noticed_us <= NOTICED_US))
        and (not is_long or (found.alarm_us is not None and found.alarm_us <= ALARM_US))
        and found.resumed_us <= RESUME_US
        and max(abs(found.began_off_us), abs(found.ended_off_us)) <= BOUNDS_US
        and found.unaccounted_us == 0
        and found.disturbed == 0
        and bool(cause & set(found.causes))
    )
    return Seen(fault, f"{OUTAGE}, {'/'.join(sorted(cause))}", found.words(), is_good)
