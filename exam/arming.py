"""What somebody arms: every signal of a session as it is looked at before it may sound by itself (13(3), R9).

Pure. The plan that was shown travels with the confirmation and is laid beside the plan of that moment. What
differs is told, so that nothing is armed that nobody looked at.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from typing import Any

from exam.changes import Cancel
from exam.course import SessionCourse, room_at
from exam.cues import SAME_PLAN_US, RoomCue, session_cues
from exam.effects import ChangeFacts, Effects, effects
from exam.procedure import Trigger


class SignalState(StrEnum):
    """What arming now would mean for a signal."""

    # It sounds by itself at its moment, or waits for a person's press.
    TO_COME = "to_come"
    # Its moment has passed, or it is for people to say when it comes again: it does not sound by itself.
    LEFT_TO_PEOPLE = "left_to_people"
    GIVEN = "given"


@dataclass(frozen=True, slots=True)
class ArmedSignal:
    """One audible cue of one room.

    `place_id`: the room in which it sounds, after moves. `is_projected`: the moment hangs on a signal that
    has not been given, or on a resumption. `sound` names the prepared sound, None where there is none.
    """

    cue_code: str
    room_id: int
    place_id: int
    at_us: int
    is_projected: bool
    state: SignalState
    sound: str | None


@dataclass(frozen=True, slots=True)
class ArmingPlan:
    """The signals of a session, earliest first, and what else they come from."""

    session_id: int
    procedure_sha256: str
    duration_us: int
    signals: tuple[ArmedSignal, ...]

    @property
    def text(self) -> str:
        """The plan as it travels with the confirmation: equal texts mean that the same was shown."""
        return json.dumps(astuple(self), ensure_ascii=False, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """The digest of the text (hex), as the ledger has it."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Difference:
    """One cue of one room that is not as it was shown; None where it was not shown, or is no more."""

    before: ArmedSignal | None
    after: ArmedSignal | None

    @property
    def shown(self) -> ArmedSignal:
        """As it is now, else as it was."""
        return next(one for one in (self.after, self.before) if one is not None)


def arming_plan(course: SessionCourse, sounds: Mapping[str, str], now_us: int) -> ArmingPlan:
    """Everything that would sound if it were armed now, or has been; `sounds` has each cue's by its code."""
    armed_at_us = course.session.armed_at_us or now_us
    signals = tuple(
        _signal(course, one, sounds.get(one.cue.code), armed_at_us)
        for one in session_cues(course)
        if one.cue.is_audible and not one.is_void
    )
    return ArmingPlan(course.session.id, course.procedure.sha256, course.session.duration_us, signals)


def read_plan(text: str) -> ArmingPlan | None:
    """The plan that was shown, from its text; None when this is no such text."""
    try:
        session_id, procedure_sha256, duration_us, signals = json.loads(text)
        found = tuple(_read_signal(*one) for one in signals)
        plan = ArmingPlan(session_id, procedure_sha256, duration_us, found)
    except (ValueError, TypeError):
        return None
    return plan if plan.text == text else None


def differences(before: ArmingPlan, after: ArmingPlan) -> list[Difference]:
    """What is not as it was shown, by time; empty when only the texts of the procedure are others."""
    then, now = _by_cue(before.signals), _by_cue(after.signals)
    found = [
        Difference(then.get(key), now.get(key))
        for key in dict.fromkeys((*then, *now))
        if then.get(key) != now.get(key)
    ]
    return sorted(found, key=lambda one: one.shown.at_us)


def changed_since(armed: ArmingPlan, now: ArmingPlan) -> list[Difference]:
    """What will sound at another moment, in another room or with another sound than when it was armed."""
    return [one for one in differences(armed, now) if _is_other(one.before, one.after)]


def effects_of_disarming(course: SessionCourse, facts: ChangeFacts) -> Effects:
    """What falls silent. Refused while rooms may be ringing already, or would ring by the plan they hold."""
    return effects(course, Cancel().laid_over(course, facts.now_us), facts)


def _signal(course: SessionCourse, one: RoomCue, sound: str | None, armed_at_us: int) -> ArmedSignal:
    given = one.outcome if one.outcome is not None and not one.outcome.is_missed else None
    at_us = one.planned_at_us if given is None else given.emitted_at_us or one.planned_at_us
    return ArmedSignal(
        cue_code=one.cue.code,
        room_id=one.room_id,
        place_id=room_at(course, one.room_id, at_us),
        at_us=at_us,
        is_projected=given is None and (one.is_projected or one.is_held),
        state=_state(one, armed_at_us) if given is None else SignalState.GIVEN,
        sound=sound,
    )


def _state(one: RoomCue, armed_at_us: int) -> SignalState:
    if one.cue.trigger is not Trigger.AUTOMATIC or one.is_projected or one.is_held:
        return SignalState.TO_COME
    will_sound = one.is_automatic and one.planned_at_us > armed_at_us
    return SignalState.TO_COME if will_sound else SignalState.LEFT_TO_PEOPLE


def _read_signal(*parts: Any) -> ArmedSignal:
    signal = ArmedSignal(*parts)
    return replace(signal, state=SignalState(signal.state))


def _is_other(before: ArmedSignal | None, after: ArmedSignal | None) -> bool:
    """Whether people know another plan than this; what was given in the meantime is no plan any more."""
    if before is None or after is None:
        return True
    is_same = (before.place_id, before.sound) == (after.place_id, after.sound)
    is_moved = abs(before.at_us - after.at_us) > SAME_PLAN_US
    return after.state is not SignalState.GIVEN and (is_moved or not is_same)


def _by_cue(signals: Sequence[ArmedSignal]) -> dict[tuple[str, int], ArmedSignal]:
    return {(one.cue_code, one.room_id): one for one in signals}
