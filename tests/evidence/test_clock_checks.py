"""Checks of the clocks and readings of a reference: kept once with their leaves, read back as they were."""

import sqlite3
from dataclasses import replace

import pytest

from evidence.camera_clocks import ClockFound, ClockOrigin, add_camera_clock
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.clock_checks import (
    NewClockCheck,
    ReferenceReading,
    clock_checks_since,
    find_check,
    keep_check,
    keep_reading,
    latest_reading,
)
from evidence.measured_clocks import NO_PLAYER, measured_clocks
from evidence.site_clock import record_decision, record_step
from evidence.speakers import invite, load_speakers
from exam.clock import MINUTE_US, SECOND_US
from exam.clock_check import CheckedClock, ClockKind, ClockReading, ClockSource, ClockVerdict
from exam.clock_step import LastStep, StepChoice
from exam.players import MAY_RING_US, PlayerKind
from tests.clocks_found import beat_of_kiosk, beat_of_player
from tests.exam.test_preflight import SOUND_CAMERA
from tests.recordings import Reel
from tests.web.checked_cameras import check_cameras
from tests.world import CLOCK_US, World

FOUND = [
    CheckedClock(
        ClockReading(ClockKind.CONSOLE, "北斗授时钟", "", ClockSource.BY_HAND, 300_000, 500_000, CLOCK_US),
        SECOND_US,
        ClockVerdict.RIGHT,
    ),
    CheckedClock(ClockReading(ClockKind.CAMERA, "前方", "第1考场"), SECOND_US, ClockVerdict.UNMEASURED),
]


def kept(world: World, note: str = "画面时间人工核对过") -> int:
    with world.exam.write() as connection:
        return keep_check(connection, NewClockCheck(FOUND, note, world.site_lead_account_id), CLOCK_US)


def read(world: World, reference: str = "电话报时12117", offset_us: int = 300_000) -> None:
    reading = ReferenceReading(reference, offset_us, world.site_lead_account_id, CLOCK_US)
    with world.exam.write() as connection:
        keep_reading(connection, reading)


def found(world: World, footage: bool = True) -> list[tuple[ClockKind, str, str, ClockSource, int | None]]:
    with world.exam.read() as exam, world.footage.read() as recorded:
        clocks = measured_clocks(exam, recorded if footage else None, CLOCK_US)
    return [(one.kind, one.place, one.label, one.source, one.offset_us) for one in clocks]


def test_a_check_is_kept_with_its_leaf_and_read_back_as_it_was(world: World) -> None:
    check_id = kept(world)
    with world.exam.read() as connection:
        check = find_check(connection, check_id)
        assert list(check_facts(connection, EXAM_FACTS)) == []
        assert find_check(connection, 99) is None
        assert [one.id for one in clock_checks_since(connection, CLOCK_US)] == [check_id]
        assert clock_checks_since(connection, CLOCK_US + 1) == []
        leaf = connection.execute("select body from ledger_leaf where kind = 'clock_check'").fetchone()[0]
    assert check is not None
    assert (check.clocks, check.wrong_count, check.by) == (FOUND, 1, "李强")
    assert check.sha256 in leaf
    assert "第1考场" not in leaf
    assert "人工核对" not in leaf


def test_a_check_with_faults_needs_a_note(world: World) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        kept(world, "")


def test_the_last_reading_of_a_person_counts(world: World) -> None:
    with world.exam.read() as connection:
        assert latest_reading(connection) is None
    read(world, "手机")
    read(world)
    with world.exam.read() as connection:
        reading = latest_reading(connection)
        assert list(check_facts(connection, EXAM_FACTS)) == []
    assert reading == ClockReading(
        ClockKind.CONSOLE, "电话报时12117", "", ClockSource.BY_HAND, 300_000, 500_000, CLOCK_US
    )


def test_nothing_counts_any_more_once_the_clock_was_changed(world: World) -> None:
    read(world)
    check_id = kept(world)
    with world.exam.write() as connection:
        step = record_step(connection, "boot", 5 * SECOND_US, CLOCK_US)
        record_decision(connection, LastStep(step, 5 * SECOND_US, None), StepChoice.ADOPTED, None, CLOCK_US)
        assert latest_reading(connection) is None
        check = find_check(connection, check_id)
    assert check is not None
    assert not check.is_of_this_clock


