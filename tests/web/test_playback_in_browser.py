"""The playback page in real Chromium, over files made by real ffmpeg and indexed as a recorder does.

The front camera's first file counts its pictures in their brightness, so a test can read from the
screen which picture is shown; the other files have one colour each.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from evidence.footage import CameraState, Cause, Recording
from evidence.footage_access import FootageRequest, record_access
from evidence.footage_rows import end_absence, note_absence, write_states
from evidence.timeline import Interval
from exam.clock import SECOND_US
from tests.axe import findings
from tests.happenings import log, scan
from tests.recordings import Reel, file_of
from tests.web.player_page import reached, settled
from tests.world import START_US, World, announce

INTERVAL = Interval(START_US - 10 * SECOND_US, START_US + 80 * SECOND_US)

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

# Average colour in the middle of a camera's picture.
COLOUR = """(label) => {
  const video = document.querySelector(`figure[data-label="${label}"] video`);
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 8, 8);
  return [...context.getImageData(4, 4, 1, 1).data].slice(0, 3);
}"""


def at(second: float) -> int:
    return START_US + round(second * SECOND_US)


@pytest.fixture
def page_path(world: World) -> str:
    """Front: counter 0-8 s, gap 8-20 s, blue at twice the size 20-30 s. Back: red 0-10 s, green 10-30 s."""
    front, back = (Reel(world, uuid) for uuid in world.cameras_1)
    front.film_counter(at(0))
    with world.footage.write() as connection:
        note_absence(connection, front.camera_uuid, at(8), Cause.CAMERA_CLOSED, at(8))
    front.reconnect()
    front.film(at(20), "blue", size="640x360")
    back.film(at(0), "red")
    back.film(at(10), "green", seconds=20)
    world.clock.now_us = INTERVAL.until_us + 3600 * SECOND_US
    announce(world, "C5", at(0))
    with world.exam.write() as connection:
        scan(connection, world, world.on_time, "OK_ADMITTED", scanned_us=at(5))
        log(connection, world, at(24), "考生举手示意，已更换备用机", candidate_id=world.late.id)
        wanted = FootageRequest(world.site_lead_account_id, world.room_1, INTERVAL, "质量督导检查")
        access_id = record_access(connection, wanted, world.clock.wall_us())
    return f"/playback/{access_id}"


def pause_at(page: Page, second: int) -> None:
    """Pause soon after the moment: marks and jumps lead there in the tests."""
    reached(page, second)
    page.keyboard.press("k")


def shown_second(page: Page) -> float:
    """The wall clock of the page as seconds after the start."""
    _, minutes, seconds = page.locator("#clock").inner_text().split(":")
    return int(minutes) * 60 + float(seconds)


def colour(page: Page, label: str) -> str:
    red, green, blue = page.evaluate(COLOUR, label)
    named = {"red": red, "green": green, "blue": blue}
    return max(named, key=lambda name: named[name])


def offsets(page: Page) -> list[float]:
    written = page.eval_on_selector_all(
        "figure.camera", "all => all.map((figure) => figure.dataset.offsetMs)"
    )
    return [abs(float(offset)) for offset in written if offset]


def test_a_pressed_mark_plays_every_camera_from_three_seconds_before(
    open_page: Open, world: World, page_path: str
) -> None:
    page = open_page(world.site_lead_account_id, page_path, "wall")
    page.get_by_role("button", name="考生举手示意").click()
    reached(page, 21)
    pause_at(page, 22)
    settled(page)
    assert (colour(page, "前方"), colour(page, "后方")) == ("blue", "green")
    page.get_by_role("button", name="陈一诺").click()
    pause_at(page, 4)
    settled(page)
    assert colour(page, "后方") == "red"


def test_the_picture_shown_is_the_picture_of_the_clock(open_page: Open, world: World, page_path: str) -> None:
    page = open_page(world.site_lead_account_id, f"{page_path}?at={at(5)}", "wall")
    pause_at(page, 3)
    settled(page)
    before = page.evaluate(COLOUR, "前方")[0]
    # Grey 16 to 235 of video becomes 0 to 255 of the screen; a picture lasts 40 ms.
    picture = round(before * 219 / 255)
    exact_second = page.evaluate("document.querySelector('figure[data-label=前方] video').currentTime")
    assert abs(picture - exact_second * 25) <= 2
    assert abs(picture / 25 - shown_second(page)) <= 0.2
    page.keyboard.press(".")
    settled(page)
    after = round(page.evaluate(COLOUR, "前方")[0] * 219 / 255)
    assert 0 <= after - picture <= 2
    for _ in range(4):
        page.keyboard.press(",")
    settled(page)
    assert page.evaluate(COLOUR, "前方")[0] < before


def test_cameras_stay_within_a_fifth_of_a_second_of_the_clock_while_playing(
    open_page: Open, world: World, page_path: str
) -> None:
    page = open_page(world.site_lead_account_id, f"{page_path}?at={at(5)}", "wall")
    reached(page, 4)
    assert any(nearly_all_within_ms(page, 200) for _ in range(10)), "a busy machine may lag for a while"


def nearly_all_within_ms(page: Page, limit_ms: int) -> bool:
    """How far the cameras are from the clock, looked at ten times."""
    seen = [offsets(page) for _ in range(10) if page.wait_for_timeout(150) is None]
    measured = sorted(offset for moment in seen for offset in moment)
    return len(measured) >= 10 and measured[len(measured) * 9 // 10] <= limit_ms


def test_a_gap_says_since_when_and_why_while_the_other_camera_plays_on(
    open_page: Open, world: World, page_path: str
) -> None:
    page = open_page(world.site_lead_account_id, f"{page_path}?at={at(10)}", "wall")
    front = page.locator('figure[data-label="前方"]')
    expect(front.locator(".absence")).to_have_text("此时段无录像：摄像机断开连接", timeout=45_000)
    expect(front.locator("video")).to_be_hidden()
    expect(page.locator('figure[data-label="后方"] video')).to_be_visible()
    pause_at(page, 11)
    settled(page)
    assert colour(page, "后方") == "green"
    gap = page.get_by_role("img", name="前方 09:00:08至09:00:20 此时段无录像：摄像机断开连接")
    gap.focus()
    expect(page.locator("#timeline-tip")).to_contain_text("摄像机断开连接")


def test_a_file_that_disappears_while_watching_is_told_and_the_rest_plays(
    open_page: Open, world: World, page_path: str
) -> None:
    with world.footage.read() as connection:
        row = connection.execute("select id from segment where started_at_us = ?", (at(10),)).fetchone()
    page = open_page(world.site_lead_account_id, page_path, "wall")
    page.wait_for_selector("#playback[data-ready]")
    page.route(f"**/segments/{row['id']}.mp4", lambda route: route.fulfill(status=404))
    page.get_by_role("button", name="考生举手示意").click()
    expect(page.locator('figure[data-label="后方"] .absence')).to_contain_text(
        "影像文件缺失或损坏", timeout=45_000
    )
    pause_at(page, 22)
    settled(page)
    assert colour(page, "前方") == "blue"
    page.get_by_role("button", name="陈一诺").click()
    pause_at(page, 4)
    settled(page)
    assert colour(page, "后方") == "red"


def test_footage_that_arrives_while_watching_is_played_without_reloading(
    open_page: Open, world: World, page_path: str
) -> None:
    front, back = world.cameras_1
    world.clock.now_us = at(40)
    with world.footage.write() as connection:
        states = [
            CameraState(uuid, Recording.RECORDING, at(30), None, None, 0, at(39)) for uuid in (front, back)
        ]
        write_states(connection, states)
    page = open_page(world.site_lead_account_id, f"{page_path}?at={at(34)}", "wall")
    words = page.locator('figure[data-label="前方"] .absence')
    expect(words).to_have_text("正在录制，文件完成后即可回放", timeout=45_000)
    reel = Reel(world, front)
    with world.footage.write() as connection:
        end_absence(connection, front, at(30), at(30))
    reel.film(at(30), "red")
    expect(words).to_be_hidden(timeout=45_000)
    page.wait_for_function("() => document.getElementById('clock').textContent >= '09:00:32'", timeout=45_000)
    page.keyboard.press("k")
    settled(page)
    assert colour(page, "前方") == "red"


def test_keys_play_pause_jump_and_change_speed(open_page: Open, world: World, page_path: str) -> None:
    page = open_page(world.site_lead_account_id, page_path, "wall")
    page.wait_for_selector("#playback[data-ready]")
    toggle, clock, speed = page.locator("#toggle"), page.locator("#clock"), page.locator("#speed")
    expect(clock).to_contain_text("09:00:00")
    page.keyboard.press("ArrowRight")
    expect(clock).to_contain_text("09:00:05")
    page.keyboard.press("ArrowLeft")
    expect(clock).to_contain_text("09:00:00")
    page.keyboard.press(" ")
    expect(toggle).to_have_text("暂停")
    page.keyboard.press("l")
    expect(speed).to_have_value("2")
    page.keyboard.press("k")
    expect(toggle).to_have_text("播放")
    page.keyboard.press("j")
    expect(speed).to_have_value("-1")
    page.keyboard.press("k")
    page.keyboard.press("]")
    reached(page, 2)
    page.keyboard.press("k")
    page.keyboard.press("2")
    expect(page.locator('figure[data-label="前方"]')).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator('figure[data-label="前方"]')).to_be_visible()


def test_pointing_at_the_timeline_moves_the_clock_and_zooming_keeps_it_in_sight(
    open_page: Open, world: World, page_path: str
) -> None:
    page = open_page(world.site_lead_account_id, page_path, "wall")
    page.wait_for_selector("#playback[data-ready]")
    page.locator("#timeline .mark-log_entry").click()
    reached(page, 21)
    page.keyboard.press("k")
    box = page.locator("#timeline").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 112 + (box["width"] - 120) * 25 / 90, box["y"] + box["height"] - 12)
    expect(page.locator("#clock")).to_contain_text("09:00:1")
    page.get_by_role("button", name="1分").click()
    expect(page.locator("#timeline .playhead")).to_be_visible()


def test_the_list_can_be_filtered_and_follows_time(open_page: Open, world: World, page_path: str) -> None:
    page = open_page(world.site_lead_account_id, f"{page_path}?at={at(8)}", "wall")
    expect(page.locator("#marks [aria-current]")).to_contain_text("陈一诺", timeout=45_000)
    page.keyboard.press("k")
    page.get_by_role("checkbox", name="签到").uncheck()
    expect(page.get_by_role("button", name="陈一诺")).to_be_hidden()
    expect(page.get_by_role("button", name="开考信号")).to_be_visible()


@pytest.mark.usefixtures("page_path")
def test_two_presses_lead_from_a_link_to_the_picture(open_page: Open, world: World) -> None:
    page = open_page(world.site_lead_account_id, f"/playback/?room={world.room_1}&at={at(5)}", "wall")
    page.get_by_role("button", name="质量督导检查").click()
    page.wait_for_url("**/playback/*?at=*")
    pause_at(page, 3)
    settled(page)
    assert colour(page, "后方") == "red"


def test_the_pages_are_accessible(open_page: Open, world: World, page_path: str) -> None:
    reel = Reel(world, world.cameras_1[1])
    lost = reel.invent(at(40))
    file_of(world, lost).rename(world.folder / "elsewhere")
    page = open_page(world.site_lead_account_id, f"{page_path}?at={at(10)}", "wall")
    expect(page.locator("#marks li")).to_have_count(3)
    page.keyboard.press("k")
    assert findings(page) == []
    page.goto(page.url.partition("/playback")[0] + "/playback/")
    assert findings(page) == []
