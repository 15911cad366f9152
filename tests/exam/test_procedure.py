from dataclasses import replace

import pytest

from exam.procedure import Anchor, Audience, Cue, CueKind, Procedure, Signal, Trigger, faults
from tests.exam.day_with_cues import CORRECTION, HEADCOUNT, PRESSED, RELEASE, START, STOP, THEORY, VOICE


def with_cues(*cues: Cue) -> Procedure:
    return replace(THEORY, cues=cues)


def test_a_sound_procedure_has_no_faults() -> None:
    assert faults(THEORY) == []
    assert faults(PRESSED) == []


def test_theory_starts_by_itself_and_practical_by_the_assessors_press() -> None:
    assert THEORY.start_mode is Trigger.AUTOMATIC
    assert PRESSED.start_mode is Trigger.ASSESSOR_PRESS


def test_a_cue_is_found_by_its_code() -> None:
    assert THEORY.cue("C5") is START
    assert THEORY.cue("Z9") is None


def test_only_prompts_are_silent_and_only_on_demand_cues_unscheduled() -> None:
    assert START.is_audible
    assert not HEADCOUNT.is_audible
    assert START.is_scheduled
    assert not CORRECTION.is_scheduled


def test_every_fault_is_told_at_once() -> None:
    broken = replace(THEORY, check_in_opens_us=0, late_cutoff_us=0, early_exit_us=-1, bell_us=0, cues=())
    assert faults(broken) == [
        "check_in_opens: must be some time before the planned start",
        "late_cutoff: must be some time after the start, or left out where people decide",
        "early_exit: must be some time after the start, or left out where people decide",
        "bell: must ring for some time",
        "cues: exactly one start_signal is needed, found 0",
        "cues: exactly one stop_signal is needed, found 0",
    ]


def test_limits_that_people_decide_may_be_left_out() -> None:
    assert faults(replace(THEORY, late_cutoff_us=None, early_exit_us=None)) == []


def test_footage_is_owed_from_before_check_in_until_after_the_stop() -> None:
    sound = replace(THEORY, room_opens_us=THEORY.check_in_opens_us, handover_us=1)
    assert faults(sound) == []
    assert faults(replace(sound, room_opens_us=THEORY.check_in_opens_us - 1, handover_us=0)) == [
        "room_opens: must not be later than check_in_opens",
        "handover: must be some time after the stop signal, or left out",
    ]


def test_the_handover_step_is_a_tick_after_the_end() -> None:
    assert faults(replace(THEORY, handover_step="C9")) == []
    silent = replace(RELEASE, code="C8", confirmation=None)
    for step, procedure in (
        ("Z9", THEORY),
        ("C6", THEORY),
        ("D2", with_cues(START, STOP, replace(silent, code="D2"))),
    ):
        assert "handover_step: must name a cue after the end that somebody confirms" in faults(
            replace(procedure, handover_step=step)
        )


def test_a_code_serves_one_cue_only() -> None:
    assert faults(with_cues(VOICE, VOICE, START, STOP)) == ["cue C2: the code is used 2 times"]


@pytest.mark.parametrize(
    ("cue", "fault"),
    [
        (replace(VOICE, code="bell"), "cue bell: a code is one capital letter and one or two digits"),
        (replace(VOICE, title=" "), "cue C2: title is empty"),
        (replace(VOICE, text=""), "cue C2: text is empty"),
        (
            replace(HEADCOUNT, audience=frozenset()),
            "cue C6: audience is empty: nobody would see or hear it",
        ),
        (replace(VOICE, tolerance_us=0), "cue C2: tolerance must be positive, else it could never appear"),
        (
            replace(VOICE, audience=frozenset({Audience.TABLET})),
            "cue C2: it makes a sound but rooms are not in audience",
        ),
        (
            replace(HEADCOUNT, audience=frozenset({Audience.ROOMS})),
            "cue C6: a prompt is not for rooms: candidates would see it",
        ),
        (
            replace(HEADCOUNT, roles=frozenset()),
            "cue C6: it asks for a confirmation but names no roles",
        ),
        (
            replace(VOICE, trigger=Trigger.ON_DEMAND, roles=frozenset(), confirmation=None),
            "cue C2: somebody must press it but no roles are named",
        ),
        (
            replace(HEADCOUNT, offset_us=0),
            "cue C6: nothing can be planned at or before an actual start; count from planned_start",
        ),
        (
            replace(HEADCOUNT, anchor=Anchor.END, offset_us=-1),
            "cue C6: nothing can be planned before an actual end; count from planned_end",
        ),
    ],
)
def test_a_faulty_cue_is_named_with_its_fault(cue: Cue, fault: str) -> None:
    assert faults(with_cues(cue, START, STOP)) == [fault]


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        (replace(START, offset_us=1), "a start_signal stands at planned_start with offset 0"),
        (replace(START, anchor=Anchor.PLANNED_END), "a start_signal stands at planned_start with offset 0"),
        (
            replace(START, kind=CueKind.PROMPT, audience=frozenset({Audience.TABLET})),
            "a start_signal must be heard",
        ),
        (replace(START, tolerance_us=2_000_001), "a start_signal may be at most 2 s late"),
        (replace(START, trigger=Trigger.ON_DEMAND), "a start_signal cannot be on demand"),
    ],
)
def test_a_signal_that_could_be_early_late_or_silent_is_refused(start: Cue, fault: str) -> None:
    assert faults(with_cues(start, STOP)) == [f"cue C5: {fault}"]


def test_a_procedure_has_one_start_signal() -> None:
    second = replace(START, code="C4")
    assert faults(with_cues(START, second, STOP)) == ["cues: exactly one start_signal is needed, found 2"]
    assert THEORY.signal_cue(Signal.START_SIGNAL) is START
