"""The pages of changes in real Chromium: what can be changed, its effects, and making it, at every size."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from exam.clock import MINUTE_US
from tests.axe import is_sound
from tests.web.test_changes_page import arm, made, wrong_stop
from tests.world import World

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_a_start_is_moved_after_its_effects_were_seen(open_page: Open, world: World, size: str) -> None:
    arm(world)
    world.clock.sleep_us(2 * MINUTE_US)  # nothing is about to sound
    page = open_page(world.site_lead_account_id, "/changes", size)
    page.get_by_text("改开考时间…").click()
    is_sound(page, f"changes-{size}")
    page.get_by_label("新的开考时间").fill("09:30")
    page.locator("details[open]").get_by_role("button", name="先看影响").click()
    expect(page.get_by_role("heading", name="开考时间由 09:00 改为 09:30")).to_be_visible()
    is_sound(page, f"changes-effects-{size}")
    page.get_by_label("原因").fill("试卷晚到")
    page.get_by_role("button", name="确认变更").click()
    expect(page.get_by_text("试卷晚到")).to_be_visible()
    assert len(made(world)) == 1


def test_time_that_a_wrong_bell_took_stands_first(open_page: Open, world: World) -> None:
    wrong_stop(world)
    page = open_page(world.site_lead_account_id, "/changes", "wall")
    expect(page.get_by_text("误响终止铃")).to_be_visible()
    is_sound(page, "changes-loss")
