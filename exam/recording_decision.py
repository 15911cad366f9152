"""Whether the cameras of a room record now, until when, and why (R16, recorders.md F28).

Pure. What is owed comes from the sessions (`exam.recording_schedule`), from the exam day where a room
belongs to no session, and from people: the mode of a room, starting and stopping by hand. Stopping by
hand never takes anything off what is owed: the time becomes a gap with a cause.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from exam.clock import MINUTE_US, SITE_ZONE, site_time, to_us
from exam.day import RoomKind
from exam.recording_schedule import Schedule

# Cameras connect this much before the first owed second, so that it is on the first picture.
LEAD_US: Final = MINUTE_US
# After every moment that databases can hold: an interval whose end nobody has decided.
NEVER_US: Final = 1 << 62

# Papers lie here also at night: the whole exam day (R16: full time in every secure and handling room).
_WHOLE_DAY: Final = frozenset({RoomKind.SECURE_ROOM, RoomKind.EXAM_OFFICE})
# People pass through these while any session of the day is on.
_WHILE_SESSIONS: Final = frozenset({RoomKind.CHECK_IN, RoomKind.BELONGINGS_AREA, RoomKind.WAITING_ROOM})


class RecordingMode(StrEnum):
    """What decides when a room is recorded."""

    SCHEDULE = "schedule"
    ALL_DAY = "all_day"
    MANUAL = "manual"


class HandAct(StrEnum):
    """What a person ordered for a room."""

    START = "start"
    STOP = "stop"


class Ground(StrEnum):
    """Why footage is owed."""

    SESSION = "session"
    EXAM_DAY = "exam_day"
    ALL_DAY = "all_day"
    BY_HAND = "by_hand"


class RoomRecording(StrEnum):
    """What the cameras of a room should be doing."""

    RECORD = "record"
    STAND_BY = "stand_by"
    # Footage is owed, and a person has ordered not to record.
    HELD = "held"


@dataclass(frozen=True, slots=True)
class ModeChange:
    """The mode of a room from a moment on; None goes back to the site's mode."""

    mode: RecordingMode | None
    at_us: int


@dataclass(frozen=True, slots=True)
class HandOrder:
    """Recording of a room started or stopped by a person."""

    act: HandAct
    at_us: int


@dataclass(frozen=True, slots=True)
class RoomOrders:
    """Everything people decided about one room, each list oldest first."""

    site_modes: Sequence[ModeChange] = ()
    room_modes: Sequence[ModeChange] = ()
    by_hand: Sequence[HandOrder] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """A stretch in which people ordered no recording."""

    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Owed:
    """An interval in which a room's cameras owe footage, and the stretches of it that people held back.

    `until_us` is NEVER_US while nobody has decided the end. Cameras go on until `kept_until_us`.
    """

    from_us: int
    until_us: int
    ground: Ground
    kept_until_us: int = 0
    is_overdue: bool = False
    holds: tuple[Hold, ...] = ()

    def contains(self, moment_us: int) -> bool:
        """Whether the moment is owed."""
        return self.from_us <= moment_us < self.until_us

    def is_held(self, moment_us: int) -> bool:
        """Whether people ordered no recording at that moment."""
        return any(hold.from_us <= moment_us < hold.until_us for hold in self.holds)

    def is_wanted(self, moment_us: int) -> bool:
        """Whether cameras should be connected: some time before, and to the end of the tail."""
        is_near = self.from_us - LEAD_US <= moment_us < max(self.until_us, self.kept_until_us)
        return is_near and not self.is_held(moment_us)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the cameras of a room should do at one moment.

    `until_us`: the end of what is owed, None when nobody has decided it; while standing by, when recording
    begins again, None when nothing is ahead.
    """

    state: RoomRecording
    until_us: int | None
    ground: Ground | None = None
    is_overdue: bool = False


def owed_for_session(one: Schedule) -> Owed:
    """What a room owes because a session sits in it."""
    until_us = NEVER_US if one.is_open_ended else one.until_us
    return Owed(one.from_us, until_us, Ground.SESSION, one.kept_until_us, one.is_overdue)


def owed_for_exam_day(kind: RoomKind, sessions: Iterable[Owed]) -> tuple[Owed, ...]:
    """What a room owes that belongs to no session, on the days of these sessions (adr/0008)."""
    if kind in _WHOLE_DAY:
        days = sorted({_midnight(one.from_us) for one in sessions})
        return tuple(Owed(to_us(day), to_us(day + timedelta(days=1)), Ground.EXAM_DAY) for day in days)
    if kind not in _WHILE_SESSIONS:
        return ()
    return tuple(_joined(Owed(one.from_us, one.until_us, Ground.EXAM_DAY) for one in sessions))


def owed_for_whole_days(from_us: int, until_us: int) -> Owed:
    """The exam days that an interval touches, from midnight to midnight."""
    return Owed(to_us(_midnight(from_us)), to_us(_midnight(until_us) + timedelta(days=1)), Ground.EXAM_DAY)


def owed_by_room(planned: Iterable[Owed], orders: RoomOrders) -> tuple[Owed, ...]:
    """Everything a room owes, earliest first, with what people ordered about it."""
    modes = _modes(orders)
    base = [*planned, *(Owed(a, b, Ground.ALL_DAY) for mode, a, b in modes if mode is RecordingMode.ALL_DAY)]
    held = [_with_holds(one, modes, orders.by_hand) for one in base]
    return tuple(sorted([*held, *_by_hand(held, orders.by_hand)], key=lambda one: one.from_us))


def decide(owed: Sequence[Owed], now_us: int) -> Decision:
    """What the room's cameras should do now. Recording for any reason wins over standing by."""
    wanted = [one for one in owed if one.is_wanted(now_us)]
    if wanted:
        last = max(wanted, key=lambda one: one.until_us)
        is_overdue = any(one.is_overdue for one in wanted)
        return Decision(RoomRecording.RECORD, _known(last.until_us), last.ground, is_overdue)
    held = [one for one in owed if one.contains(now_us)]
    if held:
        return Decision(RoomRecording.HELD, _known(max(one.until_us for one in held)), held[0].ground)
    ahead = next((one for one in owed if one.from_us > now_us), None)
    return Decision(
        RoomRecording.STAND_BY, None if ahead is None else ahead.from_us, ahead.ground if ahead else None
    )


