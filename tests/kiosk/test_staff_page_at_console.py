"""The whole way in real Chromium: staff page, kiosk and a real console, from latecomer to undone entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from exam.clock import MINUTE_US
from kiosk.local import Local
from kiosk.screen_app import create_screen
from kiosk.staff_app import add_staff
from tests.evidence.check_ins import RULES, Desk
from tests.evidence.office import START_CUE
from tests.evidence.rostered import PIN, give_pin
from tests.kiosk.page_stage import SIZES
from tests.kiosk.real_console import PARTS, at_console
from tests.kiosk.stage import FakeConsole, agent_of, served
from tests.kiosk.test_staff_page import identify, press
from tests.world import START_US, World, announce

pytestmark = pytest.mark.browser


@dataclass
class Counter:
    """The screen, and the kiosk behind it."""

    page: Page
    local: Local

    def presses(self, *names: str) -> None:
        for name in names:
            self.page.get_by_role("button", name=name).first.click()

    def says(self, words: str) -> None:
        expect(self.page.locator("[data-message]")).to_contain_text(words)


@pytest.fixture
def counter(chromium: Browser, world: World, tmp_path: Path) -> Iterator[Counter]:
    """Thirty-one minutes after the start, with the site lead's PIN open."""
    for account in (world.proctor_account_id, world.site_lead_account_id):
        give_pin(world, account)
    announce(world, START_CUE, START_US)
    world.clock.sleep_us(START_US + 31 * MINUTE_US - world.clock.wall_us())
    width, height = SIZES["landscape"]
    with (
        at_console(world, tmp_path / "kiosk") as (local, _),
        agent_of(FakeConsole(), tmp_path / "screen", world.clock) as agent,
    ):
        app = create_screen(agent, lambda: None)
        add_staff(app, local.desk)
        context = chromium.new_context(viewport={"width": width, "height": height})
        with served(app) as address:
            page = context.new_page()
            page.goto(f"{address}/staff")
            identify(page, world.site_lead_account_id)
            yield Counter(page, local)
            context.close()
        local.close()


def test_a_latecomer_whose_card_does_not_read_is_recorded_let_in_and_taken_back(
    counter: Counter, world: World
) -> None:
    page, late = counter.page, world.late.ticket_no[-5:]
    press(page, late)
    counter.presses("办理…", "只登记来过", "居民身份证", "身份证读不出", "确定：只登记来过")
    counter.says("已登记，现在不能入场")
    counter.presses("批准入场", "交通延误", "下一步：第二人确认")
    press(page, str(world.proctor_account_id))
    press(page, PIN)
    counter.says("赵迟　已办理：签到成功")
    counter.local.contact.turn(PARTS)  # the day part tells that he is in
    press(page, late)
    expect(page.locator("[data-found]")).to_contain_text("已签到")
    counter.presses("办理…", "撤销签到（09:31）", "签错了人", "确定：撤销签到（09:31）")
    counter.says("赵迟　已办理：撤销签到")
    desk = Desk(world, RULES)
    assert [tuple(row) for row in desk.rows("select act, reason, lacks from check_in_act order by id")] == [
        ("by_hand", "查验证件：居民身份证。身份证读不出", ""),
        ("override", "交通延误", ""),
        ("undo", "签错了人", ""),
    ]
    assert (desk.standing(), desk.findings()) == ([], [])
