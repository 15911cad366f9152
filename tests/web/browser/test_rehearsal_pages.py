"""The pages of rehearsals in real Chromium: how to do one, how one goes on, what became of one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from playwright.sync_api import Browser, Page, expect

from config.settings import Settings
from evidence import logins
from evidence.announcements import record_emitted
from evidence.rehearsal_copy import shift_logins
from exam.clock import SystemClock
from tests.axe import is_sound, resized
from tests.web.console import serving
from tests.web.rehearsals import AHEAD_US, SHORT, plan_for_tomorrow
from tests.web.test_rehearsal_page import HEARD, OPEN, SILENT, kept
from tests.web.test_rehearsing import DAY, Rehearsal, rehearsal_of, waiting_rehearsal
from tests.world import World
from web.app import create_app
from web.rehearsing import Wanted
from web.services import FootageReader, Services

pytestmark = pytest.mark.browser


@pytest.fixture
def rehearsal(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """One that waits for its players, with somebody logged in from before."""
    with waiting_rehearsal(world, tmp_path_factory.mktemp("rehearsal")) as built:
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


def test_after_a_rehearsal_the_screen_in_the_room_shows_nothing_of_it(
    chromium: Browser, world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    start_us = plan_for_tomorrow(world)
    with world.exam.write() as connection:
        now_us = SystemClock().wall_us()
        token = logins.open_login(connection, world.proctor_account_id, now_us)
    wanted = Wanted(DAY, world.site_lead_account_id)
    folder = tmp_path_factory.mktemp("rehearsal")
    with ExitStack() as rehearsing:
        built = rehearsing.enter_context(rehearsal_of(world, folder, SystemClock(), wanted))
        address = rehearsing.enter_context(serving(built.app))
        services = built.conductor.services
        with services.exam.write() as connection:
            shift_logins(connection, AHEAD_US)
            built.conductor.clock.leap(AHEAD_US)
            rung = [one for one in built.conductor._cues() if one.cue.code == "C5"]
            for one in rung:
                record_emitted(connection, one, start_us)
        context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
        context.add_cookies([{"name": "kaochang", "value": token, "url": address}])
        page = context.new_page()
        page.goto(address + "/rooms/R01")
        expect(page.get_by_text("正在演练，不是考试")).to_be_visible()
        expect(page.locator("#words")).to_have_text("考试开始，请考生答题。")
    footage = FootageReader(world.folder / "footage.db")
    real = Services(
        Settings(data_folder=world.folder),
        SystemClock(),
        world.exam,
        footage,
        world.vault,
        procedures={"short": SHORT},
    )
    with closing(footage), serving(create_app(real), int(address.rsplit(":", 1)[1])):
        expect(page.get_by_text("已连接，时间已核准")).to_be_visible(timeout=30_000)
        expect(page.get_by_text("正在演练，不是考试")).to_be_hidden(timeout=30_000)
        expect(page.locator("#words")).to_be_empty()
        context.close()
