"""By what the console tells the time after its machine restarted while an exam hangs on it (domain rule A-3).

Pure. A restart ends the elapsed time that the console goes by, and the clock on the board may have been set
meanwhile, or be dead. The players in the rooms went on: what they hold the console's time to be is that
time. Until one of them tells it, or a person says what time it is, nothing may hang on the clock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US, site_time, to_us
from exam.clock_step import KeptClock
from exam.course import SessionCourse
from exam.day import Session
from exam.players import CLOCK_LIMIT_US, MAY_RING_US
from exam.presses import is_going_on
from exam.server_time import KnownTime

# After the first word of a room the others get this long: the middle of all counts.
GATHER_US: Final = 3 * SECOND_US // 2
# Who knows the time no better has no word: rooms' reports must still fit the plan by the time that is told.
SURE_US: Final = SECOND_US // 5
# A console that was away for longer during an exam is no restart any more.
LONGEST_US: Final = 12 * 60 * MINUTE_US
# Words that differ by more contradict one another: none is longer on its way, or wrong by more.
AGREED_US: Final = 4 * SECOND_US


class TimeSource(StrEnum):
    """Who told the console what time it is."""

    ROOMS = "rooms"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Word:
    """What a room's player told: the console's time minus the machine's time since boot, and how wrong."""

    offset_us: int
    error_us: int


@dataclass(frozen=True, slots=True)
class Settled:
    """By whose word the console goes on, and how many words of players were heard.

    `apart_us`: how far the machine's own clock is ahead of that time; negative: behind.
    """

    source: TimeSource
    words: int
    apart_us: int
    account_id: int | None = None


def hangs_on_time(course: SessionCourse, kept_at_us: int) -> bool:
    """Whether an exam hung on the time when the console was last seen.

    It was going on, or rooms may have begun it by themselves since.
    """
    may_begin = 0 <= course.session.planned_start_us - kept_at_us <= MAY_RING_US
    return (is_armed(course.session) and may_begin) or is_going_on(course, kept_at_us)


def may_hang_on_time(session: Session, kept_at_us: int) -> bool:
    """The same of a session whose procedure cannot be read just now, to be on the safe side."""
    from_us = session.planned_start_us - MAY_RING_US
    until_us = session.planned_start_us + session.duration_us + MAY_RING_US
    return is_armed(session) and from_us <= kept_at_us <= until_us


def is_armed(session: Session) -> bool:
    """Whether its rooms hold its signals."""
    return session.armed_at_us is not None and session.cancelled_at_us is None


def read_word(kept: KeptClock, told: KnownTime, boottime_us: int) -> Word | None:
    """The word of a player that arrived at this time since boot; None: it cannot be what is sought.

    It must be of the clock by which the console told the time, known well, and not from before the console
    was last seen: a tablet that stood still meanwhile tells an old moment. Nor from long after.
    """
    word = Word(told.now_us - boottime_us, told.error_us)
    is_ours = bool(kept.name) and told.clock == kept.name
    # Time since boot proves nothing here: it may be another machine, with the files of the first.
    is_possible = -CLOCK_LIMIT_US <= told.now_us - kept.kept_at_us <= LONGEST_US
    return word if is_ours and is_possible and told.error_us <= SURE_US else None


def told_by_rooms(words: Collection[Word]) -> int | None:
    """The console's time minus time since boot, by the rooms' words: surely not ahead of it.

    One word for each player, its quickest. Each says from when on the time is, and may be late: of those that
    agree the middle counts, so that no single one, late or ahead, moves it. No end comes early, and late by
    milliseconds. Words that contradict one another are settled by the greater number; None: there is none.
    """
    groups = [_agreeing(one, words) for one in words]
    most = max((len(group) for group in groups), default=0)
    found = {_middle(group) for group in groups if len(group) == most}
    return found.pop() if len(found) == 1 else None


def _middle(group: Sequence[Word]) -> int:
    """Of two the earlier."""
    return sorted(one.offset_us - one.error_us for one in group)[(len(group) - 1) // 2]


def _agreeing(latest: Word, words: Collection[Word]) -> list[Word]:
    """Those that are not contradicted by this one, were it the latest of them."""
    return [one for one in words if 0 <= latest.offset_us - one.offset_us <= AGREED_US]


def told_by_person(time_of_day: time, kept_at_us: int) -> int | None:
    """The first moment after the console was last seen at which a watch of the site shows this.

    None: that would be more than half a day later; whoever read the watch should look again.
    """
    seen = site_time(kept_at_us)
    moment = datetime.combine(seen.date(), time_of_day, seen.tzinfo)
    if moment < seen.replace(microsecond=0):
        moment += timedelta(days=1)
    moment_us = max(kept_at_us, to_us(moment))
    return moment_us if moment_us - kept_at_us <= LONGEST_US else None
