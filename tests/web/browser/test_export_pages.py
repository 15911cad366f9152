"""The pages of an export in real Chromium: sound in every state, and nothing sticks out."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from evidence.export_orders import ExportRequest, give_export_order
from evidence.export_plan import Asker, CopyOptions
from evidence.timeline import Interval
from evidence.work_orders import Report, WorkState, write_report
from exam.clock import MINUTE_US
from tests.axe import SIZES, findings, resized
from tests.world import CLOCK_US, World

OUTCOME: dict[str, Any] = {
    "bags": ["export-1_20261122T090000"],
    "target": "/media/usb",
    "fingerprint": "0123456789abcdef" * 4,
}
REPORTS = {
    "waiting": None,
    "running": Report(1, WorkState.RUNNING, 5_000_000, 10_000_000, "正在复制并校验：camera-1"),
    "done": Report(1, WorkState.DONE, 1, 1, "全部交付，2个文件。", {**OUTCOME, "is_complete": 1}),
    "incomplete": Report(1, WorkState.DONE, 1, 1, "有1个文件未能交付。", {**OUTCOME, "is_complete": 0}),
    "failed": Report(1, WorkState.FAILED, words="目标介质已满：还差 1.2 GB", outcome={"bags": []}),
}

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def order(world: World) -> None:
    asked = ExportRequest(
        account_id=world.site_lead_account_id,
        room_ids=(world.room_1,),
        camera_uuids=world.cameras_1,
        interval=Interval(CLOCK_US - 9 * MINUTE_US, CLOCK_US - MINUTE_US),
        target=world.folder / "exports",
        asker=Asker("李强", "示例市人力资源和社会保障局", "周审", "考生投诉核查"),
        options=CopyOptions(),
    )
    with world.exam.write() as connection:
        give_export_order(connection, asked, CLOCK_US)


def tell(world: World, report: Report | None) -> None:
    if report is not None:
        with world.footage.write() as connection:
            write_report(connection, report, CLOCK_US)


def faults(page: Page) -> list[Any]:
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : []")
    return [*wide, *findings(page)]


def test_the_form_is_sound_empty_and_with_a_register(open_page: Open, world: World) -> None:
    page = open_page(world.site_lead_account_id, "/exports/")
    for _ in resized(page, *SIZES):
        assert faults(page) == []
    order(world)
    page.reload()
    for _ in resized(page, *SIZES):
        assert faults(page) == []


@pytest.mark.parametrize("state", list(REPORTS))
def test_the_progress_is_sound_in_every_state(open_page: Open, world: World, state: str) -> None:
    order(world)
    tell(world, REPORTS[state])
    page = open_page(world.site_lead_account_id, "/exports/1", "phone")
    assert faults(page) == []


def test_the_page_follows_an_export_to_its_end_by_itself(open_page: Open, world: World) -> None:
    order(world)
    page = open_page(world.site_lead_account_id, "/exports/1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("等待录像服务")
    tell(world, REPORTS["running"])
    expect(page.get_by_text("5 / 10 MB")).to_be_visible()
    tell(world, REPORTS["done"])
    expect(page.get_by_text(OUTCOME["fingerprint"])).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("已完成")
