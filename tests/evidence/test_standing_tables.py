"""The sums of standing tables follow every change of the program, and no other."""

import sqlite3
from contextlib import closing

import pytest
from structlog.testing import capture_logs

from evidence.database import WriterDatabase
from evidence.ledger import LeafKind, read_leaves, recompute
from evidence.standing_tables import STANDING, Sum, add_up, changed_behind, latest_sum, site_salt
from exam.clock import SimulatedClock
from tests.world import CLOCK_US, World


@pytest.fixture
def watched(world: World) -> World:
    world.exam.watch_standing(world.clock)
    return world


def leaves(world: World) -> list[str]:
    with world.exam.read() as connection:
        found = [leaf.body for leaf, _ in read_leaves(connection) if leaf.kind == LeafKind.TABLE_DIGEST]
        recompute(connection)
    return found


def changed(world: World) -> list[str]:
    with world.exam.read() as connection:
        return changed_behind(connection)


def test_the_first_look_takes_in_what_is_there_table_by_table(watched: World) -> None:
    with watched.exam.read() as connection:
        salt = site_salt(connection)
        for table in STANDING:
            rows = connection.execute(f"select count(*) from {table}").fetchone()[0]
            known = latest_sum(connection, table)
            assert (known or Sum()) == add_up(connection, table, salt)
            assert (known or Sum()).rows == rows
        assert {row[0] for row in connection.execute("select salt from table_digest")} == {salt}
        filled = [row[0] for row in connection.execute("select table_name from table_digest order by id")]
    assert {"seating", "account_role", "session"} <= set(filled)
    assert filled == [table for table in STANDING if table in filled]
    assert changed(watched) == []


CHANGES = [
    "insert into staff (name, badge_no) values ('新人', 'B-77')",
    "update staff set name = '改名' where id = 1",
    "delete from duty where id = 1",
    "update session set armed_at_us = 7, armed_by = 1 where id = 1",
    "insert into duty (staff_id, session_id, room_id, role) select staff_id, session_id, null, 'inspector'"
    " from duty limit 1",
    "insert into staff (id, name, badge_no) values (1, 'x', 'B-1') on conflict (id) do update set name = 'y'",
    "update camera set password_cipher = x'0102'",
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_program_is_a_row_a_leaf_and_a_sum_that_fits(watched: World, change: str) -> None:
    before = len(leaves(watched))
    with watched.exam.write() as connection:
        connection.execute(change)
    assert len(leaves(watched)) == before + 1
    assert changed(watched) == []


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_change_by_another_connection_never_fits_again(watched: World, change: str) -> None:
    with closing(sqlite3.connect(watched.exam.path)) as other:
        other.execute(change)
        other.commit()
    (table,) = changed(watched)
    with watched.exam.write() as connection:  # the program goes on, also with the row that was changed
        connection.execute("update staff set name = name || 'x'")
        connection.execute("update session set duration_us = duration_us + 1")
        connection.execute("update camera set label = label || 'x'")
        connection.execute("delete from duty")
    assert changed(watched) == [table]


def test_what_changes_back_within_a_transaction_leaves_no_leaf(watched: World) -> None:
    before = leaves(watched)
    with watched.exam.write() as connection:
        connection.execute("update staff set name = name || 'x'")
        connection.execute("update staff set name = substr(name, 1, length(name) - 1)")
    assert leaves(watched) == before
    assert changed(watched) == []


class UndoneError(Exception):
    """Nothing of it stays."""


def rename_and_fail(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update staff set name = 'x'")
        raise UndoneError


def test_a_transaction_that_is_undone_changes_no_sum(watched: World) -> None:
    before = leaves(watched)
    with pytest.raises(UndoneError):
        rename_and_fail(watched)
    with watched.exam.write() as connection:
        connection.execute("update kiosk set last_seen_at_us = 5")
    assert leaves(watched) == before
    assert changed(watched) == []


def test_the_next_start_goes_on_with_the_sums_and_tells_what_was_changed_meanwhile(world: World) -> None:
    world.exam.watch_standing(world.clock)
    world.exam.watch_standing(world.clock)  # asked again: nothing more
    count = len(leaves(world))
    world.exam.close()
    with closing(sqlite3.connect(world.exam.path)) as other:
        other.execute("update seating set place_id = (select max(id) from place) where id = 1")
        other.commit()
    again = WriterDatabase(world.exam.path, "exam")
    with capture_logs() as logs:
        again.watch_standing(SimulatedClock(CLOCK_US))
    assert [(each["event"], each["table"]) for each in logs] == [("table_changed_behind_our_back", "seating")]
    with again.read() as connection:
        kinds = [leaf.kind for leaf, _ in read_leaves(connection)]
    assert kinds.count(LeafKind.TABLE_DIGEST) == count
    object.__setattr__(world, "exam", again)


def test_a_schema_step_takes_every_sum_anew(world: World) -> None:
    world.exam.watch_standing(world.clock)
    with world.exam.write() as connection:
        connection.execute("delete from _sqlite_migrations where name = 'exam_0006_reserve'")
        connection.execute("drop table reserve_release")
    count = len(leaves(world))
    world.exam.close()
    with closing(sqlite3.connect(world.exam.path)) as other:
        other.execute("update staff set name = 'by the step itself' where id = 1")
        other.commit()
    again = WriterDatabase(world.exam.path, "exam")
    again.watch_standing(SimulatedClock(CLOCK_US))
    object.__setattr__(world, "exam", again)
    assert changed(world) == []
    assert len(leaves(world)) == count + 1


def test_no_leaf_holds_anything_of_a_row(watched: World) -> None:
    text = "".join(leaves(watched))
    assert "王芳" not in text
    assert '"row_count":' in text


def test_every_table_of_the_list_exists_with_its_columns(world: World) -> None:
    with world.exam.read() as connection:
        for table, columns in STANDING.items():
            known = {row["name"] for row in connection.execute(f"pragma table_info({table})")}
            listed = {column.removeprefix("x:") for column in columns.split()}
            assert known - listed == ({"last_seen_at_us"} if table == "kiosk" else set()), table
            assert listed <= known
