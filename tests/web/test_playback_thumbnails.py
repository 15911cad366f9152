"""Thumbnails and picture troubles on the playback page: by the footage's grant, for eyes and keyboard."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from evidence.footage_access import GRANT_US, FootageRequest, record_access
from evidence.health import HealthKind, NewTrouble, begin_trouble, end_trouble
from evidence.thumbnails import Thumbnail, keep_thumbnail
from evidence.timeline import Interval
from exam.clock import SECOND_US
from tests.axe import findings
from tests.recordings import Reel
from tests.web.console import PageClient
from tests.web.player_page import reached
from tests.world import START_US, World
from web.services import Services

INTERVAL = Interval(START_US, START_US + 80 * SECOND_US)


def at(second: float) -> int:
    return START_US + round(second * SECOND_US)


@pytest.fixture
def address(world: World) -> str:
    """A grant of the site lead's for 80 s of room 1, whose front camera was black from 20 s to 40 s."""
    front = world.cameras_1[0]
    reel = Reel(world, front)
    for second in range(0, 80, 10):
        reel.invent(at(second))
    picture = cv2.imencode(".jpg", np.full((180, 320, 3), 90, np.uint8))[1].tobytes()
    for second in range(0, 60, 4):
        keep_thumbnail(world.folder / "thumbnails", front, Thumbnail(at(second), picture))
    with world.footage.write() as connection:
        begin_trouble(connection, NewTrouble(front, HealthKind.BLACK, at(20), {"dark_share": 1.0}), at(38))
        end_trouble(connection, front, HealthKind.BLACK, at(40), at(50))
        begin_trouble(connection, NewTrouble(front, HealthKind.MOVED, at(60), {}), at(78))
    world.clock.now_us = INTERVAL.until_us + SECOND_US
    with world.exam.write() as connection:
        wanted = FootageRequest(world.site_lead_account_id, world.room_1, INTERVAL, "质量督导检查")
        access_id = record_access(connection, wanted, world.clock.wall_us())
    return f"/playback/{access_id}"


def thumbnail(client: PageClient, world: World, address: str, second: float, camera: str = "") -> Any:
    return client.get(f"{address}/thumbnails/{camera or world.cameras_1[0]}.jpg?at={at(second)}")


def test_a_moment_of_the_grant_has_its_thumbnail_and_browsers_keep_none(
    site_lead: PageClient, world: World, address: str
) -> None:
    answer = thumbnail(site_lead, world, address, 6)
    assert answer.status_code == 200
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.data.startswith(b"\xff\xd8")


def test_where_there_is_none_the_answer_is_empty(site_lead: PageClient, world: World, address: str) -> None:
    assert thumbnail(site_lead, world, address, -1).status_code == 204
    assert thumbnail(site_lead, world, address, 500).status_code == 204


def test_other_cameras_and_grants_that_are_over_show_nothing(
    site_lead: PageClient, world: World, address: str
) -> None:
    assert thumbnail(site_lead, world, address, 6, world.camera_2).status_code == 404
    assert site_lead.get(f"{address}/thumbnails/{world.cameras_1[0]}.jpg").status_code == 404
    # A login that is still good, but a grant that is not.
    with world.exam.write() as connection:
        long_ago_us = world.clock.wall_us() - GRANT_US
        wanted = FootageRequest(world.site_lead_account_id, world.room_1, INTERVAL, "质量督导检查")
        old = record_access(connection, wanted, long_ago_us)
    assert thumbnail(site_lead, world, f"/playback/{old}", 6).status_code == 403


def test_the_timeline_tells_troubles_in_words_and_one_that_lasts_until_now(
    site_lead: PageClient, world: World, address: str
) -> None:
    cameras = site_lead.get(f"{address}/timeline.json").get_json()["cameras"]
    (front,) = [camera for camera in cameras if camera["uuid"] == world.cameras_1[0]]
    assert [(one["words"], one["from_us"], one["until_us"]) for one in front["troubles"]] == [
        ("画面全黑", at(20), at(40)),
        ("机位移动", at(60), world.clock.wall_us()),
    ]


def test_before_any_recorder_ran_there_is_no_trouble(
    site_lead: PageClient, services: Services, address: str
) -> None:
    services.footage.path = services.footage.path.with_name("not-yet.db")
    cameras = site_lead.get(f"{address}/timeline.json").get_json()["cameras"]
    assert [camera["troubles"] for camera in cameras] == [[], []]


@pytest.mark.browser
def test_thumbnails_follow_the_pointer_and_fill_the_strip(
    open_page: Callable[..., Page], world: World, address: str
) -> None:
    page = open_page(world.site_lead_account_id, address, "wall")
    page.wait_for_selector("#playback[data-ready]")
    expect(page.locator("#timeline .trouble")).to_have_count(2)
    expect(page.locator("#timeline .trouble").first).to_have_attribute(
        "aria-label", "前方 09:00:20至09:00:40 画面全黑"
    )
    expect(page.locator("#contact-sheet button:not(.is-empty)")).to_have_count(12, timeout=45_000)
    box = page.locator("#timeline").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 112 + (box["width"] - 120) * 0.4, box["y"] + box["height"] - 40)
    preview = page.locator("#thumbnail-preview")
    expect(preview).to_be_visible()
    expect(preview).to_contain_text("前方 09:00:3")
    page.locator("#contact-sheet button").nth(6).click()
    reached(page, 43)
    page.mouse.move(10, 10)
    expect(preview).to_be_hidden()
    assert findings(page) == []
