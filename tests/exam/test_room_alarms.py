from config.procedures import load_procedures
from exam.cues import RoomCue
from exam.day import Announced
from exam.room_alarms import REPORT_DUE_US, TICK_DUE_US, UNTICKED_ALARM_US, missed, unheard, unticked
from exam.timetable import Step, StepState

START_US = 1_795_309_200_000_000
PROCEDURE = load_procedures()["theory"]


def step(
    code: str = "C5",
    *,
    emitted_at_us: int | None = START_US,
    state: StepState = StepState.EMITTED,
    confirmed_at_us: int | None = None,
    has_outcome: bool = True,
) -> Step:
    cue = PROCEDURE.cue(code)
    assert cue is not None
    outcome = Announced(1, 1, code, START_US, emitted_at_us) if has_outcome else None
    one = RoomCue(1, 1, cue, START_US, is_projected=False, outcome=outcome)
    return Step(one, state, confirmed_at_us)


SOON_US = START_US + REPORT_DUE_US + 1


def test_a_signal_that_no_player_reported_is_unheard_after_five_seconds() -> None:
    assert unheard([step()], set(), START_US + REPORT_DUE_US) == []
    assert unheard([step()], set(), SOON_US) == [step()]


def test_a_report_or_a_tick_answers_it() -> None:
    assert unheard([step()], {("C5", 1)}, SOON_US) == []
    assert unheard([step()], {("C5", 2)}, SOON_US) == [step()]
    assert unheard([step(confirmed_at_us=START_US)], set(), SOON_US) == []


def test_after_ten_minutes_nothing_can_be_done_about_it() -> None:
    assert unheard([step()], set(), START_US + UNTICKED_ALARM_US) == []


def test_prompts_and_signals_never_given_cannot_be_unheard() -> None:
    assert unheard([step("C6")], set(), SOON_US) == []
    assert unheard([step(has_outcome=False)], set(), SOON_US) == []
    assert unheard([step(emitted_at_us=None, state=StepState.MISSED)], set(), SOON_US) == []


def test_missed_steps_are_named() -> None:
    lost = step(emitted_at_us=None, state=StepState.MISSED)
    assert missed([step(), lost]) == [lost]


def test_a_tick_is_overdue_after_three_minutes() -> None:
    assert unticked([step()], START_US + TICK_DUE_US) == []
    assert unticked([step()], START_US + TICK_DUE_US + 1) == [step()]
    assert unticked([step(confirmed_at_us=START_US)], START_US + TICK_DUE_US + 1) == []
