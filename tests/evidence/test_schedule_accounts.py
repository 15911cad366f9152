import pytest

from evidence.footage import Cause, Gap, gaps_between
from evidence.footage_rows import NewRun, add_run, end_run, has_open_gap, note_absence
from evidence.ledger import tree_size
from evidence.presence import begin_presence, keep_presence
from evidence.recording_plan import PlannedCamera
from evidence.schedule_accounts import end_outlived_absence, missing, owed_until, write_missing
from evidence.timeline import Interval
from exam.clock import SECOND_US
from exam.recording_decision import NEVER_US, Ground, Owed
from tests.recordings import Reel
from tests.world import START_US, World

S = SECOND_US
CAMERA = "00000000-0000-4000-8000-00000000000a"


def at(seconds: int) -> int:
    return START_US + seconds * S


def camera(*, retired_at_us: int | None = None, added_at_us: int | None = None) -> PlannedCamera:
    return PlannedCamera(CAMERA, 1, retired_at_us, added_at_us)


def owed(*bounds: tuple[int, int]) -> list[Interval]:
    return [Interval(at(a), at(b)) for a, b in bounds]


def here(world: World, from_s: int = -1000) -> None:
    with world.footage.write() as connection:
        keep_presence(connection, begin_presence(connection, "boot", at(from_s)), at(1000))


def found(world: World, *bounds: tuple[int, int], camera: str = CAMERA) -> list[tuple[int, int, Cause]]:
    with world.footage.read() as connection:
        holes = missing(connection, camera, owed(*bounds))
    return [((one.from_us - START_US) // S, (one.until_us - START_US) // S, cause) for one, cause in holes]


def run(world: World, started_s: int, ended_s: int | None, cause: Cause = Cause.SCHEDULE_OVER) -> None:
    with world.footage.write() as connection:
        run_id = add_run(connection, NewRun(f"{started_s:036d}", CAMERA, "boot", at(started_s), 0))
        if ended_s is not None:
            end_run(connection, run_id, at(ended_s), cause)


def gaps(world: World) -> list[Gap]:
    with world.footage.read() as connection:
        return gaps_between(connection, CAMERA, 0, NEVER_US)


def test_what_is_owed_ends_now_or_where_the_camera_was_retired() -> None:
    lasting = [Owed(at(0), NEVER_US, Ground.ALL_DAY)]
    assert owed_until(lasting, camera(), at(50)) == owed((0, 50))
    assert owed_until(lasting, camera(retired_at_us=at(20)), at(50)) == owed((0, 20))
    assert owed_until(lasting, camera(retired_at_us=at(-1)), at(50)) == []


def test_a_camera_that_is_added_owes_the_session_that_is_on_and_nothing_that_was_over() -> None:
    sessions = [Owed(at(0), at(10), Ground.SESSION), Owed(at(20), at(40), Ground.SESSION)]
    assert owed_until(sessions, camera(added_at_us=at(30)), at(50)) == owed((20, 40))
    lasting = [Owed(at(0), NEVER_US, Ground.ALL_DAY)]
    assert owed_until(lasting, camera(added_at_us=at(30)), at(50)) == owed((30, 50))


def test_footage_and_gaps_leave_only_what_nobody_wrote_down(world: World) -> None:
    here(world)
    Reel(world, CAMERA).invent(at(10))  # ten seconds
    with world.footage.write() as connection:
        note_absence(connection, CAMERA, at(30), Cause.UNREACHABLE, at(30))
    assert found(world, (0, 60)) == [(0, 10, Cause.STARTING), (20, 30, Cause.STARTING)]
    assert found(world, (12, 18), (40, 60)) == []


def test_time_that_entered_the_plan_late_says_so(world: World) -> None:
    here(world)
    assert found(world, (0, 60)) == [(0, 60, Cause.LATE_PLAN)]


@pytest.mark.parametrize(
    ("ended_s", "cause", "expected"),
    [
        (5, Cause.STALLED, Cause.STALLED),
        (5, Cause.SCHEDULE_OVER, Cause.STARTING),
        (None, Cause.SCHEDULE_OVER, Cause.STARTING),
    ],
)
def test_a_run_that_ended_or_began_there_explains_a_hole(
    world: World, ended_s: int | None, cause: Cause, expected: Cause
) -> None:
    here(world)
    run(world, 0, ended_s, cause)
    assert found(world, (0, 20)) == [(0, 20, expected)]


def test_a_recorder_that_was_off_when_the_interval_began_is_named_to_the_second(world: World) -> None:
    here(world, from_s=30)
    assert found(world, (0, 40)) == [(0, 30, Cause.RECORDER_OFF), (30, 40, Cause.LATE_PLAN)]


def test_gaps_found_later_are_over_and_have_their_leaf(world: World) -> None:
    here(world)
    with world.footage.write() as connection:
        before = tree_size(connection)
        write_missing(connection, CAMERA, missing(connection, CAMERA, owed((0, 60))), at(90))
        assert tree_size(connection) == before + 1
        assert missing(connection, CAMERA, owed((0, 60))) == []
    (gap,) = gaps(world)
    assert (gap.started_at_us, gap.ended_at_us, gap.cause) == (at(0), at(60), Cause.LATE_PLAN)


@pytest.mark.parametrize(
    ("bounds", "ended_s"),
    [
        ([(0, 60), (70, 90)], 60),  # nothing is owed between the two
        ([(0, 90)], None),  # still owed
        ([(20, 90)], 10),  # it never was owed: no length
        ([], 10),
    ],
)
def test_an_absence_ends_with_what_is_owed(
    world: World, bounds: list[tuple[int, int]], ended_s: int | None
) -> None:
    with world.footage.write() as connection:
        note_absence(connection, CAMERA, at(10), Cause.STALLED, at(10))
        end_outlived_absence(connection, CAMERA, owed(*bounds), at(90))
        assert has_open_gap(connection, CAMERA) is (ended_s is None)
        row = connection.execute("select ended_at_us from gap").fetchone()
    assert row[0] == (None if ended_s is None else at(ended_s))


def test_a_camera_without_an_open_gap_is_left_alone(world: World) -> None:
    with world.footage.write() as connection:
        end_outlived_absence(connection, CAMERA, [], at(90))
    assert gaps(world) == []
