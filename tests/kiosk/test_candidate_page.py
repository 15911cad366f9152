"""The candidate screen in real Chromium, at both sizes of a kiosk."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from exam.kiosk_health import Part
from kiosk.screen import Camera
from kiosk.visit import Happened, Hint, NotUsable, TicketRead
from kiosk.watching import COVERED
from tests.axe import findings
from tests.kiosk.page_stage import Stage, overflows, press
from tests.kiosk.stage import ADMITTED, ID_NUMBER, TICKET, answer
from tests.kiosk.typing_devices import Keyboard

LONG = replace(
    ADMITTED,
    outcome="OK_LATE",
    title="迟到签到",
    line="请随工作人员到第12技能考核考场（实训楼二楼西侧），108号工位。",
    room_label="第12技能考核考场",
    place_label="108",
    masked_name="阿**提",
)

pytestmark = pytest.mark.browser


def test_the_usual_way_by_touch(stage: Stage) -> None:
    page = stage.page
    expect(page.locator("[data-preview]")).to_be_visible()
    stage.agent.happened(TicketRead(TICKET))
    expect(page.locator("h1")).to_have_text("请输入身份证号")
    expect(page.locator("[data-confirm]")).to_be_disabled()
    press(page, ID_NUMBER)
    expect(page.locator("[data-count]")).to_have_text("18 / 18")
    page.locator("[data-confirm]").click()
    expect(page.locator("h1")).to_have_text("签到成功")
    expect(page.locator("[data-room]")).to_have_text("第1考场")
    expect(page.locator("[data-place]")).to_have_text("12号")
    expect(page.locator("[data-who]")).to_contain_text("陈*诺")
    assert page.evaluate("document.body.dataset.tone") == "good"
    assert stage.console.asked[0]["id_number"] == ID_NUMBER


def test_the_number_is_never_in_the_document(stage: Stage) -> None:
    page = stage.page
    stage.agent.happened(TicketRead(TICKET))
    expect(page.locator("[data-pad]")).to_be_visible()
    for count, digit in enumerate(ID_NUMBER, 1):
        press(page, digit)
        dots = page.locator("[data-dots]").text_content() or ""
        assert dots.count("●") >= count - 1
        assert ID_NUMBER[max(0, count - 6) : count] not in page.content() or count < 6
    expect(page.locator("[data-dots]")).to_have_text("●●●●●● ●●●●●●●● ●●●●")


def test_the_matter_with_a_person_stands_nowhere_and_that_with_the_machine_is_for_staff(stage: Stage) -> None:
    page = stage.page
    stage.console.answer = answer("CANDIDATE_BLOCKED", "H", "请到人工窗口", "工作人员将为您办理。")
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)
    expect(page.locator("h1")).to_have_text("请到人工窗口")
    assert "CANDIDATE_BLOCKED" not in page.content()
    stage.console.answer = answer("SYS_DISK", "S", "本机暂停使用", "请到其他签到机。")
    stage.agent.happened(Happened.RESTART)
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)
    expect(page.locator("[data-staff]")).to_contain_text("SYS_DISK")


def test_a_wrong_digit_can_be_taken_back(stage: Stage) -> None:
    page = stage.page
    stage.agent.happened(TicketRead(TICKET))
    press(page, "12")
    page.locator("[data-erase]").click()
    expect(page.locator("[data-count]")).to_have_text("1 / 18")
    page.keyboard.press("Backspace")
    expect(page.locator("[data-count]")).to_have_text("0 / 18")


def test_a_number_that_cannot_be_is_said_and_typed_again(stage: Stage) -> None:
    page = stage.page
    stage.agent.happened(TicketRead(TICKET))
    press(page, "1" * 18)
    page.locator("[data-confirm]").click()
    expect(page.locator("[data-hint]")).to_contain_text("号码有误")
    expect(page.locator("[data-count]")).to_have_text("0 / 18")
    assert stage.console.asked == []


def device_types(page: Page, keys: Keyboard) -> None:
    """A device's keys, faster than any test could press them. A Chinese input method is on: the browser
    calls every key "Process" then; its place stays what it is."""
    page.evaluate(
        """(strokes) => {
          const target = document.activeElement ?? document.body;
          for (const [code, kind] of strokes) {
            const key = { key: "Process", keyCode: 229, code, bubbles: true, cancelable: true };
            target.dispatchEvent(new KeyboardEvent(kind, key));
          }
        }""",
        [[stroke.code, "keydown" if stroke.is_down else "keyup"] for stroke in keys.strokes],
    )


def test_a_reader_that_types_is_understood_on_any_screen_and_beside_half_a_number(stage: Stage) -> None:
    page = stage.page
    device_types(page, Keyboard().text(ID_NUMBER + "\r"))
    expect(page.locator("[data-line]")).to_contain_text("身份证号已收到")
    device_types(page, Keyboard().text(f"]C1{TICKET}"))
    expect(page.locator("h1")).to_have_text("签到成功")
    stage.agent.happened(TicketRead("202611220002"))
    press(page, "99")
    page.wait_for_timeout(200)
    device_types(page, Keyboard().numbers(map(ord, ID_NUMBER)).text("\r"))
    expect(page.locator("h1")).to_have_text("签到成功")
    assert [request["id_number"] for request in stage.console.asked] == [ID_NUMBER, ID_NUMBER]


def test_the_name_and_lines_of_a_card_are_one_reading(stage: Stage) -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in "陈一诺")
    device_types(stage.page, Keyboard().text(f"{escaped}\r19900307\r{ID_NUMBER}\r"))
    expect(stage.page.locator("[data-line]")).to_contain_text("身份证号已收到")


def test_a_person_at_a_keyboard_is_not_a_reader(stage: Stage) -> None:
    page = stage.page
    stage.agent.happened(TicketRead(TICKET))
    expect(page.locator("[data-pad]")).to_be_visible()
    page.keyboard.type(ID_NUMBER[:9], delay=130)
    page.wait_for_timeout(200)
    expect(page.locator("[data-count]")).to_have_text("9 / 18")
    page.keyboard.press("Enter")
    page.keyboard.type(ID_NUMBER[9:], delay=60)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("签到成功")
    assert [request["id_number"] for request in stage.console.asked] == [ID_NUMBER]


def test_a_devices_enter_presses_no_button_and_a_persons_does(stage: Stage) -> None:
    page = stage.page
    stage.agent.happened(TicketRead(TICKET))
    expect(page.locator('[data-key="1"]')).to_be_visible()
    page.locator('[data-key="1"]').focus()
    device_types(page, Keyboard().text("99999999\r"))
    page.wait_for_timeout(300)
    expect(page.locator("[data-count]")).to_have_text("0 / 18")
    page.keyboard.press("Enter")
    expect(page.locator("[data-count]")).to_have_text("1 / 18")


def test_without_camera_the_gun_is_asked_for(stage: Stage) -> None:
    stage.agent.board.fit("usb:05e0:1200", Part.SCANNER)
    stage.agent.board.works("usb:05e0:1200", Part.SCANNER)
    for camera, title in (
        (Camera(works=False, reason="USB camera 0 gives no pictures any more"), "请用扫码枪"),
        (Camera(works=True), "请放准考证"),
    ):
        stage.agent.camera_is(camera)
        expect(stage.page.locator("h1")).to_have_text(title)
        assert overflows(stage.page) == []
        assert findings(stage.page) == []


def test_a_covered_camera_is_said_with_what_to_do(stage: Stage) -> None:
    stage.agent.camera_is(COVERED)
    expect(stage.page.locator("h1")).to_have_text("请移开遮挡")
    assert overflows(stage.page) == []
    assert findings(stage.page) == []


def test_no_document_leads_to_a_person_and_start_over_back(stage: Stage) -> None:
    page = stage.page
    stage.agent.happened(TicketRead(TICKET))
    page.locator('[data-touch="restart"]').click()
    expect(page.locator("h1")).to_have_text("请放准考证")
    page.locator('[data-touch="no_document"]:visible').click()
    expect(page.locator("h1")).to_have_text("请到人工窗口")
    assert page.evaluate("document.body.dataset.tone") == "wait"


def test_a_console_that_is_away_is_said_calmly(stage: Stage) -> None:
    stage.console.is_away = True
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)
    expect(stage.page.locator("h1")).to_have_text("本机暂停使用")
    expect(stage.page.locator("[data-line]")).to_have_text("请到其他签到机，或到人工窗口。")


def test_every_screen_fits_and_axe_finds_nothing(stage: Stage) -> None:
    page = stage.page
    looked_at = [("请放准考证", None)]
    results = [
        LONG,
        answer("NOT_ON_ROSTER", "H", "未查到报考信息", "请到人工窗口，由工作人员查询。"),
        answer("WRONG_SESSION", "R", "您的考试在14:00", "现在签到的是其他场次，请于13:45起到第2考场签到。"),
        answer("LATE_CUTOFF", "R", "已超过入场时间", "按考试规定不能入场，如有疑问请咨询工作人员。"),
    ]
    looked_at += [(result.title, result) for result in results]
    for title, result in looked_at:
        if result is not None:
            stage.console.answer = result
            stage.agent.happened(TicketRead(TICKET))
            stage.agent.happened(NotUsable(Hint.MANY))
            expect(page.locator("[data-hint]")).to_contain_text("请只放一张准考证")
            assert overflows(page) == []
            stage.agent.number_given(ID_NUMBER)
        expect(page.locator("h1")).to_have_text(title)
        assert overflows(page) == []
        assert findings(page) == []


def test_touch_targets_are_large(stage: Stage) -> None:
    page = stage.page
    stage.agent.happened(TicketRead(TICKET))
    expect(page.locator("[data-pad]")).to_be_visible()
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 96