def owed_spans(owed: Iterable[Owed], until_us: int) -> list[tuple[int, int]]:
    """Everything owed up to a moment, without overlap, whatever the reason."""
    joined = _joined(one for one in owed if one.from_us < until_us)
    return [(one.from_us, min(one.until_us, until_us)) for one in joined]


def _known(moment_us: int) -> int | None:
    return None if moment_us >= NEVER_US else moment_us


def _midnight(moment_us: int) -> datetime:
    return datetime.combine(site_time(moment_us).date(), datetime.min.time(), SITE_ZONE)


def _joined(parts: Iterable[Owed]) -> Iterator[Owed]:
    """Parts that overlap or touch, as one."""
    whole: Owed | None = None
    for part in sorted(parts, key=lambda one: one.from_us):
        if whole is not None and part.from_us <= whole.until_us:
            whole = replace(whole, until_us=max(whole.until_us, part.until_us))
            continue
        if whole is not None:
            yield whole
        whole = part
    if whole is not None:
        yield whole


def _modes(orders: RoomOrders) -> list[tuple[RecordingMode, int, int]]:
    """The mode that held in the room, stretch by stretch: the room's own, else the site's."""
    moments = sorted({0, NEVER_US, *(one.at_us for one in (*orders.site_modes, *orders.room_modes))})
    found = []
    for from_us, until_us in pairwise(moments):
        own, site = _last(orders.room_modes, from_us), _last(orders.site_modes, from_us)
        found.append((own or site or RecordingMode.SCHEDULE, from_us, until_us))
    return found


def _last(changes: Sequence[ModeChange], moment_us: int) -> RecordingMode | None:
    return next((one.mode for one in reversed(changes) if one.at_us <= moment_us), None)


def _with_holds(
    one: Owed, modes: Iterable[tuple[RecordingMode, int, int]], by_hand: Sequence[HandOrder]
) -> Owed:
    holds = [
        *(
            Hold(a, b)
            for mode, a, b in modes
            if mode is RecordingMode.MANUAL and one.ground is not Ground.ALL_DAY
        ),
        # A stop by hand is about what is on at that moment, never about what comes later.
        *(hold for hold in _stops(by_hand) if one.contains(hold.from_us)),
    ]
    cut = (Hold(max(hold.from_us, one.from_us), min(hold.until_us, one.until_us)) for hold in holds)
    return replace(one, holds=tuple(hold for hold in cut if hold.from_us < hold.until_us))


def _stops(by_hand: Sequence[HandOrder]) -> Iterator[Hold]:
    for at, order in enumerate(by_hand):
        if order.act is HandAct.STOP:
            later = (one.at_us for one in by_hand[at + 1 :] if one.act is HandAct.START)
            yield Hold(order.at_us, next(later, NEVER_US))


def _by_hand(planned: Sequence[Owed], by_hand: Sequence[HandOrder]) -> Iterator[Owed]:
    """Starts that did not just end a stop, each until the next stop."""
    ends_us = NEVER_US
    for order in reversed(by_hand):
        if order.act is HandAct.STOP:
            ends_us = order.at_us
        elif not any(one.contains(order.at_us) and not one.is_held(order.at_us) for one in planned):
            yield Owed(order.at_us, ends_us, Ground.BY_HAND)
