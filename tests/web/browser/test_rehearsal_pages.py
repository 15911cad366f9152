"""The pages of rehearsals in real Chromium: how to do one, how one goes on, what became of one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from evidence import logins
from exam.clock import SimulatedClock, SystemClock
from tests.axe import is_sound, resized
from tests.web.console import serving
from tests.web.rehearsals import plan_for_tomorrow
from tests.web.test_rehearsal_page import HEARD, OPEN, SILENT, kept
from tests.web.test_rehearsing import DAY, Rehearsal, rehearsal_of
from tests.world import World
from web.rehearsing import Wanted

pytestmark = pytest.mark.browser


@pytest.fixture
def rehearsal(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """One that waits for its players, with somebody logged in from before."""
    plan_for_tomorrow(world)
    machine = SimulatedClock(SystemClock().wall_us())
    folder: Path = tmp_path_factory.mktemp("rehearsal")
    with rehearsal_of(world, folder, machine, Wanted(DAY, world.site_lead_account_id)) as built:
        yield built


def test_how_to_rehearse_and_what_was_rehearsed_can_be_read_at_any_size(
    open_page: Callable[..., Page], world: World
) -> None:
    rehearsal_id = kept(world, HEARD, SILENT, OPEN)
    page = open_page(world.site_lead_account_id, "/rehearsal/", "tablet")
    for size in resized(page, "phone", "tablet", "wall"):
        is_sound(page, f"rehearsal-{size}")
    page.goto(page.url + str(rehearsal_id))
    expect(page.get_by_text("没有声音输出")).to_be_visible()
    for size in resized(page, "phone", "tablet", "wall"):
        is_sound(page, f"rehearsal-kept-{size}")


def test_a_rehearsal_shows_itself_and_is_ended_with_one_press(
    chromium: Browser, rehearsal: Rehearsal, world: World
) -> None:
    services = rehearsal.conductor.services
    with services.exam.write() as connection:
        token = logins.open_login(connection, world.site_lead_account_id, services.clock.wall_us())
    with serving(rehearsal.app) as address:
        context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
        context.add_cookies([{"name": "kaochang", "value": token, "url": address}])
        page = context.new_page()
        page.goto(address + "/rehearsal/")
        expect(page.get_by_text("正在演练，不是考试")).to_be_visible()
        for size in resized(page, "phone", "tablet", "wall"):
            is_sound(page, f"rehearsal-running-{size}")
        page.goto(address + "/rooms/R01")
        expect(page.get_by_text("正在演练，不是考试")).to_be_visible()
        page.goto(address + "/rehearsal/")
        page.get_by_role("button", name="结束演练").click()
        rehearsal.conductor.start()
        expect(page.get_by_text("演练结束")).to_be_visible()
        context.close()
