"""证据盘 in real Chromium: sound at every size, with everything that can be wrong with a disk at once."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from evidence.joint_decisions import DecisionKind, propose_jointly
from evidence.retention import Decision
from tests.axe import SIZES, findings, resized
from tests.disposals import account
from tests.recorder.fixed_site import Site
from tests.web.test_disks_page import MIRROR, lay_disks
from tests.world import World

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def faults(page: Page) -> list[Any]:
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : []")
    return [*wide, *findings(page)]


def test_the_page_is_sound_with_disks_lost(open_page: Open, world: World) -> None:
    Site(world)
    lay_disks(world)
    other = account(world, "archivist", name="dangan")
    with world.exam.write() as connection:
        asked = Decision(other, "搬迁途中遗失，已报案", world.clock.wall_us())
        propose_jointly(connection, DecisionKind.GIVE_UP_MIRROR, MIRROR, asked)
    page = open_page(world.site_lead_account_id, "/disks/")
    expect(page.get_by_text("没有接上").first).to_be_visible()
    for _ in resized(page, *SIZES):
        assert faults(page) == []
    page.get_by_text("整卷恢复…").click()
    expect(page.get_by_label("恢复到")).to_be_visible()
    page.get_by_text("确认…", exact=True).click()
    for _ in resized(page, *SIZES):
        assert faults(page) == []


def test_a_lost_volume_is_ordered_back_by_keyboard(open_page: Open, world: World) -> None:
    Site(world)
    lay_disks(world)
    page = open_page(world.site_lead_account_id, "/disks/")
    page.get_by_text("整卷恢复…").focus()
    page.keyboard.press("Enter")
    page.get_by_label("原因", exact=True).focus()
    page.keyboard.type("硬盘不转了")
    page.keyboard.press("Enter")
    expect(page.get_by_text("等待录像服务")).to_be_visible()
    assert faults(page) == []
