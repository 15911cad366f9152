"""What a page and a printed register are told about the files of a register."""

import threading
from collections.abc import Iterator

import pytest

from evidence.disposal_progress import Outcome, camera_labels, plan_outcome
from exam.clock import SECOND_US
from tests.disposals import DUE_US, Archive, open_archive
from tests.world import World

NEVER = threading.Event()


@pytest.fixture
def archive(world: World) -> Iterator[Archive]:
    with open_archive(world) as opened:
        yield opened


def outcome(archive: Archive, *order_ids: int, plan_id: int = 1) -> Outcome:
    with archive.footage.read() as connection:
        return plan_outcome(connection, plan_id, list(order_ids))


def refuse(archive: Archive, order_id: int, segment_id: int, reasons: str) -> None:
    with archive.world.footage.write() as connection:
        connection.execute(
            "insert into disposal_refusal (order_id, segment_id, reasons, refused_at_us) values (?, ?, ?, ?)",
            (order_id, segment_id, reasons, DUE_US),
        )


def test_nothing_has_become_of_a_register_that_nobody_carried_out(archive: Archive) -> None:
    archive.approved_order()
    made = outcome(archive, 1)
    assert made == Outcome({}, frozenset(), ())
    assert (made.first_us, made.last_us) == (None, None)


def test_what_is_gone_is_told_with_its_time(archive: Archive) -> None:
    order_id, disposer = archive.approved_order(), archive.disposer()
    first, second, third = archive.segment_ids
    disposer.dispose(order_id, first)
    archive.world.clock.sleep_us(SECOND_US)
    disposer.dispose(order_id, second)
    made = outcome(archive, order_id)
    assert made == Outcome({first: DUE_US, second: DUE_US + SECOND_US}, frozenset(), ())
    assert (made.first_us, made.last_us) == (DUE_US, DUE_US + SECOND_US)
    archive.edit("update disposal set done_at_us = null where segment_id = ?", second, exam=False)
    assert outcome(archive, order_id) == Outcome({first: DUE_US}, frozenset({second}), ())
    assert outcome(archive, order_id, plan_id=2) == Outcome({}, frozenset(), ())
    assert third not in made.done


def test_refusals_are_counted_by_their_reasons_over_all_orders_of_the_register(archive: Archive) -> None:
    one, two = archive.segment_ids[:2]
    refuse(archive, 4, one, "on_hold")
    refuse(archive, 4, two, "on_hold")
    refuse(archive, 5, one, "on_hold")
    refuse(archive, 5, two, "not_due on_hold")
    refuse(archive, 6, one, "other_order")
    assert outcome(archive, 4, 5).refusals == (("not_due on_hold", 1), ("on_hold", 3))


def test_a_camera_is_named_by_room_and_view(world: World) -> None:
    with world.exam.read() as connection:
        labels = camera_labels(connection)
        count = connection.execute("select count(*) from camera").fetchone()[0]
    assert labels[world.cameras_1[0]] == "第1考场 前方"
    assert len(labels) == count
