"""The sheet before the exam day: every line with who and when, what is open and what to do, signed once."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask
from pypdf import PdfReader

from evidence.players import Heard, SoundCheck, keep_check
from evidence.readiness import sheets_of
from evidence.rehearsals import keep_rehearsal
from exam.clock import MINUTE_US, SECOND_US
from exam.preflight import Reach
from exam.rehearsal import Rehearsed
from tests.clocks_found import all_right, beat_of_kiosk
from tests.exam.test_preflight import SOUND_CAMERA
from tests.web.checked_cameras import check_cameras
from tests.web.console import PageClient, account_with, client_for
from tests.web.crowd import add_rooms, recording
from tests.web.test_capacity import look as volume
from tests.web.test_capacity import volumes
from tests.web.test_clock_check_page import confirm as confirm_clocks
from tests.world import CLOCK_US, World
from web.access import PREFLIGHT, Role
from web.services import ANY_TOPIC, Services

PAGE = "/readiness/"
DAY = "2026-11-22"


def page(client: PageClient) -> str:
    return unescape(client.get(PAGE).text)


def seen(client: PageClient) -> dict[str, str]:
    """What the form for signing carries."""
    return dict(re.findall(r'name="(shown|last)" value="(\w+)" form="sign"', page(client)))


def sign(client: PageClient, note: str = "", **fields: str) -> tuple[int, str]:
    answer = client.post(PAGE, data={"note": note, **(fields or seen(client))})
    return answer.status_code, answer.headers.get("Location") or unescape(answer.text)


def signed(world: World) -> list[tuple[int, str, str]]:
    with world.exam.read() as connection:
        return [(one.open_count, one.note, one.by) for one in sheets_of(connection, DAY)]


def row(text: str, name: str) -> str:
    """What the table says of one thing."""
    found = re.search(rf'<th scope="row">{name}</th>(.*?)</tr>', text, re.DOTALL)
    assert found is not None, name
    return re.sub(r"<[^>]+>|\s+", " ", found[1])


def heard(world: World, room_id: int, outcome: Heard = Heard.HEARD) -> None:
    with world.exam.write() as connection:
        keep_check(connection, SoundCheck(room_id, world.proctor_account_id, outcome, CLOCK_US))


def print_page(client: PageClient, outcome: str = "printed") -> int:
    last = re.search(r'name="last" value="(\d+)" form="printer"', page(client))
    assert last is not None
    return client.post(f"{PAGE}printer", data={"outcome": outcome, "last": last[1]}).status_code


def add_hall(world: World, places: int) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into room (id, code, label, kind) values (9, 'E01', '应急考场', 'contingency_hall')"
        )
        for number in range(1, places + 1):
            connection.execute(
                "insert into place (room_id, kind, label, grid_row, grid_col) values (9, 'seat', ?1, 1, ?1)",
                (number,),
            )


def make_ready(world: World, client: PageClient) -> None:
    """Everything that an exam day needs."""
    all_right(world)
    confirm_clocks(client)
    heard(world, world.room_1)
    heard(world, world.room_2)
    recording(world)
    volumes(world, volume("a", 413))
    add_hall(world, 3)
    assert print_page(client) == 303
    with world.exam.write() as connection:
        keep_rehearsal(connection, Rehearsed(DAY, CLOCK_US - 2, CLOCK_US - 1, ()), world.site_lead_account_id)


@pytest.mark.parametrize("role", list(Role))
def test_those_who_prepare_the_exam_read_it_and_the_lead_signs(
    as_role: Callable[[Role], PageClient], role: Role
) -> None:
    client, may_sign = as_role(role), role in {Role.SITE_LEAD, Role.EXAMS_OFFICER}
    for address in (PAGE, f"{PAGE}live", f"{PAGE}test-page.pdf"):
        assert client.get(address).status_code == (200 if role in PREFLIGHT else 403)
    assert client.get(f"{PAGE}1").status_code == (404 if role in PREFLIGHT else 403)
    assert client.get(f"{PAGE}1.pdf").status_code == (404 if role in PREFLIGHT else 403)
    assert client.post(PAGE, data={"shown": "x"}).status_code == (409 if may_sign else 403)
    assert client.post(f"{PAGE}printer").status_code == (400 if may_sign else 403)


def test_what_nobody_has_seen_to_is_open_and_says_what_to_do(site_lead: PageClient) -> None:
    text = page(site_lead)
    assert "还有7件事（共8项）没有完成" in text
    for name, words in (
        ("时钟", "今天还没有核对"),
        ("声音 第1考场、第2考场", "还没有人确认听到试音"),
        ("摄像机 第2考场", "前方未检查"),
        ("录像磁盘", "还没有查看过证据卷"),
        ("打印机", "还没有试打印"),
        ("应急考场", "没有空着的应急考场"),
    ):
        assert words in row(text, name)
    assert "请试音，由在考室的人按" in text
    assert 'href="/preflight/">去处理' in text


def test_a_site_that_is_ready_names_who_saw_to_what_and_is_signed_with_one_press(
    site_lead: PageClient, world: World
) -> None:
    make_ready(world, site_lead)
    text = page(site_lead)
    assert "全部准备好" in text
    assert "还要做的" not in text
    assert "王芳 2026年11月22日 08:50:00 已准备好" in " ".join(row(text, "声音 第1考场、第2考场").split())
    assert "2台合格" in row(text, "摄像机 第1考场")
    assert "李强" in row(text, "打印机")
    assert "应急考场3个考位" in row(text, "应急考场")
    assert "自动检查" in row(text, "录像磁盘")
    code, record = sign(site_lead)
    assert (code, signed(world)) == (303, [(0, "", "李强")])
    kept = site_lead.get(record).text
    for words in ("考前核对单", "签署人 李强", "全部准备好", "校验值", "测试页打印清楚"):
        assert words in kept
    assert "全部完成" in page(site_lead)


def test_what_is_open_is_signed_only_with_who_does_it(site_lead: PageClient, world: World) -> None:
    code, text = sign(site_lead)
    assert code == 400
    assert "请写明谁在什么时候做完" in text
    code, record = sign(site_lead, "王芳下午完成")
    assert (code, signed(world)) == (303, [(8, "王芳下午完成", "李强")])
    assert "处理说明：王芳下午完成" in site_lead.get(record).text
    assert "8项没有完成，已写明处理" in page(site_lead)


def test_pressed_twice_it_is_signed_once_and_another_is_told(
    app: Flask, site_lead: PageClient, world: World
) -> None:
    form = seen(site_lead)
    assert [sign(site_lead, "下午完成", **form) for _ in range(2)] == [(303, "/readiness/1")] * 2
    assert len(signed(world)) == 1
    other = client_for(app, world, account_with(world, Role.EXAMS_OFFICER))
    code, text = sign(other, "下午完成", **form)
    assert code == 409
    assert "另一人刚刚签署了" in text
    assert sign(other, "又看过一遍") == (303, "/readiness/2")


def test_pressed_twice_with_a_refresh_in_between_it_is_still_signed_once(
    site_lead: PageClient, world: World
) -> None:
    assert sign(site_lead, "下午完成") == sign(site_lead, "下午完成") == (303, "/readiness/1")
    assert sign(site_lead, "傍晚完成") == (303, "/readiness/2")
    assert len(signed(world)) == 2


def test_rooms_with_the_same_finding_stand_on_one_line_and_each_has_its_own_when_signed(
    site_lead: PageClient, world: World
) -> None:
    add_rooms(world, 28)
    heard(world, world.room_1, Heard.NOT_HEARD)
    text = page(site_lead)
    assert "还有8件事（共64项）没有完成" in text
    to_do = text.partition("还要做的")[2].partition("</ul>")[0]
    assert to_do.count("<li>") == 8
    assert to_do.count("第30考场") == 2
    assert "声音 29个考室" in to_do
    assert "第2考场、第3考场、第4考场" in to_do
    assert text.count('<th scope="row">') == 9
    heard(world, world.room_1)
    with world.exam.write() as connection:
        for room in range(1, 31):
            keep_check(
                connection,
                SoundCheck(room, world.proctor_account_id, Heard.HEARD, CLOCK_US + room * SECOND_US),
            )
    found = " ".join(row(page(site_lead), "声音 全部30个考室").split())
    assert "王芳 2026年11月22日 08:50:01 — 08:50:30 请注意" in found
    kept = site_lead.get(sign(site_lead, "王芳下午完成")[1]).text
    assert kept.count('<th scope="row">') == 65
    assert "声音 第30考场" in kept


def test_the_page_refreshes_what_stands_on_it_and_what_the_form_says_of_it(
    site_lead: PageClient, services: Services
) -> None:
    live = f"{PAGE}live"
    before = site_lead.get(live).text
    assert seen(site_lead)["shown"] in before
    assert "csrf_token" not in before, "what is typed stands outside of what is exchanged"
    with site_lead.get(f"{PAGE}stream") as answer:
        assert answer.mimetype == "text/event-stream"
    counter = services.bus.current(ANY_TOPIC)
    assert print_page(site_lead) == 303
    assert services.bus.current(ANY_TOPIC) > counter, "every open page is told to look again"
    after = site_lead.get(live).text
    assert "测试页打印清楚" in after
    assert seen(site_lead)["shown"] in after
    assert seen(site_lead)["shown"] not in before


def test_who_saw_something_else_looks_again_with_the_note_kept(site_lead: PageClient, world: World) -> None:
    form = seen(site_lead)
    heard(world, world.room_1, Heard.NOT_HEARD)
    code, text = sign(site_lead, "都看过", **form)
    assert code == 409
    assert "情况刚刚有变化" in text
    assert 'value="都看过"' in text
    assert signed(world) == []


def test_figures_that_change_by_themselves_do_not_ask_for_another_look(
    site_lead: PageClient, world: World
) -> None:
    make_ready(world, site_lead)
    form = seen(site_lead)
    volumes(world, volume("a", 400))
    assert sign(site_lead, **form)[0] == 303


def test_without_an_exam_day_there_is_nothing_to_sign(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set cancelled_at_us = 1")
    assert "没有将要进行的场次" in page(site_lead)
    assert sign(site_lead, shown="x")[0] == 409


def test_the_sheet_and_the_test_page_are_printed_on_a4(site_lead: PageClient, world: World) -> None:
    make_ready(world, site_lead)
    _, record = sign(site_lead)
    for address, words in ((f"{record}.pdf", "签署人"), (f"{PAGE}test-page.pdf", "小字")):
        answer = site_lead.get(address)
        assert answer.mimetype == "application/pdf"
        pages = PdfReader(io.BytesIO(answer.data)).pages
        assert [round(float(side)) for side in pages[0].mediabox[2:]] == [595, 842]
        assert words in "".join(one.extract_text() for one in pages)


class TestLines:
    def test_a_clock_that_is_wrong_is_open_and_one_that_was_dealt_with_is_noted(
        self, site_lead: PageClient, world: World
    ) -> None:
        all_right(world)
        beat_of_kiosk(world, 6 * SECOND_US)
        confirm_clocks(site_lead, "一号签到机停用")
        assert "1项不准或没有测到，已写明处理" in row(page(site_lead), "时钟")
        assert "请注意" in row(page(site_lead), "时钟")
        site_lead.post("/clock-check/readings", data={"reference": "手机", "shown_time": "08:49:58"})
        assert "考点时间不准：比手机快2.00秒" in row(page(site_lead), "时钟")

    def test_the_day_before_the_clocks_are_to_be_checked_once_more(
        self, site_lead: PageClient, world: World
    ) -> None:
        make_ready(world, site_lead)
        with world.exam.write() as connection:
            connection.execute(
                "update session set planned_start_us = planned_start_us + ?", (24 * 60 * MINUTE_US,)
            )
        text = page(site_lead)
        assert "2026年11月23日考试" in text
        assert "可以开考，2项请注意" in text, "that day was not rehearsed, either"
        assert "考试当天考务会上再核对一次" in row(text, "时钟")

    def test_sound_that_nobody_heard_is_open_and_a_device_that_went_home_is_noted(
        self, site_lead: PageClient, world: World
    ) -> None:
        heard(world, world.room_1, Heard.NOT_HEARD)
        heard(world, world.room_2)
        text = page(site_lead)
        assert "有人报告没有听到试音 王芳" in " ".join(row(text, "声音 第1考场").split())
        assert "现在没有能响铃的设备 考试当天请打开" in " ".join(row(text, "声音 第2考场").split())

    def test_cameras_are_told_by_their_worst(self, site_lead: PageClient, world: World) -> None:
        check_cameras(world, {world.cameras_1[1]: Reach.NO_ANSWER})
        assert "后方不合格" in row(page(site_lead), "摄像机 第1考场")
        check_cameras(world, {world.cameras_1[1]: replace(SOUND_CAMERA, clock_offset_us=None)})
        assert "后方注意" in row(page(site_lead), "摄像机 第1考场")
        with world.exam.write() as connection:
            connection.execute("delete from camera where room_id = ?", (world.room_2,))
        assert "没有摄像机" in row(page(site_lead), "摄像机 第2考场")

    def test_a_printer_that_failed_is_open_until_it_prints_and_a_second_press_is_no_second_word(
        self, site_lead: PageClient, world: World
    ) -> None:
        assert print_page(site_lead, "not_printed") == 303
        assert "测试页打印不了或不清楚" in row(page(site_lead), "打印机")
        for last in ("1", "1", "2"):  # the last of them after a refresh
            site_lead.post(f"{PAGE}printer", data={"outcome": "printed", "last": last})
        assert "测试页打印清楚" in row(page(site_lead), "打印机")
        with world.exam.read() as connection:
            assert connection.execute("select count(*) from printer_check").fetchone()[0] == 2

    def test_a_spare_room_that_is_too_small_is_noted(self, site_lead: PageClient, world: World) -> None:
        add_hall(world, 2)
        assert "应急考场2个考位，少于人数最多的考室（3人）" in row(page(site_lead), "应急考场")
