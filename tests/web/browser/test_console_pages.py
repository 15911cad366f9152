"""The console's pages in real Chromium: what people do on them, by touch and by key, and axe's opinion."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect

from evidence import announcements, proctor_log
from evidence.footage import Cause, Recording
from evidence.plan_changes import arm_session
from evidence.proctor_log import LogEntry
from exam.clock import MINUTE_US, SECOND_US
from tests.axe import findings, is_sound, resized
from tests.web.console import account_with
from tests.web.crowd import (
    add_rooms,
    admit,
    admit_every_second,
    fill_first_room,
    give_players,
    recording,
)
from tests.web.holding import held_until_sent
from tests.world import PASSWORD, START_US, World, announce
from web.access import Role
from web.services import Services, room_topic

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def room(world: World, room_id: int | None = None) -> str:
    return f"/proctor/{world.session_id}/{room_id or world.room_1}"


def log(world: World) -> list[LogEntry]:
    with world.exam.read() as connection:
        return proctor_log.load_entries(connection, world.session_id, world.room_1)


def arm(world: World) -> None:
    with world.exam.write() as connection:
        arm_session(
            connection, world.session_id, world.site_lead_account_id, world.clock.wall_us() - 60 * MINUTE_US
        )


def hold(page: Page, words: str) -> None:
    """Press the button until that has an effect."""
    box = page.get_by_role("button", name=words).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    held_until_sent(page, page.mouse.down, page.mouse.up)


def test_logging_in_by_keyboard_leads_to_the_own_room(open_page: Open) -> None:
    page = open_page(None, "/")
    assert findings(page) == []
    page.keyboard.type("wangfang")
    page.keyboard.press("Tab")
    page.keyboard.type("falsch")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("登录名或密码不正确")
    assert findings(page) == []
    page.keyboard.type(PASSWORD)  # the name stays, the password has the focus
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="第1考场")).to_be_visible()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()


def test_an_entry_takes_two_touches(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, room(world))
    page.get_by_role("button", name="缺考").click()
    expect(page.locator("#draft-words")).to_contain_text("请点选座位")
    page.get_by_role("button", name="2号 赵迟").click()
    expect(page.locator("[data-live=entries]")).to_contain_text("2号 赵迟")
    expect(page.get_by_role("button", name="2号 赵迟 缺考")).to_be_visible()
    expect(page.locator("#draft")).to_be_hidden()
    [entry] = log(world)
    assert (entry.kind, entry.candidate_name) == ("absent", "赵迟")
    assert abs(entry.happened_at_us - world.clock.wall_us()) < 10 * SECOND_US, "by the server's clock"


def test_the_seat_may_come_first_and_the_room_may_be_meant(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, room(world))
    page.get_by_role("button", name="1号 陈一诺").click()
    page.get_by_role("button", name="身体不适").click()
    expect(page.locator("[data-live=entries]")).to_contain_text("身体不适")
    page.get_by_role("button", name="设备故障").click()
    page.get_by_role("button", name="记为整个考场").click()
    expect(page.locator("[data-live=entries]")).to_contain_text("设备故障")
    assert {(one.kind, one.candidate_name) for one in log(world)} == {
        ("unwell", "陈一诺"),
        ("equipment", None),
    }


def test_what_was_typed_survives_a_reload(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, room(world))
    page.get_by_role("button", name="其他").click()
    page.keyboard.type("第二排日光灯闪烁")
    page.reload()
    expect(page.locator("#draft-text")).to_have_value("第二排日光灯闪烁")
    page.get_by_role("button", name="记为整个考场").click()
    page.get_by_role("button", name="保存").click()
    expect(page.locator("[data-live=entries]")).to_contain_text("第二排日光灯闪烁")
    assert [one.text for one in log(world)] == ["第二排日光灯闪烁"]


def test_an_entry_made_offline_is_sent_once_when_the_network_is_back(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, room(world))
    page.context.set_offline(True)
    page.get_by_role("button", name="迟到").click()
    page.get_by_role("button", name="2号 赵迟").click()
    expect(page.locator("#outbox")).to_contain_text("有1条记录尚未送达")
    expect(page.locator("#offline")).to_contain_text(re.compile("连接中断，自 08:5"))
    assert log(world) == []
    page.context.set_offline(False)
    expect(page.locator("[data-live=entries]")).to_contain_text("迟到")
    expect(page.locator("#outbox")).to_be_hidden()
    expect(page.locator("#offline")).to_be_hidden()
    assert len(log(world)) == 1


def test_an_answer_that_got_lost_does_not_double_the_entry(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, room(world))
    lost = []

    def lose_first_answer(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch())
        route.abort()

    page.route("**/entries", lose_first_answer)
    page.get_by_role("button", name="缺考").click()
    page.get_by_role("button", name="3号 孙错").click()
    expect(page.locator("#outbox")).to_be_visible()
    expect(page.locator("#outbox")).to_be_hidden()
    assert len(log(world)) == 1


def test_a_mistake_is_corrected_by_a_new_entry(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, room(world))
    page.get_by_role("button", name="缺考").click()
    page.get_by_role("button", name="2号 赵迟").click()
    page.get_by_role("button", name="更正").click()
    page.get_by_role("button", name="误记撤回").click()
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".entry-corrected")).to_contain_text("缺考")
    expect(page.get_by_role("button", name="2号 赵迟 未到")).to_be_visible()
    assert sorted(one.kind for one in log(world)) == ["absent", "withdrawn"]


def test_the_page_looks_again_as_soon_as_something_happens(
    open_page: Open, world: World, services: Services
) -> None:
    page = open_page(world.proctor_account_id, room(world))
    page.route("**" + room(world), without_regular_turns)
    with page.expect_response("**/live") as first_look:
        page.reload()
    first_look.value.finished()
    admit(world, world.on_time.id)
    services.bus.publish(room_topic(world.room_1))
    expect(page.get_by_role("button", name="1号 陈一诺 已入场")).to_be_visible()


def without_regular_turns(route: Route) -> None:
    """The page, but it looks again by itself only after an hour."""
    answer = route.fetch()
    route.fulfill(
        response=answer, body=answer.text().replace("<body ", '<body data-live-every-ms="3600000" ', 1)
    )


def test_a_step_is_ticked_by_touch_or_by_key(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, room(world))
    page.get_by_role("button", name="确认：已宣读").click()
    expect(page.get_by_role("button", name="确认：已宣读")).to_have_count(0)
    page.locator("#confirm-C2").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-C2")).to_have_count(0)
    with world.exam.read() as connection:
        assert {"C2", "C3"} <= set(announcements.load_confirmed(connection, world.session_id, world.room_1))


def test_a_signal_is_given_by_holding_and_not_by_a_touch(open_page: Open, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'practical', kind = 'practical'")
        connection.execute("update duty set role = 'assessor' where staff_id = ?", (world.proctor_staff_id,))
    world.clock.sleep_us(10 * MINUTE_US)
    assessor = account_with(world, Role.ASSESSOR, staff_id=world.proctor_staff_id)
    page = open_page(assessor, room(world))
    button = page.get_by_role("button", name="按住1秒")
    button.click()
    page.wait_for_timeout(1200)
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from announcement").fetchone()[0] == 0
    hold(page, "按住1秒")
    expect(button).to_have_count(0)
    with world.exam.read() as connection:
        row = connection.execute("select cue_code, source, room_id from announcement").fetchone()
    assert tuple(row) == ("C5", "press", world.room_1)


def test_a_refusal_is_said_in_words(open_page: Open, world: World) -> None:
    page = open_page(world.site_lead_account_id, "/overview", "wall")
    page.get_by_text("全场应急播报").click()
    page.route("**/press/X1", lambda route: route.fulfill(status=409, json={"advice": "本场次已取消。"}))
    hold(page, "铃声有误")
    expect(page.locator("#answer")).to_have_text("本场次已取消。")
    page.unroute("**/press/X1")
    page.route("**/press/X1", lambda route: route.abort())
    hold(page, "铃声有误")
    expect(page.locator("#answer")).to_contain_text("操作没有送达")


def test_a_page_whose_login_ended_says_so(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, room(world))
    with world.exam.write() as connection:
        connection.execute("update login set closed_at_us = 1")
    expect(page.locator("#offline")).to_contain_text("登录已结束")


def test_dark_is_remembered_on_this_tablet(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, room(world))
    page.get_by_role("button", name="深色").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert findings(page) == []
    page.get_by_role("button", name="浅色").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_a_roster_is_checked_and_then_imported(open_page: Open, world: World, tmp_path: Path) -> None:
    file = tmp_path / "名单.csv"
    people = [world.on_time, world.late, world.wrong_ticket, world.other_room]
    labels = {world.room_1: "第1考场", world.room_2: "第2考场"}
    lines = ["姓名,证件类型,证件号码,准考证号,场次,考场,座位号"]
    lines += [
        f"{one.name},居民身份证,{one.id_number},{one.ticket_no},T1,{labels[one.room_id]},{one.place_label}"
        for one in people
    ]
    lines[2] = lines[2].replace("赵迟", "赵驰")
    file.write_text("\n".join(lines), encoding="utf-8-sig")
    page = open_page(world.site_lead_account_id, "/roster")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="检查文件").click()
    expect(page.locator("#report")).to_contain_text("修改 1")
    assert findings(page) == []
    page.get_by_role("button", name="确认导入").click()
    expect(page.locator("#report")).to_contain_text("已导入")
    with world.exam.read() as connection:
        assert connection.execute("select count(*) from candidate where name = '赵驰'").fetchone()[0] == 1


def test_thirty_rooms_with_trouble_in_one_are_sound(open_page: Open, world: World) -> None:
    arm(world)
    add_rooms(world, 28)
    give_players(world)
    fill_first_room(world)
    admit_every_second(world)
    admit(world, world.wrong_ticket.id, "referred")
    recording(world, but={world.cameras_1[1]: (Recording.DOWN, Cause.UNREACHABLE)})
    announce(world, "C3", world.clock.wall_us() - 10 * SECOND_US)
    page = open_page(world.site_lead_account_id, "/overview")
    expect(page.locator(".room-card")).to_have_count(30)
    expect(page.locator(".countdown").first).to_have_text(re.compile(r"\d\d:\d\d"))
    for _ in resized(page, "tablet", "wall"):
        assert findings(page) == []
    last = page.locator(".room-card").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= 1080, "thirty rooms fit on the wall"


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_a_crowded_room_is_sound(open_page: Open, world: World, size: str) -> None:
    arm(world)
    fill_first_room(world)
    admit_every_second(world)
    recording(world)
    announce(world, "C5", START_US, world.room_1)
    world.clock.sleep_us(12 * MINUTE_US)
    page = open_page(world.proctor_account_id, room(world), size)
    expect(page.locator("button.seat")).to_have_count(30)
    page.get_by_role("button", name="违纪提醒").click()
    assert findings(page) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], "nothing sticks out sideways"  # type: ignore[index]
    low = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.kind:not([hidden]), button.seat')]"
        ".map((one) => one.getBoundingClientRect().height))"
    )
    assert low >= 64, "11 mm on a tablet"


@pytest.mark.parametrize("path", ["/accounts", "/trust", "/nowhere"])
def test_the_other_pages_are_sound(open_page: Open, world: World, path: str) -> None:
    assert findings(open_page(world.administrator_account_id, path)) == []


def test_the_first_administrator_page_is_sound(open_page: Open, world: World, app: Flask) -> None:
    from tests.web.test_accounts_page import forget_accounts

    assert app.testing
    page = open_page(None, f"/first-administrator/{forget_accounts(world)}")
    assert findings(page) == []
    for label, words in [("姓名", "赵六"), ("登录名", "zhaoliu"), ("再次输入密码", "Blau-7-Esel")]:
        page.get_by_label(label, exact=True).fill(words)
    page.locator("#password").fill("Blau-7-Esel")
    page.get_by_role("button", name="创建并登录").click()
    expect(page.get_by_role("heading", name="账户", exact=True)).to_be_visible()


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_the_site_lead_reaches_every_page_by_touch_and_by_key(
    open_page: Open, world: World, size: str
) -> None:
    page = open_page(world.site_lead_account_id, "/roster", size)
    menu = page.locator("details[data-menu]", has_text="考后")
    page.locator("summary", has_text="考前").click()
    expect(page.get_by_role("link", name="摄像机检查")).to_be_visible()
    is_sound(page, f"menu-before-{size}")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="摄像机检查")).to_be_hidden()
    expect(page.get_by_role("link", name="录像覆盖证明")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    page.keyboard.press("Enter")
    is_sound(page, f"menu-after-{size}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("playback"))
