from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from evidence.protection import Level
from evidence.volume_look import Look, Place, Space, Trouble
from evidence.volume_rows import VolumeFound, write_volume_states
from exam.clock import SECOND_US
from tests.recordings import Reel
from tests.web.console import PageClient
from tests.web.crowd import recording
from tests.world import CLOCK_US, World
from web.access import Role
from web.capacity import found_words

GB = 10**9


def look(name: str, free_gb: float, trouble: Trouble | None = None, *, device: int = 1) -> VolumeFound:
    path = Path("/volumes") / name
    place = Place(path, frozenset([path]), GB, name == "reserve")
    space = None if trouble is Trouble.SWAPPED else Space(device, 1000 * GB, round(free_gb * GB), 10_000)
    expected, found = ("volume a", "volume b, which is that of /volumes/b") if trouble else ("", "")
    one = Look(place, None, trouble, expected, found, space, Level.SINGLE_MACHINE)
    return VolumeFound(one, trouble, CLOCK_US, 8_000_000)


def volumes(world: World, *found: VolumeFound) -> None:
    with world.footage.write() as connection:
        write_volume_states(connection, found, CLOCK_US)


def part(page: str) -> str:
    return page.partition('data-live="capacity"')[2]


def test_before_a_recorder_looked_nothing_is_said(site_lead: PageClient) -> None:
    assert "可录" not in site_lead.get("/overview").text


def test_enough_room_is_one_quiet_sentence_with_a_bar(site_lead: PageClient, world: World) -> None:
    recording(world)
    volumes(world, look("a", 413), look("reserve", 6, device=2))
    page = site_lead.get("/overview").text
    words = part(page)
    assert "计划内录像还需要" in words
    assert "证据卷可用 412 GB，另有备用卷 5.0 GB，全部摄像机同时录像可录" in words
    assert "<meter" in words
    assert "R1 单机保护" in words
    assert '<span class="storage"><span class="quiet">录像可录' in page
    assert "存储空间不足" not in page


def test_a_plan_that_does_not_fit_is_red_everywhere_and_the_site_is_not_ready(
    site_lead: PageClient, administrator: PageClient, world: World
) -> None:
    recording(world)
    volumes(world, look("a", 1.5))
    page = site_lead.get("/overview").text
    assert "存储空间不足，还差" in page
    assert "一切正常" not in page
    assert "分钟" in part(page)
    assert "存储空间不足，还差" in administrator.get("/accounts").text


def test_no_usable_volume_is_red_and_each_is_told_by_name(site_lead: PageClient, world: World) -> None:
    volumes(world, look("a", 0, Trouble.SWAPPED), look("b", 500, Trouble.READ_ONLY))
    page = site_lead.get("/overview").text
    assert "没有可用的证据卷" in page
    assert "应为：标识 a；实际：标识 b，这是 /volumes/b 的盘" in page
    assert "与另一块盘对调了" in page
    assert "空间未知" in page


def test_little_time_is_amber_while_the_plan_fits(site_lead: PageClient, world: World) -> None:
    recording(world)
    volumes(world, look("a", 51))
    page = site_lead.get("/overview").text
    assert "存储空间不多，请尽快增加证据卷。" in page
    assert "存储空间不足" not in page
    assert "可录7小时" in part(page)


def test_the_rate_of_the_last_files_counts(site_lead: PageClient, world: World) -> None:
    recording(world)
    volumes(world, look("a", 2))
    before = part(site_lead.get("/overview").text)
    Reel(world, world.camera_2).invent(CLOCK_US - 60 * SECOND_US)
    assert part(site_lead.get("/overview").text) != before


def test_staff_without_a_view_of_recording_are_not_bothered_while_there_is_room(
    as_role: Callable[[Role], PageClient], world: World
) -> None:
    volumes(world, look("a", 400))
    assert 'class="storage"' not in as_role(Role.ARCHIVIST).get("/accounts", follow_redirects=True).text


def test_who_cannot_add_a_disk_is_asked_to_tell_the_lead(proctor: PageClient, world: World) -> None:
    recording(world)
    volumes(world, look("a", 413))
    path = f"/proctor/{world.session_id}/{world.room_1}"
    assert "录像可录" in proctor.get(path).text
    volumes(world, look("a", 1.5))
    page = proctor.get(path).text
    assert "录像存储空间不足，请告知现场负责人" in page
    assert "还差" not in page


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("volume (a new one)", "新的证据卷"),
        ("100 bytes", "至少 100 字节"),
        ("5 bytes, 7 inodes", "5 字节，7 个文件"),
        ("Input/output error", "Input/output error"),
    ],
)
def test_what_was_found_is_told_in_chinese(told: str, words: str) -> None:
    assert found_words(told) == words


@pytest.mark.parametrize("is_footage", [True, False])
def test_a_database_without_its_reserve_is_a_red_task(
    site_lead: PageClient, world: World, *, is_footage: bool
) -> None:
    database = world.footage if is_footage else world.exam
    with database.write() as connection:
        connection.execute("insert into reserve_release (released_at_us) values (?)", (CLOCK_US,))
    page = site_lead.get("/overview").text
    assert ("录像索引数据库" if is_footage else "签到与信号数据库") in page
    assert "一切正常" not in page


@pytest.mark.browser
def test_the_panel_has_no_axe_findings(
    open_page: Callable[[int | None, str, str], Page], world: World
) -> None:
    recording(world)
    volumes(world, look("a", 413), look("b", 0, Trouble.SWAPPED))
    page = open_page(world.site_lead_account_id, "/overview", "wall")
    page.locator("#capacity-volumes summary").click()
    assert page.locator(".volumes li").count() == 2
    assert "与另一块盘对调了" in page.locator(".volumes").inner_text()


def test_a_session_whose_procedure_has_gone_is_told_and_no_page_fails(
    site_lead: PageClient, world: World
) -> None:
    recording(world)
    volumes(world, look("a", 413))
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'gone'")
    overview = site_lead.get("/overview")
    assert overview.status_code == 200
    assert "找不到考试流程文件，无法按计划录像：当天全部考场全天录像" in overview.text
    assert "计划内录像还需要" in overview.text
    page = site_lead.get("/recording").text
    assert page.count("考试日录像，到 24:00") == 2
    assert "场次 T1 找不到考试流程文件" in page


def test_the_pages_of_that_session_say_what_is_missing_and_who_mends_it(
    site_lead: PageClient, proctor: PageClient, world: World
) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'gone'")
    for client, address in (
        (site_lead, f"/sessions/{world.session_id}/coverage"),
        (proctor, f"/proctor/{world.session_id}/{world.room_1}"),
    ):
        page = client.get(address, headers={"Accept": "text/html"})
        assert page.status_code == 503
        assert "场次 T1 缺少流程文件" in page.text
        assert "gone.toml" in page.text
    pressed = site_lead.post(f"/api/sessions/{world.session_id}/press/start", json={})
    assert (pressed.status_code, pressed.json["error"]) == (503, "场次 T1 缺少流程文件")
