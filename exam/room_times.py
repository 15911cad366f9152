"""T0, TE and the end of a room, and of its extended stations: every rule about time hangs off them (R9).

Pure. The end is the actual start plus the working time, plus what was given back: interruptions by
evacuation (at once, until somebody decides otherwise), delays (by their rule), grants (by the site lead).
"""

from dataclasses import dataclass
from typing import Final

from exam.clock import MINUTE_US
from exam.course import Delay, Loss, SessionCourse
from exam.day import Session
from exam.delays import Extension, Stretch, extension, room_stretches, union
from exam.procedure import Signal
from exam.room_signals import Interruption, RoomSignals, room_signals

# After an interruption the end is a full minute, never earlier than owed: it has to be said aloud.
SPOKEN_US: Final = MINUTE_US


@dataclass(frozen=True, slots=True)
class StationTimes:
    """A station whose end is later than its room's. `ends_at_us` is None while its delay lasts."""

    place_id: int
    ends_at_us: int | None
    stopped_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class RoomTimes:
    """The actual start (T0) and stop (TE) of one room, None until given there, and the end that is due.

    `ends_at_us` is None before the start. `is_held`: the room stands still (evacuated, or delayed as a
    whole), so that no signal may sound and its end is not known. `extended` are stations that go on.
    """

    started_at_us: int | None = None
    stopped_at_us: int | None = None
    ends_at_us: int | None = None
    is_held: bool = False
    extended: tuple[StationTimes, ...] = ()

    @property
    def going_on(self) -> tuple[StationTimes, ...]:
        """The extended stations that were stopped neither alone nor by a room-wide stop after their end."""
        return tuple(one for one in self.extended if not self._is_stopped(one))

    @property
    def finished_at_us(self) -> int | None:
        """When the last one in the room stopped; None while anybody still may work."""
        if self.stopped_at_us is None or self.going_on:
            return None
        stops = [one.stopped_at_us for one in self.extended if one.stopped_at_us is not None]
        return max([self.stopped_at_us, *stops])

    def _is_stopped(self, one: StationTimes) -> bool:
        if one.stopped_at_us is not None:
            return True
        stopped_at_us = self.stopped_at_us
        return stopped_at_us is not None and one.ends_at_us is not None and one.ends_at_us <= stopped_at_us


def room_times(course: SessionCourse, room_id: int) -> RoomTimes:
    """The room's T0, TE and end: emitted moments, never planned ones (R9)."""
    return times_of(course, room_id, room_signals(course.procedure, course.announced_in(room_id)))


def times_of(course: SessionCourse, room_id: int, signals: RoomSignals) -> RoomTimes:
    """The same, where the room's signals are known already."""
    stopped_at_us = signals.stop.emitted_at_us if signals.stop else None
    started_at_us = signals.start.emitted_at_us if signals.start else None
    if started_at_us is None:
        return RoomTimes(None, stopped_at_us, None, is_held=_is_evacuated(signals))
    going = _Going(course, room_id, signals, started_at_us)
    whole = going.extension(None)
    base_us = going.end_without_delays_us()
    return RoomTimes(
        started_at_us,
        stopped_at_us,
        base_us + whole.counted_us,
        is_held=_is_evacuated(signals) or (whole.is_open and stopped_at_us is None),
        extended=going.extended(base_us, whole),
    )


def standstills(course: SessionCourse, room_id: int, signals: RoomSignals) -> list[Stretch]:
    """When the whole room could not work, in order: evacuations and its delays that are over."""
    evacuated = [(one.from_us, one.until_us) for one in signals.interruptions if one.until_us is not None]
    delayed = room_stretches(one for one in course.delays if one.room_id == room_id)
    return union([*evacuated, *delayed])


def planned_end_us(session: Session, times: RoomTimes) -> int:
    """When the room's end is due, or would be if it started as planned."""
    return session.planned_start_us + session.duration_us if times.ends_at_us is None else times.ends_at_us


def interrupted_us(one: Interruption, from_us: int) -> int:
    """How much working time an interruption that is over took in a room that started at `from_us`."""
    return 0 if one.until_us is None else max(0, one.until_us - max(one.from_us, from_us))


def loss_of(room_id: int, one: Interruption) -> Loss | None:
    """The interruption as a loss that people decide about; None while it lasts."""
    if one.resumed is None:
        return None
    return Loss(room_id, one.resumed.cue_code, one.resumed.occurrence)


def _is_evacuated(signals: RoomSignals) -> bool:
    return any(one.resumed is None for one in signals.interruptions)


@dataclass(frozen=True, slots=True)
class _Going:
    """One room of a session after its start."""

    course: SessionCourse
    room_id: int
    signals: RoomSignals
    started_at_us: int

    def end_without_delays_us(self) -> int:
        """Start, working time, what the site lead granted and what interruptions give back."""
        given_us = self._interrupted_us()
        end_us = self.started_at_us + self.course.session.duration_us + self._granted_us() + given_us
        return -(-end_us // SPOKEN_US) * SPOKEN_US if given_us else end_us

    def extension(self, place_id: int | None) -> Extension:
        """What delays give back to a station, or to the room."""
        apart = [
            (one.from_us, one.until_us) for one in self.signals.interruptions if one.until_us is not None
        ]
        approvals = [one for one in self.course.approvals if one.room_id == self.room_id]
        return extension(self._delays(), place_id, approvals, apart, self.started_at_us)

    def extended(self, base_us: int, whole: Extension) -> tuple[StationTimes, ...]:
        """The stations that go on longer than the room, by place."""
        stops = {
            one.place_id: one.stopped_at_us
            for one in self.course.station_stops
            if one.room_id == self.room_id
        }
        places = sorted({one.place_id for one in self._delays() if one.place_id is not None})
        own = [(place_id, self.extension(place_id)) for place_id in places]
        return tuple(
            StationTimes(place_id, None if one.is_open else base_us + one.counted_us, stops.get(place_id))
            for place_id, one in own
            if one.is_open or one.counted_us > whole.counted_us
        )

    def _delays(self) -> list[Delay]:
        return [one for one in self.course.delays if one.room_id == self.room_id and not one.is_withdrawn]

    def _granted_us(self) -> int:
        """What the site lead gave back, apart from decisions about interruptions."""
        return sum(
            one.granted_us
            for one in self.course.grants
            if one.room_id == self.room_id and not one.is_withdrawn and not self._is_interruption(one.loss)
        )

    def _interrupted_us(self) -> int:
        """All that interruptions took, or what somebody decided about them."""
        decided = {one.loss: one.granted_us for one in self.course.grants if not one.is_withdrawn}
        return sum(
            decided.get(loss, interrupted_us(one, self.started_at_us))
            for one in self.signals.interruptions
            for loss in [loss_of(self.room_id, one)]
            if loss is not None
        )

    def _is_interruption(self, loss: Loss | None) -> bool:
        cue = self.course.procedure.cue(loss.cue_code) if loss else None
        return cue is not None and cue.signal is Signal.RESUME
