"""The clock check page: what is right, what is not and what to do, confirming, and the record on paper."""

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from pypdf import PdfReader

from evidence.clock_checks import clock_checks_since
from exam.clock import MINUTE_US, SECOND_US
from tests.clocks_found import all_right, beat_of_kiosk
from tests.web.console import PageClient
from tests.web.test_reference_clock import TRACKING
from tests.world import CLOCK_US, World
from web.access import PREFLIGHT, Role
from web.clock_check_view import length_words, offset_words, todays_check
from web.reference_clock import ReferenceWatch
from web.services import Services, attach

PAGE = "/clock-check/"


def shown(page: str) -> str:
    found = re.search(r'name="shown" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def confirm(client: PageClient, note: str = "", seen: str | None = None) -> tuple[int, str]:
    answer = client.post(PAGE, data={"note": note, "shown": seen or shown(client.get(PAGE).text)})
    return answer.status_code, answer.headers.get("Location", "")


def checks(world: World) -> list[tuple[int, str]]:
    with world.exam.read() as connection:
        return [(one.wrong_count, one.note) for one in clock_checks_since(connection, 1)]


@pytest.mark.parametrize("role", list(Role))
def test_those_who_prepare_the_exam_read_it_and_the_lead_confirms(
    as_role: Callable[[Role], PageClient], world: World, role: Role
) -> None:
    all_right(world)
    client = as_role(role)
    assert client.get(PAGE).status_code == (200 if role in PREFLIGHT else 403)
    code = 303 if role in {Role.SITE_LEAD, Role.EXAMS_OFFICER} else 403
    reading = {"reference": "手机", "shown_time": "08:50:00"}
    assert client.post(f"{PAGE}readings", data=reading).status_code == code
    assert client.post(PAGE, data={"shown": "x"}).status_code == (409 if code == 303 else 403)


def test_nothing_measured_is_named_clock_by_clock_with_what_to_do(site_lead: PageClient) -> None:
    page = site_lead.get(PAGE).text
    assert "还有7个时钟没有测到" in page
    for words in ("考点主机", "一号签到机", "第1考场 没有能响铃的设备", "第2考场 前方", "主机没有自动授时"):
        assert words in page
    assert "没有读数" in page


def test_all_right_is_said_in_one_sentence_and_confirmed_with_one_press(
    site_lead: PageClient, world: World
) -> None:
    all_right(world)
    page = site_lead.get(PAGE).text
    assert "全部7个时钟都准" in page
    assert "要处理的" not in page
    assert "自身时钟慢30.0秒" in page
    assert "快0.20秒" in page
    assert confirm(site_lead)[0] == 303
    assert checks(world) == [(0, "")]
    with world.exam.read() as connection:
        assert todays_check(connection, CLOCK_US) is not None
        assert todays_check(connection, CLOCK_US + 24 * 60 * MINUTE_US) is None


def test_a_wrong_clock_is_confirmed_only_with_what_is_done_about_it(
    site_lead: PageClient, world: World
) -> None:
    all_right(world)
    beat_of_kiosk(world, 6 * SECOND_US)
    page = site_lead.get(PAGE).text
    assert "有1个时钟不准" in page
    assert "快6.00秒" in page
    assert "请在签到机上校准系统时间" in page
    assert confirm(site_lead)[0] == 400
    code, record = confirm(site_lead, "一号签到机停用")
    assert (code, checks(world)) == (303, [(1, "一号签到机停用")])
    kept = site_lead.get(record).text
    for words in ("时钟核对记录", "李强", "一号签到机停用", "有1个时钟不准", "校验值"):
        assert words in kept
    assert "1项已写明处理" in site_lead.get(PAGE).text


def test_who_saw_something_else_is_asked_to_look_again(site_lead: PageClient, world: World) -> None:
    all_right(world)
    seen = shown(site_lead.get(PAGE).text)
    beat_of_kiosk(world, 6 * SECOND_US)
    answer = site_lead.post(PAGE, data={"note": "都看过", "shown": seen})
    assert answer.status_code == 409
    assert "读数刚刚有变化" in answer.text
    assert 'value="都看过"' in answer.text
    assert checks(world) == []


def test_a_person_reads_another_clock_and_the_overview_turns_red(site_lead: PageClient) -> None:
    assert "考点时间不准" not in site_lead.get("/overview").text
    reading = {"reference": "电话报时12117", "shown_time": "08:49:58"}
    assert site_lead.post(f"{PAGE}readings", data=reading).status_code == 303
    page = site_lead.get(PAGE).text
    assert "考点主机（对照电话报时12117）" in page
    assert "快2.00秒" in page
    assert "比电话报时12117快2.00秒" in site_lead.get("/overview").text


@pytest.mark.parametrize("typed", [{"reference": "手机", "shown_time": "九点"}, {"shown_time": "08:50:00"}])
def test_what_cannot_be_read_is_kept_in_the_form_and_not_on_record(
    site_lead: PageClient, world: World, typed: dict[str, str]
) -> None:
    answer = site_lead.post(f"{PAGE}readings", data=typed)
    assert answer.status_code == 400
    assert typed["shown_time"] in answer.text
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from reference_reading").fetchone()[0] == 0


def test_a_machine_with_a_reference_of_its_own_says_so_and_old_readings_ask_for_nothing(
    site_lead: PageClient, app: Flask, world: World, services: Services
) -> None:
    all_right(world)
    attach(app, replace(services, reference=ReferenceWatch(lambda _command: TRACKING)))
    page = site_lead.get(PAGE).text
    assert "考点主机（对照203.0.113.1）" in page
    assert "考点主机（对照北斗授时钟）" in page
    assert "网络授时，误差0.01秒以内" in page or "网络授时，误差0.02秒以内" in page
    world.clock.step_wall(5 * 60 * MINUTE_US)
    assert "北斗授时钟）" not in site_lead.get("/clock-check/live").text


def test_the_record_is_printed_on_a4_and_an_unknown_one_is_a_404(site_lead: PageClient, world: World) -> None:
    all_right(world)
    _, record = confirm(site_lead)
    answer = site_lead.get(f"{record}.pdf")
    assert answer.mimetype == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.data)).pages
    assert [round(float(side)) for side in pages[0].mediabox[2:]] == [595, 842]
    assert "第1考场" in pages[0].extract_text()
    assert site_lead.get(f"{PAGE}99").status_code == 404


def test_the_page_is_woken(site_lead: PageClient, services: Services) -> None:
    with site_lead.get(f"{PAGE}stream") as answer:
        assert next(iter(answer.response)).startswith(b"retry")
    services.bus.close()


@pytest.mark.parametrize(
    ("offset_us", "words"),
    [
        (9_999, "相差不到0.01秒"),
        (-320_000, "慢0.32秒"),
        (12_040_000, "快12.0秒"),
        (65 * SECOND_US, "快1分05秒"),
        (-3725 * SECOND_US, "慢1小时02分05秒"),
    ],
)
def test_how_far_off_in_words(offset_us: int, words: str) -> None:
    assert offset_words(offset_us) == words


def test_no_length_is_called_nothing() -> None:
    assert length_words(1) == "0.01秒"
