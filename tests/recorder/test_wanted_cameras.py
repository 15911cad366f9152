"""The recorder follows the schedule: fake children, a real footage index."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence.footage import Cause, Recording
from evidence.recording_plan import PlannedCamera, RecordingPlan
from exam.recording_decision import LEAD_US, Ground, Hold, Owed
from recorder.owed_times import OwedTimes
from recorder.wanted_cameras import WantedCameras
from tests.recorder.bench_of_fakes import CAMERA, FIRST_US, Fakes, at, open_fakes, source

S = 1_000_000
ROOM = source().room_id
OPENS_S, OVER_S = 100, 400


def owed(*holds: Hold, from_s: int = OPENS_S, until_s: int = OVER_S) -> Owed:
    from_us, until_us = FIRST_US + from_s * S, FIRST_US + until_s * S
    return Owed(from_us, until_us, Ground.SESSION, until_us + 10 * S, holds=holds)


def plan(*own: Owed) -> RecordingPlan:
    return RecordingPlan({ROOM: own}, (PlannedCamera(CAMERA, ROOM, None),))


@dataclass
class Stage:
    fakes: Fakes
    wanted: WantedCameras

    def follow(self, seconds: float, *own: Owed) -> None:
        self.wanted.apply([source()], plan(*own), at(seconds))
        self.fakes.recorder.tick(at(seconds))

    def shown(self, seconds: float) -> tuple[Recording, Cause | None]:
        (only,) = self.fakes.recorder.states(at(seconds))
        return only.state, only.cause

    def gaps(self) -> list[tuple[Cause, float, float | None]]:
        self.fakes.settled()
        return [
            (
                gap.cause,
                (gap.started_at_us - FIRST_US) / S,
                None if gap.ended_at_us is None else (gap.ended_at_us - FIRST_US) / S,
            )
            for gap in self.fakes.gaps()
        ]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with open_fakes(tmp_path) as fakes:
        yield Stage(fakes, WantedCameras(fakes.recorder, at(0).wall_us))


def test_outside_the_schedule_a_camera_stands_by_without_a_gap(stage: Stage) -> None:
    stage.follow(10, owed())
    assert stage.shown(11) == (Recording.STANDBY, None)
    assert stage.fakes.recorder.shown() == [(CAMERA, Recording.STANDBY, Cause.SCHEDULE_OVER)]
    assert stage.fakes.launcher.children == []
    assert stage.gaps() == []


def test_a_camera_connects_before_the_interval_and_its_trouble_counts_from_the_first_second(
    stage: Stage,
) -> None:
    early = OPENS_S - LEAD_US / S
    stage.follow(early - 2, owed())
    stage.follow(early, owed())
    stage.fakes.child.ends(at(early + 1), "Connection refused")
    assert stage.shown(early + 1)[0] is Recording.DOWN
    stage.follow(OPENS_S - 1, owed())
    stage.follow(OPENS_S + 1, owed())
    stage.follow(OPENS_S + 3, owed())
    assert stage.gaps() == [(Cause.REFUSED, OPENS_S, None)]


def test_footage_from_before_the_interval_leaves_no_gap_in_it(stage: Stage) -> None:
    stage.follow(90, owed())
    stage.fakes.child.reports(25, 1 * S, at(91))
    stage.follow(OPENS_S + 1, owed())
    stage.fakes.child.closes(0, FIRST_US + 92 * S, at(104.1), seconds=12)
    stage.fakes.child.reports(350, 14 * S, at(104.2))
    assert stage.gaps() == []


def test_after_the_tail_the_run_ends_and_nothing_is_missing(stage: Stage) -> None:
    stage.follow(90, owed())
    stage.fakes.child.reports(25, 1 * S, at(91))
    stage.follow(OVER_S + 5, owed())
    assert stage.fakes.child.asked == []
    stage.follow(OVER_S + 11, owed())
    assert stage.fakes.child.asked == ["interrupt"]
    stage.fakes.child.ends(at(OVER_S + 12))
    assert stage.shown(OVER_S + 12) == (Recording.STANDBY, None)
    assert stage.gaps() == []
    assert stage.fakes.runs() == [Cause.SCHEDULE_OVER]


def test_the_next_day_begins_without_a_gap_over_the_night(stage: Stage) -> None:
    tomorrow = owed(from_s=5000, until_s=6000)
    stage.follow(90, owed(), tomorrow)
    stage.fakes.child.closes(0, FIRST_US + 92 * S, at(104.1), seconds=12)
    stage.fakes.child.reports(25, 1 * S, at(104.2))
    stage.follow(OVER_S + 11, owed(), tomorrow)
    stage.fakes.child.ends(at(OVER_S + 12))
    stage.follow(4950, owed(), tomorrow)
    stage.fakes.child.reports(25, 1 * S, at(4951))
    stage.follow(5001, owed(), tomorrow)
    stage.fakes.child.closes(0, FIRST_US + 4952 * S, at(5012.1), seconds=60)
    stage.fakes.child.reports(50, 2 * S, at(5012.2))
    assert stage.gaps() == []


def test_a_stop_by_hand_in_the_interval_is_a_gap_until_it_is_taken_up_again(stage: Stage) -> None:
    stage.follow(90, owed())
    stage.fakes.child.reports(25, 1 * S, at(91))
    stage.fakes.child.closes(0, FIRST_US + 92 * S, at(204), seconds=112)
    stage.fakes.child.reports(50, 114 * S, at(204.1))
    stage.follow(202, owed())
    stopped = owed(Hold(FIRST_US + 203 * S, FIRST_US + OVER_S * S))
    stage.follow(205, stopped)
    assert stage.fakes.child.asked == ["interrupt"]
    stage.fakes.child.ends(at(206))
    assert stage.shown(207) == (Recording.STOPPED, Cause.OPERATOR_STOP)
    again = owed(Hold(FIRST_US + 203 * S, FIRST_US + 300 * S))
    stage.follow(301, again)
    ((cause, from_s, until_s),) = stage.gaps()
    assert (cause, round(from_s), until_s) == (Cause.OPERATOR_STOP, 204, None)


def test_an_interval_that_begins_while_people_hold_it_is_a_gap_from_its_first_second(stage: Stage) -> None:
    held = owed(Hold(FIRST_US + OPENS_S * S, FIRST_US + OVER_S * S))
    stage.follow(OPENS_S - 90, held)
    stage.follow(OPENS_S + 1.5, held)
    assert stage.gaps() == [(Cause.OPERATOR_STOP, OPENS_S, None)]


def test_a_plan_that_cannot_be_read_records_everything(stage: Stage) -> None:
    stage.wanted.apply([source()], None, at(10))
    stage.fakes.recorder.tick(at(10))
    assert len(stage.fakes.launcher.children) == 1
    assert stage.gaps() == [(Cause.STARTING, 0, None)]


def test_a_camera_taken_out_of_service_is_shown_no_more(stage: Stage) -> None:
    stage.follow(10, owed())
    stage.wanted.apply([], plan(owed()), at(12))
    assert stage.fakes.recorder.states(at(12)) == []


def test_an_absence_speaks_of_no_time_before_the_interval_or_before_the_recorder() -> None:
    times = OwedTimes()
    assert times.absent_from_us(CAMERA, 50) == 0
    times.set({CAMERA: (Owed(10, 100, Ground.SESSION), Owed(20, 90, Ground.BY_HAND))}, 15)
    assert times.absent_from_us(CAMERA, 50) == 15
    assert times.absent_from_us(CAMERA, 12) == 12  # the clock was set back
    assert times.absent_from_us(CAMERA, 100) is None


def test_cameras_that_stand_by_record_when_the_plan_has_been_unreadable_for_a_while(stage: Stage) -> None:
    """Else a session would begin, and its cameras would go on standing by."""
    stage.wanted.cannot_tell(at(0))
    stage.follow(2, owed())
    for seconds in (4, 6, 23):
        stage.wanted.cannot_tell(at(seconds))
    assert stage.shown(23) == (Recording.STANDBY, None)
    for seconds in (24, 26):
        stage.wanted.cannot_tell(at(seconds))
        stage.fakes.recorder.tick(at(seconds))
    assert len(stage.fakes.launcher.children) == 1
    assert stage.shown(26)[0] is Recording.CONNECTING
    stage.follow(28, owed())
    assert stage.fakes.recorder.cameras == {}
