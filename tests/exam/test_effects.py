from dataclasses import replace

from exam.clock import MINUTE_US, SECOND_US
from exam.course import Grant, Move, SessionCourse, room_at, rooms_held
from exam.effects import NOTICE_US, ChangeFacts, EffectKind, EffectRefusal, Effects, effects
from tests.exam.day_with_cues import HOUR_US, PRESSED, START_US, course, emitted, missed

NOW_US = START_US - 40 * MINUTE_US
PLAN = course()
SIGNED_IN = [emitted("C2", START_US - 15 * MINUTE_US, room) for room in (1, 2)]
STARTED = course(*SIGNED_IN, emitted("C5", START_US))
LATE_US = START_US + 30 * MINUTE_US


def moved(by_us: int, plan: SessionCourse = PLAN) -> SessionCourse:
    start_us = plan.session.planned_start_us + by_us
    return replace(plan, session=replace(plan.session, planned_start_us=start_us))


def lasting(duration_us: int, plan: SessionCourse = PLAN) -> SessionCourse:
    return replace(plan, session=replace(plan.session, duration_us=duration_us))


def extended(by_us: int, plan: SessionCourse = STARTED) -> SessionCourse:
    return replace(plan, grants=(Grant(1, 1, by_us),))


def told(
    before: SessionCourse, after: SessionCourse, now_us: int = NOW_US, untold: frozenset[int] = frozenset()
) -> Effects:
    return effects(before, after, ChangeFacts(now_us, untold))


def of(found: Effects, code: str, room_id: int = 1) -> tuple[EffectKind, EffectRefusal | None]:
    (one,) = [one for one in found.in_room(room_id) if one.cue_code == code]
    return one.kind, one.refusal


def refused(found: Effects) -> dict[str, EffectRefusal | None]:
    return {one.cue_code: one.refusal for one in found.refusals}


def test_nothing_happens_when_nothing_changes() -> None:
    assert told(PLAN, PLAN).effects == ()
    assert told(PLAN, PLAN).is_accepted


def test_a_later_start_moves_every_cue_of_every_room() -> None:
    found = told(PLAN, moved(10 * MINUTE_US))
    assert found.is_accepted
    assert {(one.room_id, one.cue_code) for one in found.effects} == {
        (room, code) for room in (1, 2) for code in ("C2", "C5", "C6", "C7", "C8", "C9")
    }
    first = found.in_room(1)[0]
    assert (first.title, first.is_audible, first.after_us) == ("签到入场", True, START_US - 5 * MINUTE_US)
    assert first.before_us == START_US - 15 * MINUTE_US


def test_an_earlier_start_that_leaves_no_time_for_a_step_is_refused() -> None:
    assert told(PLAN, moved(-20 * MINUTE_US)).is_accepted
    too_early = moved(-25 * MINUTE_US)  # the sign-in announcement would be due now
    assert refused(told(PLAN, too_early)) == {"C2": EffectRefusal.STALE}
    assert refused(told(PLAN, too_early, NOW_US - NOTICE_US)) == {"C2": EffectRefusal.STALE}
    assert told(PLAN, too_early, NOW_US - NOTICE_US - 1).is_accepted


def test_a_working_time_too_short_for_its_warning_is_refused() -> None:
    assert refused(told(PLAN, lasting(15 * MINUTE_US))) == {"C7": EffectRefusal.STALE}
    assert told(PLAN, lasting(16 * MINUTE_US)).is_accepted


def test_an_end_in_the_past_is_refused() -> None:
    shorter = lasting(31 * MINUTE_US, STARTED)
    found = told(STARTED, shorter, LATE_US)
    assert of(found, "C7") == (EffectKind.PASSES, EffectRefusal.STALE)
    assert of(found, "C8") == (EffectKind.MOVES, None)
    assert "C8" in refused(told(STARTED, lasting(30 * MINUTE_US, STARTED), LATE_US))


def test_an_extension_moves_only_the_end_of_its_room() -> None:
    found = told(STARTED, extended(10 * MINUTE_US), LATE_US)
    assert found.is_accepted
    assert {(one.room_id, one.cue_code) for one in found.effects} == {(1, "C7"), (1, "C8"), (1, "C9")}


def test_what_is_about_to_sound_cannot_be_moved_any_more() -> None:
    end_us = START_US + HOUR_US
    found = told(STARTED, extended(10 * MINUTE_US), end_us - NOTICE_US)
    assert of(found, "C8") == (EffectKind.MOVES, EffectRefusal.ABOUT_TO_SOUND)
    assert of(told(STARTED, extended(10 * MINUTE_US), end_us - NOTICE_US - 1), "C8")[1] is None


def test_a_warning_that_was_given_comes_again_with_the_new_end() -> None:
    warned = replace(STARTED, announced=[*STARTED.announced, emitted("C7", START_US + 45 * MINUTE_US)])
    found = told(warned, extended(10 * MINUTE_US, warned), START_US + 50 * MINUTE_US)
    assert of(found, "C7") == (EffectKind.COMES_AGAIN, None)
    (again,) = [one for one in found.effects if one.cue_code == "C7"]
    assert (again.before_us, again.after_us) == (None, START_US + 55 * MINUTE_US)


