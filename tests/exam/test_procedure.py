from dataclasses import replace

from exam.procedure import Check, Trigger
from tests.exam.day_with_cues import CORRECTION, HEADCOUNT, PRESSED, START, THEORY


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


def test_everybody_with_a_part_in_a_step_is_named() -> None:
    shared = replace(HEADCOUNT, checklist=(Check("count", "人数", frozenset({"assessor"})), Check("b", "乙")))
    assert shared.all_roles == {"proctor", "assessor"}
