"""Arming in real Chromium: look, confirm by key, see what changed, take it back; with many rooms too."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from exam.clock import MINUTE_US
from tests.axe import is_sound, resized
from tests.web.crowd import add_rooms, give_players
from tests.world import START_US, World

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.mark.parametrize("size", ["tablet", "phone", "wall"])
@pytest.mark.usefixtures("sounding")
def test_a_session_is_looked_at_armed_and_disarmed(open_page: Open, world: World, size: str) -> None:
    add_rooms(world, 8 if size == "wall" else 0)
    page = open_page(world.site_lead_account_id, "/overview", size)
    page.get_by_role("link", name="核对并启用").click()
    expect(page.get_by_role("heading", name="启用自动信号")).to_be_visible()
    expect(page.get_by_role("row", name="开考信号")).to_contain_text("09:00:00")
    is_sound(page, f"arming-{size}")
    with world.exam.write() as connection:
        connection.execute("update session set planned_start_us = ?", (START_US + 10 * MINUTE_US,))
    page.get_by_role("button", name="已核对，启用").click()
    expect(page.get_by_role("alert").first).to_contain_text("计划在您核对之后有变化")
    is_sound(page, f"arming-changed-{size}")
    page.get_by_role("button", name="已核对，启用").press("Enter")
    expect(page.locator("#armed")).to_contain_text("已启用 李强")
    is_sound(page, f"arming-armed-{size}")
    page.get_by_label("原因").fill("推迟开考")
    page.get_by_role("button", name="停用自动信号").click()
    expect(page.get_by_role("button", name="已核对，启用")).to_be_visible()


def test_a_site_without_sound_or_clock_is_told_what_is_missing(open_page: Open, world: World) -> None:
    page = open_page(world.site_lead_account_id, f"/sessions/{world.session_id}/arm", "phone")
    expect(page.get_by_role("heading", name="启用之前请看")).to_be_visible()
    is_sound(page, "arming-warned-phone")


@pytest.mark.usefixtures("sounding")
def test_a_warning_that_is_new_is_marked_and_stands_on_record_once_it_is_armed(
    open_page: Open, world: World
) -> None:
    give_players(world)
    page = open_page(world.site_lead_account_id, f"/sessions/{world.session_id}/arm", "tablet")
    expect(page.get_by_text("现在没有能响铃的设备")).to_have_count(0)
    with world.exam.write() as connection:
        connection.execute("update player_state set seen_at_us = seen_at_us - 60000000")
    page.get_by_role("button", name="已核对，启用").click()
    expect(page.get_by_role("listitem").filter(has_text="现在没有能响铃的设备")).to_contain_text("新")
    for size in resized(page, "tablet", "phone", "wall"):
        is_sound(page, f"arming-new-warning-{size}")
    page.get_by_role("button", name="已核对，启用").press("Enter")
    expect(page.get_by_role("region", name="启用记录")).to_contain_text("现在没有能响铃的设备")
    for size in resized(page, "tablet", "phone", "wall"):
        is_sound(page, f"arming-record-{size}")
