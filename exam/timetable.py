"""The day's steps of one room as its staff see them: what is done, what is now, what is next.

Pure; serves the proctor page and the site overview (Arts. 13-15). Countdowns are for staff only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.cues import RoomCue
from exam.procedure import Trigger


class StepState(StrEnum):
    """Where a step stands."""

    PLANNED = "planned"
    # Its moment is to come, and it will sound by itself.
    ARMED = "armed"
    # The room stands still; it comes when the room goes on.
    HELD = "held"
    # Its moment has come: it is about to sound.
    DUE = "due"
    # Its moment has come and somebody must press.
    AWAITS_PRESS = "awaits_press"
    EMITTED = "emitted"
    # Its tolerance passed: a person must act.
    MISSED = "missed"
    # Its moment passed while the session was not armed: left to people.
    LEFT_TO_PEOPLE = "left_to_people"
    # It sounded as planned and was wrong: somebody must change the plan, or give it.
    CORRECTED = "corrected"
    # The room has stopped; the step has no meaning any more.
    VOID = "void"


AHEAD: Final = frozenset({StepState.PLANNED, StepState.ARMED, StepState.HELD})


@dataclass(frozen=True, slots=True)
class Step:
    """One cue on the timetable of a room, with its confirmation."""

    room_cue: RoomCue
    state: StepState
    confirmed_at_us: int | None

    @property
    def has_come(self) -> bool:
        """Whether its moment has come, whatever became of it."""
        return self.state not in {*AHEAD, StepState.VOID}

    @property
    def is_to_confirm(self) -> bool:
        """Whether a person still has to tick it."""
        return self.has_come and self.room_cue.cue.confirmation is not None and self.confirmed_at_us is None


@dataclass(frozen=True, slots=True)
class Timetable:
    """All steps, earliest first, and the ones that matter now."""

    steps: tuple[Step, ...]

    @property
    def current(self) -> Step | None:
        """The step whose moment came last; None before the first."""
        return next((step for step in reversed(self.steps) if step.has_come), None)

    @property
    def next(self) -> Step | None:
        """The first step still ahead; None after the last."""
        return next((step for step in self.steps if step.state in AHEAD), None)

    @property
    def countdown_to_us(self) -> int | None:
        """When the next step comes; None when nothing is ahead, or the room stands still."""
        step = self.next
        return None if step is None or step.state is StepState.HELD else step.room_cue.planned_at_us

    @property
    def to_confirm(self) -> tuple[Step, ...]:
        """The steps that wait for a tick, oldest first."""
        return tuple(step for step in self.steps if step.is_to_confirm)

    @property
    def missed(self) -> tuple[Step, ...]:
        """The steps somebody must make good."""
        return tuple(step for step in self.steps if step.state is StepState.MISSED)


def timetable(
    cues: Iterable[RoomCue], confirmed: Mapping[str, int], now_us: int, armed_at_us: int | None = None
) -> Timetable:
    """The timetable of one room from its cues, earliest first, and its confirmations' moments by cue code."""
    return Timetable(
        tuple(Step(one, _state(one, now_us, armed_at_us), confirmed.get(one.cue.code)) for one in cues)
    )


def cues_for(cues: Iterable[RoomCue], room_id: int, roles: frozenset[str]) -> Sequence[RoomCue]:
    """The cues of one room that people with these duty roles see: their own steps and all that is heard."""
    return [
        one for one in cues if one.room_id == room_id and (one.cue.is_audible or one.cue.all_roles & roles)
    ]


def _state(one: RoomCue, now_us: int, armed_at_us: int | None) -> StepState:
    if one.outcome is not None:
        return StepState.MISSED if one.outcome.is_missed else StepState.EMITTED
    standing = {
        StepState.VOID: one.is_void,
        StepState.HELD: one.is_held,
        StepState.CORRECTED: one.is_taken_back,
    }
    found = next((state for state, is_so in standing.items() if is_so), None)
    return found or _coming(one, now_us, armed_at_us)


def _coming(one: RoomCue, now_us: int, armed_at_us: int | None) -> StepState:
    """Where an open step stands that nothing keeps from coming."""
    is_automatic = one.cue.trigger is Trigger.AUTOMATIC
    if one.is_projected or now_us < one.planned_at_us:
        is_armed = armed_at_us is not None and armed_at_us < one.planned_at_us
        return StepState.ARMED if is_armed and is_automatic else StepState.PLANNED
    if not is_automatic:
        return StepState.AWAITS_PRESS
    if one.is_warned and now_us > one.closes_at_us:
        return StepState.EMITTED
    return StepState.DUE if now_us <= one.closes_at_us else StepState.LEFT_TO_PEOPLE
