from exam.clock import MINUTE_US, SECOND_US
from exam.day import Announced
from exam.room_signals import CORRECTABLE_US, RoomSignals, moment_of, room_signals, would_correct
from tests.exam.day_with_cues import HOUR_US, START_US, THEORY, by_hand, emitted, missed

START = emitted("C5", START_US)
WRONG_STOP = emitted("C8", START_US + 50 * MINUTE_US)
CORRECTED_US = START_US + 50 * MINUTE_US + 20 * SECOND_US


def signals(*announced: Announced) -> RoomSignals:
    return room_signals(THEORY, announced)


def test_a_room_has_no_times_before_its_signals() -> None:
    assert signals() == RoomSignals(None, None, (), ())
    assert signals(missed("C5", START_US)).start is None


def test_a_signal_made_good_after_a_miss_counts() -> None:
    made_good = emitted("C5", START_US + 40 * SECOND_US, occurrence=2)
    assert signals(missed("C5", START_US), made_good).start == made_good


def test_a_correction_takes_back_the_stop_before_it_and_leaves_the_start() -> None:
    found = signals(START, WRONG_STOP, emitted("X1", CORRECTED_US))
    assert (found.start, found.stop) == (START, None)
    assert found.wrong == {("C8", 1)}
    assert found.corrected[0].wrong == WRONG_STOP


def test_the_signal_after_a_correction_counts() -> None:
    right = emitted("C8", START_US + HOUR_US, occurrence=2)
    assert signals(START, WRONG_STOP, emitted("X1", CORRECTED_US), right).stop == right


def test_said_again_a_correction_takes_back_nothing_more() -> None:
    again = emitted("X1", CORRECTED_US + 20 * SECOND_US, occurrence=2)
    early = emitted("C8", START_US + MINUTE_US)
    found = signals(
        START,
        early,
        emitted("X1", START_US + 90 * SECOND_US),
        emitted("X1", START_US + 2 * MINUTE_US, occurrence=2),
    )
    assert found.start == START
    assert signals(START, WRONG_STOP, emitted("X1", CORRECTED_US), again).start == START


def test_a_correction_long_after_speaks_of_something_else() -> None:
    late = emitted("X1", moment_of(WRONG_STOP) + CORRECTABLE_US + 1)
    assert signals(START, WRONG_STOP, late).stop == WRONG_STOP


def test_a_start_that_was_wrong_leaves_the_room_before_its_start() -> None:
    wrong = emitted("C5", START_US - 5 * MINUTE_US)
    assert signals(wrong, emitted("X1", START_US - 4 * MINUTE_US)).start is None


def test_the_last_moment_that_people_recorded_is_believed() -> None:
    told, told_later = by_hand("C5", START_US + 20 * SECOND_US), by_hand("C5", START_US + 30 * SECOND_US, 3)
    assert signals(START, told).start == told
    assert signals(START, told_later, told).start == told
    assert signals(START, told, told_later).start == told_later


def test_what_people_recorded_after_a_correction_is_not_taken_back_by_it() -> None:
    correction = emitted("X1", START_US + MINUTE_US)
    told_after = by_hand("C5", START_US + 10 * SECOND_US)
    assert signals(correction, told_after).start == told_after
    assert signals(told_after, correction).start is None


def test_a_room_is_interrupted_from_the_evacuation_until_it_is_resumed() -> None:
    out, again = emitted("X2", START_US + MINUTE_US), emitted("X2", START_US + 2 * MINUTE_US, occurrence=2)
    back = emitted("X3", START_US + 9 * MINUTE_US)
    (open_one,) = signals(START, out, again).interruptions
    assert (open_one.from_us, open_one.until_us) == (START_US + MINUTE_US, None)
    (over,) = signals(START, out, again, back).interruptions
    assert (over.from_us, over.until_us) == (START_US + MINUTE_US, START_US + 9 * MINUTE_US)
    assert signals(START, back).interruptions == ()


def test_an_unknown_cue_means_nothing() -> None:
    assert signals(emitted("Z9", START_US)) == RoomSignals(None, None, (), ())


def test_before_it_is_pressed_a_correction_says_what_it_would_take_back() -> None:
    now_us = moment_of(WRONG_STOP) + SECOND_US
    assert would_correct(THEORY, [START, WRONG_STOP], now_us) == WRONG_STOP
    assert would_correct(THEORY, [START, WRONG_STOP], now_us + CORRECTABLE_US) is None
    assert would_correct(THEORY, [], now_us) is None
    done = [START, WRONG_STOP, emitted("X1", CORRECTED_US)]
    assert would_correct(THEORY, done, CORRECTED_US + SECOND_US) is None
