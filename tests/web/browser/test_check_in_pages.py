"""签到 for staff in real Chromium: rooms at a glance, somebody found by a number, acts signed by two."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from exam.admission_facts import Provided
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from tests.axe import is_sound, resized
from tests.evidence.check_ins import Desk
from tests.evidence.office import late_scan
from tests.web.crowd import add_rooms, admit_every_second, fill_first_room
from tests.web.doubted import face, file_photo, keep_photo, lay_doubts, show_way
from tests.web.holding import held_until_sent
from tests.world import PASSWORD, World, announce

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.mark.parametrize(("rooms", "sizes"), [(3, ("tablet", "phone")), (28, ("wall",))])
def test_rooms_and_seats_are_told_at_a_glance_on_every_screen(
    open_page: Open, world: World, rooms: int, sizes: tuple[str, ...]
) -> None:
    lay_doubts(world)
    fill_first_room(world)
    add_rooms(world, rooms)
    page = open_page(world.site_lead_account_id, "/check-in", sizes[0])
    expect(page.get_by_role("heading", name="签到告警")).to_be_visible()
    for size in resized(page, *sizes):
        is_sound(page, f"desk-{size}")
    page.locator(".desk-room", has_text="第1考场").click()
    expect(page.get_by_role("link", name=re.compile("^2 .*存疑"))).to_be_visible()
    for size in resized(page, *sizes):
        is_sound(page, f"desk-room-{size}")


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_somebody_late_is_found_by_his_number_and_let_in_by_two(
    open_page: Open, world: World, size: str
) -> None:
    late_scan(Desk(world), world)
    world.clock.sleep_us(42 * MINUTE_US)
    page = open_page(world.site_lead_account_id, "/check-in", size)
    page.get_by_label("查找考生").fill(world.late.id_number[-6:].lower())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="第1考场 2号")).to_be_visible()
    assert world.late.id_number[-6:] not in page.url
    is_sound(page, f"desk-late-{size}")
    page.get_by_text("批准入场…").click()
    form = page.locator("#act-override-1")
    form.get_by_label("原因").fill("突发交通事故")
    form.get_by_label("登录名").fill("wangfang")
    form.get_by_label("密码").fill(PASSWORD)
    is_sound(page, f"desk-override-{size}")
    form.get_by_role("button", name="批准入场").click()
    expect(page.locator("#answer")).to_contain_text("已办理：批准入场")
    expect(page.locator("[data-live=head]")).to_contain_text("已入场")
    expect(page.locator("[data-live=trail]")).to_contain_text("李强、王芳")
    is_sound(page, f"desk-let-in-{size}")


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_where_no_kiosk_works_faces_are_compared_and_the_candidate_is_let_in(
    open_page: Open, world: World, size: str
) -> None:
    desk = Desk(world)
    file_photo(world, world.on_time, face(1))
    desk.ask(world.on_time, id_number=None, provided=Provided(keep_photo(world, face(2))))
    show_way(world)
    page = open_page(world.proctor_account_id, "/check-in", size)
    page.get_by_label("查找考生").fill(world.other_room.ticket_no)
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="平面图：第2考场的位置")).to_be_visible()
    is_sound(page, f"desk-way-{size}")
    page.get_by_label("查找考生").fill(world.on_time.ticket_no)
    page.keyboard.press("Enter")
    page.get_by_text("比对照片").click()
    expect(page.get_by_role("img", name="花名册照片")).not_to_have_js_property("naturalWidth", 0)
    page.get_by_text("人工签到…").click()
    page.locator("#act-by_hand").get_by_label("原因").fill("签到机断电")
    is_sound(page, f"desk-by-hand-{size}")
    page.get_by_role("button", name="核对无误，签到入场").click()
    expect(page.locator("#answer")).to_contain_text("请告诉考生：签到成功。请到第1考场")
    expect(page.locator("[data-live=head]")).to_contain_text("已入场")
    assert len(desk.standing()) == 1
    is_sound(page, f"desk-by-hand-done-{size}")


def test_an_alarm_is_told_done(open_page: Open, world: World) -> None:
    Desk(world).ask(world.late, declared=frozenset({Outcome.FACE_DOUBT}))
    page = open_page(world.proctor_account_id, "/check-in")
    page.get_by_text("已处理…").click()
    page.get_by_label("处理情况").fill("已到座位核对")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("已登记处理情况")
    expect(page.get_by_text("最近已处理（1）")).to_be_visible()


def test_an_entry_is_undone_by_holding_and_once_although_the_answer_was_lost(
    open_page: Open, world: World
) -> None:
    desk = Desk(world)
    desk.ask(world.on_time, provided=Provided(keep_photo(world, face(1))))
    page = open_page(world.proctor_account_id, f"/check-in/candidates/{world.session_id}/{world.on_time.id}")
    page.get_by_text("查看照片").click()
    expect(page.locator("img").first).not_to_have_js_property("naturalWidth", 0)
    page.get_by_text("撤销签到：").click()
    page.get_by_label("原因").first.fill("走错座位")
    is_sound(page, "desk-undo")
    page.route("**/check-in/acts", lose_the_answer, times=1)
    hold(page, "撤销签到")
    expect(page.locator("#answer")).to_contain_text("已办理：撤销签到")
    expect(page.locator("[data-live=head]")).to_contain_text("现在可以签到")
    assert desk.standing() == []
    assert len(desk.rows("select 1 from check_in_act")) == 1


def lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort()


def hold(page: Page, words: str) -> None:
    """Press the key until that has an effect."""
    page.get_by_role("button", name=words).focus()
    held_until_sent(page, lambda: page.keyboard.down("Enter"), lambda: page.keyboard.up("Enter"))


def test_nothing_typed_is_lost_while_the_server_cannot_be_reached(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, f"/check-in/candidates/{world.session_id}/{world.late.id}")
    page.get_by_text("指引到第1考场").click()
    page.locator("#act-redirect").get_by_label("原因").fill("走错考场")
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("连接中断")
    expect(page.locator("#act-redirect").get_by_label("原因")).to_have_value("走错考场")
    is_sound(page, "desk-offline")
    page.context.set_offline(False)
    page.locator("#act-redirect").get_by_label("原因").press("Enter")
    expect(page.locator("#answer")).to_contain_text("已办理：指引")
    assert len(Desk(world).rows("select 1 from check_in_act")) == 1


def test_other_words_after_a_lost_answer_are_another_request(open_page: Open, world: World) -> None:
    page = open_page(world.proctor_account_id, f"/check-in/candidates/{world.session_id}/{world.late.id}")
    page.get_by_text("指引到第1考场").click()
    page.locator("#act-redirect").get_by_label("原因").fill("走错考场")
    page.route("**/check-in/acts", lose_the_answer, times=3)
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("不知道是否已经办理")
    page.locator("#act-redirect").get_by_label("原因").fill("走错楼层")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("已办理：指引")
    told = [row["reason"] for row in Desk(world).rows("select reason from check_in_act order by id")]
    assert told == ["走错考场", "走错楼层"]


@pytest.mark.parametrize("size", ["tablet", "phone"])
def test_documents_are_looked_at_again_by_one_touch_each(open_page: Open, world: World, size: str) -> None:
    fill_first_room(world)
    admit_every_second(world)
    lay_doubts(world)
    announce(world, "C5", world.clock.wall_us())
    page = open_page(world.proctor_account_id, f"/check-in/rooms/{world.session_id}/{world.room_1}", size)
    page.get_by_role("link", name="再次查验证件").click()
    expect(page).to_have_url(re.compile("documents"))
    page.wait_for_load_state()
    first = page.locator("button.desk-seat").first
    second = page.locator("button.desk-seat").nth(1)
    first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    second.press("Enter")
    expect(page.locator("[data-live=documents]")).to_contain_text("已查验 2/")
    second.click()
    expect(page.locator("[data-live=documents]")).to_contain_text("已查验 1/")
    is_sound(page, f"documents-{size}")


def test_a_walk_in_gets_a_seat(open_page: Open, world: World) -> None:
    page = open_page(world.site_lead_account_id, f"/check-in/walk-in/{world.session_id}")
    for label, value in [("姓名", "吴增补"), ("证件号码", "990101199003070000"), ("准考证号", "W-1")]:
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("座位").select_option(label="第1考场 5号")
    page.get_by_label("批准文号").fill("渝7号")
    page.get_by_label("原因").fill("漏报")
    page.get_by_role("button", name="增补并入场").click()
    expect(page.locator("#answer")).to_contain_text("请核对号码")
    is_sound(page, "desk-walk-in")
    page.get_by_label("证件种类").select_option(label="护照")
    page.get_by_label("证件号码").fill("E12345678")
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("已增补")
