"""Figures for monitoring: of this day only, and silent about what is not known."""

from evidence.checkpoints import Checkpoints
from evidence.footage import Cause
from evidence.metric_facts import (
    FilesToday,
    GapsToday,
    checkpoint_age_us,
    files_since,
    gaps_since,
    kiosk_ages_us,
)
from exam.clock import SECOND_US
from tests.recordings import FRAGMENT_BYTES, INIT_BYTES, Reel
from tests.world import CLOCK_US, World

DAY_US = CLOCK_US - 3600 * SECOND_US


def test_files_of_the_day_are_counted_and_the_last_one_tells_its_lag(world: World) -> None:
    reel = Reel(world, world.camera_2)
    reel.invent(DAY_US - 600 * SECOND_US)
    reel.invent(DAY_US + 10 * SECOND_US)
    last = reel.invent(DAY_US + 20 * SECOND_US)
    with world.footage.read() as connection:
        row = connection.execute("select * from segment where id = ?", (last,)).fetchone()
        found = files_since(connection, world.camera_2, DAY_US)
        assert files_since(connection, world.cameras_1[0], DAY_US) == FilesToday(0, 0, None, None)
    assert found.count == 2
    assert found.size_bytes == 2 * row["size_bytes"] >= INIT_BYTES + FRAGMENT_BYTES
    assert found.ingest_lag_us == row["ingested_at_us"] - row["ended_at_us"]
    assert found.clock_offset_us == row["camera_offset_us"]


def test_gaps_are_cut_to_the_day_and_to_now(world: World) -> None:
    rows = [
        (DAY_US - 50, DAY_US + 50, Cause.STALLED),
        (DAY_US + 100, DAY_US + 130, Cause.STALLED),
        (DAY_US + 200, None, Cause.UNREACHABLE),
    ]
    with world.footage.write() as connection:
        connection.executemany(
            "insert into gap (camera_uuid, started_at_us, ended_at_us, cause) values (?, ?, ?, ?)",
            [(world.camera_2, *row) for row in rows],
        )
    with world.footage.read() as connection:
        found = gaps_since(connection, world.camera_2, DAY_US, DAY_US + 260)
    assert found == {"stalled": GapsToday(2, 80), "unreachable": GapsToday(1, 60)}


def test_the_age_of_a_checkpoint_is_unknown_before_there_is_one(world: World) -> None:
    assert checkpoint_age_us(world.folder, "exam", CLOCK_US) is None
    checkpoints = Checkpoints(world.exam, world.folder / "keys", "exam")
    assert checkpoint_age_us(world.folder, "exam", CLOCK_US) is None
    with world.exam.write() as connection:
        connection.execute("select 1")
    checkpoints.close()


def test_kiosks_are_silent_since_they_were_last_heard(world: World) -> None:
    with world.exam.read() as connection:
        assert kiosk_ages_us(connection, CLOCK_US) == {}
    with world.exam.write() as connection:
        connection.execute("update kiosk set last_seen_at_us = ?", (CLOCK_US - 5,))
    with world.exam.read() as connection:
        assert kiosk_ages_us(connection, CLOCK_US) == {"一号签到机": 5}
