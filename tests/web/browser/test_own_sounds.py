"""The announcements' sounds in real Chromium: a recording is confirmed only after it was heard to its end."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from config.procedures import load_procedures
from tests.axe import is_sound, resized
from tests.web.console import PageClient
from tests.web.test_own_sounds import hum, upload
from tests.world import PASSWORD, World

pytestmark = pytest.mark.browser


@pytest.mark.usefixtures("sounding")
def test_a_recording_is_confirmed_after_it_was_heard(
    open_page: Callable[..., Page], site_lead: PageClient, world: World
) -> None:
    words = load_procedures()["theory"].cue("C3").text  # type: ignore[union-attr]
    upload(site_lead, hum(0.6), words)
    page = open_page(world.site_lead_account_id, "/sounds", "tablet")
    for size in resized(page, "phone", "wall", "tablet"):
        is_sound(page, f"sounds-{size}")
    box = page.get_by_label("我已从头听到尾")
    expect(box).to_be_disabled()
    page.get_by_label("等待确认的录音").evaluate("(one) => one.play()")
    expect(box).to_be_enabled()
    box.check()
    is_sound(page, "sounds-heard-tablet")
    page.get_by_label("听的人的登录名").fill("wangfang")
    page.get_by_label("听的人的密码").fill(PASSWORD)
    page.get_by_role("button", name="确认使用").click()
    expect(page.get_by_text("考室使用：自备录音")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    is_sound(page, "sounds-used-phone")
