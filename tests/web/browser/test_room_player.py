"""The room page's player on simulated clocks: never early, twice or stale, however audio and page starve."""

from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

SIMULATED_ROOM = (Path(__file__).parent / "simulated_room.js").read_text(encoding="utf-8")
DAYS = 60


def test_days_of_starving_audio_and_dying_pages_break_no_promise(chromium: Browser, live: str) -> None:
    page = chromium.new_page()
    page.goto(live + "/login")
    happened: Counter[str] = Counter()
    for seed in range(1, DAYS + 1):
        day = page.evaluate(SIMULATED_ROOM, seed)
        assert day["faults"] == [], f"seed {seed}"
        happened.update(day["counts"])
    page.close()
    common = ("withdrawn", "moved", "reloads", "crashes", "stood", "missed", "interrupted")
    assert all(happened[what] > DAYS // 4 for what in common), happened
    assert happened["heard"] > 10 * DAYS
    assert happened["starved"] > 10 * DAYS
