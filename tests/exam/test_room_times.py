from dataclasses import replace

from exam.clock import MINUTE_US, SECOND_US
from exam.course import Approval, Delay, DelayReason, Grant, Loss, SessionCourse, StationStop
from exam.day import Announced
from exam.delays import AGREED_FROM_US, Extension, extension, union, without
from exam.room_times import RoomTimes, StationTimes, planned_end_us, room_times
from tests.exam.day_with_cues import HOUR_US, SESSION, START_US, course, emitted

END_US = START_US + HOUR_US
STARTED = emitted("C5", START_US)
STATION, OTHER = 7, 8


def delay(
    from_min: float,
    until_min: float | None,
    place_id: int | None = STATION,
    reason: DelayReason = DelayReason.EQUIPMENT,
) -> Delay:
    until_us = None if until_min is None else START_US + round(until_min * MINUTE_US)
    return Delay(1, 1, place_id, reason, START_US + round(from_min * MINUTE_US), until_us)


def times(*announced: Announced, delays: tuple[Delay, ...] = (), **facts: object) -> RoomTimes:
    made = replace(course(*(announced or (STARTED,))), delays=delays, **facts)  # type: ignore[arg-type]
    return room_times(made, 1)


def test_before_its_start_a_room_has_no_end_of_its_own() -> None:
    found = room_times(course(), 1)
    assert found == RoomTimes()
    assert planned_end_us(SESSION, found) == END_US


def test_the_end_hangs_off_the_actual_start() -> None:
    late = emitted("C5", START_US + 7 * SECOND_US)
    assert times(late).ends_at_us == END_US + 7 * SECOND_US
    assert planned_end_us(SESSION, times(late)) == END_US + 7 * SECOND_US


def test_what_the_site_lead_granted_moves_the_end() -> None:
    grants = (Grant(1, 1, 5 * MINUTE_US), Grant(2, 2, HOUR_US), Grant(3, 1, HOUR_US, is_withdrawn=True))
    assert times(grants=grants).ends_at_us == END_US + 5 * MINUTE_US


def test_a_grant_for_a_wrong_bell_moves_the_end_too() -> None:
    grants = (Grant(1, 1, 2 * MINUTE_US, Loss(1, "X1", 1)), Grant(2, 1, MINUTE_US, Loss(1, "Z9", 1)))
    assert times(grants=grants).ends_at_us == END_US + 3 * MINUTE_US


class TestInterruptions:
    OUT = emitted("X2", START_US + 10 * MINUTE_US)
    BACK = emitted("X3", START_US + 22 * MINUTE_US + 30 * SECOND_US)

    def test_while_it_lasts_the_room_is_held(self) -> None:
        assert times(STARTED, self.OUT).is_held
        assert room_times(course(emitted("X2", START_US - MINUTE_US)), 1).is_held

    def test_it_is_given_back_at_once_and_the_end_is_a_full_minute(self) -> None:
        found = times(STARTED, self.OUT, self.BACK)
        assert (found.ends_at_us, found.is_held) == (END_US + 13 * MINUTE_US, False)

    def test_what_was_decided_about_it_counts_instead(self) -> None:
        declined = Grant(1, 1, 0, Loss(1, "X3", 1))
        assert times(STARTED, self.OUT, self.BACK, grants=(declined,)).ends_at_us == END_US
        more = replace(declined, granted_us=15 * MINUTE_US)
        assert times(STARTED, self.OUT, self.BACK, grants=(more,)).ends_at_us == END_US + 15 * MINUTE_US

    def test_before_the_start_nothing_was_lost(self) -> None:
        out, back = emitted("X2", START_US - 9 * MINUTE_US), emitted("X3", START_US - MINUTE_US)
        assert times(out, back, STARTED).ends_at_us == END_US

    def test_a_delay_inside_it_is_not_counted_twice(self) -> None:
        found = times(STARTED, self.OUT, self.BACK, delays=(delay(12, 25, None),))
        assert found.ends_at_us == END_US + 13 * MINUTE_US + 2 * MINUTE_US + 30 * SECOND_US


