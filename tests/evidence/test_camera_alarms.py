"""Camera alarms: they last as long as their trouble, explain themselves, and go quiet once somebody knows."""

import json
import sqlite3
from pathlib import Path

import pytest

from evidence.camera_alarms import (
    AlarmKey,
    AlarmKind,
    CameraAlarm,
    acknowledge,
    acknowledged,
    index_alarms,
    open_alarms,
)
from evidence.fixity_rows import FoundBy, Soundness, end_damage, note_damage
from evidence.footage import CameraState, Cause, Recording
from evidence.footage_rows import note_absence, write_states
from evidence.health import HealthKind, NewTrouble, begin_trouble, end_trouble
from evidence.index_look import keep_look
from evidence.ledger import read_leaves
from evidence.mirror import write_mirror_state
from evidence.mirror_look import MirrorLook, MirrorTrouble
from exam.clock import MINUTE_US, SECOND_US
from tests.recordings import Reel
from tests.world import CLOCK_US, World


def say(
    world: World,
    camera: str,
    state: Recording,
    cause: Cause | None = None,
    at_us: int = CLOCK_US,
) -> None:
    now = CameraState(camera, state, CLOCK_US - MINUTE_US, None, cause, 0, at_us)
    with world.footage.write() as connection:
        write_states(connection, [now])


def absent(world: World, camera: str, at_us: int, cause: Cause) -> None:
    with world.footage.write() as connection:
        note_absence(connection, camera, at_us, cause, at_us)


def alarms(world: World, now_us: int = CLOCK_US) -> list[CameraAlarm]:
    with world.footage.read() as connection:
        return open_alarms(connection, [*world.cameras_1, world.camera_2], now_us)


def test_cameras_that_record_or_stand_by_and_cameras_never_seen_raise_no_alarm(world: World) -> None:
    assert alarms(world) == []
    for camera, state in zip(
        [*world.cameras_1, world.camera_2],
        (Recording.RECORDING, Recording.STANDBY, Recording.STOPPED),
        strict=True,
    ):
        say(world, camera, state)
    assert alarms(world) == []


@pytest.mark.parametrize("state", [Recording.DOWN, Recording.STALLED])
def test_a_camera_without_footage_is_an_alarm_since_its_footage_ended(world: World, state: Recording) -> None:
    say(world, world.camera_2, state, Cause.STALLED)
    key = AlarmKey(AlarmKind.NO_FOOTAGE, world.camera_2)
    assert alarms(world) == [CameraAlarm(key, CLOCK_US - MINUTE_US, "stalled")]
    absent(world, world.camera_2, CLOCK_US - 30 * SECOND_US, Cause.STALLED)
    assert alarms(world) == [CameraAlarm(key, CLOCK_US - 30 * SECOND_US, "stalled")]


def test_a_camera_that_owes_footage_and_was_stopped_by_people_is_an_alarm(world: World) -> None:
    say(world, world.camera_2, Recording.STOPPED, Cause.OPERATOR_STOP)
    key = AlarmKey(AlarmKind.NO_FOOTAGE, world.camera_2)
    assert alarms(world) == [CameraAlarm(key, CLOCK_US - MINUTE_US, "operator_stop")]


def test_pictures_that_went_dark_at_the_end_of_the_day_alarm_nobody_at_night(world: World) -> None:
    with world.footage.write() as connection:
        begin_trouble(connection, NewTrouble(world.camera_2, HealthKind.BLACK, CLOCK_US, {}), CLOCK_US)
    say(world, world.camera_2, Recording.RECORDING)
    assert [alarm.key.kind for alarm in alarms(world)] == [AlarmKind.PICTURE]
    say(world, world.camera_2, Recording.STANDBY)
    assert alarms(world) == []


