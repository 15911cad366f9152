"""The staff page of a kiosk in real Chromium, at both sizes: PIN, lookup, locking."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from config.check_in import load_check_in_words
from exam.admission_authority import Act
from exam.staff_acts import Against, Offered, OfferedAct, RefusedAct
from kiosk.scan import Scan
from kiosk.staff_alone import BROUGHT_LATER, ONLY_BY_HAND
from tests.axe import findings
from tests.evidence.rostered import PIN
from tests.kiosk.page_stage import stands_in_guide, unreadable
from tests.kiosk.rostered_kiosk import Rostered, staff_screen, staffed
from tests.kiosk.stage import answer, served
from tests.world import Person, World

SIZES = {"portrait": (1080, 1920), "landscape": (1920, 1080)}

pytestmark = pytest.mark.browser


@pytest.fixture
def kiosk(world: World, tmp_path: Path) -> Iterator[Rostered]:
    made = staffed(world, tmp_path / "kiosk")
    made.console.refuses = True
    made.local.asker.ask(Scan(world.on_time.ticket_no, world.on_time.id_number))
    made.console.refuses = False
    yield made
    made.local.close()


@pytest.fixture(params=SIZES)
def page(
    chromium: Browser, request: pytest.FixtureRequest, kiosk: Rostered, tmp_path: Path
) -> Iterator[Page]:
    width, height = SIZES[request.param]
    with staff_screen(kiosk, tmp_path / "screen") as app:
        context = chromium.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
        with served(app) as address:
            shown = context.new_page()
            shown.goto(address)
            yield shown
            context.close()


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.locator(f'[data-key="{key}"]').click()
    page.locator("[data-confirm]").click()


def fits(page: Page) -> bool:
    """Whether everything that can be touched or read lies on the screen."""
    inside: bool = page.evaluate(
        """() => [...document.querySelectorAll("button, a, li")].filter((one) => one.offsetParent)
             .every((one) => one.getBoundingClientRect().bottom <= innerHeight)"""
    )
    return inside


def shown(page: Page) -> None:
    """What is on the screen now stands in the guide."""
    stands_in_guide(page, f"staff-{page.evaluate('document.body.dataset.view')}")


def identify(page: Page, account_id: int) -> None:
    """Number and PIN, each once the page asks for it."""
    expect(page.locator("h1")).to_have_text("请输入您的签到工号")
    shown(page)
    press(page, str(account_id))
    expect(page.locator("h1")).to_have_text("请输入6位签到口令")
    shown(page)
    press(page, PIN)
    expect(page.locator("h1")).to_have_text("查找考生")


def test_from_the_candidates_screen_to_somebody_and_back(page: Page, world: World) -> None:
    page.get_by_role("link", name="工作人员").click()
    expect(page.locator("h1")).to_have_text("请输入您的签到工号")
    assert findings(page) == []
    press(page, str(world.proctor_account_id))
    expect(page.locator("h1")).to_have_text("请输入6位签到口令")
    press(page, "000000")
    expect(page.locator("[data-message]")).to_have_text("工号或口令不正确。")
    assert fits(page)
    assert findings(page) == []
    press(page, PIN)
    expect(page.locator("h1")).to_have_text("查找考生")
    assert PIN not in page.content()
    expect(page.locator("[data-aside-box]")).to_contain_text("控制台不接受这条记录")
    press(page, world.on_time.ticket_no[-5:])
    expect(page.locator("[data-found] strong")).to_have_text("陈一诺")
    expect(page.locator("[data-found]")).to_contain_text("第1考场（一楼东侧） 1号")
    assert fits(page)
    assert findings(page) == []
    press(page, "99999")
    expect(page.locator("[data-message]")).to_contain_text("名单中没有找到")
    page.get_by_role("button", name="锁定").click()
    expect(page.locator("h1")).to_have_text("请输入您的签到工号")
    page.get_by_text("返回签到").click()
    expect(page.locator("h1")).to_have_text("请放准考证")


def test_whoever_opens_the_page_anew_proves_himself_anew(page: Page, world: World) -> None:
    page.get_by_role("link", name="工作人员").click()
    identify(page, world.proctor_account_id)
    page.reload()
    expect(page.locator("h1")).to_have_text("请输入您的签到工号")
    told = page.evaluate("async () => (await (await fetch('/local/staff/state')).json()).open")
    assert told == ""


def offered(*offers: OfferedAct) -> Offered:
    against = (Against("已过入场截止时间", "请报告现场负责人，由现场负责人和另一人共同批准。"),)
    refused = (RefusedAct(Act.UNDO, "撤销签到", "您无权办理这一项，请报告现场负责人。"),)
    return Offered(against, offers, refused)


def chosen(page: Page, words: str, title: str) -> None:
    """Press this, and the view with this title is whole, readable and without findings."""
    page.get_by_role("button", name=words).first.click()
    expect(page.locator("h1")).to_have_text(title)
    assert fits(page)
    assert unreadable(page) == []
    assert findings(page) == []
    shown(page)


def looked_up(page: Page, account_id: int, person: Person) -> None:
    page.get_by_role("link", name="工作人员").click()
    identify(page, account_id)
    press(page, person.ticket_no[-5:])
    expect(page.locator("[data-found] li")).to_have_count(1)
    shown(page)


def test_the_site_lead_and_a_second_person_let_a_latecomer_in(
    page: Page, kiosk: Rostered, world: World
) -> None:
    effect = load_check_in_words().act_effects[Act.OVERRIDE]
    late = OfferedAct(Act.OVERRIDE, "批准入场", effect, True, "nonce-000000000001", 1, (), "")
    kiosk.console.offers = offered(late)
    looked_up(page, world.site_lead_account_id, world.late)
    chosen(page, "办理…", "赵迟　第1考场 2号")
    expect(page.locator("[data-acts]")).to_contain_text("已过入场截止时间")
    expect(page.locator("[data-acts]")).to_contain_text("✖ 不能撤销签到")
    chosen(page, "批准入场", "批准入场：请选择原因")
    page.get_by_role("button", name="返回，不办理").click()
    page.get_by_role("button", name="批准入场").click()
    chosen(page, "交通延误", "批准入场，对吗？")
    chosen(page, "下一步：第二人确认", "第二人：请输入您的签到工号")
    press(page, str(world.proctor_account_id))
    press(page, "000000")
    expect(page.locator("[data-message]")).to_contain_text("没有办理。第二人：工号或口令不正确。")
    press(page, str(world.proctor_account_id))
    expect(page.locator("h1")).to_have_text("第二人：请输入6位签到口令")
    shown(page)
    kiosk.console.lost = 1
    press(page, PIN)
    expect(page.locator("[data-message]")).to_contain_text("控制台没有应答")
    assert PIN not in page.content()
    chosen(page, "再办理一次", "查找考生")
    expect(page.locator("[data-message]")).to_contain_text("赵迟　已办理：签到成功")
    expect(page.locator("[data-found] li")).to_have_count(0)
    first, again = kiosk.console.acts
    assert first == again


def test_by_hand_the_document_is_named_and_a_refusal_says_what_to_do_next(
    page: Page, kiosk: Rostered, world: World
) -> None:
    effect = load_check_in_words().act_effects[Act.BY_HAND]
    by_hand = OfferedAct(Act.BY_HAND, "人工签到", effect, False, "", None, (), "已过入场截止时间")
    kiosk.console.offers = offered(by_hand)
    kiosk.console.answer = answer("LATE_CUTOFF", "R", "不能入场", "已过入场截止时间，请报告现场负责人。")
    looked_up(page, world.proctor_account_id, world.late)
    page.get_by_role("button", name="办理…").click()
    chosen(page, "只登记来过", "您看到的是哪种证件原件？")
    expect(page.locator("[data-options] button").first).to_have_text("居民身份证")
    page.get_by_role("button", name="居民身份证").first.click()
    chosen(page, "身份证读不出", "只登记来过，对吗？")
    page.get_by_role("button", name="确定：只登记来过").click()
    expect(page.locator("[data-message]")).to_contain_text("已登记，现在不能入场")
    expect(page.locator("h1")).to_have_text("赵迟　第1考场 2号")
    page.get_by_role("button", name="返回查找").click()
    expect(page.locator("h1")).to_have_text("查找考生")


def test_alone_two_check_somebody_in_by_hand(page: Page, kiosk: Rostered, world: World) -> None:
    kiosk.console.is_away = True
    kiosk.local.contact.lost()
    looked_up(page, world.proctor_account_id, world.late)
    expect(page.locator("[data-message]")).to_have_text(ONLY_BY_HAND)
    chosen(page, "办理…", "赵迟　第1考场 2号")
    page.get_by_role("button", name="人工签到").click()
    page.get_by_role("button", name="居民身份证").first.click()
    page.get_by_role("button", name="身份证读不出").click()
    page.get_by_role("button", name="下一步：第二人确认").click()
    press(page, str(world.site_lead_account_id))
    press(page, PIN)
    expect(page.locator("[data-message]")).to_contain_text(BROUGHT_LATER)
    press(page, world.late.ticket_no[-5:])
    expect(page.locator("[data-found]")).to_contain_text("已签到")
    chosen(page, "办理…", "赵迟　第1考场 2号")
    expect(page.locator("[data-acts]")).to_contain_text("✖ 不能人工签到")


def test_whoever_walks_away_from_an_act_leaves_nobody_named(
    page: Page, kiosk: Rostered, world: World
) -> None:
    looked_up(page, world.site_lead_account_id, world.late)
    expect(page.get_by_role("button", name="办理…")).to_be_visible()
    kiosk.local.desk.lock()
    page.get_by_role("button", name="办理…").click()
    expect(page.locator("[data-message]")).to_have_text("已锁定，请重新输入口令。")
    assert "赵迟" not in page.content()