class TestStations:
    def test_overlapping_delays_of_a_station_count_once(self) -> None:
        found = times(delays=(delay(5, 15), delay(10, 20), delay(30, 33)))
        assert found.ends_at_us == END_US
        assert found.extended == (StationTimes(STATION, END_US + 18 * MINUTE_US),)

    def test_a_delay_of_the_whole_room_counts_for_every_station(self) -> None:
        found = times(delays=(delay(5, 15, None), delay(10, 20)))
        assert found.ends_at_us == END_US + 10 * MINUTE_US
        assert found.extended == (StationTimes(STATION, END_US + 15 * MINUTE_US),)

    def test_a_station_that_lost_no_more_than_its_room_is_not_extended(self) -> None:
        assert times(delays=(delay(5, 15, None), delay(7, 9))).extended == ()

    def test_own_fault_illness_and_what_was_withdrawn_extend_nothing(self) -> None:
        ill = delay(5, 15, reason=DelayReason.OTHER)
        wrong = replace(delay(5, 15), is_withdrawn=True)
        assert times(delays=(ill, wrong)).extended == ()

    def test_what_happened_before_the_start_is_not_given_back(self) -> None:
        found = times(delays=(delay(-10, -5), delay(-1, 2)))
        assert found.extended == (StationTimes(STATION, END_US + 2 * MINUTE_US),)

    def test_while_a_delay_lasts_nobody_can_say_the_end(self) -> None:
        assert times(delays=(delay(5, None),)).extended == (StationTimes(STATION, None),)
        whole = times(delays=(delay(5, None, None),))
        assert whole.is_held
        stopped = times(STARTED, emitted("C8", END_US), delays=(delay(5, None, None),))
        assert not stopped.is_held

    def test_more_than_half_an_hour_counts_once_somebody_agreed(self) -> None:
        long = (delay(5, 50),)
        assert times(delays=long).extended[0].ends_at_us == END_US + AGREED_FROM_US
        agreed = (Approval(1, STATION, 40 * MINUTE_US), Approval(2, STATION, 45 * MINUTE_US))
        assert times(delays=long, approvals=agreed).extended[0].ends_at_us == END_US + 40 * MINUTE_US
        other = (Approval(1, OTHER, 45 * MINUTE_US),)
        assert times(delays=long, approvals=other).extended[0].ends_at_us == END_US + AGREED_FROM_US
        room = (Approval(1, None, 45 * MINUTE_US),)
        assert times(delays=long, approvals=room).extended[0].ends_at_us == END_US + 45 * MINUTE_US

    def test_the_rooms_stop_does_not_stop_an_extended_station(self) -> None:
        stop = emitted("C8", END_US)
        found = times(STARTED, stop, delays=(delay(5, 15), delay(20, 25, OTHER)))
        assert [one.place_id for one in found.going_on] == [STATION, OTHER]
        assert found.finished_at_us is None
        stops = (StationStop(1, STATION, END_US + 10 * MINUTE_US), StationStop(2, OTHER, END_US))
        found = times(STARTED, stop, delays=(delay(5, 15), delay(20, 25, OTHER)), station_stops=stops)
        assert [one.place_id for one in found.going_on] == [OTHER]

    def test_a_room_is_finished_when_its_last_station_is(self) -> None:
        stop = emitted("C8", END_US)
        stops = (StationStop(1, STATION, END_US + 10 * MINUTE_US),)
        found = times(STARTED, stop, delays=(delay(5, 15),), station_stops=stops)
        assert found.finished_at_us == END_US + 10 * MINUTE_US
        assert times(STARTED, stop).finished_at_us == END_US
        assert times(STARTED).finished_at_us is None

    def test_a_room_stopped_after_the_stations_own_end_stopped_it_too(self) -> None:
        found = times(STARTED, emitted("C8", END_US + 10 * MINUTE_US), delays=(delay(5, 15),))
        assert found.going_on == ()
        open_delay = times(STARTED, emitted("C8", END_US), delays=(delay(5, None),))
        assert len(open_delay.going_on) == 1


def test_steps_after_the_end_wait_for_the_last_station() -> None:
    from exam.cues import room_cues

    made = replace(course(STARTED, emitted("C8", END_US)), delays=(delay(5, 15),))
    release = next(one for one in room_cues(made, 1) if one.cue.code == "C9")
    assert (release.is_projected, release.planned_at_us) == (True, END_US + 11 * MINUTE_US)
    stopped = replace(made, station_stops=(StationStop(1, STATION, END_US + 8 * MINUTE_US),))
    release = next(one for one in room_cues(stopped, 1) if one.cue.code == "C9")
    assert (release.is_projected, release.planned_at_us) == (False, END_US + 9 * MINUTE_US)


def test_an_extension_says_whether_somebody_must_agree() -> None:
    def of(minutes: int) -> Extension:
        return extension([delay(0, minutes)], STATION, (), (), START_US)

    assert not of(30).awaits_approval
    assert of(31).awaits_approval


def test_stretches_are_joined_and_cut() -> None:
    assert union([(5, 7), (1, 3), (3, 4), (6, 9)]) == [(1, 4), (5, 9)]
    assert without([(0, 10)], [(2, 3), (5, 12)]) == [(0, 2), (3, 5)]
    assert without([(0, 10)], []) == [(0, 10)]


def test_a_course_without_facts_is_the_plan_alone() -> None:
    assert SessionCourse(SESSION, course().procedure).announced_in(1) == []
