"""Orders of the console and the recorder's reports: kept, in order, and finished once."""

import sqlite3

import pytest

from evidence.database import WriterDatabase
from evidence.ledger import read_leaves
from evidence.work_orders import (
    NewOrder,
    Order,
    OrderKind,
    Report,
    WorkState,
    find_order,
    give_order,
    orders,
    report,
    unfinished,
    write_report,
)
from tests.world import CLOCK_US, World


@pytest.fixture
def footage(tmp_path):
    database = WriterDatabase(tmp_path / "footage.db", "footage")
    yield database
    database.close()


def order(world: World, kind: OrderKind = OrderKind.EXPORT) -> int:
    with world.exam.write() as connection:
        new = NewOrder(kind, {"room_id": 3}, "考生申诉", world.site_lead_account_id)
        return give_order(connection, new, CLOCK_US)


def test_an_order_is_kept_with_its_reason_and_a_leaf_that_does_not_tell_it(world: World) -> None:
    order_id = order(world)
    with world.exam.read() as connection:
        given = find_order(connection, order_id)
        leaf = [leaf for leaf, _ in read_leaves(connection) if leaf.kind == "work_order"][-1]
    assert given == Order(
        order_id, OrderKind.EXPORT, {"room_id": 3}, "考生申诉", world.site_lead_account_id, CLOCK_US
    )
    assert "考生申诉" not in leaf.body
    assert "reason_salted_sha256" in leaf.body


def test_an_unknown_order_is_none(world: World) -> None:
    with world.exam.read() as connection:
        assert find_order(connection, 4711) is None


def test_orders_come_by_kind_oldest_first(world: World) -> None:
    first, _other, second = order(world), order(world, OrderKind.CAMERA_PREFLIGHT), order(world)
    with world.exam.read() as connection:
        assert [found.id for found in orders(connection, OrderKind.EXPORT)] == [first, second]
        assert [found.id for found in orders(connection, OrderKind.EXPORT, first)] == [second]


def test_an_order_is_never_changed_or_taken_back(world: World) -> None:
    order_id = order(world)
    for statement in (
        "update work_order set reason = 'x' where id = ?",
        "delete from work_order where id = ?",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="never"), world.exam.write() as connection:
            connection.execute(statement, (order_id,))


def test_an_order_waits_until_it_is_taken_up_and_is_unfinished_until_its_final_report(
    world: World, footage: WriterDatabase
) -> None:
    order_id = order(world)
    with world.exam.read() as exam, footage.write() as connection:
        assert report(connection, order_id) == Report(order_id, WorkState.WAITING)
        write_report(connection, Report(order_id, WorkState.RUNNING, 1, 4, "复制中"), CLOCK_US)
        assert [left.id for left in unfinished(exam, connection, OrderKind.EXPORT)] == [order_id]
        made = Report(order_id, WorkState.DONE, 4, 4, "完成", {"folder": "bag-1"})
        write_report(connection, made, CLOCK_US + 1)
        assert unfinished(exam, connection, OrderKind.EXPORT) == []
        found = report(connection, order_id)
    assert (found.state, found.done_units, found.outcome) == (WorkState.DONE, 4, {"folder": "bag-1"})
    assert found.is_final


def test_a_final_report_stays_as_it_is(world: World, footage: WriterDatabase) -> None:
    order_id = order(world)
    with footage.write() as connection:
        write_report(connection, Report(order_id, WorkState.FAILED, words="盘满", outcome={}), CLOCK_US)
        write_report(connection, Report(order_id, WorkState.RUNNING, 1, 2), CLOCK_US + 1)
        assert report(connection, order_id).state is WorkState.FAILED
