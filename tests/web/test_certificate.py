"""The coverage certificate: who may read it, what it states, and its PDF."""

import io
from collections.abc import Callable

import pytest
from pypdf import PdfReader

from config.procedures import load_procedures
from evidence.coverage_certificate import certify, load_schedule
from evidence.health import HealthKind, NewTrouble, begin_trouble
from evidence.kept_certificates import keep_certificate
from exam.clock import MINUTE_US, SECOND_US
from tests.web.console import PageClient
from tests.web.crowd import add_rooms
from tests.web.filmed_day import UNTIL_US, end_the_day, film_everything, film_with_troubles
from tests.world import CLOCK_US, World
from web.access import Role
from web.services import Services

PAGES = ["/sessions/1/coverage", "/sessions/1/coverage.pdf"]
READERS = {
    Role.SITE_LEAD,
    Role.INSPECTOR,
    Role.QUALITY_SUPERVISOR,
    Role.SUPERVISOR,
    Role.ARCHIVIST,
    Role.AUDITOR,
}


@pytest.mark.parametrize("role", list(Role))
def test_only_those_who_answer_for_footage_read_it(as_role: Callable[[Role], PageClient], role: Role) -> None:
    expected = 200 if role in READERS else 403
    assert as_role(role).get(PAGES[0]).status_code == expected


def test_the_pdf_has_the_doors_of_the_page(as_role: Callable[[Role], PageClient]) -> None:
    assert as_role(Role.ADMINISTRATOR).get(PAGES[1]).status_code == 403
    assert as_role(Role.PROCTOR).get(PAGES[1]).status_code == 403
    assert as_role(Role.ARCHIVIST).get(PAGES[1]).status_code == 200


@pytest.mark.parametrize("path", ["/sessions/99/coverage", "/sessions/99/coverage.pdf"])
def test_an_unknown_session_is_a_404(site_lead: PageClient, path: str) -> None:
    assert site_lead.get(path).status_code == 404


def test_a_session_that_runs_is_called_provisional_and_not_signed(site_lead: PageClient) -> None:
    page = site_lead.get(PAGES[0]).text
    assert "临时结果，不能作为证明" in page
    assert "截至制表时，并非每一秒都有说明：有2小时30分00秒" in page
    assert "没有终止信号记录" in page
    assert "（签字）" not in page
    assert "没有录像，也没有缺口记录" in page


def test_a_day_ahead_owes_nothing_yet(site_lead: PageClient, world: World) -> None:
    world.clock.step_wall(-24 * 3600 * 1_000_000)
    page = site_lead.get(PAGES[0]).text
    assert "应录像的时间尚未开始。" in page
    assert "覆盖率（至今） —" in page


def test_a_room_that_never_stopped_may_still_be_running(site_lead: PageClient, world: World) -> None:
    film_everything(world)
    world.clock.sleep_us(UNTIL_US + 10 * SECOND_US - CLOCK_US)
    page = site_lead.get(PAGES[0]).text
    assert "应录像的每一秒都有录像。" in page
    assert "有考场没有终止信号记录" in page
    assert "这是临时结果，不能作为证明" in page


def test_a_recorded_day_is_stated_complete_and_may_be_signed(site_lead: PageClient, world: World) -> None:
    film_everything(world)
    end_the_day(world)
    page = site_lead.get(PAGES[0]).text
    assert "应录像的每一秒都有录像。" in page
    assert "临时结果" not in page
    assert "没有终止信号记录" not in page
    assert page.count("100.00%") == 1 + 3 * 2
    assert "现场负责人（签字）" in page
    assert "内部质量督导人员（签字）" in page
    assert page.count('class="hatch-') == 2, "the samples of the legend"


def test_gaps_stand_with_cause_and_exact_times(site_lead: PageClient, world: World) -> None:
    film_with_troubles(world)
    end_the_day(world)
    page = site_lead.get(PAGES[0]).text
    assert "<time>09:20:00.000</time> 至 <time>09:20:12.345</time>" in page
    assert "12.345秒</span>" in page
    assert "摄像机停止发送画面" in page
    assert "摄像机无法连接" in page
    assert "并非每一秒都有说明：有1小时00分00秒" in page
    assert "有缺口，原因已写明" in page
    assert "全程有录像" in page


def test_only_gaps_with_causes_are_accounted_for(site_lead: PageClient, world: World) -> None:
    film_with_troubles(world)
    end_the_day(world)
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = 1 where uuid = ?", (world.cameras_1[1],))
    page = site_lead.get(PAGES[0]).text
    assert "应录像的每一秒都有说明：有录像，或者有写明原因的缺口。缺口合计9分12.345秒。" in page


