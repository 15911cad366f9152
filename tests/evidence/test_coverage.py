from evidence.coverage import FRESH_US, Part, PartKind, coverage, playable_segments
from evidence.footage import SEAM_US, CameraState, Cause, Recording
from evidence.footage_rows import note_absence, write_states
from evidence.timeline import Interval
from exam.clock import SECOND_US
from tests.recordings import Reel, file_of
from tests.world import START_US, World

MINUTE = Interval(START_US, START_US + 60 * SECOND_US)
LATER_US = START_US + 600 * SECOND_US


def at(second: float) -> int:
    return START_US + round(second * SECOND_US)


def parts(
    world: World, now_us: int = LATER_US, interval: Interval = MINUTE
) -> list[tuple[str, float, float]]:
    """Kind, first and last second of each part of the front camera."""
    with world.footage.read() as connection:
        found = coverage(connection, world.cameras_1[0], interval, now_us)
    return [
        (part.kind.value, (part.from_us - START_US) / SECOND_US, (part.until_us - START_US) / SECOND_US)
        for part in found
    ]


def is_doing(world: World, recording: Recording, since_us: int, updated_at_us: int) -> None:
    state = CameraState(world.cameras_1[0], recording, since_us, None, None, 0, updated_at_us)
    with world.footage.write() as connection:
        write_states(connection, [state])


def test_files_of_one_run_join_and_every_moment_belongs_to_one_part(world: World) -> None:
    reel = Reel(world, world.cameras_1[0])
    for second in (-5, 5, 15.2):
        reel.invent(at(second))
    assert parts(world) == [("footage", 0, 25.2), ("unrecorded", 25.2, 60)]


def test_a_seam_is_closed_inside_a_run_only(world: World) -> None:
    reel = Reel(world, world.cameras_1[0])
    reel.invent(at(0))
    reel.reconnect()
    reel.invent(at(10) + SEAM_US)
    assert parts(world)[:3] == [("footage", 0, 10), ("unrecorded", 10, 10.5), ("footage", 10.5, 20.5)]


def test_a_gap_between_footage_is_told_with_its_cause(world: World) -> None:
    reel = Reel(world, world.cameras_1[0])
    reel.invent(at(0))
    with world.footage.write() as connection:
        note_absence(connection, world.cameras_1[0], at(9), Cause.STALLED, at(9))
    reel.reconnect()
    reel.invent(at(20))
    with world.footage.read() as connection:
        found = coverage(connection, world.cameras_1[0], MINUTE, LATER_US)
    assert found[1] == Part(PartKind.GAP, at(10), at(20), Cause.STALLED)
    assert [part.kind for part in found] == [
        PartKind.FOOTAGE,
        PartKind.GAP,
        PartKind.FOOTAGE,
        PartKind.UNRECORDED,
    ]


def test_a_gap_that_lasts_reaches_to_now_and_what_comes_is_the_future(world: World) -> None:
    with world.footage.write() as connection:
        note_absence(connection, world.cameras_1[0], at(-30), Cause.UNREACHABLE, at(-30))
    assert parts(world, now_us=at(12)) == [("gap", 0, 12), ("future", 12, 60)]


def test_an_interval_wholly_ahead_is_future(world: World) -> None:
    assert parts(world, now_us=at(-100)) == [("future", 0, 60)]


def test_the_growing_file_is_pending_from_the_last_complete_one(world: World) -> None:
    Reel(world, world.cameras_1[0]).invent(at(0))
    is_doing(world, Recording.RECORDING, at(-60), at(18))
    assert parts(world, now_us=at(19)) == [("footage", 0, 10), ("pending", 10, 19), ("future", 19, 60)]


def test_without_a_complete_file_pending_begins_with_the_connection(world: World) -> None:
    is_doing(world, Recording.RECORDING, at(5), at(18))
    assert parts(world, now_us=at(19)) == [("unrecorded", 0, 5), ("pending", 5, 19), ("future", 19, 60)]


def test_a_camera_that_does_not_record_and_a_stale_state_promise_nothing(world: World) -> None:
    is_doing(world, Recording.DOWN, at(-60), at(18))
    assert parts(world, now_us=at(19)) == [("unrecorded", 0, 19), ("future", 19, 60)]
    is_doing(world, Recording.RECORDING, at(-60), at(19) - FRESH_US - 1)
    assert parts(world, now_us=at(19)) == [("unrecorded", 0, 19), ("future", 19, 60)]


def test_a_missing_file_is_a_part_of_its_own_and_hides_no_other(world: World) -> None:
    reel = Reel(world, world.cameras_1[0])
    first, lost, third = (reel.invent(at(second)) for second in (0, 10, 20))
    file_of(world, lost).rename(world.folder / "elsewhere")
    assert parts(world)[:3] == [("footage", 0, 10), ("unreadable", 10, 20), ("footage", 20, 30)]
    with world.footage.read() as connection:
        playable = playable_segments(connection, world.cameras_1[0], MINUTE)
    assert [segment.id for segment in playable] == [first, third]


def test_footage_that_browsers_cannot_show_is_recorded_and_says_so(world: World) -> None:
    reel = Reel(world, world.cameras_1[0])
    reel.invent(at(0))
    other = reel.invent(at(10))
    with world.footage.write() as connection:
        connection.execute("update fragment_map set codec = 'hev1.1.6.L93' where segment_id = ?", (other,))
        playable = playable_segments(connection, world.cameras_1[0], MINUTE)
    assert parts(world)[:2] == [("footage", 0, 10), ("other_codec", 10, 20)]
    assert other not in {segment.id for segment in playable}


def test_a_short_file_and_a_damaged_map_are_unreadable(world: World) -> None:
    reel = Reel(world, world.cameras_1[0])
    short, damaged, empty = (reel.invent(at(second)) for second in (0, 20, 40))
    file = file_of(world, short)
    file.write_bytes(file.read_bytes()[:-1])
    with world.footage.write() as connection:
        for segment_id, fragments in ((damaged, b"\x09"), (empty, b"\x01\x00")):
            connection.execute(
                "update fragment_map set fragments = ? where segment_id = ?", (fragments, segment_id)
            )
        assert playable_segments(connection, world.cameras_1[0], MINUTE) == []
    kinds = [kind for kind, _, _ in parts(world)]
    assert kinds.count("unreadable") == 3
    assert "footage" not in kinds


def test_overlapping_files_are_told_once(world: World) -> None:
    reel = Reel(world, world.cameras_1[0])
    reel.invent(at(0))
    reel.reconnect()
    reel.invent(at(8))
    reel.invent(at(17.8), fragments=1)
    assert parts(world) == [("footage", 0, 10), ("footage", 10, 19.8), ("unrecorded", 19.8, 60)]
