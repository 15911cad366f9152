"""Printed admission tickets: who may print them, what stands on them, where they lie."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
import segno
from flask import Flask
from pypdf import PdfReader

from config.settings import WebSettings
from evidence.kiosk_secrets import verify_key
from evidence.ticket_signing import read_signed
from exam.signed_tickets import looks_signed
from kiosk.scanner import Scanner
from rehearsal.ticket_show import rasterised
from tests.web.console import PageClient, client_for
from tests.world import World
from web.access import Role
from web.services import Services, attach
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


def codes_on(world: World, pdf: bytes) -> set[str]:
    """What the project's scanner reads from the first page as it is printed."""
    path = world.folder / "tickets.pdf"
    path.write_bytes(pdf)
    page = rasterised(path, world.folder)[0]
    scanner = Scanner(("QRCODE", "CODE128"))
    tickets = (page[top : top + page.shape[0] // 3] for top in range(0, page.shape[0], page.shape[0] // 3))
    found = {reading.text for ticket in tickets for reading in scanner.scan(ticket)}
    scanner.close()
    return found


def test_the_printed_code_is_a_signed_ticket_beside_the_bare_bars(
    site_lead: PageClient, world: World
) -> None:
    found = codes_on(world, site_lead.get("/sessions/1/tickets.pdf").data)
    signed = {read_signed(text, verify_key(world.vault)) for text in found if looks_signed(text)}
    numbers = {one.ticket_no for one in (world.on_time, world.late, world.wrong_ticket)}
    assert {ticket.ticket_no for ticket in signed} == numbers
    assert {text for text in found if not looks_signed(text)} == numbers


def test_a_site_may_print_bare_numbers_only(app: Flask, world: World, services: Services) -> None:
    settings = services.settings.model_copy(update={"web": WebSettings(signed_tickets=False)})
    client = client_for(app, world, world.site_lead_account_id)
    attach(app, replace(services, settings=settings))
    found = codes_on(world, client.get("/sessions/1/tickets.pdf").data)
    assert not any(looks_signed(text) for text in found)
    assert "普通条码" in client.get("/sessions/1/tickets/reissue").text


def test_a_reissued_ticket_is_printed_alone_with_the_next_revision(
    site_lead: PageClient, world: World
) -> None:
    assert "签名二维码随即作废" in site_lead.get("/sessions/1/tickets/reissue").text
    form = {"ticket_no": f" {world.late.ticket_no} ", "reason": "遗失"}
    answer = site_lead.post("/sessions/1/tickets/reissue", data=form)
    assert answer.headers["Location"] == f"/sessions/1/tickets?only={world.late.id}"
    page = site_lead.get(answer.headers["Location"]).text
    assert page.count('class="ticket"') == 1
    assert f"tickets.pdf?only={world.late.id}" in page
    found = codes_on(world, site_lead.get(f"/sessions/1/tickets.pdf?only={world.late.id}").data)
    (ticket,) = (read_signed(text, verify_key(world.vault)) for text in found if looks_signed(text))
    assert (ticket.ticket_no, ticket.revision) == (world.late.ticket_no, 2)


@pytest.mark.parametrize(
    ("form", "code", "words"),
    [
        ({"ticket_no": "202611220001"}, 400, "请写明原因"),
        ({"ticket_no": "nobody", "reason": "遗失"}, 404, "没有这个准考证号"),
    ],
)
def test_a_reissue_that_cannot_be_is_said_in_words(
    site_lead: PageClient, world: World, form: dict[str, str], code: int, words: str
) -> None:
    answer = site_lead.post("/sessions/1/tickets/reissue", data=form)
    assert (answer.status_code, words in answer.text) == (code, True)
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from ticket_reissue").fetchone()[0] == 0
    assert site_lead.get("/sessions/999/tickets/reissue").status_code == 404


def test_the_administrator_prints_but_issues_nothing_anew(administrator: PageClient) -> None:
    assert "补发" not in administrator.get("/sessions/1/tickets").text
    assert administrator.get("/sessions/1/tickets/reissue").status_code == 403


def test_codes_that_take_long_are_waited_for(site_lead: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.tickets.AT_ONCE", 3)
    assert "正在准备签名二维码，还差4张" in site_lead.get("/sessions/1/tickets").text
    for path in PAGES[1:]:
        answer = site_lead.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "还差4张" in answer.json["advice"]
