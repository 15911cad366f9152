"""Camera wall and preflight page in real Chromium: sound to axe, fit for their screens, pressed by people."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from evidence.footage import Cause, Recording
from evidence.thumbnails import Thumbnail, keep_thumbnail
from evidence.work_orders import Report, WorkState, write_report
from exam.clock import MINUTE_US, SECOND_US
from exam.preflight import Reach
from tests.axe import findings, resized
from tests.web.checked_cameras import check_cameras, order_check, view_of
from tests.web.crowd import add_rooms, recording
from tests.world import World
from web.services import Services

LONG_NAME = "综合评审第十二号答辩室（二楼东侧阶梯教室）"

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def cameras(world: World) -> list[str]:
    with world.exam.read() as connection:
        return [row["uuid"] for row in connection.execute("select uuid from camera order by id")]


def crowd(world: World, services: Services) -> list[str]:
    """Thirty cameras, one of them in a room with a long name, one dead, with pictures of a second ago."""
    add_rooms(world, 13)
    with world.exam.write() as connection:
        connection.execute("update room set label = ? where code = 'R05'", (LONG_NAME,))
        connection.execute(
            "insert into camera (uuid, room_id, label, address)"
            " values ('00000000-0000-4000-8000-000000000030', ?, '后方', 'rtsp://127.0.0.1/x')",
            (world.room_2,),
        )
    every = cameras(world)
    moment_us = world.clock.wall_us() - SECOND_US
    for number, camera in enumerate(every):
        picture = Thumbnail(moment_us, view_of(number, (320, 180)))
        keep_thumbnail(services.settings.thumbnails_folder, camera, picture)
    recording(world, but={every[7]: (Recording.DOWN, Cause.UNREACHABLE)})
    return every


def test_thirty_cameras_fit_on_the_wall_without_scrolling_the_dead_one_first(
    open_page: Open, world: World, services: Services
) -> None:
    every = crowd(world, services)
    page = open_page(world.site_lead_account_id, "/wall/", "wall")
    tiles = page.locator(".tile")
    expect(tiles).to_have_count(30)
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080
    assert fits(page)
    expect(tiles.first).to_have_id(f"tile-{every[7]}")
    last = tiles.last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= 1080
    assert last["height"] > 120
    assert findings(page) == []


def test_a_press_says_that_the_lead_knows_and_the_wall_goes_quiet(
    open_page: Open, world: World, services: Services
) -> None:
    crowd(world, services)
    page = open_page(world.site_lead_account_id, "/wall/", "wall")
    expect(page.locator(".alarm-loud")).to_have_count(1)
    page.get_by_role("button", name="已知悉").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".alarm-loud")).to_have_count(0)
    expect(page.locator(".alarm-known")).to_contain_text("李强")
    page.goto(page.url.replace("/wall/", "/overview"))
    expect(page.locator(".alarm-known")).to_contain_text("没有录像")
    assert findings(page) == []


def test_a_camera_that_dies_is_seen_without_a_press(open_page: Open, world: World) -> None:
    recording(world)
    page = open_page(world.site_lead_account_id, "/wall/")
    expect(page.locator(".alarm-loud")).to_have_count(0)
    recording(world, but={world.camera_2: (Recording.DOWN, Cause.UNREACHABLE)})
    expect(page.locator(".alarm-loud")).to_contain_text("第2考场前方")


def test_a_tile_leads_to_playback_of_now_with_its_reason_form(open_page: Open, world: World) -> None:
    recording(world)
    page = open_page(world.site_lead_account_id, "/wall/")
    page.locator(f"#tile-{world.camera_2} a").click()
    expect(page.get_by_role("heading", name="录像回放")).to_be_visible()
    expect(page.locator("#room")).to_have_value(str(world.room_2))


def test_a_wall_whose_recorder_is_away_is_sound_on_a_phone(open_page: Open, world: World) -> None:
    recording(world, stale_us=20 * SECOND_US)
    page = open_page(world.site_lead_account_id, "/wall/", "phone")
    expect(page.locator(".alarm-loud")).to_contain_text("录像程序无响应")
    assert findings(page) == []
    assert fits(page)


def test_a_wall_without_cameras_says_so(open_page: Open, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = 1")
    page = open_page(world.site_lead_account_id, "/wall/", "wall")
    expect(page.get_by_text("还没有摄像机")).to_be_visible()
    assert findings(page) == []


def test_a_check_with_troubles_is_sound_and_nothing_sticks_out(open_page: Open, world: World) -> None:
    add_rooms(world, 3)
    check_cameras(world, {world.camera_2: Reach.UNAUTHORIZED})
    page = open_page(world.site_lead_account_id, "/preflight/")
    expect(page.locator(".check").first).to_contain_text("摄像机拒绝登录")
    for _ in resized(page, "phone", "wall"):
        assert findings(page) == []
        assert fits(page)


def test_a_check_is_ordered_by_key_and_its_progress_moves_by_itself(open_page: Open, world: World) -> None:
    page = open_page(world.site_lead_account_id, "/preflight/")
    assert findings(page) == []
    page.get_by_role("button", name="检查摄像机").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("等待录像程序")).to_be_visible()
    with world.footage.write() as connection:
        write_report(connection, Report(1, WorkState.RUNNING, 2, 3), world.clock.wall_us())
    expect(page.get_by_text("已完成 2/3 台")).to_be_visible()
    assert findings(page) == []
    world.clock.sleep_us(2 * MINUTE_US)
    expect(page.get_by_text("检查没有进展")).to_be_visible()


def test_on_paper_only_the_sheet_is_left(open_page: Open, world: World) -> None:
    check_cameras(world)
    order_check(world)
    page = open_page(world.site_lead_account_id, "/preflight/")
    page.emulate_media(media="print")
    expect(page.locator(".toolbar")).to_be_hidden()
    expect(page.locator(".bar")).to_be_hidden()
    expect(page.locator(".check").first).to_be_visible()
