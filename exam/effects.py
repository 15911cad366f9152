"""What a change would do to every cue of every room, told before it is accepted (domain rule A-3).

Pure. The session as it is and as it would be are laid beside each other. A change is refused when a
signal would be due in the past or at once, when rooms may be ringing already by the old plan, or when a
room that rings by itself cannot be told of the new one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from exam.clock import SECOND_US
from exam.course import SessionCourse, room_at
from exam.cues import SAME_PLAN_US, RoomCue, session_cues
from exam.procedure import Anchor, Trigger

# Rooms look for a new schedule at least this often, and hold sounds ready a few seconds ahead.
NOTICE_US: Final = 15 * SECOND_US


class EffectKind(StrEnum):
    """What happens to a cue of a room."""

    MOVES = "moves"
    FALLS_AWAY = "falls_away"
    # It had sounded or been missed, and comes (again) at the new moment.
    COMES_AGAIN = "comes_again"
    # Its moment would have passed: nobody is prompted any more.
    PASSES = "passes"
    # It sounds in another room.
    CHANGES_ROOM = "changes_room"


class EffectRefusal(StrEnum):
    """Why a change with this effect is not accepted."""

    # It would be due in the past, or before the rooms can know of it.
    STALE = "stale"
    # Players may be about to sound it by the old plan: early, or where it fell away.
    ABOUT_TO_SOUND = "about_to_sound"
    # A player that holds the old plan is away and would ring by it.
    ROOM_NOT_TOLD = "room_not_told"


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What the rule must know besides the plans: the moment, and rooms that cannot be told of changes now."""

    now_us: int
    untold: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Effect:
    """One cue of one room. Moments are None where it has none, before or after."""

    room_id: int
    cue_code: str
    title: str
    kind: EffectKind
    before_us: int | None
    after_us: int | None
    refusal: EffectRefusal | None = None
    is_audible: bool = False


@dataclass(frozen=True, slots=True)
class Effects:
    """Everything a change does, by room and time."""

    effects: tuple[Effect, ...]

    @property
    def refusals(self) -> tuple[Effect, ...]:
        """The effects that forbid the change."""
        return tuple(one for one in self.effects if one.refusal is not None)

    @property
    def is_accepted(self) -> bool:
        """Whether the change may be made."""
        return not self.refusals

    def in_room(self, room_id: int) -> tuple[Effect, ...]:
        """The effects in one room."""
        return tuple(one for one in self.effects if one.room_id == room_id)


def effects(before: SessionCourse, after: SessionCourse, facts: ChangeFacts) -> Effects:
    """Every cue of every room that moves, falls away, comes again, passes or changes its room."""
    then = {(one.room_id, one.cue.code): one for one in session_cues(before)}
    later = {(one.room_id, one.cue.code): one for one in _remaining(after)}
    comparison = _Comparison(before, after, facts)
    found = [effect for key, one in then.items() for effect in comparison.of(one, later.get(key))]
    return Effects(tuple(sorted(found, key=_place)))


def _remaining(course: SessionCourse) -> list[RoomCue]:
    return [] if course.session.cancelled_at_us is not None else session_cues(course)


def _place(one: Effect) -> tuple[int, int]:
    return one.room_id, one.after_us or one.before_us or 0


@dataclass(frozen=True, slots=True)
class _Comparison:
    before: SessionCourse
    after: SessionCourse
    facts: ChangeFacts

    def of(self, old: RoomCue, new: RoomCue | None) -> Iterator[Effect]:
        """What becomes of one cue; nothing when it stays as it is."""
        if new is None:
            if old.outcome is None and not old.is_void:
                yield self._effect(EffectKind.FALLS_AWAY, old, None)
        elif old.outcome is not None or old.is_void:
            if new.outcome is None and not new.is_void:
                yield self._effect(EffectKind.COMES_AGAIN, old, new)
        elif abs(new.planned_at_us - old.planned_at_us) > SAME_PLAN_US or new.is_held != old.is_held:
            passes = new.planned_at_us <= self.facts.now_us < old.planned_at_us and not new.is_projected
            yield self._effect(EffectKind.PASSES if passes else EffectKind.MOVES, old, new)
        elif self._changes_room(old, new):
            yield self._effect(EffectKind.CHANGES_ROOM, old, new)

    def _changes_room(self, old: RoomCue, new: RoomCue) -> bool:
        here = room_at(self.before, old.room_id, old.planned_at_us)
        return here != room_at(self.after, new.room_id, new.planned_at_us)

    def _effect(self, kind: EffectKind, old: RoomCue, new: RoomCue | None) -> Effect:
        is_open = old.outcome is None and not old.is_void
        return Effect(
            room_id=old.room_id,
            cue_code=old.cue.code,
            title=old.cue.title,
            kind=kind,
            before_us=old.planned_at_us if is_open else None,
            after_us=new.planned_at_us if new else None,
            refusal=self._refusal(old if is_open else None, new),
            is_audible=old.cue.is_audible,
        )

    def _refusal(self, old: RoomCue | None, new: RoomCue | None) -> EffectRefusal | None:
        if new is not None and self._would_be_stale(new):
            return EffectRefusal.STALE
        if old is None or not self._rings_alone(old):
            return None
        if old.planned_at_us - NOTICE_US <= self.facts.now_us <= old.closes_at_us:
            return EffectRefusal.ABOUT_TO_SOUND
        if old.planned_at_us > self.facts.now_us and old.room_id in self.facts.untold:
            return EffectRefusal.ROOM_NOT_TOLD
        return None

    def _would_be_stale(self, new: RoomCue) -> bool:
        """Whether it should sound in the past, or before the rooms can know of it. Prompts merely pass."""
        # While a room stands still its end is not known; what comes before the start has its moment.
        is_open = new.is_held and new.cue.anchor is not Anchor.PLANNED_START
        is_settled = new.outcome is not None or new.is_void or is_open or new.given_before is not None
        if is_settled or not new.cue.is_audible or new.cue.trigger is not Trigger.AUTOMATIC:
            return False
        if new.is_projected:  # it would be too late as soon as the room starts
            return new.planned_at_us <= self.after.session.planned_start_us
        return new.planned_at_us <= self.facts.now_us + NOTICE_US

    def _rings_alone(self, old: RoomCue) -> bool:
        """Whether the players of the room would sound it by themselves at its old moment."""
        armed_at_us = self.before.session.armed_at_us
        is_armed = armed_at_us is not None and armed_at_us < old.planned_at_us
        is_automatic = old.cue.is_audible and old.cue.trigger is Trigger.AUTOMATIC
        return is_armed and is_automatic and not (old.is_projected or old.is_held)
