"""The recording page and the list of certificates in real Chromium: sound, and nothing sticks out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from evidence.recording_orders import Who, order_by_hand
from exam.recording_decision import HandAct
from tests.axe import is_sound, resized
from tests.web.crowd import add_rooms
from tests.web.filmed_day import end_the_day, film_everything
from tests.world import PASSWORD, World

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def test_thirty_rooms_are_sound_with_one_stopped_by_hand(open_page: Open, world: World) -> None:
    add_rooms(world, 28)
    who = Who(world.site_lead_account_id, "误触演练", world.proctor_account_id)
    with world.exam.write() as connection:
        order_by_hand(connection, world.room_2, HandAct.STOP, who, world.clock.wall_us())
    page = open_page(world.site_lead_account_id, "/recording")
    expect(page.locator(".recording-rooms > li").first).to_contain_text("人工停止录像")
    for size in resized(page, "wall", "phone"):
        is_sound(page, f"recording-{size}")
    overview = open_page(world.site_lead_account_id, "/overview")
    for size in resized(overview, "wall", "phone"):
        is_sound(overview, f"overview-{size}")


def test_a_stop_in_a_session_is_done_with_two_people(open_page: Open, world: World) -> None:
    with world.exam.read() as connection:
        row = connection.execute(
            "select login_name from account where id = ?", (world.proctor_account_id,)
        ).fetchone()
    page = open_page(world.site_lead_account_id, "/recording")
    room = page.locator(f"#room-{world.room_1}")
    room.get_by_text("停止录像…").click()
    is_sound(page, "recording-stop")
    room.get_by_label("原因").first.fill("考生突发疾病")
    room.get_by_label("第二人登录名").fill(row["login_name"])
    room.get_by_label("第二人密码").fill(PASSWORD)
    room.get_by_role("button", name="确认停止").click()
    expect(page.locator(f"#room-{world.room_1}")).to_contain_text("人工停止录像，应录到 10:15")


def test_the_list_of_certificates_is_sound(open_page: Open, world: World) -> None:
    film_everything(world)
    end_the_day(world)
    page = open_page(world.site_lead_account_id, "/coverage")
    expect(page.locator("main")).to_contain_text("尚未存证")
    is_sound(page, "certificates")
