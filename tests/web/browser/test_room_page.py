"""The room page in real Chromium on the real clock: it rings alone, once, and says so."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from config.procedures import load_procedures
from evidence import logins
from exam.clock import SECOND_US
from tests.web.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.web.signal_site import SignalSite
from tests.world import World, build_world
from web.audio import CommandVoice, prepare
from web.logins import cookie_name

pytestmark = pytest.mark.browser

ONSET_LIMIT_US = 200_000


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped announcements, made once for all tests here."""
    folder = tmp_path_factory.mktemp("audio")
    prepare(folder, load_procedures(), CommandVoice())
    return folder


@pytest.fixture
def site(tmp_path: Path, audio: Path) -> Iterator[SignalSite]:
    world: World = build_world(tmp_path)
    (world.folder / "audio").symlink_to(audio)
    yield SignalSite(world)
    world.close()


def room_page(browser: Browser, site: SignalSite, address: str, size: tuple[int, int] = (1280, 800)) -> Page:
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    with site.world.exam.write() as connection:
        token = logins.open_login(connection, site.world.proctor_account_id, site.clock.wall_us())
    context.add_cookies([{"name": "kaochang", "value": token, "url": address}])
    page = context.new_page()
    page.goto(address + "/rooms/R01")
    return page


def wait_until(page: Page, site: SignalSite, moment_us: int) -> None:
    page.wait_for_timeout(max(0.0, (moment_us - site.clock.wall_us()) / 1000))


def wait_for_reports(page: Page, site: SignalSite, cue: str) -> None:
    for _ in range(100):
        if site.reports(cue):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"no report of {cue}")


def test_the_room_rings_though_the_console_died_a_second_before_and_reports_when_it_returns(
    chromium: Browser, site: SignalSite
) -> None:
    with ExitStack() as first_life:
        address, app = first_life.enter_context(site.running())
        assert cookie_name(app) == "kaochang"
        start_us = site.plan(start_in_s=6)
        page = room_page(chromium, site, address)
        page.get_by_text("声音已就绪", exact=True).wait_for()
        wait_until(page, site, start_us - SECOND_US)
    wait_until(page, site, start_us + 3 * SECOND_US)
    assert page.locator("#words").inner_text() == "考试开始，请考生答题。"
    assert "离线" in page.locator("#link-state").inner_text()
    assert site.announced("C5") == {}
    with site.running(port=int(address.rsplit(":", 1)[1])):
        wait_for_reports(page, site, "C5")
        [report] = site.reports("C5")
        assert report.error == ""
        assert report.started_at_us is not None
        assert abs(report.started_at_us - start_us) < ONSET_LIMIT_US
        assert site.source(site.world.room_1, "C5") == ["room_report"]
        room_1 = site.announced("C5")[site.world.room_1]
        assert room_1.emitted_at_us == max(start_us, report.started_at_us)
        page.get_by_text("已连接，时间已核准").wait_for()
        page.reload()  # neither a second ring nor a second report
        page.get_by_text("已连接，时间已核准").wait_for()
        page.wait_for_timeout(500)
        assert len(site.reports("C5")) == 1
    page.context.close()


def test_a_pressed_signal_sounds_half_a_second_after_the_press(chromium: Browser, site: SignalSite) -> None:
    with site.running() as (address, _):
        site.plan(start_in_s=60)
        page = room_page(chromium, site, address, (1920, 1080))
        page.get_by_text("声音已就绪", exact=True).wait_for()
        lead = room_page(chromium, site, address)
        with site.world.exam.write() as connection:
            token = logins.open_login(connection, site.world.site_lead_account_id, site.clock.wall_us())
        lead.context.add_cookies([{"name": "kaochang", "value": token, "url": address}])
        lead.reload()
        pressed = lead.evaluate(
            """async (session) => {
              const token = document.querySelector('meta[name="csrf-token"]').content;
              const answer = await fetch(`/api/sessions/${session}/press/X1`,
                { method: "POST", headers: { "X-CSRFToken": token } });
              return answer.json();
            }""",
            site.world.session_id,
        )
        emitted_us = pressed["rooms"]["R01"]["emitted_at_us"]
        wait_for_reports(page, site, "X1")
        onsets_us = [one.started_at_us for one in site.reports("X1") if one.started_at_us]
        assert all(abs(onset_us - emitted_us) < ONSET_LIMIT_US for onset_us in onsets_us)
        assert "铃声有误" in page.locator("#words").inner_text()
        for one in (page, lead):
            one.context.close()


def test_refused_sound_is_shown_red_until_one_touch(chromium: Browser, site: SignalSite) -> None:
    arguments = [one for one in CHROMIUM_ARGUMENTS if "autoplay" not in one]
    with site.running() as (address, _):
        site.plan(start_in_s=60)
        browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=arguments)
        page = room_page(browser, site, address)
        button = page.get_by_role("button", name="请点一下启用声音")
        button.wait_for()
        assert page.locator("#sound-state").inner_text() == "声音未启用"
        button.click()
        button.wait_for(state="hidden")
        page.get_by_text("声音已就绪", exact=True).wait_for()
        browser.close()


def test_an_evicted_player_says_that_somebody_must_log_in_again(chromium: Browser, site: SignalSite) -> None:
    with site.running() as (address, _):
        page = room_page(chromium, site, address)
        page.get_by_text("已连接，时间已核准").wait_for()
        page.context.clear_cookies()
        page.get_by_text("登录已结束，请监考人员重新登录").wait_for(timeout=15_000)
        page.context.close()
