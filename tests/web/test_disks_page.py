"""证据盘: what is lost is declared by those who may, a mirror by two people, and footage ordered back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from evidence.joint_decisions import DecisionKind, joint_rows
from evidence.mirror import write_mirror_state
from evidence.mirror_look import Mirror, MirrorLook
from evidence.volume_look import Look, Place, Space
from evidence.volume_rows import VolumeFound, write_volume_states
from evidence.volumes import Volume
from evidence.work_orders import (
    NewOrder,
    Order,
    OrderKind,
    Report,
    WorkState,
    give_order,
    orders,
    write_report,
)
from tests.disposals import account
from tests.recorder.fixed_site import Site
from tests.web.console import PageClient, client_for
from tests.world import World
from web.access import Role
from web.services import Services

AsRole = Callable[[Role], PageClient]
MIRROR = "00000000-0000-4000-8000-00000000000a"
NEW = "00000000-0000-4000-8000-00000000000b"


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


@pytest.fixture
def lead(app: Flask, world: World, site: Site) -> PageClient:
    assert site.ids  # laid first: it moves the clock, and a login does not outlive that
    return client_for(app, world, world.site_lead_account_id)


@pytest.fixture
def quality(app: Flask, world: World, site: Site) -> PageClient:
    assert site.ids
    return client_for(app, world, account(world, "quality_supervisor", name="dudao"))


def lay_disks(world: World, *, old_is_there: bool = False, mirror_is_there: bool = False) -> None:
    """The volume of the footage, a new one, and a mirror with copies of two files."""
    now_us = world.clock.wall_us()
    old = Path(str(world.folder / "footage"))
    with world.footage.write() as connection:
        connection.execute(
            "insert into volume (id, uuid, path, created_at_us) values (2, ?, ?, ?)",
            (NEW, "/new", now_us),
        )
        connection.execute("insert into mirror values (1, ?, '/copies', ?)", (MIRROR, now_us))
        connection.execute(
            "insert into mirror_copy select id, 1, ? from segment order by id limit 2", (now_us,)
        )
        there = [Volume(2, NEW, Path("/new")), *([Volume(1, "x", old)] if old_is_there else [])]
        looks = [Look(Place(each.path, frozenset()), each, space=Space(1, 10, 5, None)) for each in there]
        write_volume_states(connection, [VolumeFound(each, None, now_us) for each in looks], now_us)
        mirror = Mirror(1, MIRROR, Path("/copies")) if mirror_is_there else None
        write_mirror_state(connection, Path("/copies"), MirrorLook(mirror), now_us)


def ordered(world: World) -> list[Order]:
    with world.exam.read() as connection:
        return orders(connection, OrderKind.VOLUME_RESTORE)


def test_before_any_recorder_ran_the_page_says_so(app: Flask, world: World) -> None:
    page = client_for(app, world, world.site_lead_account_id).get("/disks/").text
    assert "没有用过副本盘" in page


def test_a_volume_that_is_away_can_be_ordered_back_onto_one_that_is_there(
    lead: PageClient, world: World
) -> None:
    lay_disks(world)
    page = lead.get("/disks/").text
    assert "没有接上" in page
    assert "6个文件" in page
    assert "2个有第二份副本" in page
    sent = lead.post("/disks/restore", data={"volume": "1", "target": "2", "reason": "硬盘不转了"})
    assert sent.status_code == 303
    (order,) = ordered(world)
    assert order.subject["target_uuid"] == NEW
    assert order.reason == "硬盘不转了"
    assert "等待录像服务" in lead.get("/disks/").text
    with world.footage.write() as connection:
        write_report(connection, Report(order.id, WorkState.RUNNING, words="正在恢复，还剩2个文件"), 1)
    assert "还剩2个文件" in lead.get("/disks/").text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"volume": "1", "target": "2"}, "填写原因"),
        ({"volume": "9", "target": "2", "reason": "x"}, "请选择"),
        ({"volume": "1", "target": "1", "reason": "x"}, "没有接上"),
        ({"volume": "2", "target": "2", "reason": "x"}, "没有丢失"),
    ],
)
def test_what_cannot_be_ordered_is_said(
    lead: PageClient, world: World, form: dict[str, str], said: str
) -> None:
    lay_disks(world)
    lead.post("/disks/restore", data=form)
    assert said in lead.get("/disks/").text
    assert ordered(world) == []


def test_only_the_site_lead_orders_footage_back(as_role: AsRole, world: World, site: Site) -> None:
    assert site.ids
    lay_disks(world)
    form = {"volume": "1", "target": "2", "reason": "硬盘不转了"}
    answers = {role: as_role(role).post("/disks/restore", data=form).status_code for role in Role}
    assert {role for role, answer in answers.items() if answer == 303} == {Role.SITE_LEAD}


def test_a_mirror_is_given_up_by_two_people(lead: PageClient, quality: PageClient, world: World) -> None:
    lay_disks(world)
    assert lead.post("/decisions/mirrors/1", data={"reason": "盘被盗"}).status_code == 303
    page = lead.get("/disks/").text
    assert "等待另一人确认" in page
    assert 'action="/decisions/1/confirmed"' not in page, "not offered to who asked"
    lead.post("/decisions/1/confirmed", data={"reason": "同意"})
    assert "须由另一人确认" in lead.get("/disks/").text
    quality.post("/decisions/1/confirmed", data={"reason": "已核实报案回执"})
    page = quality.get("/disks/").text
    assert "已登记灭失" in page
    assert "已核实报案回执" in page
    with world.exam.read() as connection:
        (joint,) = joint_rows(connection, DecisionKind.GIVE_UP_MIRROR)
        leaves = connection.execute("select body from ledger_leaf where kind = 'joint_decision'").fetchall()
    assert (joint.is_decided, joint.subject) == (True, MIRROR)
    assert [json.loads(each[0])["step"] for each in leaves] == ["proposed", "confirmed"]
    lead.post("/decisions/mirrors/1", data={"reason": "再次"})
    assert "已经决定" in lead.get("/disks/").text


def test_a_mirror_that_is_there_is_not_lost_and_an_unknown_one_is_nothing(
    lead: PageClient, world: World
) -> None:
    lay_disks(world, mirror_is_there=True)
    lead.post("/decisions/mirrors/1", data={"reason": "盘被盗"})
    assert "仍然接着" in lead.get("/disks/").text
    assert lead.post("/decisions/mirrors/9", data={"reason": "盘被盗"}).status_code == 404
    assert lead.post("/decisions/9/confirmed", data={"reason": "x"}).status_code == 404
    assert lead.post("/decisions/9/lifted", data={"reason": "x"}).status_code == 400


def test_without_a_reason_nothing_is_decided(lead: PageClient, world: World) -> None:
    lay_disks(world)
    assert lead.post("/decisions/mirrors/1").status_code == 400
    lead.post("/decisions/mirrors/1", data={"reason": "盘被盗"})
    assert lead.post("/decisions/1/withdrawn").status_code == 400
    lead.post("/decisions/1/withdrawn", data={"reason": "找到了"})
    assert "找到了" in lead.get("/disks/").text


def test_without_an_index_there_is_no_disk(app: Flask, services: Services, world: World) -> None:
    services.footage.path = world.folder / "nowhere.db"
    client = client_for(app, world, world.site_lead_account_id)
    with world.exam.write() as connection:
        new = NewOrder(OrderKind.VOLUME_RESTORE, {"label": "a → b"}, "x", world.site_lead_account_id)
        give_order(connection, new, world.clock.wall_us())
    assert "等待录像服务" in client.get("/disks/").text
    assert "还没有使用过证据卷" in client.get("/disks/").text
    assert client.post("/decisions/mirrors/1", data={"reason": "x"}).status_code == 404
