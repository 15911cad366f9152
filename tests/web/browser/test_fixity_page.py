"""The page 完整性校验 in real Chromium: axe's opinion, and an order given by keyboard."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from evidence.fixity import check_files, unpaced
from evidence.fixity_rows import FoundBy, Soundness, end_damage, find_file, note_damage, write_progress
from evidence.ingest import Store
from evidence.mirror import write_mirror_state
from evidence.mirror_look import MirrorLook, MirrorTrouble
from evidence.volumes import LocalDisk
from tests.axe import findings
from tests.recorder.fixed_site import Site
from tests.world import World

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def lay_troubles(world: World) -> None:
    site = Site(world)
    with world.footage.read() as connection:
        files = [found for each in site.ids[:4] if (found := find_file(connection, each))]
    check_files(Store(world.footage, LocalDisk(), world.clock), files, unpaced)
    now_us = world.clock.wall_us()
    with world.footage.write() as connection:
        write_progress(connection, 1, now_us)
        for segment_id, kind in zip(site.ids, (Soundness.DAMAGED, Soundness.MISSING), strict=False):
            note_damage(connection, segment_id, kind, FoundBy.FIXITY, now_us)
        end_damage(connection, site.ids[0], now_us)
        look = MirrorLook(None, MirrorTrouble.SAME_DISK, "another disk than every volume", "that of /e")
        write_mirror_state(connection, Path("/copies"), look, now_us)


def test_a_check_is_ordered_by_keyboard_and_axe_finds_nothing(open_page: Open, world: World) -> None:
    lay_troubles(world)
    page = open_page(world.site_lead_account_id, "/fixity/")
    expect(page.get_by_role("alert").first).to_contain_text("有1个录像文件损坏、丢失或读不出来")
    assert findings(page) == []
    page.get_by_label("理由").focus()
    page.keyboard.type("更换硬盘之后")
    page.keyboard.press("Enter")
    expect(page.get_by_text("等待录像服务")).to_be_visible()
    assert findings(page) == []
