"""The coverage certificate in real Chromium: sound on every screen, drawn to scale, fit for paper."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.axe import SIZES, findings, is_sound, resized
from tests.web.filmed_day import end_the_day, film_with_troubles
from tests.world import World

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def address(world: World) -> str:
    return f"/sessions/{world.session_id}/coverage"


def test_a_day_with_gaps_is_sound_and_nothing_sticks_out(open_page: Open, world: World) -> None:
    film_with_troubles(world)
    end_the_day(world)
    page = open_page(world.site_lead_account_id, address(world))
    for size in resized(page, *SIZES):
        is_sound(page, f"certificate-{size}")


def test_a_running_session_is_sound_in_the_dark(open_page: Open, world: World) -> None:
    page = open_page(world.site_lead_account_id, address(world))
    page.get_by_role("button", name="深色").click()
    expect(page.locator("main")).to_contain_text("临时结果，不能作为证明")
    assert findings(page) == []


def test_a_bar_is_drawn_in_proportion_and_in_its_colours(open_page: Open, world: World) -> None:
    film_with_troubles(world)
    end_the_day(world)
    page = open_page(world.site_lead_account_id, address(world))
    bar = page.get_by_role("img", name=re.compile("摄像机后方"))
    whole = bar.bounding_box()
    missing = bar.locator("rect.part-unaccounted").bounding_box()
    assert whole is not None
    assert missing is not None
    assert missing["width"] / whole["width"] == pytest.approx(60 / 135, abs=0.01)
    fill = bar.locator("rect.part-recorded").evaluate("one => getComputedStyle(one).fill")
    assert fill == "rgb(20, 83, 45)"


def test_on_paper_only_the_certificate_remains_even_from_a_dark_page(open_page: Open, world: World) -> None:
    end_the_day(world)
    page = open_page(world.site_lead_account_id, address(world))
    page.get_by_role("button", name="深色").click()
    page.emulate_media(media="print")
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.locator(".toolbar")).to_be_hidden()
    expect(page.get_by_text("现场负责人（签字）")).to_be_visible()
    colours = page.locator(".certificate").evaluate(
        "one => [getComputedStyle(one).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]


def test_the_overview_leads_there_by_one_touch(open_page: Open, world: World) -> None:
    page = open_page(world.site_lead_account_id, "/overview", "wall")
    page.locator("#main").get_by_role("link", name="录像覆盖证明").click()
    expect(page.get_by_role("heading", name="录像覆盖证明")).to_be_visible()
