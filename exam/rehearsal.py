"""A rehearsal of a day's signals: the whole day in minutes, with the real players (domain rule A-8).

Pure. Between signals time leaps; around each it runs as it will on the day, so that everything that has to
happen in time (measuring, fetching, sounding, reporting) happens in true time.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.cues import RoomCue
from exam.players import AWAY_US, PlayerState
from exam.procedure import Trigger

# True time before each signal: players notice a leap within two exchanges and must fetch their schedule.
LEAD_US: Final = 15 * SECOND_US
# Before what is only shown, on a proctor's tablet: nobody has to measure.
SILENT_LEAD_US: Final = 2 * SECOND_US
# A leap that would save less than this is not worth the measuring of all clocks.
LEAST_LEAP_US: Final = 10 * SECOND_US
# How long after a sound its report may take: the end is told with the next look.
REPORT_US: Final = 8 * SECOND_US
# A player follows a leap when its clock, measured anew, has come as far as the console's.
FOLLOWED_US: Final = 2 * SECOND_US
# No rehearsal so shortly before a session that is real, or after its end.
KEEP_OFF_US: Final = 120 * MINUTE_US
# A rehearsal speaks for the day when it is no older than this.
LASTS_US: Final = 7 * 24 * 60 * MINUTE_US

_PRESSED: Final = frozenset({Trigger.ASSESSOR_PRESS, Trigger.CHAIR_PRESS})


class Became(StrEnum):
    """What became of a signal in one room."""

    # A player reported that it sounded.
    HEARD = "heard"
    # The console gave it, and no player reported that it sounded.
    SILENT = "silent"
    # The console did not give it in time.
    MISSED = "missed"
    # The rehearsal ended before.
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class RehearsedSignal:
    """One signal in one room. `late_us`: the player that was latest; None where none sounded.

    `trouble`: what players reported instead of a sound, a word of the contract; empty: nothing.
    """

    session: str
    room: str
    cue: str
    title: str
    sounds_at_us: int
    became: Became
    late_us: int | None = None
    players: int = 0
    trouble: str = ""

    @property
    def had_turn(self) -> bool:
        """Whether the rehearsal came to it."""
        return self.became is not Became.NOT_REACHED

    @property
    def has_failed(self) -> bool:
        """Whether it had its turn and was not heard."""
        return self.became in {Became.SILENT, Became.MISSED}


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A rehearsal as a whole: true moments of its begin and end, and every signal of every room."""

    exam_day: str
    began_at_us: int
    ended_at_us: int
    signals: tuple[RehearsedSignal, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every signal had its turn."""
        return all(one.had_turn for one in self.signals)

    @property
    def failed(self) -> tuple[RehearsedSignal, ...]:
        """Signals that had their turn and were not heard."""
        return tuple(one for one in self.signals if one.has_failed)


@dataclass(frozen=True, slots=True)
class Sounded:
    """What one player reported of one signal; `started_at_us` is None when nothing sounded."""

    started_at_us: int | None
    error: str


def may_come(one: RoomCue) -> bool:
    """Whether nothing stands against this cue, heard or only shown."""
    return not (one.is_void or one.is_held)


def is_rehearsed(one: RoomCue) -> bool:
    """Whether a rehearsal lets this cue sound."""
    return one.cue.is_audible and may_come(one)


def next_moment(cues: Iterable[RoomCue], after_us: int) -> int | None:
    """When the next cues come that nothing became of yet, heard or not; None: the day is over."""
    coming = (one.planned_at_us for one in cues if may_come(one) and one.outcome is None)
    return min((moment for moment in coming if moment > after_us), default=None)


def next_sound(cues: Iterable[RoomCue], after_us: int) -> int | None:
    """The next of those moments at which something is heard."""
    return next_moment((one for one in cues if is_rehearsed(one)), after_us)


def pressed_at(cues: Iterable[RoomCue], moment_us: int) -> list[RoomCue]:
    """The signals of that moment that a person gives on the day, and the rehearsal in that person's place."""
    return [
        one
        for one in cues
        if one.planned_at_us == moment_us and one.cue.trigger in _PRESSED and one.outcome is None
    ]


def leap_us(now_us: int, moment_us: int, lead_us: int = LEAD_US) -> int:
    """How much time can be left out so that `lead_us` are left before that moment."""
    spare_us = moment_us - lead_us - now_us
    return spare_us if spare_us >= LEAST_LEAP_US else 0


def not_followed(
    before: Sequence[PlayerState], now: Sequence[PlayerState], leapt_us: int, leapt_at_us: int
) -> list[PlayerState]:
    """The players that were there and have not measured the time anew since the leap.

    `leapt_at_us` is the rehearsed moment after it. A player's clock minus the console's falls by the leap.
    """
    known = {(one.room_id, one.player): one for one in now}
    there = [one for one in before if leapt_at_us - leapt_us - one.seen_at_us <= AWAY_US]
    return [
        one
        for one in there
        if not _follows(one, known.get((one.room_id, one.player), one), leapt_us, leapt_at_us)
    ]


def _follows(before: PlayerState, after: PlayerState, leapt_us: int, leapt_at_us: int) -> bool:
    if after.seen_at_us < leapt_at_us or after.offset_us is None:
        return False
    if before.offset_us is None:
        return True
    return abs(before.offset_us - leapt_us - after.offset_us) <= FOLLOWED_US


def became_of(
    one: RoomCue, sounds_at_us: int, reports: Collection[Sounded]
) -> tuple[Became, int | None, str]:
    """What became of the signal, how late the latest player was, and what players said instead."""
    if one.outcome is None:
        return Became.NOT_REACHED, None, ""
    starts = [report.started_at_us for report in reports if report.started_at_us is not None]
    trouble = next((report.error for report in reports if report.error), "")
    if starts:
        return Became.HEARD, max(starts) - sounds_at_us, trouble
    return (Became.MISSED if one.outcome.is_missed else Became.SILENT), None, trouble
