from dataclasses import replace

from exam.clock import MINUTE_US, SECOND_US
from exam.course import Approval, Delay, DelayReason, Grant, Loss
from exam.cues import (
    PUNCTUAL_US,
    RoomCue,
    Verdict,
    about_to_sound,
    await_rooms,
    due,
    reveals_signal,
    room_cues,
    session_cues,
)
from exam.day import Announced
from tests.exam.day_with_cues import HOUR_US, PRESSED, START_US, course, emitted, missed

ARMED_US = START_US - HOUR_US


def cue_in(room_id: int, code: str, *announced: Announced) -> RoomCue:
    cues = session_cues(course(*announced))
    return next(one for one in cues if (one.room_id, one.cue.code) == (room_id, code))


def codes_due(now_us: int, *announced: Announced, after_us: int = ARMED_US) -> list[tuple[int, str, Verdict]]:
    found = due(session_cues(course(*announced)), after_us, now_us)
    return [(one.room_cue.room_id, one.room_cue.cue.code, one.verdict) for one in found]


def done_before_start() -> list[Announced]:
    return [emitted("C2", START_US - 15 * MINUTE_US, room) for room in (1, 2)]


def test_cues_come_in_the_order_of_their_moments_and_on_demand_cues_have_none() -> None:
    cues = session_cues(course())
    assert [one.cue.code for one in cues if one.room_id == 1] == ["C2", "C5", "C6", "C7", "C8", "C9"]


def test_nothing_is_due_a_microsecond_early() -> None:
    assert codes_due(START_US - 15 * MINUTE_US - 1) == []
    assert codes_due(START_US - 15 * MINUTE_US) == [(1, "C2", Verdict.EMIT), (2, "C2", Verdict.EMIT)]


def test_a_signal_is_too_late_a_microsecond_after_its_tolerance() -> None:
    before = done_before_start()
    assert codes_due(START_US + 2 * SECOND_US, *before) == [(1, "C5", Verdict.EMIT), (2, "C5", Verdict.EMIT)]
    assert codes_due(START_US + 2 * SECOND_US + 1, *before) == [
        (1, "C5", Verdict.TOO_LATE),
        (2, "C5", Verdict.TOO_LATE),
    ]


def test_what_was_emitted_or_missed_is_never_due_again() -> None:
    past = [*done_before_start(), emitted("C5", START_US, 1), missed("C5", START_US, 2)]
    assert codes_due(START_US + SECOND_US, *past) == []


def test_what_was_planned_before_the_session_was_armed_is_left_to_people() -> None:
    assert codes_due(START_US, after_us=START_US - MINUTE_US) == [
        (1, "C5", Verdict.EMIT),
        (2, "C5", Verdict.EMIT),
    ]
    assert codes_due(START_US + SECOND_US, after_us=START_US) == []


def test_the_end_hangs_off_the_actual_start_of_each_room() -> None:
    late_start = emitted("C5", START_US + 7 * SECOND_US, 1)
    assert cue_in(1, "C8", late_start).planned_at_us == START_US + 7 * SECOND_US + HOUR_US
    assert not cue_in(1, "C8", late_start).is_projected
    assert cue_in(2, "C8", late_start).planned_at_us == START_US + HOUR_US
    assert cue_in(2, "C8", late_start).is_projected


def test_a_projected_cue_is_never_due() -> None:
    past = [*done_before_start(), missed("C5", START_US, 1), missed("C5", START_US, 2)]
    assert codes_due(START_US + 2 * HOUR_US, *past) == []


def test_release_counts_from_the_actual_stop() -> None:
    started = emitted("C5", START_US)
    stopped = emitted("C8", START_US + HOUR_US + SECOND_US)
    assert cue_in(1, "C9", started).is_projected
    assert cue_in(1, "C9", started).planned_at_us == START_US + HOUR_US + MINUTE_US
    assert cue_in(1, "C9", started, stopped).planned_at_us == START_US + HOUR_US + SECOND_US + MINUTE_US
    assert not cue_in(1, "C9", started, stopped).is_projected


def test_after_the_stop_whatever_belonged_before_it_is_void() -> None:
    stopped_early = [
        *done_before_start(),
        emitted("C5", START_US),
        emitted("C5", START_US, 2),
        emitted("C8", START_US + 20 * MINUTE_US),
    ]
    assert cue_in(1, "C7", *stopped_early).is_void
    assert not cue_in(1, "C9", *stopped_early).is_void
    assert not cue_in(2, "C7", *stopped_early).is_void
    assert [found[:2] for found in codes_due(START_US + 45 * MINUTE_US, *stopped_early)] == [
        (1, "C9"),
        (2, "C6"),
        (2, "C7"),
    ]


