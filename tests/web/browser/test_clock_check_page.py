"""The clock check in real Chromium: a wrong clock is named, a reference read by hand, all of it confirmed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from exam.clock import SECOND_US
from tests.axe import is_sound
from tests.clocks_found import all_right, beat_of_kiosk
from tests.world import World

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_clocks_are_read_and_confirmed(open_page: Callable[..., Page], world: World, size: str) -> None:
    all_right(world)
    beat_of_kiosk(world, 6 * SECOND_US)
    page = open_page(world.site_lead_account_id, "/clock-check/", size)
    expect(page.get_by_text("有1个时钟不准")).to_be_visible()
    page.get_by_label("参考时钟").fill("电话报时12117")
    page.get_by_label("它显示的时间").fill("08:50:00")
    page.get_by_role("button", name="现在").click()
    expect(page.get_by_role("rowheader", name="考点主机（对照电话报时12117）")).to_be_visible()
    is_sound(page, f"clock-check-{size}")
    page.get_by_label("处理说明").fill("一号签到机停用")
    page.get_by_role("button", name="确认并记录").click()
    expect(page.get_by_role("heading", name="时钟核对记录")).to_be_visible()
    is_sound(page, f"clock-check-kept-{size}")
