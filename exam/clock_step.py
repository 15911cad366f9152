"""What to do when the machine's clock is set while the console runs (domain rule A-3).

Pure. The console tells the time by elapsed time (`exam.clock.SteadyClock`); this says when the machine's
own clock is followed, when it is taken over by rule, and when the site lead must say which is right. A
session that is on goes by elapsed time until he has.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import SECOND_US

# Less than this is noise between two readings, or a slow adjustment.
NOTED_US: Final = SECOND_US // 10
# More than this is asked, and never followed by itself while a session is on.
ASKED_US: Final = SECOND_US
# Nobody is examined, and yet: a clock this far back is a dead battery rather than a correction.
FAR_BACK_US: Final = 24 * 3600 * SECOND_US
# A small difference is followed by a thousandth of the time that passes: nobody hears that. Ahead only while
# nobody is examined: an end that hangs on a start before would come early by as much.
FOLLOWED_PART: Final = 1000


def can_adopt(apart_us: int) -> bool:
    """Whether the machine's time may be taken over: never one so far back that it is a dead battery's."""
    return apart_us >= -FAR_BACK_US


class StepChoice(StrEnum):
    """What became of a step of the machine's clock."""

    # The console took the machine's time over; everything recorded before is read shifted.
    ADOPTED = "adopted"
    # Up to a second: the console's clock moves there slowly.
    FOLLOWED = "followed"
    # The console goes on by its own time; the machine's clock is wrong.
    KEPT = "kept"
    # Somebody set the machine's clock right again.
    AGREES_AGAIN = "agrees_again"


@dataclass(frozen=True, slots=True)
class LastStep:
    """The latest step on record: how far the machine was ahead, and what became of it; None: still open."""

    id: int
    apart_us: int
    choice: StepChoice | None

    @property
    def expected_us(self) -> int:
        """How far apart the clocks are allowed to be: as the open question, or the decision to keep, says."""
        return self.apart_us if self.choice in {None, StepChoice.KEPT} else 0


class ClockAct(StrEnum):
    """What the console does about its clock now."""

    NOTHING = "nothing"
    FOLLOW = "follow"
    # A new step: the site lead is asked.
    ASK = "ask"
    # A new step, and nobody is examined: the machine's time is taken over.
    ADOPT = "adopt"
    # The clocks agree again: the open question, or the decision to keep, is over.
    AGREE = "agree"


def judge_apart(apart_us: int, last: LastStep | None, *, is_live: bool) -> ClockAct:
    """What to do while the machine's clock is so far ahead (negative: behind). `is_live`: a session is on."""
    expected_us = last.expected_us if last else 0
    if expected_us and abs(apart_us) <= NOTED_US:
        return ClockAct.AGREE
    if expected_us and abs(apart_us - expected_us) <= ASKED_US:
        return ClockAct.NOTHING
    if not expected_us and abs(apart_us) <= NOTED_US:
        return ClockAct.FOLLOW if apart_us else ClockAct.NOTHING
    if not expected_us and abs(apart_us) <= ASKED_US:
        return ClockAct.NOTHING if is_live and apart_us > 0 else ClockAct.FOLLOW
    return ClockAct.ASK if is_live or apart_us < -FAR_BACK_US else ClockAct.ADOPT


def followed_us(apart_us: int, passed_us: int) -> int:
    """How far the clock moves towards the machine's in this time."""
    most_us = max(0, passed_us) // FOLLOWED_PART
    return max(-most_us, min(most_us, apart_us))


@dataclass(frozen=True, slots=True)
class KeptClock:
    """How the console told the time when last looked at, and how far ahead the machine's clock was then."""

    boot_id: str
    offset_us: int
    apart_us: int
    kept_at_us: int
    # The name under which rooms knew it.
    name: str = ""


def first_offset_us(kept: KeptClock | None, boot_id: str, wall_us: int, boottime_us: int) -> int:
    """By what a console that starts tells the time: wall time minus time since boot.

    In the same boot it goes on as before. After a restart of the machine its clock is believed as far as it
    was before; never does time go back behind what was seen already (a dead battery on the board).
    """
    if kept is None:
        return wall_us - boottime_us
    if kept.boot_id == boot_id:
        return kept.offset_us
    candidates = (wall_us - kept.apart_us, wall_us, kept.kept_at_us)
    return next(each for each in candidates if each >= kept.kept_at_us) - boottime_us
