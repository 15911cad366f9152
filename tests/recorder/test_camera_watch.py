import pytest

from evidence.footage import Cause, Recording
from exam.clock import SECOND_US
from recorder.camera_watch import CameraWatch, MediaWatch, Moment, Order

NOON_US = 1_795_309_200_000_000
S = SECOND_US


def at(seconds: float) -> Moment:
    return Moment(NOON_US + round(seconds * S), round(seconds * S))


def recording_since(seconds: float) -> CameraWatch:
    watch = CameraWatch(NOON_US)
    watch.started(at(seconds))
    watch.advanced(at(seconds), at(seconds))
    return watch


def test_a_new_camera_is_connected_at_once_and_shows_why_it_does_not_record_yet() -> None:
    watch = CameraWatch(NOON_US)
    assert (watch.state, watch.cause) == (Recording.CONNECTING, Cause.STARTING)
    assert watch.decide(at(0)) is Order.START
    watch.started(at(0))
    assert watch.decide(at(1)) is Order.NOTHING


def test_the_first_pictures_turn_it_to_recording() -> None:
    watch = recording_since(2)
    assert (watch.state, watch.cause, watch.since_us) == (Recording.RECORDING, None, at(2).wall_us)
    watch.advanced(at(3), at(3))
    assert (watch.since_us, watch.last_bytes_at_us) == (at(2).wall_us, at(3).wall_us)


def test_silence_is_shown_after_three_seconds_and_the_child_is_stopped_only_after_its_own_patience() -> None:
    watch = recording_since(0)
    assert (watch.decide(at(2.9)), watch.state) == (Order.NOTHING, Recording.RECORDING)
    assert (watch.decide(at(3)), watch.state, watch.cause) == (
        Order.NOTHING,
        Recording.STALLED,
        Cause.STALLED,
    )
    assert watch.decide(at(5.9)) is Order.NOTHING
    assert watch.decide(at(6)) is Order.STOP
    assert watch.impatience is Cause.STALLED


def test_pictures_that_come_again_end_the_stall() -> None:
    watch = recording_since(0)
    watch.decide(at(4))
    watch.advanced(at(4), at(4))
    assert watch.state is Recording.RECORDING


def test_a_late_report_of_old_pictures_does_not_end_the_stall() -> None:
    watch = recording_since(0)
    watch.decide(at(4.5))
    watch.advanced(at(0.6), at(4.6))
    assert watch.state is Recording.STALLED


def test_a_camera_that_never_answers_is_given_up_and_called_unreachable() -> None:
    watch = CameraWatch(NOON_US)
    watch.started(at(0))
    assert watch.decide(at(19.9)) is Order.NOTHING
    assert watch.decide(at(20)) is Order.STOP
    assert watch.impatience is Cause.UNREACHABLE


def test_a_child_that_does_not_end_is_killed() -> None:
    watch = recording_since(0)
    watch.stopping(Cause.STALLED, at(6))
    assert watch.decide(at(7)) is Order.NOTHING
    watch.advanced(at(7), at(7))  # it still writes what it holds
    assert watch.decide(at(7.5)) is Order.KILL


def test_it_reconnects_for_ever_after_one_one_two_two_seconds() -> None:
    watch, now = CameraWatch(NOON_US), 0.0
    waits = []
    for _ in range(6):
        watch.started(at(now))
        watch.failed(Cause.REFUSED, at(now))
        assert (watch.state, watch.cause) == (Recording.DOWN, Cause.REFUSED)
        begun = now
        while watch.decide(at(now)) is not Order.START:
            now += 0.25
        waits.append(now - begun)
    assert waits == [1, 1, 2, 2, 2, 2]


def test_an_attempt_that_hung_is_followed_at_once() -> None:
    watch = CameraWatch(NOON_US)
    for second in (0, 10, 20):
        watch.started(at(second))
        watch.failed(Cause.UNREACHABLE, at(second + 3))
        assert watch.decide(at(second + 3.2)) is Order.NOTHING
        assert watch.decide(at(second + 3.25)) is Order.START


def test_where_nothing_could_be_started_it_waits_all_the_same() -> None:
    watch = CameraWatch(NOON_US)
    watch.failed(Cause.DISK_MISSING, at(60))
    assert watch.decide(at(60.9)) is Order.NOTHING
    assert watch.decide(at(61)) is Order.START


def test_after_a_good_run_the_next_attempt_follows_at_once_and_the_waits_begin_anew() -> None:
    watch = CameraWatch(NOON_US)
    for second in (0, 10, 20):
        watch.started(at(second))
        watch.failed(Cause.REFUSED, at(second))
    watch.started(at(30))
    watch.advanced(at(31), at(31))
    watch.failed(Cause.CAMERA_CLOSED, at(41))
    assert watch.decide(at(41.25)) is Order.START
    watch.started(at(41.25))
    watch.failed(Cause.REFUSED, at(41.25))
    assert watch.decide(at(42.2)) is Order.NOTHING
    assert watch.decide(at(42.25)) is Order.START


