import json
from dataclasses import replace

import pytest

from exam.arming import (
    ArmedSignal,
    ArmingPlan,
    SignalState,
    arming_plan,
    changed_since,
    differences,
    effects_of_disarming,
    read_plan,
)
from exam.clock import MINUTE_US, SECOND_US
from exam.course import Move, SessionCourse
from exam.effects import ChangeFacts, EffectRefusal
from tests.exam.day_with_cues import HOUR_US, PRESSED, SESSION, START_US, course, emitted, missed

NOW_US = START_US - 40 * MINUTE_US
SOUNDS = {"C2": "c2.wav", "C5": "c5.wav", "C7": "c7.wav", "C8": "c8.wav"}
OPEN = course(session=replace(SESSION, armed_at_us=None))


def plan(one: SessionCourse = OPEN, now_us: int = NOW_US, sounds: dict[str, str] = SOUNDS) -> ArmingPlan:
    return arming_plan(one, sounds, now_us)


def told(found: ArmingPlan, room_id: int = 1) -> dict[str, tuple[int, SignalState]]:
    return {
        one.cue_code: ((one.at_us - START_US) // MINUTE_US, one.state)
        for one in found.signals
        if one.room_id == room_id
    }


def test_every_audible_signal_of_every_room_is_looked_at() -> None:
    assert told(plan()) == told(plan(), 2)
    assert told(plan()) == {
        "C2": (-15, SignalState.TO_COME),
        "C5": (0, SignalState.TO_COME),
        "C7": (45, SignalState.TO_COME),
        "C8": (60, SignalState.TO_COME),
    }
    assert plan().signals[0] == ArmedSignal(
        "C2", 1, 1, START_US - 15 * MINUTE_US, is_projected=False, state=SignalState.TO_COME, sound="c2.wav"
    )


def test_what_has_passed_does_not_sound_by_itself_and_what_was_given_is_told_with_its_moment() -> None:
    late = plan(now_us=START_US + MINUTE_US)
    assert told(late)["C5"] == (0, SignalState.LEFT_TO_PEOPLE)
    assert told(late)["C8"] == (60, SignalState.TO_COME), "it follows the start that people give"
    by_people = course(emitted("C5", START_US + MINUTE_US), session=OPEN.session)
    assert told(plan(by_people))["C5"] == (1, SignalState.GIVEN)
    assert told(plan(course(missed("C5", START_US), session=OPEN.session)))["C5"][1] == (
        SignalState.LEFT_TO_PEOPLE
    )


def test_a_press_is_never_too_late() -> None:
    pressed = course(procedure=PRESSED, session=OPEN.session)
    assert told(plan(pressed, START_US + MINUTE_US))["C5"] == (0, SignalState.TO_COME)


def test_the_end_of_a_room_that_stands_still_is_only_projected() -> None:
    still = course(emitted("C5", START_US), emitted("X2", START_US + MINUTE_US), session=OPEN.session)
    projected = {one.cue_code: one.is_projected for one in plan(still, START_US + 2 * MINUTE_US).signals}
    assert projected == {"C2": False, "C5": False, "C7": True, "C8": True}


def test_a_plan_is_read_back_as_it_was_shown_and_nothing_else_is() -> None:
    shown = plan()
    assert read_plan(shown.text) == shown
    assert len(shown.sha256) == 64
    signal = json.loads(shown.text)[3][0]
    for wrong in ("", "7", "[]", "[1,2,3]", '[1,"",1,[1]]', '[1,"",1,[[1]]]', shown.text + " "):
        assert read_plan(wrong) is None
    assert read_plan(json.dumps([1, "", 1, [[*signal[:5], "unheard_of", None]]])) is None


@pytest.mark.parametrize(
    "after",
    [
        plan(replace(OPEN, session=replace(OPEN.session, planned_start_us=START_US + MINUTE_US))),
        plan(replace(OPEN, procedure=replace(OPEN.procedure, sha256="a" * 64))),
        plan(replace(OPEN, session=replace(OPEN.session, room_ids=(1,)))),
        plan(replace(OPEN, moves=(Move(1, 3, NOW_US, NOW_US),))),
        plan(sounds={}),
    ],
    ids=["start", "procedure", "room", "move", "sound"],
)
def test_whatever_would_sound_otherwise_is_another_plan(after: ArmingPlan) -> None:
    assert after.sha256 != plan().sha256


def test_what_differs_is_told_cue_by_cue_and_room_by_room() -> None:
    assert differences(plan(), plan()) == []
    [one] = differences(plan(), plan(sounds=SOUNDS | {"C5": "own.wav"}))[:1]
    assert (one.before and one.before.sound, one.after and one.after.sound) == ("c5.wav", "own.wav")
    fewer = plan(replace(OPEN, session=replace(OPEN.session, room_ids=(1,))))
    gone = differences(plan(), fewer)
    assert [(one.before and one.before.cue_code, one.after) for one in gone] == [
        ("C2", None),
        ("C5", None),
        ("C7", None),
        ("C8", None),
    ]
    assert [one.before for one in differences(fewer, plan())] == [None] * 4


def test_after_arming_only_another_moment_room_or_sound_counts_as_a_change() -> None:
    started = course(*(emitted("C5", START_US, room) for room in (1, 2)))
    assert changed_since(plan(), plan(started)) == [], "what was given as planned changes nothing"
    late = course(*(emitted("C5", START_US + MINUTE_US, room) for room in (1, 2)))
    assert {one.shown.cue_code for one in changed_since(plan(), plan(late))} == {"C7", "C8"}
    moved_room = replace(OPEN, moves=(Move(1, 3, NOW_US, NOW_US),))
    assert [one.shown.place_id for one in changed_since(plan(), plan(moved_room))] == [3] * 4
    assert len(changed_since(plan(), plan(sounds=SOUNDS | {"C5": "own.wav"}))) == 2
    fewer = plan(replace(OPEN, session=replace(OPEN.session, room_ids=(1,))))
    assert len(changed_since(plan(), fewer)) == len(changed_since(fewer, plan())) == 4


def test_nobody_disarms_while_rooms_may_be_ringing_or_cannot_be_told() -> None:
    armed = course()
    quiet = effects_of_disarming(armed, ChangeFacts(NOW_US))
    assert quiet.is_accepted
    near = effects_of_disarming(armed, ChangeFacts(START_US - 5 * SECOND_US))
    assert {one.refusal for one in near.refusals} == {EffectRefusal.ABOUT_TO_SOUND}
    untold = effects_of_disarming(armed, ChangeFacts(NOW_US, frozenset({2})))
    assert {(one.room_id, one.refusal) for one in untold.refusals} == {(2, EffectRefusal.ROOM_NOT_TOLD)}
    over = course(*(emitted(code, START_US - HOUR_US, room) for code in SOUNDS for room in (1, 2)))
    assert effects_of_disarming(over, ChangeFacts(NOW_US, frozenset({1, 2}))).is_accepted
