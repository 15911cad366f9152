"""The printable timetable: of a session with its words, of the whole day, and the same on A4."""

import io
from collections.abc import Callable
from html import unescape

import pytest
from pypdf import PdfReader

from exam.clock import MINUTE_US
from exam.procedure import CueKind, Trigger
from tests.web.console import PageClient
from tests.world import START_US, World
from web import timetable_page
from web.access import Role

READERS = {
    *{Role.PROCTOR, Role.ASSESSOR, Role.REVIEW_CHAIR, Role.RECORDER},
    *{Role.SITE_LEAD, Role.EXAMS_OFFICER, Role.INSPECTOR, Role.QUALITY_SUPERVISOR},
}


def read(client: PageClient, **query: object) -> str:
    answer = client.get("/timetable", query_string=query)
    assert answer.status_code == 200
    return unescape(answer.text)


def change(world: World, words: str, *values: object) -> None:
    with world.exam.write() as connection:
        connection.execute(f"update session set {words}", values)


@pytest.mark.parametrize("role", [Role.PROCTOR, Role.SITE_LEAD, Role.INSPECTOR, Role.ARCHIVIST])
def test_everybody_who_works_that_day_may_read_it(as_role: Callable[[Role], PageClient], role: Role) -> None:
    assert as_role(role).get("/timetable").status_code == (200 if role in READERS else 403)


def test_a_session_stands_there_with_times_rooms_kinds_givers_and_words(
    site_lead: PageClient, world: World
) -> None:
    page = read(site_lead, session=world.session_id)
    for words in (
        *("场次 T1 理论知识", "09:00 开考（计划）", "第1考场、第2考场"),
        *("09:00:00", "开考信号", "铃声和播报", "自动", "监考人员确认"),
        *('<span class="projected">预计</span><time>10:00:00', "请考生持身份证、准考证有序签到入场"),
        *("随时可能用到", "铃声有误", "现场负责人按下"),
    ):
        assert words in page


def test_pressed_signals_name_who_presses(site_lead: PageClient, world: World) -> None:
    change(world, "procedure_code = 'practical', kind = 'practical'")
    page = read(site_lead, session=world.session_id)
    assert "考评人员按下" in page
    assert "考评人员、考评组长确认" in page


def test_the_day_shows_every_session_in_one_list_and_what_was_cancelled(
    site_lead: PageClient, world: World
) -> None:
    page = read(site_lead)
    assert "2026年11月22日全天" in page
    assert page.count("<td>T1</td>") > 10
    change(world, "cancelled_at_us = ?", START_US - MINUTE_US)
    page = read(site_lead)
    assert "场次 T1 理论知识：已取消。" in page
    assert "<td>T1</td>" not in page
    assert "本场次已取消，不再发出信号。" in read(site_lead, session=world.session_id)


def test_it_can_be_printed_the_day_before(site_lead: PageClient, world: World) -> None:
    day_us = 24 * 60 * MINUTE_US
    change(world, "planned_start_us = ?", START_US + day_us)
    assert "2026年11月23日全天" in read(site_lead)
    change(world, "planned_start_us = ?", START_US - day_us)
    assert "这一天没有场次" in read(site_lead)
    assert "T1" in read(site_lead, day="2026-11-21")


@pytest.mark.parametrize("query", [{"session": 99}, {"day": "2026-01-01"}, {"day": "gestern"}])
def test_what_does_not_exist_is_not_shown(site_lead: PageClient, query: dict[str, object]) -> None:
    assert site_lead.get("/timetable", query_string=query).status_code == 404


def test_the_same_plan_comes_as_a4(site_lead: PageClient, world: World) -> None:
    answer = site_lead.get("/timetable.pdf", query_string={"session": world.session_id})
    assert "timetable-T1.pdf" in answer.headers["Content-Disposition"]
    paper = PdfReader(io.BytesIO(answer.data))
    assert [round(float(side)) for side in paper.pages[0].mediabox[2:]] == [595, 842]
    words = "".join(page.extract_text() for page in paper.pages)
    assert "开考信号" in words
    assert "第1页，共" in words


def test_every_kind_and_trigger_has_words() -> None:
    assert set(timetable_page.KIND_WORDS) == set(CueKind)
    assert set(timetable_page.GIVER_WORDS) == set(Trigger)