def test_pressed_signals_are_never_due_by_themselves() -> None:
    cues = session_cues(course(*done_before_start(), procedure=PRESSED))
    assert due(cues, ARMED_US, START_US + HOUR_US) == []


def test_a_room_that_rang_alone_inside_the_tolerance_reveals_a_signal() -> None:
    start = cue_in(1, "C5")
    assert reveals_signal(start, START_US, START_US + HOUR_US)
    assert reveals_signal(start, START_US + 2 * SECOND_US, START_US + HOUR_US)
    assert reveals_signal(start, START_US - SECOND_US // 2, START_US + HOUR_US)
    assert reveals_signal(cue_in(1, "C5", missed("C5", START_US)), START_US, START_US + HOUR_US)


def test_a_room_that_rang_at_another_time_or_after_us_reveals_nothing() -> None:
    start = cue_in(1, "C5")
    assert not reveals_signal(start, START_US + 2 * SECOND_US + 1, START_US + HOUR_US)
    assert not reveals_signal(start, START_US - SECOND_US // 2 - 1, START_US + HOUR_US)
    assert not reveals_signal(cue_in(1, "C5", emitted("C5", START_US)), START_US, START_US + HOUR_US)
    assert not reveals_signal(replace(start, is_void=True), START_US, START_US + HOUR_US)
    assert not reveals_signal(replace(start, is_held=True), START_US, START_US + HOUR_US)
    assert not reveals_signal(cue_in(1, "C8"), START_US + HOUR_US, START_US + HOUR_US)


def test_a_room_cannot_have_rung_in_the_future() -> None:
    start = cue_in(1, "C5")
    assert reveals_signal(start, START_US, START_US - SECOND_US // 2)
    assert not reveals_signal(start, START_US, START_US - SECOND_US // 2 - 1)


def test_a_press_is_never_revealed_by_a_room() -> None:
    pressed = next(one for one in session_cues(course(procedure=PRESSED)) if one.cue.code == "C5")
    assert not reveals_signal(pressed, START_US, START_US + HOUR_US)


def test_while_a_room_stands_evacuated_nothing_sounds_there_and_prompts_go_on() -> None:
    started = [emitted("C5", START_US), emitted("X2", START_US + 40 * MINUTE_US)]
    assert cue_in(1, "C8", *started).is_held
    assert not cue_in(1, "C6", *started).is_held
    assert (1, "C8", Verdict.EMIT) not in codes_due(START_US + HOUR_US, *started)
    assert not cue_in(2, "C8", *started).is_held


def test_a_corrected_stop_comes_again_at_its_plan_under_the_next_occurrence() -> None:
    wrong = emitted("C8", START_US + 50 * MINUTE_US)
    corrected = [emitted("C5", START_US), wrong, emitted("X1", START_US + 51 * MINUTE_US)]
    stop = cue_in(1, "C8", *corrected)
    assert (stop.outcome, stop.occurrence, stop.corrected) == (None, 2, (wrong,))
    assert (1, "C8", Verdict.EMIT) in codes_due(START_US + HOUR_US, *corrected)


def test_a_miss_speaks_of_its_own_plan_only() -> None:
    moved_us = START_US + 10 * MINUTE_US
    again = next(
        one
        for one in session_cues(
            course(missed("C5", START_US), session=replace(course().session, planned_start_us=moved_us))
        )
        if (one.room_id, one.cue.code) == (1, "C5")
    )
    assert (again.outcome, again.occurrence) == (None, 2)
    assert cue_in(1, "C5", missed("C5", START_US)).outcome == missed("C5", START_US)


def test_a_warning_of_an_end_that_moved_is_given_again() -> None:
    end_us = START_US + HOUR_US
    warned = emitted("C7", end_us - 15 * MINUTE_US)
    assert cue_in(1, "C7", emitted("C5", START_US), warned).outcome == warned
    later = emitted("C5", START_US + 2 * MINUTE_US)
    again = cue_in(1, "C7", later, warned)
    assert (again.outcome, again.occurrence) == (None, 2)


def test_a_warning_that_can_no_longer_be_repeated_is_not_missed() -> None:
    warned = [emitted("C5", START_US + 2 * MINUTE_US), emitted("C7", START_US + 45 * MINUTE_US)]
    again_us = START_US + 47 * MINUTE_US
    assert (1, "C7", Verdict.EMIT) in codes_due(again_us + 10 * SECOND_US, *warned)
    late = codes_due(again_us + 10 * SECOND_US + 1, *warned)
    assert "C7" not in [code for room, code, _ in late if room == 1]


def test_a_warning_given_for_an_end_half_an_hour_ago_warned_of_nothing() -> None:
    wrong = [emitted("C5", START_US), emitted("C7", START_US + 10 * MINUTE_US)]
    late_us = START_US + 45 * MINUTE_US + 10 * SECOND_US + 1
    assert (1, "C7", Verdict.TOO_LATE) in codes_due(late_us, *wrong)


def test_a_warning_does_however_long_the_room_stood_still_after_it() -> None:
    resumed_us = START_US + 100 * MINUTE_US
    evacuated = [
        emitted("C5", START_US),
        emitted("C7", START_US + 45 * MINUTE_US),
        emitted("X2", START_US + 55 * MINUTE_US),
        emitted("X3", resumed_us),
    ]
    given = replace(course(*evacuated), grants=(Grant(1, 1, 47 * MINUTE_US, Loss(1, "X3", 1)),))
    [warning] = [one for one in room_cues(given, 1) if one.cue.code == "C7"]
    assert warning.planned_at_us == START_US + 92 * MINUTE_US
    assert warning.is_warned
    assert "C7" not in {one.room_cue.cue.code for one in due([warning], ARMED_US, resumed_us)}


def test_a_delay_of_the_whole_room_is_standing_still_too() -> None:
    worked = course(emitted("C5", START_US), emitted("C7", START_US + 45 * MINUTE_US))
    stopped = [START_US + 46 * MINUTE_US, START_US + 90 * MINUTE_US]
    whole = Delay(1, 1, None, DelayReason.VENUE, *stopped)
    delayed = replace(worked, delays=(whole,), approvals=(Approval(1, None, HOUR_US),))
    [warning] = [one for one in room_cues(delayed, 1) if one.cue.code == "C7"]
    assert (warning.planned_at_us, warning.is_warned) == (START_US + 89 * MINUTE_US, True)


def test_a_stop_that_rang_as_planned_and_was_corrected_waits_for_people() -> None:
    end_us = START_US + HOUR_US
    wrong = [emitted("C5", START_US), emitted("C8", end_us), emitted("X1", end_us + SECOND_US // 2)]
    stop = cue_in(1, "C8", *wrong)
    assert (stop.is_taken_back, stop.is_automatic) == (True, False)
    assert "C8" not in [code for room, code, _ in codes_due(end_us + SECOND_US, *wrong) if room == 1]


def test_what_belongs_before_the_start_never_comes_after_it() -> None:
    taken_back = emitted("C5", START_US - HOUR_US, planned_at_us=START_US - HOUR_US)
    assert cue_in(1, "C2", taken_back).is_void
    assert not cue_in(1, "C2", emitted("C5", START_US)).is_void
    assert not cue_in(2, "C2", taken_back).is_void


def test_what_players_may_be_sounding_is_about_to_sound() -> None:
    cues = session_cues(course(*done_before_start()))

    def near(now_us: int, after_us: int = ARMED_US) -> set[str]:
        return {one.cue.code for one in about_to_sound(cues, after_us, now_us, 10 * SECOND_US)}

    assert near(START_US - 10 * SECOND_US - 1) == set()
    assert near(START_US - 10 * SECOND_US) == near(START_US + MINUTE_US) == {"C5"}
    assert near(START_US, after_us=START_US) == set()


def test_what_rooms_may_have_rung_while_the_console_was_away_is_left_for_them_to_tell() -> None:
    cues = session_cues(course(*done_before_start()))

    def verdicts(late_us: int, ringing_alone: frozenset[int]) -> dict[int, Verdict]:
        now_us = START_US + late_us
        found = await_rooms(due(cues, ARMED_US, now_us), ringing_alone, now_us)
        return {one.room_cue.room_id: one.verdict for one in found if one.room_cue.cue.code == "C5"}

    assert verdicts(PUNCTUAL_US, frozenset({1})) == {1: Verdict.EMIT, 2: Verdict.EMIT}
    assert verdicts(PUNCTUAL_US + 1, frozenset({1})) == {1: Verdict.AWAITED, 2: Verdict.EMIT}
    assert verdicts(2 * SECOND_US + 1, frozenset({1})) == {1: Verdict.TOO_LATE, 2: Verdict.TOO_LATE}


def test_what_no_time_hangs_on_is_given_late_all_the_same() -> None:
    started = [*done_before_start(), emitted("C5", START_US), emitted("C5", START_US, 2)]
    now_us = START_US + 30 * MINUTE_US + SECOND_US
    found = await_rooms(due(session_cues(course(*started)), ARMED_US, now_us), {1, 2}, now_us)
    assert {(one.room_cue.cue.code, one.verdict) for one in found} == {("C6", Verdict.EMIT)}
