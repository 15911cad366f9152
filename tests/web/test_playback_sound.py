"""Footage with sound in real Chromium: the pictures play as without it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from evidence.footage_access import FootageRequest, record_access
from evidence.timeline import Interval
from exam.clock import SECOND_US
from tests.recordings import Reel
from tests.web.player_page import reached, settled
from tests.world import START_US, World

INTERVAL = Interval(START_US, START_US + 40 * SECOND_US)
COLOUR = """(label) => {
  const context = new OffscreenCanvas(8, 8).getContext("2d");
  context.drawImage(document.querySelector(`figure[data-label="${label}"] video`), 0, 0, 8, 8);
  return [...context.getImageData(4, 4, 1, 1).data].slice(0, 3);
}"""

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def at(second: float) -> int:
    return START_US + round(second * SECOND_US)


@pytest.fixture
def page_path(world: World) -> str:
    """Front: with sound 0-10 s, silent 10-20 s, sound that ends early 20-30 s. Back: silent 0-30 s."""
    front, back = (Reel(world, uuid) for uuid in world.cameras_1)
    front.film_with_sound(at(0), "red")
    front.film(at(10), "green")
    front.film_with_sound(at(20), "blue", heard=3)
    back.film(at(0), "red", seconds=30)
    world.clock.now_us = INTERVAL.until_us + 3600 * SECOND_US
    with world.exam.write() as connection:
        wanted = FootageRequest(world.site_lead_account_id, world.room_1, INTERVAL, "质量督导检查")
        access_id = record_access(connection, wanted, world.clock.wall_us())
    return f"/playback/{access_id}"


def colour(page: Page, label: str) -> str:
    red, green, blue = page.evaluate(COLOUR, label)
    named = {"red": red, "green": green, "blue": blue}
    return max(named, key=lambda name: named[name])


@pytest.mark.parametrize(("second", "expected"), [(1, "red"), (9, "green"), (22, "blue")])
def test_pictures_play_whatever_sound_lies_beside_them(
    open_page: Open, world: World, page_path: str, second: int, expected: str
) -> None:
    page = open_page(world.site_lead_account_id, f"{page_path}?at={at(second + 3)}", "wall")
    # Two seconds on: with sound, from a file with sound into one without, across the moment it ends.
    reached(page, second + 2)
    page.keyboard.press("k")
    settled(page)
    assert colour(page, "前方") == expected
