"""Alarms on the console: told in words, acknowledged by the lead, quiet then and listed until over."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from evidence.camera_alarms import AlarmKind
from evidence.fixity_rows import FoundBy, Soundness, note_damage
from evidence.footage import Cause, Recording
from evidence.health import HealthKind, NewTrouble, begin_trouble
from evidence.index_look import keep_look
from evidence.mirror import write_mirror_state
from evidence.mirror_look import MirrorLook, MirrorTrouble
from exam.clock import SECOND_US
from tests.recordings import Reel
from tests.web.console import PageClient
from tests.web.crowd import add_rooms, recording
from tests.world import World
from web.access import Role
from web.alarms import read_alarms
from web.services import Services

DOWN = (Recording.DOWN, Cause.UNREACHABLE)


def banner(client: PageClient) -> str:
    return client.get("/overview/live").text.partition('data-live="urgent"')[0]


def know(client: PageClient, *keys: list[str]) -> int:
    answer = client.post("/alarms/acknowledge", json={"alarms": list(keys)})
    assert answer.status_code == 200
    return int(answer.json["acknowledged"])


def test_a_camera_that_dies_is_told_with_what_to_do(site_lead: PageClient, world: World) -> None:
    recording(world)
    assert "alarm-loud" not in banner(site_lead)
    recording(world, but={world.camera_2: DOWN})
    page = banner(site_lead)
    assert "alarm-loud" in page
    assert "第2考场前方" in page
    assert "没有录像：摄像机连接不上，请检查电源和网线" in page


def test_a_camera_whose_password_cannot_be_decrypted_is_told_so(site_lead: PageClient, world: World) -> None:
    refused = (Recording.DOWN, Cause.UNAUTHORIZED)
    recording(world, but={world.camera_2: refused, world.cameras_1[0]: refused})
    with world.exam.write() as connection:
        connection.execute("update camera set password_cipher = x'00' where uuid = ?", (world.camera_2,))
    page = banner(site_lead)
    assert "没有录像：密码无法解密，请重新导入考点安排" in page
    assert "没有录像：摄像机拒绝登录，密码不对" in page


def test_an_acknowledged_alarm_is_quiet_and_stays_listed_with_who_knows(
    site_lead: PageClient, world: World
) -> None:
    recording(world, but={world.camera_2: DOWN})
    assert know(site_lead, ["no_footage", world.camera_2, ""]) == 1
    page = banner(site_lead)
    assert "alarm-loud" not in page
    assert "李强" in page
    assert "已知悉" in page
    assert "第2考场前方" in page
    recording(world)
    assert "第2考场前方" not in banner(site_lead)


def test_knowing_twice_or_of_what_is_over_keeps_nothing_more(site_lead: PageClient, world: World) -> None:
    recording(world, but={world.camera_2: DOWN})
    for _ in range(2):
        know(site_lead, ["no_footage", world.camera_2, ""], ["no_footage", "strange", ""])
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from alarm_acknowledgement").fetchone()[0] == 1


@pytest.mark.parametrize("body", [None, [], {"alarms": "all"}, {}])
def test_what_is_no_list_of_alarms_is_refused(site_lead: PageClient, body: object) -> None:
    assert site_lead.post("/alarms/acknowledge", json=body).status_code == 400


def test_patrols_see_alarms_and_do_not_acknowledge(
    as_role: Callable[[Role], PageClient], world: World
) -> None:
    recording(world, but={world.camera_2: DOWN})
    inspector = as_role(Role.INSPECTOR)
    page = banner(inspector)
    assert "alarm-loud" in page
    assert "data-post" not in page
    assert inspector.post("/alarms/acknowledge", json={"alarms": []}).status_code == 403


def test_the_same_trouble_of_many_cameras_is_one_line(site_lead: PageClient, world: World) -> None:
    add_rooms(world, 6)
    with world.exam.read() as connection:
        cameras = [row["uuid"] for row in connection.execute("select uuid from camera")]
    recording(world, but=dict.fromkeys(cameras, DOWN))
    page = banner(site_lead)
    assert page.count("alarm-loud") == 1
    assert f"等{len(cameras)}台" in page


def test_pictures_and_volumes_have_their_words(site_lead: PageClient, world: World) -> None:
    recording(world)
    now_us = world.clock.wall_us()
    with world.footage.write() as connection:
        begin_trouble(connection, NewTrouble(world.camera_2, HealthKind.COVERED, now_us, {}), now_us)
        connection.execute(
            "insert into volume_state (path, role, trouble, since_us, keep_free_bytes, updated_at_us)"
            " values ('/evidence/1', 'normal', 'not_mounted', ?, 0, ?)",
            (now_us, now_us),
        )
    page = banner(site_lead)
    assert "镜头被遮挡。" in page
    assert "证据卷没有挂载" in page
    assert "/evidence/1" in page


def test_a_silent_recorder_is_told_once_since_when(site_lead: PageClient, world: World) -> None:
    recording(world, but={world.camera_2: (Recording.DOWN, None)})
    assert "没有录像</span>" in banner(site_lead)
    world.clock.sleep_us(11 * SECOND_US)
    page = banner(site_lead)
    assert page.count("alarm-loud") == 1
    assert "录像程序无响应" in page
    assert "<time>08:50:00</time>" in page


def test_a_damaged_index_is_told_with_what_to_do(site_lead: PageClient, world: World) -> None:
    recording(world)
    keep_look(world.footage.path, "page 7 is never used", world.clock.wall_us())
    page = banner(site_lead)
    assert "影像索引" in page
    assert "已损坏；录像照常进行" in page
    assert "page 7" not in page
    assert know(site_lead, ["index", "", ""]) == 1
    assert "alarm-loud" not in banner(site_lead)


def test_an_index_too_damaged_to_be_asked_for_alarms_still_tells_that_it_is(world: World, app: Flask) -> None:
    recording(world, but={world.camera_2: DOWN})
    with world.footage.write() as connection:
        connection.execute("alter table gap rename to gap_lost")
    with app.test_request_context(), pytest.raises(sqlite3.DatabaseError):
        read_alarms()
    keep_look(world.footage.path, "page 7 is never used", world.clock.wall_us())
    with app.test_request_context():
        assert [alarm.key.kind for alarm in read_alarms()] == [AlarmKind.INDEX]


def test_before_any_recorder_ran_there_is_nothing_to_know(site_lead: PageClient, services: Services) -> None:
    services.footage.path = services.footage.path.with_name("not-yet.db")
    assert "alarm-loud" not in banner(site_lead)


def test_damaged_footage_and_a_mirror_have_their_words(site_lead: PageClient, world: World) -> None:
    recording(world)
    segment_id = Reel(world, world.camera_2).invent(world.clock.wall_us())
    now_us = world.clock.wall_us()
    with world.footage.write() as connection:
        note_damage(connection, segment_id, Soundness.MISSING, FoundBy.PRESENCE, now_us)
        write_mirror_state(connection, Path("/copies"), MirrorLook(None, MirrorTrouble.SAME_DISK), now_us)
    page = banner(site_lead)
    assert "有录像文件不见了，详见完整性校验" in page
    assert "/copies" in page
    assert "副本盘与证据卷在同一块盘上，不能作第二份副本；录像不受影响" in page
