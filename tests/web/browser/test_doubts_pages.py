"""The pages of doubts in real Chromium: read at a glance, signed by two on one tablet, decided by holding."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.axe import SIZES, is_sound, resized
from tests.web.doubted import lay_doubts, second_proctor
from tests.world import PASSWORD, World

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def test_open_doubts_and_one_of_them_are_sound_on_every_screen(open_page: Open, world: World) -> None:
    lay_doubts(world)
    page = open_page(world.site_lead_account_id, "/doubts")
    expect(page.get_by_text("3 件没有结论")).to_be_visible()
    for size in resized(page, *SIZES):
        is_sound(page, f"doubts-{size}")
    page.get_by_text("第1考场 1号").click()
    expect(page.get_by_role("img")).to_have_count(2)
    expect(page.locator("img").first).not_to_have_js_property("naturalWidth", 0)
    for size in resized(page, *SIZES):
        is_sound(page, f"doubt-{size}")


def test_two_proctors_sign_on_one_tablet(open_page: Open, world: World) -> None:
    lay_doubts(world)
    login_name = login_of(world, second_proctor(world))
    page = open_page(world.proctor_account_id, "/doubts/1")
    page.get_by_role("radio", name="不是同一人").first.check()
    page.get_by_role("button", name="王芳 签字").click()
    expect(page.locator("#answer")).to_contain_text("请写明理由")
    page.get_by_label("说明").first.fill("座位上的人与第二张照片不像")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("已签字")
    page.get_by_text("其他人在本机签字").click()
    page.locator("#other-look-same").check()
    page.get_by_label("登录名").fill(login_name)
    page.get_by_label("密码").fill("guess")
    page.get_by_role("button", name="签字", exact=True).click()
    expect(page.locator("#answer")).to_contain_text("密码不正确")
    expect(page.get_by_label("登录名")).to_have_value(login_name)
    is_sound(page, "doubt-other-signer")
    page.get_by_label("密码").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="等待现场负责人作出结论")).to_be_visible()


def test_the_site_lead_decides_by_holding_a_key(open_page: Open, world: World) -> None:
    lay_doubts(world)
    page = open_page(world.site_lead_account_id, "/doubts/2")
    page.get_by_text("显示全名").click()
    expect(page.get_by_text("赵迟")).to_be_visible()
    page.get_by_role("radio", name="身份确认").check()
    page.get_by_label("理由").fill("本人与证件一致")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="作出结论")).to_be_focused()
    page.keyboard.down("Enter")
    expect(page.locator("#answer")).to_contain_text("已作出结论")
    page.keyboard.up("Enter")
    expect(page.get_by_role("heading", name="身份确认")).to_be_visible()
    is_sound(page, "doubt-decided")
    page.get_by_role("link", name="返回全部存疑").click()
    expect(page.get_by_text("今天已有结论（1）")).to_be_visible()
    is_sound(page, "doubts-closed")


def login_of(world: World, account_id: int) -> str:
    with world.exam.read() as connection:
        row = connection.execute("select login_name from account where id = ?", (account_id,)).fetchone()
    return str(row["login_name"])
