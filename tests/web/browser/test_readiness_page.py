"""The sheet before the exam day in real Chromium: what is open first, a page printed, signed."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.axe import is_sound
from tests.web.console import client_for
from tests.web.test_readiness_page import heard, make_ready
from tests.world import World

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", ["tablet", "phone", "wall"])
def test_the_site_is_looked_over_and_signed(
    open_page: Callable[..., Page], app: Flask, world: World, size: str
) -> None:
    if size == "wall":
        make_ready(world, client_for(app, world, world.site_lead_account_id))
    heard(world, world.room_1)
    page = open_page(world.site_lead_account_id, "/readiness/", size)
    expect(page.get_by_role("heading", name="考前核对单", exact=True)).to_be_visible()
    is_sound(page, f"readiness-{size}")
    page.get_by_role("button", name="打印清楚", exact=True).click()
    expect(page.get_by_role("row", name="打印机")).to_contain_text("李强")
    page.get_by_label("处理说明").fill("王芳今天下午完成")
    page.get_by_role("button", name="看过了，签署").click()
    expect(page.get_by_text("签署人 李强")).to_be_visible()
    is_sound(page, f"readiness-kept-{size}")
