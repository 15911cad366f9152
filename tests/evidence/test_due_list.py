"""The due list: what may go, what stays and why."""

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest

from evidence.coverage import Part, PartKind, coverage, playable_segments
from evidence.due_list import DueGroup, due_files, due_list, outlook
from evidence.retention import reopen_batch
from evidence.timeline import Interval
from exam.clock import SITE_ZONE, to_us
from exam.retention import KeepReason
from tests.disposals import END_US, POLICY, SEGMENT_US, Archive, open_archive, set_clock
from tests.recordings import Reel
from tests.world import START_US, World

DAY_US = 24 * 3_600_000_000
END_2033_US = to_us(datetime(2033, 1, 1, tzinfo=SITE_ZONE))


@pytest.fixture
def archive(world: World) -> Iterator[Archive]:
    with open_archive(world) as opened:
        yield opened


def listed(archive: Archive) -> list[DueGroup]:
    with archive.world.exam.read() as exam, archive.world.footage.read() as footage:
        return due_list(footage, outlook(exam, 5, archive.world.clock.wall_us()))


def due_ids(archive: Archive, batch_id: int = 0) -> list[int]:
    with archive.world.exam.read() as exam, archive.world.footage.read() as footage:
        view = outlook(exam, 5, archive.world.clock.wall_us())
        return [each.segment_id for each in due_files(footage, view, batch_id or archive.world.batch_id)]


def test_what_is_due_comes_first_with_its_quarter_and_sums(archive: Archive) -> None:
    Reel(archive.world, archive.world.camera_2).invent(START_US + 60 * DAY_US)
    due, never = listed(archive)
    assert due == DueGroup(
        "2032 Q1",
        END_US,
        (archive.world.batch_id,),
        (),
        3,
        sum(archive.planned(each).size_bytes for each in archive.segment_ids),
        START_US,
        START_US + 3 * SEGMENT_US,
    )
    assert due.is_due
    assert (never.quarter, never.retain_until_us, never.reasons) == ("", None, (KeepReason.NO_BATCH,))


def test_both_cameras_of_an_hour_and_of_many_hours_are_one_group(archive: Archive) -> None:
    Reel(archive.world, archive.world.cameras_1[1]).invent(START_US + 3_600_000_000)
    (group,) = listed(archive)
    assert group.files == 4
    assert group.until_us == START_US + 3_600_000_000 + SEGMENT_US


def test_within_the_period_and_in_an_open_batch_the_reason_is_told(archive: Archive) -> None:
    set_clock(archive.world, END_US - 1)
    assert [group.reasons for group in listed(archive)] == [(KeepReason.WITHIN_PERIOD,)]
    assert due_ids(archive) == []
    with archive.world.exam.write() as connection:
        reopen_batch(connection, archive.world.batch_id, POLICY, archive.decision(archive.site_lead))
    assert [group.reasons for group in listed(archive)] == [(KeepReason.BATCH_OPEN,)]


def test_the_files_of_a_batch_are_frozen_with_digest_and_date(archive: Archive) -> None:
    with archive.world.exam.read() as exam, archive.world.footage.read() as footage:
        view = outlook(exam, 5, archive.world.clock.wall_us())
        files = due_files(footage, view, archive.world.batch_id)
    assert files == [archive.planned(each) for each in archive.segment_ids]
    assert due_ids(archive, 99) == []


def test_a_damaged_or_missing_file_is_kept_for_a_person_to_look_at(archive: Archive) -> None:
    first, second, third = archive.segment_ids
    archive.file(first).write_bytes(b"short")
    archive.file(second).unlink()
    assert due_ids(archive) == [third]


def test_what_another_batch_needs_longer_is_not_due_for_this_one(archive: Archive) -> None:
    other = Reel(archive.world, archive.world.camera_2).invent(START_US + 60 * DAY_US)
    assert other not in due_ids(archive)


def test_disposed_footage_leaves_the_list_and_is_drawn_with_its_register(archive: Archive) -> None:
    first, second, _third = archive.segment_ids
    order_id = archive.approved_order([first, second])
    archive.disposer().carry_out(order_id, [first, second], threading.Event())
    assert due_ids(archive) == archive.segment_ids[2:]
    assert [group.files for group in listed(archive)] == [1]
    interval = Interval(START_US, START_US + 3 * SEGMENT_US)
    camera = archive.world.cameras_1[0]
    with archive.world.footage.read() as connection:
        parts = coverage(connection, camera, interval, archive.world.clock.wall_us())
        playable = playable_segments(connection, camera, interval)
    gone_us = START_US + 2 * SEGMENT_US
    assert parts[-1] == Part(PartKind.FOOTAGE, gone_us, START_US + 3 * SEGMENT_US)
    assert {part.kind for part in parts[:-1]} == {PartKind.DISPOSED}
    assert {part.register for part in parts[:-1]} == {"销毁-2032-001"}
    assert parts[0].from_us == START_US
    assert parts[-2].until_us == gone_us
    assert [each.id for each in playable] == archive.segment_ids[2:]
