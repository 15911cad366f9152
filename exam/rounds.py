"""The roving list (巡视清单): which rooms a person must visit now, the most urgent first, and why (rule A-6).

Pure. What is wrong in a room comes from `exam.errands`; a room whose next signal is near comes before one
that has time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from exam.clock import MINUTE_US

# A device that is out of order matters once a signal is this near.
NEAR_US: Final = 60 * MINUTE_US


class Errand(IntEnum):
    """Why somebody must go there; the smaller the more urgent."""

    # A start or stop was not given, or nobody heard it: a hand bell, now.
    GIVE_SIGNAL = 1
    # Evacuation, correction or resumption that nobody heard: say it aloud.
    SAY_CALL = 2
    # Extended station whose time is over.
    STOP_STATION = 3
    # Another announcement was not given or not heard: say it aloud.
    SAY_ALOUD = 4
    # No player there would sound the next signal.
    NO_SOUND = 5
    # A player would sound, but something is wrong with it.
    LOOK_AT_PLAYER = 6


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing to do in a room. `about` is the cue's code, or what is wrong; `since_us` None: unknown."""

    errand: Errand
    about: str
    since_us: int | None


@dataclass(frozen=True, slots=True)
class Visit:
    """A room to go to. `next_us`: when its next signal is due; None: none is ahead."""

    session_id: int
    room_id: int
    reasons: tuple[Reason, ...]
    next_us: int | None

    @property
    def urgency(self) -> Errand:
        """The worst of its reasons."""
        return min(one.errand for one in self.reasons)


def rounds(rooms: Iterable[Visit], now_us: int) -> list[Visit]:
    """The rooms to visit, in order. A device out of order can wait while its next signal is far."""
    kept = [visit for one in rooms for visit in [pressing(one, now_us)] if visit.reasons]
    return sorted(kept, key=lambda one: (one.urgency, one.next_us is None, one.next_us or 0, _since(one)))


def pressing(one: Visit, now_us: int) -> Visit:
    """The room with what matters now, the worst first."""
    is_near = one.next_us is not None and one.next_us - now_us <= NEAR_US
    kept: Sequence[Reason] = [
        reason
        for reason in one.reasons
        if reason.errand not in {Errand.NO_SOUND, Errand.LOOK_AT_PLAYER} or is_near
    ]
    ordered = tuple(sorted(kept, key=lambda reason: (reason.errand, reason.since_us or 0)))
    return Visit(one.session_id, one.room_id, ordered, one.next_us)


def _since(one: Visit) -> int:
    return min((reason.since_us for reason in one.reasons if reason.since_us is not None), default=0)
