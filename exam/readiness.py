"""Whether the site is ready for an exam day: a line for everything it needs, with who and when (Arts. 11-13).

Pure values and a few rules. What a clock, a camera or a disk must be like is decided elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, site_time
from exam.day import Room, RoomKind, Session

# What a person found of the printer counts for so long.
PRINTER_LASTS_US: Final = 48 * 60 * MINUTE_US


class Topic(StrEnum):
    """What an exam day needs."""

    CLOCKS = "clocks"
    SOUND = "sound"
    CAMERAS = "cameras"
    DISKS = "disks"
    PRINTER = "printer"
    SPARE_ROOM = "spare_room"
    REHEARSAL = "rehearsal"


class LineState(StrEnum):
    """How it stands with it."""

    READY = "ready"
    # Good enough, with something that people should know or do on the day.
    NOTED = "noted"
    # Somebody has to do something before the exam.
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ReadinessLine:
    """One thing, in words as people read it.

    `subject`: the room it is about; empty: the whole site. `by`, `at_us`: who found it, and when; empty and
    None where no person did. `next_step`: empty when nothing is to be done.
    """

    topic: Topic
    subject: str
    state: LineState
    found: str
    by: str = ""
    at_us: int | None = None
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class LineGroup:
    """Rooms of which the same was found, with the same next step; or one line alone."""

    lines: tuple[ReadinessLine, ...]

    @property
    def first(self) -> ReadinessLine:
        """For what is the same in all of them."""
        return self.lines[0]

    @property
    def subjects(self) -> list[str]:
        """The rooms; empty where it is about the whole site."""
        return [one.subject for one in self.lines if one.subject]

    @property
    def people(self) -> list[str]:
        """Everybody who found it, each once."""
        return list(dict.fromkeys(one.by for one in self.lines if one.by))

    @property
    def found_us(self) -> tuple[int, ...]:
        """When it was found: the earliest and the latest moment, one where they are the same."""
        moments = {one.at_us for one in self.lines if one.at_us is not None}
        return tuple(sorted({min(moments), max(moments)})) if moments else ()


def next_exam_day(sessions: Iterable[Session], today: date) -> date | None:
    """The first day from today on that has a session; None when there is none."""
    days = (day_of(one) for one in sessions if one.cancelled_at_us is None)
    return min((day for day in days if day >= today), default=None)


def day_of(session: Session) -> date:
    """The session's day at the site."""
    return site_time(session.planned_start_us).date()


def spare_rooms(rooms: Iterable[Room], sessions: Iterable[Session]) -> list[Room]:
    """The contingency halls (应急考场) in which none of these sessions is planned to sit (R21)."""
    taken = {room_id for one in sessions for room_id in one.room_ids}
    return [room for room in rooms if room.kind is RoomKind.CONTINGENCY_HALL and room.id not in taken]


def is_spare_room_large_enough(spare: Iterable[int], seated: Iterable[int]) -> bool:
    """Whether the people of the fullest room have a place in one of the spare rooms."""
    return max(spare, default=0) >= max(seated, default=0)


def grouped(lines: Iterable[ReadinessLine]) -> list[LineGroup]:
    """Lines that say the same of several rooms stand together, where the first of them stands."""
    together: dict[tuple[str, ...], list[ReadinessLine]] = {}
    for one in lines:
        together.setdefault((one.topic, one.state, one.found, one.next_step), []).append(one)
    return [LineGroup(tuple(found)) for found in together.values()]


def open_lines(lines: Iterable[ReadinessLine]) -> list[ReadinessLine]:
    """What somebody has to do something about."""
    return [one for one in lines if one.state is LineState.OPEN]
