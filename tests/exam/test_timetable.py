from exam.clock import MINUTE_US, SECOND_US
from exam.cues import session_cues
from exam.day import Announced
from exam.procedure import Procedure
from exam.timetable import StepState, Timetable, cues_for, timetable
from tests.exam.day_with_cues import HOUR_US, PRESSED, START_US, THEORY, course, emitted, missed

PROCTOR = frozenset({"proctor"})


def table(
    now_us: int,
    *announced: Announced,
    confirmed: dict[str, int] | None = None,
    procedure: Procedure = THEORY,
    armed_at_us: int | None = None,
) -> Timetable:
    cues = cues_for(session_cues(course(*announced, procedure=procedure)), 1, PROCTOR)
    return timetable(cues, confirmed or {}, now_us, armed_at_us)


def states(made: Timetable) -> dict[str, StepState]:
    return {step.room_cue.cue.code: step.state for step in made.steps}


def test_before_the_first_step_everything_is_ahead() -> None:
    made = table(START_US - HOUR_US)
    assert set(states(made).values()) == {StepState.PLANNED}
    assert made.current is None
    assert made.next is made.steps[0]
    assert made.countdown_to_us == START_US - 15 * MINUTE_US
    assert made.to_confirm == ()


def test_a_step_waits_for_its_tick_from_its_moment_on() -> None:
    sign_in = emitted("C2", START_US - 15 * MINUTE_US)
    made = table(START_US - 14 * MINUTE_US, sign_in)
    assert made.current is made.steps[0]
    assert made.to_confirm == (made.steps[0],)
    ticked = table(START_US - 14 * MINUTE_US, sign_in, confirmed={"C2": START_US - 14 * MINUTE_US})
    assert ticked.to_confirm == ()


def test_a_missed_signal_is_a_task_and_the_rest_waits_for_it() -> None:
    made = table(START_US + MINUTE_US, emitted("C2", START_US), missed("C5", START_US))
    assert [step.room_cue.cue.code for step in made.missed] == ["C5"]
    assert states(made)["C8"] is StepState.PLANNED


def test_a_signal_inside_its_tolerance_is_due_and_afterwards_left_to_people() -> None:
    assert states(table(START_US + SECOND_US))["C5"] is StepState.DUE
    assert states(table(START_US + 3 * SECOND_US))["C5"] is StepState.LEFT_TO_PEOPLE


def test_a_signal_that_somebody_must_give_says_so() -> None:
    assert states(table(START_US, procedure=PRESSED))["C5"] is StepState.AWAITS_PRESS


def test_after_the_end_nothing_is_ahead_and_what_was_not_needed_is_void() -> None:
    made = table(
        START_US + 2 * HOUR_US,
        emitted("C5", START_US),
        emitted("C8", START_US + 20 * MINUTE_US),
        emitted("C9", START_US + 21 * MINUTE_US),
    )
    assert states(made)["C7"] is StepState.VOID
    assert made.next is None
    assert made.countdown_to_us is None


def test_people_see_their_own_steps_and_everything_that_is_heard() -> None:
    cues = session_cues(course())
    assert [one.cue.code for one in cues_for(cues, 1, frozenset({"assessor"}))] == ["C2", "C5", "C7", "C8"]


def test_in_an_armed_session_automatic_steps_say_that_they_will_sound() -> None:
    made = table(START_US - 10 * MINUTE_US, armed_at_us=START_US - 12 * MINUTE_US)
    assert states(made)["C2"] is StepState.LEFT_TO_PEOPLE  # planned before it was armed
    assert {states(made)[code] for code in ("C5", "C7", "C8")} == {StepState.ARMED}
    assert made.next is not None
    assert made.next.room_cue.cue.code == "C5"
    pressed = table(START_US - HOUR_US, procedure=PRESSED, armed_at_us=START_US - 2 * HOUR_US)
    assert states(pressed)["C5"] is StepState.PLANNED


def test_while_the_room_stands_still_nothing_counts_down() -> None:
    made = table(START_US + 10 * MINUTE_US, emitted("C5", START_US), emitted("X2", START_US + MINUTE_US))
    assert states(made)["C8"] is StepState.HELD
    assert states(made)["C2"] is StepState.LEFT_TO_PEOPLE
    late = table(START_US + 50 * MINUTE_US, emitted("C5", START_US), emitted("X2", START_US + MINUTE_US))
    assert late.next is not None
    assert (late.next.room_cue.cue.code, late.countdown_to_us) == ("C7", None)
    assert not late.next.has_come


def test_a_corrected_step_asks_for_people_and_an_old_warning_must_do() -> None:
    end_us = START_US + HOUR_US
    wrong = [emitted("C5", START_US), emitted("C8", end_us), emitted("X1", end_us + MINUTE_US)]
    assert states(table(end_us + 2 * MINUTE_US, *wrong))["C8"] is StepState.CORRECTED
    warned = [emitted("C5", START_US + 2 * MINUTE_US), emitted("C7", START_US + 45 * MINUTE_US)]
    assert states(table(START_US + 46 * MINUTE_US, *warned))["C7"] is StepState.PLANNED
    assert states(table(START_US + 50 * MINUTE_US, *warned))["C7"] is StepState.EMITTED