def test_gaps_that_follow_one_another_are_one_absence_and_an_older_one_is_another(world: World) -> None:
    camera = world.camera_2
    with world.footage.write() as connection:
        connection.executemany(
            "insert into gap (camera_uuid, started_at_us, ended_at_us, cause) values (?, ?, ?, 'stalled')",
            [
                (camera, CLOCK_US - 90 * SECOND_US, CLOCK_US - 80 * SECOND_US),
                (camera, CLOCK_US - 40 * SECOND_US, CLOCK_US - 30 * SECOND_US),
                (camera, CLOCK_US - 30 * SECOND_US, None),
            ],
        )
    say(world, camera, Recording.DOWN)
    (alarm,) = alarms(world)
    assert (alarm.since_us, alarm.cause) == (CLOCK_US - 40 * SECOND_US, "")


def test_a_camera_that_reconnects_is_given_some_seconds_and_a_start_is_no_alarm(world: World) -> None:
    camera = world.camera_2
    say(world, camera, Recording.CONNECTING, Cause.CAMERA_CLOSED)
    assert alarms(world) == [], "no absence is known"
    absent(world, camera, CLOCK_US, Cause.CAMERA_CLOSED)
    assert alarms(world, CLOCK_US + 5 * SECOND_US) == []
    (alarm,) = alarms(world, CLOCK_US + 6 * SECOND_US)
    assert alarm.since_us == CLOCK_US
    say(world, camera, Recording.CONNECTING, Cause.STARTING)
    assert alarms(world, CLOCK_US + 6 * SECOND_US) == []


def test_a_camera_that_came_back_has_no_alarm_although_it_once_was_absent(world: World) -> None:
    camera = world.camera_2
    with world.footage.write() as connection:
        connection.execute(
            "insert into gap (camera_uuid, started_at_us, ended_at_us, cause) values (?, ?, ?, 'stalled')",
            (camera, CLOCK_US - 40, CLOCK_US - 30),
        )
    say(world, camera, Recording.CONNECTING, Cause.CAMERA_CLOSED)
    assert alarms(world) == []


def test_a_silent_recorder_is_the_one_alarm(world: World) -> None:
    say(world, world.camera_2, Recording.DOWN)
    (alarm,) = alarms(world, CLOCK_US + 11 * SECOND_US)
    assert alarm == CameraAlarm(AlarmKey(AlarmKind.RECORDER_AWAY, ""), CLOCK_US)


def test_pictures_in_trouble_are_alarms_until_they_recover(world: World) -> None:
    say(world, world.camera_2, Recording.RECORDING)
    with world.footage.write() as connection:
        begin_trouble(connection, NewTrouble(world.camera_2, HealthKind.BLACK, CLOCK_US - 7, {}), CLOCK_US)
    key = AlarmKey(AlarmKind.PICTURE, world.camera_2, "black")
    assert alarms(world) == [CameraAlarm(key, CLOCK_US - 7)]
    with world.footage.write() as connection:
        end_trouble(connection, world.camera_2, HealthKind.BLACK, CLOCK_US, CLOCK_US)
    assert alarms(world) == []


def test_a_volume_in_trouble_is_an_alarm(world: World) -> None:
    with world.footage.write() as connection:
        connection.execute(
            "insert into volume_state (path, role, trouble, since_us, keep_free_bytes, updated_at_us)"
            " values ('/evidence/1', 'normal', 'full', ?, 0, ?), ('/evidence/2', 'normal', '', ?, 0, ?)",
            (CLOCK_US, CLOCK_US, CLOCK_US, CLOCK_US),
        )
    key = AlarmKey(AlarmKind.VOLUME, "/evidence/1")
    assert alarms(world) == [CameraAlarm(key, CLOCK_US, "full")]