def patient_attempts(watch: CameraWatch, count: int, cause: Cause = Cause.UNREACHABLE) -> list[int]:
    patient = []
    for second in range(count):
        patient += [second] if watch.needs_patience else []
        watch.started(at(100 + second))
        watch.failed(cause, at(100 + second))
    return patient


def test_every_fourth_attempt_has_patience_with_a_slow_camera() -> None:
    assert patient_attempts(CameraWatch(NOON_US), 8) == [3, 7]


def test_a_camera_that_answered_without_patience_gets_it_more_rarely() -> None:
    watch = recording_since(0)
    watch.failed(Cause.STALLED, at(60))
    assert patient_attempts(watch, 24) == [10, 22]


@pytest.mark.parametrize("cause", [Cause.REFUSED, Cause.UNAUTHORIZED, Cause.TOO_MANY_SESSIONS])
def test_an_attempt_that_was_refused_at_once_is_no_reason_for_patience(cause: Cause) -> None:
    watch = recording_since(0)
    watch.failed(Cause.CAMERA_CLOSED, at(60))
    assert patient_attempts(watch, 24, cause) == []
    assert patient_attempts(watch, 24) == [10, 22]


def test_a_camera_that_answered_only_with_patience_gets_it_at_once_and_every_other_time() -> None:
    watch = CameraWatch(NOON_US)
    patient_attempts(watch, 3)
    watch.started(at(0))
    watch.advanced(at(5), at(5))
    watch.failed(Cause.STALLED, at(60))
    assert patient_attempts(watch, 5) == [0, 2, 4]


def test_a_quick_camera_that_comes_back_during_a_patient_attempt_stays_a_quick_one() -> None:
    for took, attempts in ((5, [11]), (7, [1, 3, 5, 7, 9, 11])):
        watch = recording_since(0)
        watch.failed(Cause.STALLED, at(60))
        patient_attempts(watch, 10)
        assert watch.needs_patience
        watch.started(at(200))
        watch.advanced(at(200 + took), at(200 + took))
        watch.advanced(at(209), at(209))
        watch.failed(Cause.STALLED, at(209.5))  # too soon to count as a good run
        assert patient_attempts(watch, 12) == attempts


def test_an_orderly_stop_is_final() -> None:
    watch = recording_since(0)
    watch.stopping(Cause.OPERATOR_STOP, at(5))
    assert not watch.is_finished
    watch.failed(Cause.OPERATOR_STOP, at(5.1))
    assert watch.is_finished
    assert (watch.state, watch.cause) == (Recording.STOPPED, Cause.OPERATOR_STOP)
    assert watch.decide(at(60)) is Order.NOTHING


def test_a_waiting_camera_stops_at_once() -> None:
    watch = CameraWatch(NOON_US)
    watch.stopping(Cause.CAMERA_RETIRED, at(0))
    assert watch.is_finished
    waiting = CameraWatch(NOON_US)
    waiting.stopping(Cause.CLOCK_STEP, at(0))
    assert waiting.decide(at(0)) is Order.START


def test_our_own_lateness_is_not_held_against_the_camera() -> None:
    watch = recording_since(0)
    watch.forgive(60 * S)
    assert watch.decide(at(62)) is Order.NOTHING
    assert watch.state is Recording.RECORDING
    connecting = CameraWatch(NOON_US)
    connecting.started(at(0))
    connecting.forgive(60 * S)
    assert connecting.decide(at(62)) is Order.NOTHING


def steady(media: MediaWatch, seconds: int) -> None:
    for second in range(seconds):
        assert not media.observe(second * S, at(second))


def test_media_that_keeps_step_does_not_leap_even_when_its_clock_drifts() -> None:
    media = MediaWatch()
    assert media.ended_at_us(0) is None
    for second in range(0, 36_000, 1):
        assert not media.observe(round(second * S * 1.0005), at(second))


def test_timestamps_that_leap_are_noticed_in_either_direction() -> None:
    forwards, backwards = MediaWatch(), MediaWatch()
    steady(forwards, 5)
    assert forwards.observe(3_600 * S, at(5))
    steady(backwards, 5)
    # The writer keeps its times from running back: they stand still.
    assert [backwards.observe(5 * S, at(5 + n)) for n in range(12)][-1]


def test_a_report_held_up_by_a_silent_camera_dates_its_pictures_before_the_silence() -> None:
    media = MediaWatch()
    steady(media, 5)
    media.observe(4 * S + S // 2, at(9))
    assert media.arrived == at(4.5)
    assert media.ended_at_us(4 * S + 540_000) == at(4.54).wall_us


def test_a_camera_that_catches_up_after_a_hold_up_is_on_time() -> None:
    media = MediaWatch()
    steady(media, 5)
    assert not media.observe(8 * S, at(8))
    assert media.arrived == at(8)
