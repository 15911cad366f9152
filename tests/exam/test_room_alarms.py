from config.procedures import load_procedures
from exam.cues import RoomCue
from exam.day import Announced, Source
from exam.room_alarms import (
    REPORT_DUE_US,
    STATION_DUE_US,
    TICK_DUE_US,
    UNTICKED_ALARM_US,
    corrected,
    forgotten_stations,
    missed,
    unheard,
    unheard_calls,
    unticked,
)
from exam.room_times import RoomTimes, StationTimes
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
    source: Source = Source.SCHEDULE,
) -> Step:
    cue = PROCEDURE.cue(code)
    assert cue is not None
    outcome = Announced(1, 1, code, START_US, emitted_at_us, 1, source) if has_outcome else None
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


def test_what_a_person_rang_by_hand_no_player_has_to_report() -> None:
    assert unheard([step(source=Source.BY_HAND)], set(), SOON_US) == []


def test_a_call_that_no_player_reported_is_unheard_and_a_scheduled_signal_is_no_call() -> None:
    call = Announced(1, 1, "X2", START_US, START_US)
    told = [call, Announced(1, 1, "C5", START_US, START_US), Announced(1, 1, "X1", START_US, None)]
    assert unheard_calls(PROCEDURE, told, set(), SOON_US) == [call]
    assert unheard_calls(PROCEDURE, told, set(), SOON_US - 1) == []
    assert unheard_calls(PROCEDURE, told, {("X2", 1)}, SOON_US) == []
    assert unheard_calls(PROCEDURE, told, set(), START_US + UNTICKED_ALARM_US) == []


def test_an_extended_station_whose_end_has_passed_is_forgotten_after_half_a_minute() -> None:
    late, open_end = StationTimes(3, START_US), StationTimes(4, None)
    times = RoomTimes(extended=(late, open_end, StationTimes(5, START_US, stopped_at_us=START_US)))
    assert forgotten_stations(times, START_US + STATION_DUE_US) == []
    assert forgotten_stations(times, START_US + STATION_DUE_US + 1) == [late]


def test_after_ten_minutes_nothing_can_be_done_about_it() -> None:
    assert unheard([step()], set(), START_US + UNTICKED_ALARM_US) == []


def test_prompts_and_signals_never_given_cannot_be_unheard() -> None:
    assert unheard([step("C6")], set(), SOON_US) == []
    assert unheard([step(has_outcome=False)], set(), SOON_US) == []
    assert unheard([step(emitted_at_us=None, state=StepState.MISSED)], set(), SOON_US) == []


def test_missed_steps_are_named() -> None:
    lost = step(emitted_at_us=None, state=StepState.MISSED)
    assert missed([step(), lost]) == [lost]


def test_steps_that_were_corrected_are_named() -> None:
    wrong = step(state=StepState.CORRECTED)
    assert corrected([step(), wrong]) == [wrong]


def test_a_tick_is_overdue_after_three_minutes() -> None:
    assert unticked([step()], START_US + TICK_DUE_US) == []
    assert unticked([step()], START_US + TICK_DUE_US + 1) == [step()]
    assert unticked([step(confirmed_at_us=START_US)], START_US + TICK_DUE_US + 1) == []
