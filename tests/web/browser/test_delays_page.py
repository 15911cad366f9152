"""Writing down one station's delay in real Chromium, in the hand of an assessor and on the lead's tablet."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from exam.clock import MINUTE_US
from tests.axe import is_sound
from tests.world import CLOCK_US, START_US, World, announce

pytestmark = pytest.mark.browser


def test_a_station_gets_its_time_back(open_page: Callable[..., Page], world: World) -> None:
    announce(world, "C5", START_US)
    world.clock.sleep_us(START_US + 40 * MINUTE_US - CLOCK_US)
    page = open_page(world.site_lead_account_id, "/delays", "phone")
    page.get_by_text("登记一个工位的延误…").first.click()
    is_sound(page, "delays-phone")
    page.get_by_label("停止操作的时间").first.fill("09:10")
    page.get_by_label("恢复操作的时间").first.fill("09:22")
    page.get_by_label("见证人").first.fill("王芳")
    page.get_by_role("button", name="登记", exact=True).first.click()
    expect(page.get_by_text("顺延至")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    is_sound(page, "delays-tablet")
