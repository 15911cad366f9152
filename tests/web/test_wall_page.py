"""The camera wall: who may watch, what a tile says, red ones first, and where a press leads."""

from collections.abc import Callable

import pytest
from flask import Flask

from evidence.footage import Cause, Recording
from evidence.health import HealthKind, NewTrouble, begin_trouble
from evidence.thumbnails import Thumbnail, keep_thumbnail
from exam.clock import MINUTE_US, SECOND_US
from tests.web.checked_cameras import view_of
from tests.web.console import PageClient, account_with, client_for
from tests.web.crowd import add_rooms, recording
from tests.world import World
from web.access import Role
from web.services import Services
from web.wall_page import age_words

WATCHERS = {Role.SITE_LEAD, Role.INSPECTOR, Role.QUALITY_SUPERVISOR}


def photograph(services: Services, camera: str, ago_us: int = SECOND_US) -> None:
    moment_us = services.clock.wall_us() - ago_us
    keep_thumbnail(services.settings.thumbnails_folder, camera, Thumbnail(moment_us, view_of(1)))


@pytest.mark.parametrize("role", list(Role))
def test_only_the_lead_and_patrols_watch(as_role: Callable[[Role], PageClient], role: Role) -> None:
    assert as_role(role).get("/wall/").status_code == (200 if role in WATCHERS else 403)


def test_whoever_administers_the_machine_does_not_watch_with_that_account(
    app: Flask, world: World, services: Services
) -> None:
    photograph(services, world.camera_2)
    both = client_for(app, world, account_with(world, Role.SITE_LEAD, Role.ADMINISTRATOR))
    assert both.get("/wall/").status_code == 403
    assert both.get(f"/wall/pictures/{world.camera_2}.jpg").status_code == 403


def test_every_camera_has_a_tile_with_its_state_and_age(site_lead: PageClient, world: World) -> None:
    recording(world)
    world.clock.sleep_us(3 * SECOND_US)
    page = site_lead.get("/wall/").text
    assert page.count('class="tile"') == 3
    assert page.count("录像中") == 6, "each in words and for those who hear the page"
    assert page.count("3秒前") == 3
    assert page.count("没有画面") == 3, "no thumbnail yet"
    assert f"/playback/?room={world.room_1}&amp;at=" in page


def test_the_newest_picture_is_shown_and_an_old_one_says_so(
    site_lead: PageClient, world: World, services: Services
) -> None:
    recording(world)
    photograph(services, world.camera_2)
    page = site_lead.get("/wall/").text
    assert page.count("<img") == 1
    answer = site_lead.get(f"/wall/pictures/{world.camera_2}.jpg")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.data == view_of(1)
    world.clock.sleep_us(20 * SECOND_US)
    assert "画面停在 <time>08:49:59</time>" in site_lead.get("/wall/").text
    world.clock.sleep_us(5 * MINUTE_US)
    assert "<img" not in site_lead.get("/wall/").text
    assert site_lead.get(f"/wall/pictures/{world.camera_2}.jpg").status_code == 404


def test_red_cameras_stand_first_with_what_is_wrong(site_lead: PageClient, world: World) -> None:
    recording(world, but={world.camera_2: (Recording.DOWN, Cause.UNREACHABLE)})
    with world.footage.write() as connection:
        now_us = world.clock.wall_us()
        begin_trouble(connection, NewTrouble(world.cameras_1[1], HealthKind.BLACK, now_us, {}), now_us)
    page = site_lead.get("/wall/live").text
    order = [page.index(f"tile-{uuid}") for uuid in (world.cameras_1[1], world.camera_2, world.cameras_1[0])]
    assert order == sorted(order)
    assert page.count('class="tile tile-red"') == 2
    assert "未录像（连接不上）" in page
    assert "画面全黑" in page


def test_a_silent_recorder_is_said_once_above_everything(site_lead: PageClient, world: World) -> None:
    recording(world)
    world.clock.sleep_us(11 * SECOND_US)
    page = site_lead.get("/wall/live").text
    assert "录像程序无响应" in page
    assert "自 <time>08:50:00</time> 起" in page


def test_a_site_without_cameras_says_what_to_do(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = 1")
    assert "还没有摄像机" in site_lead.get("/wall/").text


def test_before_any_recorder_ran_no_camera_records(site_lead: PageClient, services: Services) -> None:
    services.footage.path = services.footage.path.with_name("not-yet.db")
    assert site_lead.get("/wall/").text.count('class="tile tile-red"') == 3


def test_more_cameras_get_more_columns(site_lead: PageClient, world: World) -> None:
    assert "columns-3" in site_lead.get("/wall/live").text
    add_rooms(world, 13)
    assert "columns-6" in site_lead.get("/wall/live").text
    add_rooms_beyond(world)
    assert "columns-8" in site_lead.get("/wall/live").text


def add_rooms_beyond(world: World) -> None:
    with world.exam.write() as connection:
        for number in range(30):
            connection.execute(
                "insert into camera (uuid, room_id, label, address)"
                " values (lower(hex(randomblob(18))), ?, ?, 'rtsp://127.0.0.1/x')",
                (world.room_1, f"加{number}"),
            )


def test_ages_are_short() -> None:
    assert age_words(0, 59 * SECOND_US) == "59秒前"
    assert age_words(0, 125 * SECOND_US) == "2分钟前"
    assert age_words(5, 0) == "0秒前"


def test_the_stream_wakes_for_everything(site_lead: PageClient, services: Services) -> None:
    with site_lead.get("/wall/stream") as answer:
        frames = iter(answer.response)
        assert next(frames).startswith(b"retry")
        services.bus.publish("room:7")
        assert next(frames) == b"id: 1\ndata: 1\n\n"
    services.bus.close()