def test_a_late_extension_is_not_refused_for_a_warning_that_was_given_before() -> None:
    warned = replace(STARTED, announced=[*STARTED.announced, emitted("C7", START_US + 45 * MINUTE_US)])
    found = told(warned, extended(5 * MINUTE_US, warned), START_US + 55 * MINUTE_US)
    assert found.is_accepted
    assert of(found, "C7") == (EffectKind.COMES_AGAIN, None)


def test_a_start_is_not_moved_into_the_past_of_a_room_that_stands_still() -> None:
    evacuated = course(emitted("X2", NOW_US - MINUTE_US), emitted("X2", NOW_US - MINUTE_US, 2))
    assert refused(told(evacuated, moved(-30 * MINUTE_US, evacuated))) == {"C2": EffectRefusal.STALE}
    running = replace(STARTED, announced=[*STARTED.announced, emitted("X2", LATE_US)])
    assert told(running, lasting(20 * MINUTE_US, running), LATE_US + MINUTE_US).is_accepted


def test_a_missed_start_can_be_planned_anew() -> None:
    lost = course(missed("C5", START_US), missed("C5", START_US, 2))
    found = told(lost, moved(20 * MINUTE_US, lost), START_US + MINUTE_US)
    assert of(found, "C5") == (EffectKind.COMES_AGAIN, None)


def test_a_room_that_cannot_be_told_would_ring_by_the_old_plan() -> None:
    untold = frozenset({1})
    found = told(STARTED, extended(10 * MINUTE_US), LATE_US, untold)
    assert refused(found) == {"C7": EffectRefusal.ROOM_NOT_TOLD, "C8": EffectRefusal.ROOM_NOT_TOLD}
    assert told(STARTED, extended(10 * MINUTE_US), LATE_US, frozenset({2})).is_accepted


def test_a_session_that_is_not_armed_rings_nowhere() -> None:
    calm = replace(PLAN, session=replace(PLAN.session, armed_at_us=None))
    found = told(calm, moved(10 * MINUTE_US, calm), START_US - 15 * MINUTE_US, frozenset({1, 2}))
    assert found.is_accepted


def test_prompts_of_a_shorter_plan_pass_without_a_word() -> None:
    slow = replace(STARTED, announced=[emitted("C2", START_US), emitted("C5", START_US + 20 * MINUTE_US)])
    quick = replace(slow, announced=[emitted("C2", START_US), emitted("C5", START_US)])
    found = told(slow, quick, START_US + 31 * MINUTE_US)
    assert of(found, "C6") == (EffectKind.PASSES, None)


def test_cancelling_lets_everything_that_is_open_fall_away() -> None:
    gone = replace(STARTED, session=replace(STARTED.session, cancelled_at_us=LATE_US))
    found = told(STARTED, gone, LATE_US)
    assert {(one.room_id, one.cue_code, one.kind) for one in found.in_room(1)} == {
        (1, code, EffectKind.FALLS_AWAY) for code in ("C6", "C7", "C8", "C9")
    }
    assert found.is_accepted
    assert refused(told(STARTED, gone, START_US + 45 * MINUTE_US - SECOND_US)) == {
        "C7": EffectRefusal.ABOUT_TO_SOUND
    }


def test_a_pressed_signal_is_never_stale() -> None:
    plan = course(procedure=PRESSED)
    found = told(plan, moved(-15 * MINUTE_US, plan), START_US - 16 * MINUTE_US)
    assert of(found, "C5") == (EffectKind.MOVES, None)
    assert refused(found) == {"C2": EffectRefusal.STALE}


def test_a_session_that_moves_sounds_in_its_new_room() -> None:
    move = Move(1, 9, LATE_US + MINUTE_US, LATE_US)
    after = replace(STARTED, moves=(move,))
    found = told(STARTED, after, LATE_US)
    assert {(one.cue_code, one.kind) for one in found.effects} == {
        (code, EffectKind.CHANGES_ROOM) for code in ("C7", "C8", "C9")
    }
    assert room_at(after, 1, LATE_US) == 1
    assert room_at(after, 1, LATE_US + MINUTE_US) == 9
    assert room_at(after, 2, LATE_US + MINUTE_US) == 2
    assert rooms_held(after) == {1, 2, 9}


def test_moves_follow_one_another() -> None:
    after = replace(STARTED, moves=(Move(9, 4, LATE_US, LATE_US), Move(1, 9, START_US, START_US)))
    assert [room_at(after, 1, at_us) for at_us in (START_US - 1, START_US, LATE_US)] == [1, 9, 4]


def test_a_room_that_stands_still_is_only_told_of_its_new_end() -> None:
    held = replace(STARTED, announced=[*STARTED.announced, emitted("X2", LATE_US)])
    found = told(held, extended(10 * MINUTE_US, held), START_US + HOUR_US)
    assert found.is_accepted
    assert of(found, "C8") == (EffectKind.MOVES, None)
