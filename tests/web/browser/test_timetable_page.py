"""The printable timetable in real Chromium, at desk and in the hand."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.axe import is_sound, resized
from tests.world import World

pytestmark = pytest.mark.browser


def test_the_day_leads_to_each_session(open_page: Callable[..., Page], world: World) -> None:
    page = open_page(world.site_lead_account_id, "/timetable")
    for size in resized(page, "tablet", "phone"):
        is_sound(page, f"timetable-day-{size}")
    page.get_by_role("link", name="T1 09:00").click()
    expect(page.get_by_text("09:00 开考（计划）")).to_be_visible()
    for size in resized(page, "phone", "tablet"):
        is_sound(page, f"timetable-session-{size}")