@pytest.mark.parametrize("table", ["clock_check", "reference_reading"])
def test_what_was_kept_is_never_changed(world: World, table: str) -> None:
    kept(world)
    read(world)
    for statement in (f"update {table} set account_id = account_id", f"delete from {table}"):
        with world.exam.write() as connection, pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(statement)


def test_clocks_that_nobody_ever_read_are_named_all_the_same(world: World) -> None:
    with world.exam.write() as connection:
        invite(connection, "广播主机", [world.room_2], CLOCK_US)
    assert found(world) == [
        (ClockKind.KIOSK, "", "一号签到机", ClockSource.NONE, None),
        (ClockKind.SPEAKER, "", "广播主机", ClockSource.NONE, None),
        (ClockKind.PAGE, "第1考场", NO_PLAYER, ClockSource.NONE, None),
        (ClockKind.CAMERA, "第1考场", "前方", ClockSource.NONE, None),
        (ClockKind.CAMERA, "第1考场", "后方", ClockSource.NONE, None),
        (ClockKind.CAMERA, "第2考场", "前方", ClockSource.NONE, None),
    ]
    assert found(world, footage=False) == found(world)


def test_every_device_tells_its_clock_in_its_own_way(world: World) -> None:
    beat_of_kiosk(world, -2 * SECOND_US)
    beat_of_player(world, world.room_1, "page-0001-0001")
    beat_of_player(world, world.room_1, "speaker-0001", PlayerKind.SPEAKER, "广播主机")
    beat_of_player(world, world.room_2, "speaker-0001", PlayerKind.SPEAKER, "广播主机")
    check_cameras(world)
    Reel(world, world.camera_2).invent(CLOCK_US + 10 * SECOND_US)
    asked = ClockFound(world.cameras_1[1], 7 * SECOND_US, 4_000, ClockOrigin.ONVIF, CLOCK_US + MINUTE_US)
    with world.footage.write() as connection:
        add_camera_clock(connection, asked)
        connection.execute("update segment set camera_offset_us = 9 where 1")
    assert found(world) == [
        (ClockKind.KIOSK, "", "一号签到机", ClockSource.HEARTBEAT, -2 * SECOND_US),
        (ClockKind.PAGE, "第1考场", "平板", ClockSource.HEARTBEAT, -30 * SECOND_US),
        (ClockKind.SPEAKER, "全部考场", "广播主机", ClockSource.HEARTBEAT, -30 * SECOND_US),
        (ClockKind.CAMERA, "第1考场", "前方", ClockSource.RTCP, 150_000),
        (ClockKind.CAMERA, "第1考场", "后方", ClockSource.ONVIF, 7 * SECOND_US),
        (ClockKind.CAMERA, "第2考场", "前方", ClockSource.RTCP, 9),
    ]


def test_a_page_that_was_closed_long_ago_is_no_player_any_more(world: World) -> None:
    beat_of_player(world, world.room_1, "page-0001-0001", seen_at_us=CLOCK_US - MAY_RING_US - 1)
    assert (ClockKind.PAGE, "第1考场", NO_PLAYER, ClockSource.NONE, None) in found(world)


def test_a_camera_that_tells_no_clock_is_unmeasured_after_a_check_too(world: World) -> None:
    silent = replace(SOUND_CAMERA, clock_offset_us=None)
    check_cameras(world, dict.fromkeys([*world.cameras_1, world.camera_2], silent))
    assert [one[3] for one in found(world) if one[0] is ClockKind.CAMERA] == [ClockSource.NONE] * 3


def test_a_loudspeaker_that_tells_its_clock_is_named_once(world: World) -> None:
    with world.exam.write() as connection:
        invite(connection, "广播主机", None, CLOCK_US)
        speaker = load_speakers(connection)[0]
    beat_of_player(world, world.room_1, speaker.uuid, PlayerKind.SPEAKER, speaker.label)
    told = [one for one in found(world) if one[0] in {ClockKind.SPEAKER, ClockKind.PAGE}]
    assert told == [(ClockKind.SPEAKER, "第1考场", "广播主机", ClockSource.HEARTBEAT, -30 * SECOND_US)]
