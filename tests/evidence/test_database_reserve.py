import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.database import WriterDatabase
from evidence.database_reserve import (
    LEAST_BYTES,
    ROOM_TO_RESTORE,
    Reserve,
    ReserveKeeper,
    is_for_room,
    released_at_us,
)
from exam.clock import SimulatedClock
from tests.recorder.live import wait_until

NOW_US = 1_795_309_200_000_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[WriterDatabase]:
    opened = WriterDatabase(tmp_path / "exam.db", "exam", 1 << 20)
    yield opened
    opened.close()


def test_the_room_is_real_and_given_up_once(database: WriterDatabase) -> None:
    reserve = database.reserve
    assert not reserve.release()
    assert not reserve.is_there
    assert reserve.restore()
    assert reserve.path.stat().st_blocks * 512 >= 1 << 20
    assert reserve.restore()
    assert reserve.release()
    assert (reserve.path.stat().st_size, reserve.is_there, reserve.release()) == (0, False, False)


def test_room_is_not_set_aside_where_it_would_fill_the_disk(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    greedy = Reserve(tmp_path / "exam.db", free)
    assert not greedy.restore()
    assert not greedy.path.exists()


def test_a_reserve_of_nothing_is_always_there_and_never_given_up(tmp_path: Path) -> None:
    nothing = Reserve(tmp_path / "exam.db", 0)
    nothing.make_room()
    assert (nothing.is_there, nothing.restore(), nothing.release()) == (True, True, False)
    assert not nothing.path.exists()


def test_a_disk_that_does_not_answer_for_room_does_not_hide_what_the_write_says(tmp_path: Path) -> None:
    def refuse(_: Path) -> int:
        raise OSError(5, "Input/output error")

    database = WriterDatabase(tmp_path / "exam.db", "exam")
    database.reserve = Reserve(tmp_path / "exam.db", 1 << 20, refuse)
    database.reserve.path.mkdir()
    assert not database.reserve.release()
    with pytest.raises(sqlite3.OperationalError, match="nowhere"), database.write() as connection:
        connection.execute("insert into nowhere values (1)")
    database.close()


def test_only_a_full_disk_gives_it_up(database: WriterDatabase) -> None:
    database.reserve.restore()
    with pytest.raises(sqlite3.OperationalError), database.write() as connection:
        connection.execute("insert into nowhere values (1)")
    assert database.reserve.is_there
    assert not is_for_room(OSError(28, "No space left on device"))
    with database.write() as connection:
        connection.execute("create table big (content blob)")
        connection.execute("pragma max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError, match="full") as raised, database.write() as connection:
        connection.execute("insert into big values (zeroblob(1000000))")
    assert is_for_room(raised.value)
    assert not database.reserve.is_there


def test_that_it_was_given_up_and_set_aside_again_is_recorded_once(database: WriterDatabase) -> None:
    clock = SimulatedClock(NOW_US)
    keeper = ReserveKeeper(database, clock, every_s=60)
    wait_until(lambda: database.reserve.is_there)
    keeper.close()
    database.reserve.size_bytes = 1 << 60  # as if there were no room for it
    for _ in range(2):
        keeper.tend()
    with database.read() as connection:
        assert released_at_us(connection) == NOW_US
    clock.sleep_us(5)
    database.reserve.size_bytes = 1 << 20
    for _ in range(2):
        keeper.tend()
    with database.read() as connection:
        assert released_at_us(connection) is None
        rows = connection.execute("select released_at_us, restored_at_us from reserve_release").fetchall()
    assert [tuple(row) for row in rows] == [(NOW_US, NOW_US + 5)]


def test_a_turn_that_fails_is_followed_by_another(database: WriterDatabase) -> None:
    keeper = ReserveKeeper(database, SimulatedClock(NOW_US), every_s=60)
    keeper.close()
    database.reserve.database = Path("/nowhere/at/all.db")
    keeper.tend()
    with database.read() as connection:
        assert released_at_us(connection) is None


def test_it_is_given_up_before_a_write_would_fail_and_set_aside_again_when_there_is_plenty(
    database: WriterDatabase,
) -> None:
    free = LEAST_BYTES
    database.reserve.restore()
    database.reserve.free = lambda _: free
    with database.write():
        pass
    assert database.reserve.is_there
    free = LEAST_BYTES - 1
    with database.write():
        assert not database.reserve.is_there
    assert not database.reserve.restore()
    free = LEAST_BYTES + ROOM_TO_RESTORE * database.reserve.size_bytes
    assert database.reserve.restore()
