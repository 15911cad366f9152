"""The staff page of a kiosk in real Chromium, at both sizes: PIN, lookup, locking."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk.scan import Scan
from tests.axe import findings
from tests.evidence.rostered import PIN
from tests.kiosk.rostered_kiosk import staff_screen, staffed
from tests.kiosk.stage import served
from tests.world import World

SIZES = {"portrait": (1080, 1920), "landscape": (1920, 1080)}

pytestmark = pytest.mark.browser


@pytest.fixture(params=SIZES)
def page(chromium: Browser, request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Page]:
    kiosk = staffed(world, tmp_path / "kiosk")
    kiosk.console.refuses = True
    kiosk.local.asker.ask(Scan(world.on_time.ticket_no, world.on_time.id_number))
    kiosk.console.refuses = False
    width, height = SIZES[request.param]
    with staff_screen(kiosk, tmp_path / "screen") as app:
        context = chromium.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
        with served(app) as address:
            shown = context.new_page()
            shown.goto(address)
            yield shown
            context.close()
    kiosk.local.close()


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


def identify(page: Page, account_id: int) -> None:
    """Number and PIN, each once the page asks for it."""
    expect(page.locator("h1")).to_have_text("请输入您的签到工号")
    press(page, str(account_id))
    expect(page.locator("h1")).to_have_text("请输入6位签到口令")
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


def test_the_site_lead_lets_somebody_in_with_a_doubt(page: Page, world: World) -> None:
    page.get_by_role("link", name="工作人员").click()
    identify(page, world.site_lead_account_id)
    press(page, world.late.ticket_no[-5:])
    page.get_by_role("button", name="存疑先行入场").click()
    expect(page.locator("h1")).to_have_text("存疑先行入场：请选择原因")
    assert fits(page)
    assert findings(page) == []
    page.get_by_role("button", name="返回，不办理").click()
    page.get_by_role("button", name="存疑先行入场").click()
    page.get_by_role("button", name="未带身份证件").click()
    expect(page.locator("[data-message]")).to_contain_text("赵迟　已办理：签到成功")
    expect(page.locator("[data-found] li")).to_have_count(0)