def test_damaged_footage_alarms_once_for_a_camera_and_kind_as_of_the_latest(world: World) -> None:
    reel = Reel(world, world.camera_2)
    ids = [reel.invent(CLOCK_US + at * 10 * SECOND_US) for at in range(3)]
    kinds = (Soundness.DAMAGED, Soundness.DAMAGED, Soundness.MISSING)
    with world.footage.write() as connection:
        for at, (segment_id, kind) in enumerate(zip(ids, kinds, strict=True)):
            note_damage(connection, segment_id, kind, FoundBy.FIXITY, CLOCK_US + at)
    assert alarms(world) == [
        CameraAlarm(AlarmKey(AlarmKind.FOOTAGE, world.camera_2, "missing"), CLOCK_US + 2),
        CameraAlarm(AlarmKey(AlarmKind.FOOTAGE, world.camera_2, "damaged"), CLOCK_US + 1),
    ]
    with world.footage.write() as connection:
        for segment_id in ids:
            end_damage(connection, segment_id, CLOCK_US + 9)
        assert not end_damage(connection, ids[0], CLOCK_US + 9)
    assert alarms(world) == []


def test_a_mirror_that_takes_no_copies_alarms(world: World) -> None:
    with world.footage.write() as connection:
        write_mirror_state(connection, Path("/copies"), MirrorLook(None), CLOCK_US)
    assert alarms(world) == []
    with world.footage.write() as connection:
        write_mirror_state(connection, Path("/copies"), MirrorLook(None, MirrorTrouble.FULL), CLOCK_US)
    assert alarms(world) == [CameraAlarm(AlarmKey(AlarmKind.MIRROR, "/copies"), CLOCK_US, "full")]


def test_a_damaged_index_alarms_from_beside_it_until_a_look_finds_it_sound(world: World) -> None:
    index = world.footage.path
    assert index_alarms(index) == []
    keep_look(index, "page 7 is never used", CLOCK_US)
    keep_look(index, "page 7 is never used", CLOCK_US + 1)
    assert index_alarms(index) == [CameraAlarm(AlarmKey(AlarmKind.INDEX, ""), CLOCK_US)]
    keep_look(index, "", CLOCK_US + 2)
    assert index_alarms(index) == []


def know(world: World, alarm: CameraAlarm, now_us: int) -> None:
    with world.exam.write() as connection:
        acknowledge(connection, alarm, world.site_lead_account_id, now_us)


def test_an_acknowledgement_holds_until_the_trouble_begins_anew(world: World) -> None:
    key = AlarmKey(AlarmKind.NO_FOOTAGE, world.camera_2)
    alarm = CameraAlarm(key, CLOCK_US)
    with world.exam.read() as connection:
        assert acknowledged(connection, [alarm]) == {}
    know(world, alarm, CLOCK_US + 1)
    know(world, alarm, CLOCK_US + 2)
    with world.exam.read() as connection:
        found = acknowledged(connection, [alarm])[key]
        assert (found.display_name, found.acknowledged_at_us) == ("李强", CLOCK_US + 1)
        assert acknowledged(connection, [CameraAlarm(key, CLOCK_US + 3)]) == {}
        other = CameraAlarm(AlarmKey(AlarmKind.PICTURE, world.camera_2, "black"), CLOCK_US)
        assert acknowledged(connection, [other]) == {}


def test_its_leaf_names_the_alarm_without_telling_a_folder(world: World) -> None:
    know(world, CameraAlarm(AlarmKey(AlarmKind.VOLUME, "/evidence/张三"), CLOCK_US, "full"), CLOCK_US)
    with world.exam.read() as connection:
        leaves = [leaf for leaf, _ in read_leaves(connection) if leaf.kind == "alarm_acknowledged"]
    body = json.loads(leaves[0].body)
    assert (body["kind"], body["since_us"]) == ("volume", CLOCK_US)
    assert "张三" not in leaves[0].body


@pytest.mark.parametrize(
    "statement", ["update alarm_acknowledgement set since_us = 1", "delete from alarm_acknowledgement"]
)
def test_an_acknowledgement_is_never_taken_back(world: World, statement: str) -> None:
    know(world, CameraAlarm(AlarmKey(AlarmKind.RECORDER_AWAY, ""), CLOCK_US), CLOCK_US)
    with pytest.raises(sqlite3.IntegrityError, match="never"), world.exam.write() as connection:
        connection.execute(statement)
