"""The rows behind an export: order, person, looks at footage."""

from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection

import pytest

from evidence.export_orders import (
    ExportRequest,
    export_orders,
    find_export,
    give_export_order,
    refuse_restricted,
    site_cameras,
)
from evidence.export_plan import Asker, CopyOptions, ExportError, ExportWish
from evidence.holds import NewHold, propose_hold, take_step
from evidence.retention import Decision
from evidence.timeline import Interval
from evidence.work_orders import NewOrder, OrderKind, give_order
from exam.holds import HoldKind, HoldStep
from exam.retention import Reach
from tests.recordings import Reel
from tests.world import CLOCK_US, START_US, World, build_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = build_world(tmp_path)
    yield built
    built.close()


def request(world: World) -> ExportRequest:
    return ExportRequest(
        account_id=world.site_lead_account_id,
        room_ids=(world.room_1, world.room_2),
        camera_uuids=(world.cameras_1[0], world.camera_2),
        interval=Interval(START_US, START_US + 1),
        target=Path("/media/usb"),
        asker=Asker("周审", "某单位", "", "考生投诉核查"),
        options=CopyOptions(5, with_play=False, burn_in=True, read_back=False),
    )


def test_an_order_is_read_back_as_it_was_given(world: World) -> None:
    with world.exam.write() as connection:
        first = give_export_order(connection, request(world), CLOCK_US)
        second = give_export_order(connection, request(world), CLOCK_US)
    with world.exam.read() as connection:
        wish = find_export(connection, first)
        assert [each.order_id for each in export_orders(connection)] == [second, first]
        looks = connection.execute("select count(*) from footage_access").fetchone()[0]
    assert wish is not None
    assert (wish.asker, wish.interval) == (request(world).asker, request(world).interval)
    assert (wish.options, wish.target) == (request(world).options, Path("/media/usb"))
    assert [(each.room, each.label) for each in wish.cameras] == [("第1考场", "前方"), ("第2考场", "前方")]
    assert wish.site == "示例职业技能考点（SITE-01）"
    assert looks == 4


def test_names_stand_in_no_ledger_leaf_and_in_no_order(world: World) -> None:
    with world.exam.write() as connection:
        give_export_order(connection, request(world), CLOCK_US)
    with world.exam.read() as connection:
        kept = [str(tuple(row)) for row in connection.execute("select kind, body from ledger_leaf")]
        kept += [row[0] for row in connection.execute("select subject from work_order")]
    assert not any(word in text for text in kept for word in ("周审", "某单位", "考生投诉核查"))


def test_an_order_of_another_kind_is_no_export(world: World) -> None:
    with world.exam.write() as connection:
        other = give_order(connection, NewOrder(OrderKind.FIXITY_CHECK, {}, "检查", 1), CLOCK_US)
    with world.exam.read() as connection:
        assert find_export(connection, other) is None
        assert find_export(connection, 99) is None
        assert [camera.label for camera in site_cameras(connection)] == ["前方", "后方", "前方"]


def test_footage_under_a_restriction_is_not_exported(world: World) -> None:
    with world.exam.write() as connection:
        order_id = give_export_order(connection, request(world), CLOCK_US)
        wish = find_export(connection, order_id)
        assert wish is not None
        _refuse(world, connection, wish)
        reach = Reach(world.camera_2, START_US, START_US + 1)
        by_one = Decision(world.site_lead_account_id, "考生要求", CLOCK_US)
        hold_id = propose_hold(connection, NewHold(HoldKind.RESTRICTION, None, (reach,), "T1"), by_one)
        by_another = Decision(world.proctor_account_id, "同意", CLOCK_US)
        take_step(connection, hold_id, HoldStep.CONFIRMED, by_another)
        with pytest.raises(ExportError, match="限制处理"):
            _refuse(world, connection, wish)


def test_a_file_that_reaches_into_a_restricted_stretch_is_not_exported(world: World) -> None:
    with world.exam.write() as connection:
        wish = find_export(connection, give_export_order(connection, request(world), CLOCK_US))
        assert wish is not None
        from_us = wish.interval.until_us + 1
        reach = Reach(world.camera_2, from_us, from_us + 60_000_000)
        by_one = Decision(world.site_lead_account_id, "考生要求", CLOCK_US)
        hold_id = propose_hold(connection, NewHold(HoldKind.RESTRICTION, None, (reach,), "T1"), by_one)
        by_another = Decision(world.proctor_account_id, "同意", CLOCK_US)
        take_step(connection, hold_id, HoldStep.CONFIRMED, by_another)
        _refuse(world, connection, wish)
        Reel(world, world.camera_2).invent(wish.interval.until_us - 5_000_000)
        with pytest.raises(ExportError, match="限制处理"):
            _refuse(world, connection, wish)


def _refuse(world: World, exam: Connection, wish: ExportWish) -> None:
    with world.footage.read() as footage:
        refuse_restricted(exam, footage, wish)
