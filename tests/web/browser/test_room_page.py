"""The room page in real Chromium on the real clock: it rings alone, once, and says so."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from evidence import logins
from exam.clock import SECOND_US
from exam.players import PlayerTrouble, can_ring, player_troubles
from tests.chromium import ARGUMENTS, PROGRAM
from tests.web.signal_site import SignalSite, spoken_audio
from tests.world import World, build_world
from web.logins import cookie_name

pytestmark = pytest.mark.browser

# Never early; how late is measured by the benchmark, not on a machine that runs other tests.
EARLY_US = 50_000
LATE_US = 2 * SECOND_US


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SignalSite]:
    world: World = build_world(tmp_path)
    (world.folder / "audio").symlink_to(spoken_audio())
    yield SignalSite(world)
    world.close()


def room_page(browser: Browser, site: SignalSite, address: str, account_id: int | None = None) -> Page:
    context: BrowserContext = browser.new_context(
        viewport={"width": 1280, "height": 800}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    with site.world.exam.write() as connection:
        who = account_id or site.world.proctor_account_id
        token = logins.open_login(connection, who, site.clock.wall_us())
    context.add_cookies([{"name": "kaochang", "value": token, "url": address}])
    page = context.new_page()
    page.goto(address + "/rooms/R01")
    return page


def wait_for(page: Page, is_so: Callable[[], object]) -> None:
    """A fact of the server that comes within two minutes; the page lives on meanwhile."""
    for _ in range(2400):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never came")


def is_kept(page: Page) -> bool:
    """Whether the worker has this page and its modules."""
    return bool(
        page.evaluate(
            """async () => {
              const name = (await caches.keys()).find((one) => one.startsWith("kaochang.room."));
              if (!name) return false;
              const kept = (await (await caches.open(name)).keys()).map((one) => new URL(one.url).pathname);
              return kept.includes("/rooms/R01") && kept.some((one) => one.endsWith("/leader.js"))
                && kept.some((one) => one.endsWith("tokens.css"));
            }"""
        )
    )


def brought_near(page: Page, site: SignalSite, loading_us: int) -> int:
    """Plan the start anew, as far away as this machine takes for loading the page, which keeps it."""
    start_us = site.plan(start_in_s=15 + 3 * loading_us / SECOND_US)
    page.reload()
    wait_for(page, lambda: str(start_us) in page.evaluate("() => JSON.stringify(localStorage)"))
    page.get_by_text("声音已就绪", exact=True).wait_for()
    return start_us


def test_a_page_reloaded_while_the_console_is_dead_rings_alone_once_and_reports_when_it_returns(
    chromium: Browser, site: SignalSite
) -> None:
    with ExitStack() as first_life:
        address, app = first_life.enter_context(site.running())
        assert cookie_name(app) == "kaochang"
        site.plan(start_in_s=7200)
        began_us = site.clock.monotonic_us()
        page = room_page(chromium, site, address)
        page.get_by_text("声音已就绪", exact=True).wait_for()
        wait_for(page, lambda: is_kept(page))
        start_us = brought_near(page, site, site.clock.monotonic_us() - began_us)
    page.reload()
    page.get_by_text("声音已就绪", exact=True).wait_for()
    wait_for(page, lambda: "离线，自" in page.locator("#link-state").inner_text())
    assert site.clock.wall_us() < start_us, "the machine is too slow for this test"
    wait_for(page, lambda: page.locator("#words").inner_text() == "考试开始，请考生答题。")
    assert site.clock.wall_us() > start_us - EARLY_US
    assert site.announced("C5") == {}
    with site.running(port=int(address.rsplit(":", 1)[1])):
        wait_for(page, lambda: site.reports("C5"))
        [report] = site.reports("C5")
        assert (report.error, report.started_at_us is None) == ("", False)
        assert -EARLY_US < (report.started_at_us or 0) - start_us < LATE_US
        assert site.announced("C5")[site.world.room_1].emitted_at_us is not None
        page.get_by_text("已连接，时间已核准").wait_for()
        page.reload()  # neither a second ring nor a second report
        page.get_by_text("已连接，时间已核准").wait_for()
        page.wait_for_timeout(500)
        assert len(site.reports("C5")) == 1
    page.context.close()


def test_a_pressed_signal_sounds_in_the_page_and_its_heartbeat_says_what_it_heard_of_itself(
    chromium: Browser, site: SignalSite
) -> None:
    with site.running() as (address, _):
        site.plan(start_in_s=60)
        page = room_page(chromium, site, address, site.world.site_lead_account_id)
        page.get_by_text("声音已就绪", exact=True).wait_for()
        pressed = page.evaluate(
            """async (session) => {
              const token = document.querySelector('meta[name="csrf-token"]').content;
              const answer = await fetch(`/api/sessions/${session}/press/X1`,
                { method: "POST", headers: { "X-CSRFToken": token } });
              return answer.json();
            }""",
            site.world.session_id,
        )
        emitted_us = pressed["rooms"]["R01"]["emitted_at_us"]
        wait_for(page, lambda: [one for one in site.reports("X1") if one.ended_at_us])
        [report] = site.reports("X1")
        assert -EARLY_US < (report.started_at_us or 0) - emitted_us < LATE_US
        assert "铃声有误" in page.locator("#words").inner_text()
        wait_for(page, lambda: site.players() and site.players()[0].is_audible)
        [state] = site.players()
        assert state.played_key is not None
        assert can_ring(state, site.clock.wall_us())
        page.context.close()


def test_refused_sound_is_shown_red_until_one_touch(chromium: Browser, site: SignalSite) -> None:
    with site.running() as (address, _):
        site.plan(start_in_s=60)
        browser = chromium.browser_type.launch(executable_path=PROGRAM, args=list(ARGUMENTS))
        page = room_page(browser, site, address)
        button = page.get_by_role("button", name="请点一下启用声音")
        button.wait_for()
        assert page.locator("#sound-state").inner_text() == "声音未启用"
        wait_for(page, site.players)
        assert PlayerTrouble.NOT_ALLOWED in player_troubles(site.players()[0], site.clock.wall_us())
        button.click()
        button.wait_for(state="hidden")
        page.get_by_text("声音已就绪", exact=True).wait_for()
        browser.close()


def test_of_two_pages_in_one_browser_one_plays_and_the_other_takes_over_when_it_is_closed(
    chromium: Browser, site: SignalSite
) -> None:
    with site.running() as (address, _):
        site.plan(start_in_s=60)
        first = room_page(chromium, site, address)
        first.get_by_text("声音已就绪", exact=True).wait_for()
        second = first.context.new_page()
        second.goto(address + "/rooms/R01")
        second.get_by_text("本设备已有另一个页面在播放，这里只显示").wait_for()
        first.close()
        second.get_by_text("声音已就绪", exact=True).wait_for()
        second.context.close()


def test_the_test_tone_sounds_and_a_named_person_says_that_it_was_heard(
    chromium: Browser, site: SignalSite
) -> None:
    with site.running() as (address, _):
        site.plan(start_in_s=7200)
        page = room_page(chromium, site, address)
        page.get_by_role("button", name="试音").click()
        page.get_by_role("button", name="听到了", exact=True).click()
        page.get_by_text("已记录：王芳听到了").wait_for()
        wait_for(page, lambda: site.players() and (site.players()[0].played_key or "").startswith("test:"))
        page.context.close()


def test_an_evicted_player_says_that_somebody_must_log_in_again(chromium: Browser, site: SignalSite) -> None:
    with site.running() as (address, _):
        page = room_page(chromium, site, address)
        page.get_by_text("已连接，时间已核准").wait_for()
        page.context.clear_cookies()
        page.get_by_text("登录已结束，请监考人员重新登录").wait_for(timeout=45_000)
        page.context.close()
