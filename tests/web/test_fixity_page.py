"""The page 完整性校验: how far, what was found, the second copy, and who may order a check."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from evidence.fixity import check_files, unpaced
from evidence.fixity_rows import (
    FoundBy,
    Progress,
    Soundness,
    end_damage,
    find_file,
    note_damage,
    write_progress,
)
from evidence.ingest import Store
from evidence.mirror import write_mirror_state
from evidence.mirror_look import MirrorLook, MirrorTrouble
from evidence.volumes import LocalDisk
from evidence.work_orders import Order, OrderKind, Report, WorkState, orders, write_report
from tests.recorder.fixed_site import Site
from tests.web.console import PageClient, account_with, client_for
from tests.world import World
from web.access import Role
from web.alarms import DAMAGE_WORDS, MIRROR_WORDS
from web.fixity_page import VolumeView

AsRole = Callable[[Role], PageClient]


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


@pytest.fixture
def archivist(app: Flask, world: World, site: Site) -> PageClient:
    assert site.ids  # laid first: it moves the clock, and a login does not outlive that
    return client_for(app, world, account_with(world, Role.ARCHIVIST))


def ordered(world: World) -> list[Order]:
    with world.exam.read() as connection:
        return orders(connection, OrderKind.FIXITY_CHECK)


def test_every_code_has_words() -> None:
    assert set(DAMAGE_WORDS) == set(Soundness) - {Soundness.SOUND}
    assert set(MIRROR_WORDS) == set(MirrorTrouble)


def test_before_any_reading_the_page_says_so(archivist: PageClient) -> None:
    page = archivist.get("/fixity/").text
    assert "还没有校验过" in page
    assert "没有设置" in page


def test_how_far_the_reading_is_and_when_it_is_through(
    archivist: PageClient, site: Site, world: World
) -> None:
    with world.footage.read() as connection:
        files = [find_file(connection, each) for each in site.ids[:3]]
    store = Store(world.footage, LocalDisk(), world.clock)
    check_files(store, [file for file in files if file], unpaced)
    with world.footage.write() as connection:
        write_progress(connection, 1, world.clock.wall_us())
    page = archivist.get("/fixity/").text
    assert "50%　3 / 6个文件" in page
    assert 'value="50"' in page
    assert "约1小时后完成" in page
    assert "没有发现未修复的问题" in page


@pytest.mark.parametrize(
    ("days", "words"), [(None, "本期已全部校验"), (0.2, "约5小时后完成"), (12.4, "约12天后完成")]
)
def test_the_end_is_told_in_hours_or_days(days: float | None, words: str) -> None:
    assert VolumeView(Progress("/e", 1, 1, 1, 1, None, 1), 50, days).when == words


def test_troubles_and_repairs_are_listed_with_camera_and_time(
    archivist: PageClient, site: Site, world: World
) -> None:
    with world.footage.write() as connection:
        for segment_id in site.ids[:2]:
            now_us = world.clock.wall_us()
            note_damage(connection, segment_id, Soundness.DAMAGED, FoundBy.FIXITY, now_us)
        end_damage(connection, site.ids[0], world.clock.wall_us())
    page = archivist.get("/fixity/").text
    assert "有1个录像文件损坏、丢失或读不出来，尚未修复" in page
    assert "第1考场 前方　2026年11月22日 09:00:10–09:00:20" in page
    assert "已恢复原样" in page
    assert "没有第二份副本，不能自动修复" in page


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (MirrorLook(None, MirrorTrouble.SAME_DISK, "another", "that of /e"), "不能作第二份副本"),
        (MirrorLook(None), "齐全"),
    ],
)
def test_the_mirror_is_said_as_it_is(
    archivist: PageClient, world: World, look: MirrorLook, words: str
) -> None:
    with world.footage.write() as connection:
        write_mirror_state(connection, Path("/copies"), look, world.clock.wall_us())
    page = archivist.get("/fixity/").text
    assert words in page
    assert "保护级别不因此提高" in page


@pytest.mark.parametrize(
    ("form", "label"),
    [
        ({}, "全部考场，所有日期"),
        ({"room": "1"}, "第1考场，所有日期"),
        ({"day": "2026-11-22"}, "全部考场，2026-11-22"),
    ],
)
def test_a_check_is_ordered_with_its_reason_and_its_progress_is_shown(
    archivist: PageClient, world: World, form: dict[str, str], label: str
) -> None:
    assert archivist.post("/fixity/", data={"reason": "搬动设备之后", **form}).status_code == 303
    (given,) = ordered(world)
    assert (given.subject["label"], given.reason) == (label, "搬动设备之后")
    assert "等待录像服务" in archivist.get("/fixity/").text
    with world.footage.write() as connection:
        write_report(connection, Report(given.id, WorkState.RUNNING, 3, 9, "正在校验"), 5)
    page = archivist.get("/fixity/").text
    assert '<progress max="9" value="3"' in page
    assert label in page


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"reason": ""}, "请填写理由"),
        ({"reason": "检查", "room": "99"}, "请选择考场"),
        ({"reason": "检查", "day": "yesterday"}, "请选择日期"),
        ({"reason": "检查", "day": "9999-12-31"}, "请选择日期"),
    ],
)
def test_a_faulty_order_is_refused_in_words(
    archivist: PageClient, world: World, form: dict[str, str], words: str
) -> None:
    archivist.post("/fixity/", data=form)
    assert ordered(world) == []
    assert words in archivist.get("/fixity/").text


def test_who_may_look_and_who_may_order(as_role: AsRole) -> None:
    looking = {role for role in Role if as_role(role).get("/fixity/").status_code == 200}
    ordering = {
        role for role in Role if as_role(role).post("/fixity/", data={"reason": "检查"}).status_code == 303
    }
    assert {Role.ARCHIVIST, Role.SITE_LEAD, Role.SUPERVISOR, Role.AUDITOR} <= looking
    assert ordering == {Role.ARCHIVIST, Role.SITE_LEAD, Role.SUPERVISOR}
    assert Role.ADMINISTRATOR not in looking
