"""The page 签到机 in real Chromium: every state, sound and within its screen; all by keyboard too."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from evidence.kiosk_enrolments import Machine, Offer, offer, revoke, take_offer
from evidence.kiosk_self_tests import NewSelfTest, keep_self_test
from evidence.kiosk_states import keep_report
from evidence.kiosks import Scope
from evidence.recording_orders import Who
from exam.clock import MINUTE_US, SECOND_US
from exam.kiosk_health import Part, PartState, Report
from exam.self_test import Check, Result, Tried
from tests.axe import SIZES, is_sound, resized
from tests.evidence.rostered import give_pin
from tests.evidence.test_kiosk_enrolments import machine
from tests.web.console import account_with
from tests.world import CLOCK_US, World
from web.access import Role

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

WELL = Report(
    sent_at_us=CLOCK_US,
    queue_length=0,
    needs_human=0,
    roster_revision=None,
    disk_free_bytes=10**10,
    is_out_of_service=False,
    parts={Part.CAMERA: PartState.OK, Part.SPEAKER: PartState.OK},
    versions={"agent": "1.4"},
)
EARLIER_US = CLOCK_US - MINUTE_US
GOOD = [Tried(check, Result.GOOD) for check in Check]


def enrolled(world: World, label: str, scope: Scope) -> int:
    with world.exam.write() as connection:
        token = offer(connection, Offer(label, scope), world.administrator_account_id, CLOCK_US)
        made: Machine = machine(token)
        kiosk_id = take_offer(connection, token, made, CLOCK_US).kiosk_id
        connection.execute("update kiosk set last_seen_at_us = ? where id = ?", (CLOCK_US, kiosk_id))
    return kiosk_id


def tell(world: World, kiosk_id: int, report: Report, at_us: int = CLOCK_US) -> None:
    with world.exam.write() as connection:
        keep_report(connection, kiosk_id, report, None, at_us)
        connection.execute("update kiosk set last_seen_at_us = ? where id = ?", (at_us, kiosk_id))


def self_tested(world: World, kiosk_id: int, tried: list[Tried]) -> None:
    with world.exam.write() as connection:
        keep_self_test(connection, kiosk_id, NewSelfTest(f"{kiosk_id:016d}", CLOCK_US, tried), CLOCK_US)


def lay_kiosks(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set planned_start_us = planned_start_us + ?", (10 * MINUTE_US,))
    kiosks = [enrolled(world, f"{number}号签到机", Scope((world.room_1,))) for number in range(2, 9)]
    for kiosk_id in kiosks[:5]:
        self_tested(world, kiosk_id, GOOD)
    broken = [
        replace(one, result=Result.BAD, words="没有声音，请检查连线和音量")
        if one.check is Check.SPEAKER
        else one
        for one in GOOD
    ]
    self_tested(world, kiosks[5], broken)
    pin_id, _ = give_pin(world, world.proctor_account_id)
    for kiosk_id, report, at_us in [
        (kiosks[0], WELL, CLOCK_US),
        (kiosks[1], replace(WELL, queue_length=3, sent_at_us=EARLIER_US), EARLIER_US),
        (kiosks[2], replace(WELL, sent_at_us=CLOCK_US - 9 * SECOND_US), CLOCK_US),
        (kiosks[3], replace(WELL, needs_human=1, queue_length=1), CLOCK_US),
        (kiosks[4], replace(WELL, parts={Part.CAMERA: PartState.COVERED}, locked_pins=(pin_id,)), CLOCK_US),
        (kiosks[5], replace(WELL, is_out_of_service=True), CLOCK_US),
    ]:
        tell(world, kiosk_id, report, at_us)
    gone = enrolled(world, "旧签到机", Scope())
    with world.exam.write() as connection:
        revoke(connection, gone, Who(1, "丢失"), CLOCK_US)


def test_every_state_is_sound_on_every_screen(open_page: Open, world: World) -> None:
    lay_kiosks(world)
    page = open_page(world.site_lead_account_id, "/kiosks")
    expect(page.get_by_text("离线，有记录未上传")).to_be_visible()
    for size in resized(page, *SIZES):
        is_sound(page, f"kiosks-{size}")


def test_a_kiosk_is_taken_out_of_service_by_keyboard(open_page: Open, world: World) -> None:
    lay_kiosks(world)
    officer = account_with(world, Role.EXAMS_OFFICER)
    page = open_page(officer, "/kiosks")
    row = page.locator("li", has_text="2号签到机").first
    row.get_by_text("管理…").focus()
    page.keyboard.press("Enter")
    is_sound(page, "kiosks-manage")
    row.get_by_label("原因").first.focus()
    page.keyboard.type("屏幕碎裂")
    page.keyboard.press("Enter")
    expect(page.locator("li", has_text="2号签到机").first).to_contain_text("人工停用")


@pytest.mark.parametrize("size", ["tablet", "wall"])
def test_a_code_is_shown_once_and_sound(open_page: Open, world: World, size: str) -> None:
    page = open_page(world.administrator_account_id, "/kiosks", size)
    page.get_by_text("添加签到机").click()
    is_sound(page, f"kiosks-add-{size}")
    page.get_by_role("button", name="生成登记码").last.click()
    expect(page.get_by_role("img", name="登记二维码")).to_be_visible()
    expect(page.get_by_label("登记码", exact=True)).to_have_value(re.compile("^KZE1 http://127"))
    is_sound(page, f"kiosks-enrolment-{size}")


def test_an_empty_site_says_what_to_do(open_page: Open, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("delete from kiosk")
    page = open_page(world.administrator_account_id, "/kiosks")
    expect(page.get_by_text("还没有签到机。请在下方添加。")).to_be_visible()
    is_sound(page, "kiosks-empty")


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_the_own_pin_is_asked_for_on_every_screen(open_page: Open, world: World, size: str) -> None:
    page = open_page(world.proctor_account_id, "/pin", size)
    is_sound(page, f"pin-{size}")
    page.get_by_label("口令 6位数字", exact=True).fill("123456")
    page.get_by_label("再次输入口令").fill("123456")
    page.get_by_label("登录密码").fill("x")
    page.get_by_role("button", name="设置口令").click()
    expect(page.get_by_role("alert").first).to_contain_text("过于简单")
    is_sound(page, f"pin-weak-{size}")


@pytest.mark.parametrize("size", ["tablet", "wall"])
def test_a_form_of_ticket_numbers_is_compared_and_confirmed(open_page: Open, world: World, size: str) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set ticket_form = '202611[0-9]{6}'")
    page = open_page(world.site_lead_account_id, "/roster", size)
    is_sound(page, f"forms-{size}")
    page.get_by_label("扫一张打印好的准考证").fill(world.on_time.ticket_no)
    page.keyboard.press("Enter")
    expect(page.get_by_text("格式相符")).to_be_visible()
    is_sound(page, f"forms-compared-{size}")
    page.get_by_role("button", name="确认 2026年第1批次 的格式").click()
    expect(page.get_by_text("已确认")).to_be_visible()


def test_a_ticket_is_issued_anew(open_page: Open, world: World) -> None:
    page = open_page(world.site_lead_account_id, "/sessions/1/tickets/reissue")
    is_sound(page, "reissue")
