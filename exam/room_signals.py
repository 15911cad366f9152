"""Which signals of a room stand: corrected ones no longer count, hand-recorded ones replace them (R9, A-6).

Pure. A correction (铃声有误) takes back the start or stop that sounded last before it; an evacuation stops
the room's clock until the resumption. T0 and TE are whatever stands at the end of that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from exam.clock import MINUTE_US
from exam.day import Announced, Source
from exam.procedure import Procedure, Signal

# What sounded longer ago than this is not what a correction speaks of.
CORRECTABLE_US: Final = 10 * MINUTE_US
_START_AND_STOP: Final = (Signal.START_SIGNAL, Signal.STOP_SIGNAL)

# A cue's code and occurrence: one announcement of a room.
Sounding = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A start or stop that was taken back, and the correction that did it."""

    wrong: Announced
    by: Announced


@dataclass(frozen=True, slots=True)
class Interruption:
    """Evacuated until resumed; `resumed` is None while the room is still empty."""

    evacuated: Announced
    resumed: Announced | None

    @property
    def from_us(self) -> int:
        """When the room was told to stop."""
        return moment_of(self.evacuated)

    @property
    def until_us(self) -> int | None:
        """When it was told to go on."""
        return None if self.resumed is None else moment_of(self.resumed)


@dataclass(frozen=True, slots=True)
class RoomSignals:
    """The signals of one room that matter to its time, after corrections."""

    start: Announced | None
    stop: Announced | None
    corrected: tuple[Corrected, ...]
    interruptions: tuple[Interruption, ...]

    @property
    def wrong(self) -> frozenset[Sounding]:
        """The announcements that no longer count."""
        return frozenset((one.wrong.cue_code, one.wrong.occurrence) for one in self.corrected)


def moment_of(one: Announced) -> int:
    """When it sounded; when it should have, for one that was missed."""
    return one.planned_at_us if one.emitted_at_us is None else one.emitted_at_us


def room_signals(procedure: Procedure, announced: Iterable[Announced]) -> RoomSignals:
    """The standing signals among the announcements of one room, given in the order recorded."""
    heard = _heard(procedure, announced)
    corrected = _corrected(heard)
    wrong = {(one.wrong.cue_code, one.wrong.occurrence) for one in corrected}
    standing = [each for each in heard if (each.one.cue_code, each.one.occurrence) not in wrong]
    return RoomSignals(
        start=_counting(standing, Signal.START_SIGNAL),
        stop=_counting(standing, Signal.STOP_SIGNAL),
        corrected=tuple(corrected),
        interruptions=tuple(_interruptions(standing)),
    )


def would_correct(procedure: Procedure, announced: Iterable[Announced], now_us: int) -> Announced | None:
    """What a correction given now in the room would take back; None: it only tells people to go on."""
    heard = _heard(procedure, announced)
    wrong = [one.wrong for one in _corrected(heard)]
    return _correctable(heard, wrong, len(heard), now_us)


@dataclass(frozen=True, slots=True)
class _Heard:
    """An announcement that sounded, its place in the record, and what its cue means."""

    order: int
    signal: Signal
    one: Announced


def _heard(procedure: Procedure, announced: Iterable[Announced]) -> list[_Heard]:
    """Everything that sounded and means something for the room's time, by the moment it did."""
    meaning = {cue.code: cue.signal for cue in procedure.cues if cue.signal is not Signal.NONE}
    found = [
        _Heard(order, meaning[one.cue_code], one)
        for order, one in enumerate(announced)
        if one.emitted_at_us is not None and one.cue_code in meaning
    ]
    return sorted(found, key=lambda each: moment_of(each.one))


def _corrected(heard: Sequence[_Heard]) -> list[Corrected]:
    """Each correction takes back the latest start or stop before it, once; said again it does no more."""
    found: list[Corrected] = []
    for each in heard:
        if each.signal is Signal.CORRECTION:
            wrong = _correctable(heard, [one.wrong for one in found], each.order, moment_of(each.one))
            if wrong is not None:
                found.append(Corrected(wrong, each.one))
    return found


def _correctable(
    heard: Sequence[_Heard], wrong: Sequence[Announced], order: int, moment_us: int
) -> Announced | None:
    """The latest start or stop that a correction of that place in the record and moment speaks of.

    Who records by hand after a correction knows of it: what he records is not taken back by it.
    """
    before = [
        each.one
        for each in heard
        if each.signal in _START_AND_STOP
        and moment_of(each.one) <= moment_us
        and (each.one.source is not Source.BY_HAND or each.order < order)
    ]
    if not before or before[-1] in wrong or moment_us - moment_of(before[-1]) > CORRECTABLE_US:
        return None
    return before[-1]


def _counting(standing: Iterable[_Heard], signal: Signal) -> Announced | None:
    """A person who recorded when it really was is believed, the last one; else the first that sounded."""
    ordered = [each for each in standing if each.signal is signal]
    by_hand = [each for each in ordered if each.one.source is Source.BY_HAND]
    if by_hand:
        return max(by_hand, key=lambda each: each.order).one
    return ordered[0].one if ordered else None


def _interruptions(standing: Sequence[_Heard]) -> list[Interruption]:
    found: list[Interruption] = []
    evacuated: Announced | None = None
    for each in standing:
        if each.signal is Signal.EVACUATION:
            evacuated = evacuated or each.one
        elif each.signal is Signal.RESUME and evacuated is not None:
            found.append(Interruption(evacuated, each.one))
            evacuated = None
    return found if evacuated is None else [*found, Interruption(evacuated, None)]
