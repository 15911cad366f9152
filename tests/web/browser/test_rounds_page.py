"""The roving list in real Chromium: red rooms, a hand bell recorded by holding, sound at every size."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from config.procedures import load_procedures
from exam.clock import MINUTE_US
from tests.axe import is_sound, resized
from tests.web.holding import held_until_sent
from tests.web.test_rounds_page import set_up, start_unheard
from tests.world import World
from web.console_clock import KEEPER_EXTENSION, ClockKeeper, start_clock
from web.services import Bus

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.mark.parametrize("size", ["tablet", "phone", "wall"])
def test_a_start_that_nobody_heard_is_rung_by_hand_and_recorded(
    open_page: Open, world: World, size: str
) -> None:
    set_up(world, world.room_1, is_allowed=False)
    start_unheard(world)
    page = open_page(world.site_lead_account_id, "/rounds", size)
    is_sound(page, f"rounds-{size}")
    first = page.locator(".visit").first
    button = first.get_by_role("button", name="刚刚已用手铃发出：开考信号")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    button.focus()
    held_until_sent(page, lambda: page.keyboard.down("Enter"), lambda: page.keyboard.up("Enter"))
    expect(page.locator("#answer")).to_have_text("")
    expect(page.get_by_role("button", name="刚刚已用手铃发出：开考信号")).to_have_count(1)
    with world.exam.read() as connection:
        rows = connection.execute("select count(*) from announcement where source = 'by_hand'")
        assert rows.fetchone()[0] == 1


def test_nobody_has_to_go_anywhere(open_page: Open, world: World) -> None:
    set_up(world, world.room_1, world.room_2)
    page = open_page(world.site_lead_account_id, "/rounds", "phone")
    expect(page.get_by_text("没有需要前往的考场")).to_be_visible()
    is_sound(page, "rounds-calm")


@pytest.fixture
def stepped(app: Flask, world: World) -> Iterator[None]:
    """The machine was set an hour ahead in the middle of T1."""
    keeper = ClockKeeper(
        world.exam,
        start_clock(world.exam, world.clock, load_procedures(), "boot-0"),
        Bus(),
        load_procedures(),
        "boot-0",
    )
    app.extensions[KEEPER_EXTENSION] = keeper
    keeper.look()
    world.clock.step_wall(60 * MINUTE_US)
    keeper.look()
    yield
    del app.extensions[KEEPER_EXTENSION]


@pytest.mark.usefixtures("stepped")
def test_the_lead_is_asked_which_clock_is_right(open_page: Open, world: World) -> None:
    set_up(world, world.room_1, world.room_2)
    page = open_page(world.site_lead_account_id, "/overview")
    expect(page.get_by_role("button", name="按原来的时间")).to_be_visible()
    for size in resized(page, "tablet", "wall"):
        is_sound(page, f"clock-step-{size}")
