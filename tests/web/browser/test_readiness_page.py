"""The sheet before the exam day in real Chromium: what is open first, a page printed, signed."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from evidence.players import Heard
from exam.clock import SECOND_US
from tests.axe import is_sound, resized
from tests.web.console import client_for
from tests.web.crowd import add_rooms
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


def test_the_open_page_refreshes_itself_and_leaves_note_focus_and_composition_alone(
    open_page: Callable[..., Page], world: World
) -> None:
    add_rooms(world, 28)
    page = open_page(world.site_lead_account_id, "/readiness/", "tablet")
    shown = page.locator('input[name="shown"]')
    before = shown.input_value()
    page.get_by_role("link", name="去处理").first.focus()
    heard(world, world.room_1, Heard.NOT_HEARD)
    expect(page.get_by_role("listitem").filter(has_text="有人报告没有听到试音")).to_contain_text("第1考场")
    assert shown.input_value() != before, "the form says what stands on the screen now"
    expect(page.get_by_role("link", name="去处理").first).to_be_focused()
    note = page.get_by_label("处理说明")
    note.fill("王芳今天")
    field = note.element_handle()
    heard(world, world.room_1)
    expect(page.get_by_role("listitem").filter(has_text="有人报告没有听到试音")).to_have_count(0)
    assert page.evaluate("(field) => field === document.getElementById('note')", field), "never exchanged"
    note.press("End")
    page.keyboard.type("下午完成")
    expect(note).to_have_value("王芳今天下午完成")
    for size in resized(page, "tablet", "phone", "wall"):
        is_sound(page, f"readiness-crowded-{size}")
    note.press("Enter")
    expect(page.get_by_text("处理说明：王芳今天下午完成")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(1 + 65)
    is_sound(page, "readiness-crowded-kept")


def test_a_day_that_is_planned_while_the_page_is_open_can_be_signed_at_once(
    open_page: Callable[..., Page], world: World
) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set cancelled_at_us = ?", (SECOND_US,))
    page = open_page(world.site_lead_account_id, "/readiness/", "phone")
    expect(page.get_by_text("没有将要进行的场次")).to_be_visible()
    expect(page.get_by_role("button", name="看过了，签署")).to_be_hidden()
    is_sound(page, "readiness-no-day")
    with world.exam.write() as connection:
        connection.execute("update session set cancelled_at_us = null")
    page.get_by_label("处理说明").fill("王芳今天下午完成")
    page.get_by_role("button", name="看过了，签署").click()
    expect(page.get_by_text("签署人 李强")).to_be_visible()
