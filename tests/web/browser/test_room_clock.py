"""The room page in real Chromium while the console knows no time, and when it goes by another clock."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.wrappers import Request, Response

from exam.clock import SECOND_US
from exam.server_time import KNOWN_HEADER, KnownTime
from tests.web.browser.test_room_page import (
    EARLY_US,
    LATE_US,
    brought_near,
    is_kept,
    room_page,
    wait_for,
)
from tests.web.signal_site import SignalSite, spoken_audio
from tests.world import build_world

pytestmark = pytest.mark.browser

CLOCK_CHANGES = (Path(__file__).parent / "clock_changes.js").read_text(encoding="utf-8")
HOUR_US = 3600 * SECOND_US


class ClockedConsole:
    """The real console, whose clock gets a name and may be set; it may know no time, and takes any report."""

    def __init__(self, app: Flask) -> None:
        self._inner = app.wsgi_app
        self.knows_time = True
        self.name, self.set_by_us = "before", 0
        self.known: list[KnownTime | None] = []
        self.reports: list[dict[str, Any]] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.path == "/api/clock":
            self.known.append(KnownTime.from_header(request.headers.get(KNOWN_HEADER, "")))
        if not self.knows_time:
            return Response("no time yet", 503)(environ, start_response)
        if request.path.endswith("/reports"):
            self.reports += (request.get_json() or {})["reports"]
            return Response('{"kept": 1, "dropped": 0}', mimetype="application/json")(environ, start_response)
        if request.path != "/api/clock" and not request.path.endswith("/schedule"):
            return self._inner(environ, start_response)
        answer = Response.from_app(self._inner, environ)
        told = json.loads(answer.get_data())
        told |= {"clock": self.name, "server_now_us": told["server_now_us"] + self.set_by_us}
        answer.set_data(json.dumps(told))
        return answer(environ, start_response)


@contextmanager
def clocked(app: Flask) -> Iterator[ClockedConsole]:
    console, inner = ClockedConsole(app), app.wsgi_app
    app.wsgi_app = console  # type: ignore[method-assign]
    try:
        yield console
    finally:
        app.wsgi_app = inner  # type: ignore[method-assign]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SignalSite]:
    world = build_world(tmp_path)
    (world.folder / "audio").symlink_to(spoken_audio())
    yield SignalSite(world)
    world.close()


def stored(page: Page, name: str) -> Any:
    return json.loads(page.evaluate("(name) => localStorage.getItem(name)", name) or "null")


def assert_known(told: KnownTime | None, now_us: int) -> None:
    """It is the time by the clock before, from no longer ago than a few seconds."""
    assert told is not None
    assert told.clock == "before"
    assert abs(told.now_us - now_us) < 5 * SECOND_US
    assert told.error_us < SECOND_US


def assert_told_by_new_clock(console: ClockedConsole, start_us: int) -> None:
    """However often it was sent: shifted once, and without the name of a clock."""
    starts = [one for one in console.reports if one["cue"] == "C5"]
    assert starts
    for report in starts:
        assert -EARLY_US < report["started_at_us"] - start_us < LATE_US, console.reports
        assert "clock" not in report


def test_a_page_rings_on_while_the_console_has_no_time_tells_it_and_reports_once_by_its_new_clock(
    chromium: Browser, site: SignalSite
) -> None:
    with site.running() as (address, app), clocked(app) as console:
        site.plan(start_in_s=7200)
        began_us = site.clock.monotonic_us()
        page = room_page(chromium, site, address)
        page.get_by_text("声音已就绪", exact=True).wait_for()
        wait_for(page, lambda: is_kept(page))
        assert console.known[0] is None, "nothing was known before the first answer"
        start_us = brought_near(page, site, site.clock.monotonic_us() - began_us)
        console.knows_time = False
        asked = len(console.known)
        wait_for(page, lambda: len(console.known) > asked)
        assert_known(console.known[-1], site.clock.wall_us())
        page.reload()  # the worker has its parts
        page.get_by_text("声音已就绪", exact=True).wait_for()
        wait_for(page, lambda: "离线，自" in page.locator("#link-state").inner_text())
        assert site.clock.wall_us() < start_us, "the machine is too slow for this test"
        wait_for(page, lambda: page.locator("#words").inner_text() == "考试开始，请考生答题。")
        assert console.known[-1] is None, "what outlived a reload by the tablet's wall clock is no word"
        assert console.reports == []
        assert {one["clock"] for one in stored(page, "kaochang.reports")} == {"before"}
        console.knows_time, console.name, console.set_by_us = True, "after", HOUR_US
        wait_for(page, lambda: console.reports and stored(page, "kaochang.reports") == [])
        assert_told_by_new_clock(console, start_us + HOUR_US)
        [played] = [one for key, one in stored(page, "kaochang.played").items() if ":C5:" in key]
        assert played["clock"] == "after"
        assert abs(played["at_us"] - start_us - HOUR_US) < EARLY_US
        page.get_by_text("已连接，时间已核准").wait_for()
        page.context.close()


def test_a_page_whose_schedule_is_by_another_clock_than_its_time_rings_by_neither(
    chromium: Browser, site: SignalSite
) -> None:
    with site.running() as (address, app), clocked(app) as console:
        site.plan(start_in_s=7200)
        page = room_page(chromium, site, address)
        page.get_by_text("声音已就绪", exact=True).wait_for()
        wait_for(page, lambda: is_kept(page))
        console.knows_time = False
        # An answer that was on its way would keep its schedule once more.
        wait_for(page, lambda: "离线，自" in page.locator("#link-state").inner_text())
        page.evaluate("""() => {
          const name = "kaochang.schedule.R01", kept = JSON.parse(localStorage.getItem(name));
          localStorage.setItem(name, JSON.stringify({ ...kept, clock: "another" }));
        }""")
        page.reload()
        page.get_by_text("时间未核准，不能播放铃声").wait_for()
        console.knows_time = True
        page.get_by_text("已连接，时间已核准").wait_for()
        page.context.close()


def test_what_a_page_noted_is_shifted_once_and_never_from_or_to_a_clock_without_a_name(
    chromium: Browser, live: str
) -> None:
    page = chromium.new_page()
    page.goto(live + "/login")
    hour, nothing = HOUR_US, 0
    for clocks, by, expected_us in (
        ([["a", 0], ["b", hour]], "a", hour),
        ([["a", 0], ["b", hour], ["b", hour], ["c", -hour]], "a", -hour),
        ([["a", 0], ["b", hour]], "before a", nothing),
        ([["a", 0], ["", hour], ["a", 0]], "a", nothing),
        ([["a", 0], ["", hour], ["", 2 * hour]], "a", nothing),
        ([["", 0], ["b", hour]], "", nothing),
    ):
        found = page.evaluate(CLOCK_CHANGES, {"clocks": clocks, "by": by})
        last = clocks[-1][0] if expected_us else by
        assert found["report"] == {
            "id": "k",
            "room": "R01",
            "started_at_us": 1_000 + expected_us,
            "ended_at_us": None,
            "offset_us": 7 - expected_us,
            "clock": last,
        }, clocks
        assert found["played"] == {"at_us": 1_000 + expected_us, "clock": last}, clocks
        told = [KnownTime.from_header(words) for words in found["asked"]]
        assert [one.clock if one else "" for one in told] == ["", *(clock for clock, _ in clocks[:-1])]
    page.close()


def test_a_page_reads_what_one_of_before_clocks_had_names_has_kept(chromium: Browser, live: str) -> None:
    page = chromium.new_page()
    page.goto(live + "/login")
    found = page.evaluate(
        """async () => {
          const wallUs = Date.now() * 1000;
          const kept = { serverMinusWallUs: 5_000_000, takenWallUs: wallUs - 1_000_000, errorUs: 20 };
          localStorage.setItem("kaochang.clock", JSON.stringify(kept));
          localStorage.setItem("kaochang.played", JSON.stringify({ k: 1000 }));
          const { ServerClock } = await import("/static/signals/server_clock.js");
          const memory = await import("/static/signals/memory.js");
          const clock = new ServerClock("/api/clock");
          memory.claim("other", 2000, "a");
          return {
            name: clock.name, isKnown: clock.isKnown, aheadUs: clock.now() - wallUs,
            claimed: memory.isClaimed("k"), again: memory.claim("k", 1000, "a"),
            byNone: memory.playedAtUs("k", ""), byAnother: memory.playedAtUs("k", "a"),
            unknown: memory.playedAtUs("x", "a"),
          };
        }"""
    )
    assert 4 * SECOND_US < found.pop("aheadUs") < 7 * SECOND_US
    assert found == {
        "name": "",
        "isKnown": True,
        "claimed": True,
        "again": False,
        "byNone": 1000,
        "byAnother": None,
        "unknown": None,
    }
    page.close()
