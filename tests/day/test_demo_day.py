"""A whole shortened exam day for real, with somebody looking at every page in a real browser.

The pictures in the README are taken here; set KAOCHANG_PICTURES to a folder to keep them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from playwright.sync_api import TimeoutError as NeverShownError

from tests.chromium import started_chromium
from tests.day.demo_day import DemoDayRun, demo_day

pytestmark = [pytest.mark.day, pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture
def browser() -> Iterator[Browser]:
    with started_chromium() as chromium:
        yield chromium


class Visitor:
    """Somebody with a browser during the demo day."""

    def __init__(self, browser: Browser, day: DemoDayRun, pictures: Path) -> None:
        self.browser = browser
        self.day = day
        self.pictures = pictures
        self.complaints: list[str] = []

    def page(self, login: str, width: int, height: int) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{login}: {error}"))
        if login:
            page.goto(f"http://127.0.0.1:{self.day.port}/login")
            page.fill("#login_name", login)
            page.fill("#password", self.day.password)
            page.click("button.primary")
            page.wait_for_load_state()
        return page

    def shoot(self, page: Page, name: str) -> None:
        page.screenshot(path=str(self.pictures / f"{name}.png"))


def wait_for(page: Page, expression: str, seconds: int = 60) -> None:
    """Ask again and again. Playwright's own waiting needs eval(), which our pages rightly forbid."""
    for _ in range(seconds * 5):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"never true: {expression}")


def kiosk_answers(day: DemoDayRun, page: Page) -> None:
    assert day.child.poll() is None, day.words()[-6000:]
    wait_for(
        page,
        "fetch('/local/state').then((answer) => answer.json())"
        ".then((state) => state.screen === 'result' && state.kind === 'A')",
    )
    page.wait_for_timeout(500)


def watch_the_playback(visitor: Visitor, page: Page) -> None:
    """From a log entry to the pictures of that moment: two clicks."""
    page.goto(f"http://127.0.0.1:{visitor.day.port}/playback/?room=1")
    page.click("button:has-text('质量督导检查')")
    try:
        page.wait_for_selector("#marks li button", timeout=90_000)
    except NeverShownError as error:
        seen = page.locator("body").inner_text()[-3000:]
        raise AssertionError(f"no marks: {page.url}\n{seen}\n{visitor.day.words()[-5000:]}") from error
    page.click("#marks li button:has-text('违纪提醒')")
    wait_for(
        page,
        "document.querySelectorAll('figure.camera video').length === 2"
        " && [...document.querySelectorAll('figure.camera video')]"
        ".every((video) => video.readyState >= 2 && video.videoWidth > 0)",
    )
    page.wait_for_timeout(3_500)


def look_at_everything(visitor: Visitor) -> list[str]:
    """Every page at the moment it is about; returns what the room page remembers to have played."""
    day = visitor.day
    lead = visitor.page("lead", 1920, 1080)
    proctor = visitor.page("proctor1", 1280, 800)
    room = visitor.page("proctor2", 1280, 800)
    room.goto(f"http://127.0.0.1:{day.port}/rooms/R02")
    room.mouse.click(640, 400)
    kiosk = visitor.page("", 1080, 1920)
    kiosk.goto(f"http://127.0.0.1:{day.port + 10}/")
    day.wait_until(-30)
    kiosk_answers(day, kiosk)
    visitor.shoot(kiosk, "kiosk")
    day.wait_until(2.5)
    visitor.shoot(room, "room")
    day.wait_until(37)
    visitor.shoot(proctor, "proctor")
    visitor.shoot(lead, "overview")
    supervisor = visitor.page("supervisor", 1920, 1080)
    day.wait_until(62)
    watch_the_playback(visitor, supervisor)
    visitor.shoot(supervisor, "playback")
    return list(room.evaluate("Object.keys(localStorage)"))


def test_a_whole_day_happens_and_every_planned_fact_is_recorded(browser: Browser, tmp_path: Path) -> None:
    with demo_day(tmp_path) as day:
        day.wait_for(r"Theory starts at")
        visitor = Visitor(browser, day, Path(os.environ.get("KAOCHANG_PICTURES", str(tmp_path))))
        played = look_at_everything(visitor)
        for context in browser.contexts:
            context.close()
        summary = day.finish()
        status = day.child.returncode
    assert played, "the room page remembers what it played"
    assert visitor.complaints == []
    assert summary["missing"] == []
    assert summary["troubles"] == []
    assert summary["signals"]["missed"] == 0
    assert summary["check_ins"]["OK_ADMITTED"] == 12
    assert status == 0