def test_a_room_without_a_camera_is_named(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = 1 where uuid = ?", (world.camera_2,))
    assert "本考场没有摄像机" in site_lead.get(PAGES[0]).text


def test_among_many_rooms_the_troubled_cameras_are_named_first(site_lead: PageClient, world: World) -> None:
    assert "不是全程有录像的摄像机" not in site_lead.get(PAGES[0]).text
    film_with_troubles(world)
    add_rooms(world, 2)
    end_the_day(world)
    first = site_lead.get(PAGES[0]).text.partition('aria-label="图例"')[0]
    assert f"#camera-{world.cameras_1[0]}" in first
    assert f"#camera-{world.camera_2}" not in first


def test_a_cancelled_session_says_so(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set cancelled_at_us = ?", (CLOCK_US,))
    assert "本场次已取消" in site_lead.get(PAGES[0]).text


def test_before_any_recorder_ran_nothing_is_certified(site_lead: PageClient, services: Services) -> None:
    services.footage.path = services.footage.path.with_name("not-yet.db")
    assert "并非每一秒都有说明" in site_lead.get(PAGES[0]).text


def test_the_page_carries_no_inline_style(site_lead: PageClient, world: World) -> None:
    film_with_troubles(world)
    assert "style=" not in site_lead.get(PAGES[0]).text


def test_the_pdf_says_the_same_on_a4(site_lead: PageClient, world: World) -> None:
    film_with_troubles(world)
    end_the_day(world)
    answer = site_lead.get(PAGES[1])
    assert answer.mimetype == "application/pdf"
    assert "coverage-T1.pdf" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    pages = PdfReader(io.BytesIO(answer.data)).pages
    assert [round(float(side)) for side in pages[0].mediabox[2:]] == [595, 842]
    text = "".join(page.extract_text() for page in pages)
    for words in ("09:20:12.345", "摄像机停止发送画面", "现场负责人（签字）", "内部质量督导人员（签字）"):
        assert words in text


def test_the_overview_leads_to_it(
    site_lead: PageClient, as_role: Callable[[Role], PageClient], world: World
) -> None:
    address = f"/sessions/{world.session_id}/coverage"
    assert address in site_lead.get("/overview").text
    assert address not in as_role(Role.EXAMS_OFFICER).get("/overview").text


def keep(world: World) -> None:
    with world.exam.read() as exam, world.footage.write() as footage:
        now_us = world.clock.wall_us()
        head = load_schedule(exam, world.session_id, load_procedures(), now_us)
        assert head is not None
        keep_certificate(footage, certify(footage, head, now_us), now_us)


def test_a_kept_certificate_shows_its_place_in_the_ledger_until_the_facts_change(
    site_lead: PageClient, world: World
) -> None:
    film_everything(world)
    end_the_day(world)
    assert "尚未存证" in site_lead.get("/coverage").text
    keep(world)
    page = site_lead.get(PAGES[0]).text
    assert "已存证" in page
    assert "录像台账第" in page
    assert "不一致" not in page
    with world.footage.write() as connection:
        trouble = NewTrouble(world.camera_2, HealthKind.BLACK, UNTIL_US - MINUTE_US, {"dark_share": 1.0})
        begin_trouble(connection, trouble, UNTIL_US)
    changed = site_lead.get(PAGES[0]).text
    assert "今天重算的结果与存证的证明不一致" in changed
    assert "画面异常" not in changed.split("<footer")[0]
    today = site_lead.get(f"{PAGES[0]}?version=today").text
    assert "今天重算的结果，不是存证的证明" in today
    assert "仍未恢复" in today
    assert site_lead.get(f"{PAGES[0]}.pdf").status_code == 200
    listing = site_lead.get("/coverage").text
    assert "已存证" in listing
    assert "覆盖率 100.00%" in listing


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ARCHIVIST, Role.AUDITOR, Role.INSPECTOR])
def test_everybody_who_may_see_certificates_finds_their_list(
    as_role: Callable[[Role], PageClient], role: Role
) -> None:
    page = as_role(role).get("/coverage")
    assert page.status_code == 200
    assert "未开考" in page.text
    assert 'href="/coverage"' in page.text


def test_a_cancelled_session_owes_nothing_in_the_list(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set cancelled_at_us = 1")
    assert "已取消" in site_lead.get("/coverage").text
    assert "本场次已取消" in site_lead.get(PAGES[0]).text
