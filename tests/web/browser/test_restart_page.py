"""正在核对时间 in real Chromium: what everybody sees, what the lead does, and that it goes on by itself."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.axe import is_sound, resized
from tests.web.restarted import Restarted
from tests.world import World
from web.restart_page import ROOMS_FIRST_US

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def test_the_lead_compares_with_a_watch_and_types_what_it_shows(
    open_page: Open, world: World, shut: Restarted
) -> None:
    page = open_page(world.site_lead_account_id, "/overview", "wall")
    expect(page.get_by_role("heading", name="正在核对时间")).to_be_visible()
    is_sound(page, "restart-waiting")
    world.clock.sleep_us(ROOMS_FIRST_US)
    expect(page.locator("#now")).to_be_visible()
    shown = page.locator("#now").inner_text()
    assert "09:20:55" <= shown < "09:25:00", shown
    for size in resized(page, "phone", "tablet", "wall"):
        is_sound(page, f"restart-lead-{size}")
    page.get_by_text("时间不对").click()
    page.get_by_label("手表上的时间").fill("九点")
    page.get_by_role("button", name="按手表的时间继续").click()
    expect(page.get_by_role("alert")).to_contain_text("没有看懂")
    is_sound(page, "restart-unread")
    page.wait_for_timeout(2_500)  # it looks whether to go on: what was said stands
    expect(page.get_by_role("alert")).to_contain_text("没有看懂")
    page.get_by_label("手表上的时间").fill("08:51:00")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("请再按一次")
    is_sound(page, "restart-again")
    page.get_by_role("button", name="确实如此").click()
    expect(page.get_by_role("heading", name="正在核对时间")).to_have_count(0)
    assert not shut.keeper.is_in_doubt


def test_a_page_goes_on_by_itself_once_the_rooms_have_told_the_time(open_page: Open, shut: Restarted) -> None:
    page = open_page(None, "/login?next=/overview", "tablet")
    page.goto(page.url.replace("/login?next=/overview", "/overview"))
    shut.world.clock.sleep_us(ROOMS_FIRST_US)
    expect(page.get_by_text("请考点负责人登录")).to_be_visible()
    is_sound(page, "restart-nobody")
    shut.hear()
    shut.gather()
    expect(page.get_by_label("登录名")).to_be_visible()
