"""Printed admission tickets: who may print them, what stands on them, where they lie."""

import io
from collections.abc import Callable

import pytest
import segno
from pypdf import PdfReader

from tests.web.console import PageClient
from tests.world import World
from web.access import Role
from web.ticket_sheet import QUIET_MODULES, bar_modules, bars_of, qr_of

PAGES = ["/sessions/1/tickets", "/sessions/1/tickets.pdf", "/sessions/1/tickets.json"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.EXAMS_OFFICER, 200),
        (Role.SITE_LEAD, 200),
        (Role.ADMINISTRATOR, 200),
        (Role.PROCTOR, 403),
        (Role.AUDITOR, 403),
    ],
)
def test_only_those_who_prepare_the_exam_print_tickets(
    as_role: Callable[[Role], PageClient], path: str, role: Role, expected: int
) -> None:
    assert as_role(role).get(path).status_code == expected


@pytest.mark.parametrize("path", PAGES)
def test_an_unknown_session_is_not_found(site_lead: PageClient, path: str) -> None:
    assert site_lead.get(path.replace("/1/", "/999/")).status_code == 404


def test_the_pdf_holds_name_number_place_and_time_but_only_the_tail_of_the_id(
    site_lead: PageClient, world: World
) -> None:
    answer = site_lead.get("/sessions/1/tickets.pdf")
    assert answer.mimetype == "application/pdf"
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    words = text.replace("\n", "").replace(" ", "").replace("\u3000", "")
    for expected in ["准考证", "陈一诺", "202611220001", "第1考场", "2026年11月22日", "09:00", "三级/高级工"]:
        assert expected in words
    assert world.on_time.id_number not in words
    assert world.on_time.id_number[-4:] in words


def test_four_tickets_take_two_a4_pages_in_one_chinese_font(site_lead: PageClient) -> None:
    pages = PdfReader(io.BytesIO(site_lead.get("/sessions/1/tickets.pdf").data)).pages
    assert [tuple(round(float(side) / 72 * 25.4) for side in page.mediabox[2:]) for page in pages] == [
        (210, 297),
        (210, 297),
    ]
    fonts = {
        font.get_object()["/BaseFont"] for page in pages for font in page["/Resources"]["/Font"].values()
    }
    assert all("Noto-Sans-CJK-SC" in font for font in fonts)


def test_positions_say_where_each_ticket_lies(site_lead: PageClient, world: World) -> None:
    positions = site_lead.get("/sessions/1/tickets.json").json
    assert positions["page_mm"] == [210.0, 297.0]
    assert [(ticket["page"], ticket["box_mm"]) for ticket in positions["tickets"]] == [
        (1, [0.0, 0.0, 210.0, 99.0]),
        (1, [0.0, 99.0, 210.0, 99.0]),
        (1, [0.0, 198.0, 210.0, 99.0]),
        (2, [0.0, 0.0, 210.0, 99.0]),
    ]
    assert positions["tickets"][0]["candidate_id"] == world.on_time.id
    assert positions["tickets"][0]["ticket_no"] == world.on_time.ticket_no


def test_the_sheet_on_screen_carries_no_inline_style_or_script(site_lead: PageClient) -> None:
    html = site_lead.get("/sessions/1/tickets").get_data(as_text=True)
    assert "style=" not in html
    assert "<script>" not in html
    assert html.count('class="ticket"') == 4


def test_a_session_without_candidates_says_what_to_do(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("delete from seating")
    assert "请先导入花名册" in site_lead.get("/sessions/1/tickets").get_data(as_text=True)
    assert site_lead.get("/sessions/1/tickets.pdf").status_code == 404


def test_the_bars_keep_their_quiet_zones() -> None:
    bars = bars_of("202611220001")
    assert bars.path.startswith(f"M{QUIET_MODULES} 0h")
    last = bars.path.rsplit("M", 1)[1]
    start, width = int(last.split(" ")[0]), int(last.split("h")[1].split("v")[0])
    assert start + width == bars.width - QUIET_MODULES


@pytest.mark.parametrize("number", ["202611220001", "992611220001", "999999999999"])
def test_every_pair_of_a_number_is_in_the_bars(number: str) -> None:
    start_check_and_stop = 11 + 11 + 13
    assert len(bar_modules(number)) == start_check_and_stop + 11 * len(number) // 2


def test_the_qr_code_has_as_many_black_modules_as_segno_draws() -> None:
    expected = sum(map(sum, segno.make_qr("202611220001", error="q", boost_error=False).matrix))
    drawn = sum(int(part.split("v")[0]) for part in qr_of("202611220001").path.split("h")[1::2])
    assert drawn == expected


def test_tickets_of_a_practical_session_speak_of_stations(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set kind = 'practical', subject = '操作技能'")
        connection.execute("update place set kind = 'station'")
        connection.execute("update room set directions = ''")
        connection.execute("update site set address = '学府路118号'")
    html = site_lead.get("/sessions/1/tickets").get_data(as_text=True)
    assert "号工位" in html
    assert "准备通知单" in html
    assert "学府路118号" in html
