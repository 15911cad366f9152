"""Batches, the due list and holds at the console."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from evidence.holds import load_holds
from exam.holds import HoldState
from tests.web.archive import Desk, open_desk
from tests.web.console import PageClient
from tests.world import World
from web.access import Role
from web.retention_words import quarter_words, size_words

CLOSE = {"reason": "成绩已公布", "sure": "yes"}


@pytest.fixture
def desk(app: Flask, world: World) -> Iterator[Desk]:
    with open_desk(app, world) as opened:
        yield opened


def test_only_the_lead_closes_a_batch(as_role: Callable[[Role], PageClient], world: World) -> None:
    path = f"/retention/batches/{world.batch_id}/close"
    answers = {role: as_role(role).post(path, data=CLOSE).status_code for role in Role}
    assert {role for role, code in answers.items() if code == 303} == {Role.SITE_LEAD, Role.EXAMS_OFFICER}
    assert set(answers.values()) == {303, 403}


def test_closing_tells_the_obligation_and_then_the_date(site_lead: PageClient, world: World) -> None:
    page = site_lead.get("/retention/").text
    assert "未结束，一直保存" in page
    assert "规程第十一条（二）、第二十三条（二）" in page
    assert "录像保存期从今天起算" in page
    site_lead.post(f"/retention/batches/{world.batch_id}/close", data=CLOSE)
    assert "2031年12月31日" in site_lead.get("/retention/").text
    site_lead.post(f"/retention/batches/{world.batch_id}/close", data=CLOSE)
    assert "已经结束" in site_lead.get("/retention/").text


def test_closing_without_reason_or_tick_does_nothing(site_lead: PageClient, world: World) -> None:
    for facts in ({"reason": "成绩已公布"}, {"sure": "yes"}):
        site_lead.post(f"/retention/batches/{world.batch_id}/close", data=facts)
        page = site_lead.get("/retention/").text
        assert "批次没有结束" in page
        assert "未结束，一直保存" in page


def test_the_site_lead_opens_a_batch_again_and_it_is_kept(site_lead: PageClient, world: World) -> None:
    path = f"/retention/batches/{world.batch_id}/reopen"
    site_lead.post(path, data={"reason": "复核"})
    assert "没有结束" in site_lead.get("/retention/").text
    site_lead.post(f"/retention/batches/{world.batch_id}/close", data=CLOSE)
    site_lead.post(path, data={})
    assert "没有重新打开" in site_lead.get("/retention/").text
    site_lead.post(path, data={"reason": "复核"})
    assert "未结束，一直保存" in site_lead.get("/retention/").text


def test_the_due_list_names_batch_size_and_why(desk: Desk) -> None:
    page = desk.archivist.get("/retention/due").text
    assert "2032年第1季度起" in page
    assert "保存期满，可以鉴定" in page
    assert "3个文件" in page
    desk.archive.world.clock.step_wall(-30 * 24 * 3_600_000_000)
    assert "保存期内" in desk.archivist.get("/retention/due").text


def test_the_due_list_is_empty_before_any_recorder_ran(
    as_role: Callable[[Role], PageClient], services
) -> None:
    services.footage.path.unlink()
    assert "还没有录像" in as_role(Role.ARCHIVIST).get("/retention/due").text


def test_a_day_is_given_to_a_batch(desk: Desk) -> None:
    facts = {"day": "2026-11-25", "batch": desk.archive.world.batch_id, "reason": "设备调试"}
    assert desk.archivist.post("/retention/days", data=facts).status_code == 303
    for wrong in ({"day": "never"}, {"batch": 99}, {"reason": ""}):
        assert desk.archivist.post("/retention/days", data={**facts, **wrong}).status_code == 400
    assert len(desk.archive.rows("day_assignment", exam=True)) == 1


def hold(client: PageClient, **facts: object) -> int:
    sent = client.post("/holds/", data={"kind": "legal_hold", "reason": "考生申诉", **facts})
    return sent.status_code


def states(desk: Desk) -> list[HoldState]:
    with desk.archive.world.exam.read() as connection:
        return [row.state for row in load_holds(connection)]


def test_a_supervisor_asks_and_the_site_lead_confirms(desk: Desk) -> None:
    world = desk.archive.world
    assert hold(desk.supervisor, scope="session", session=f"{world.session_id}-{world.room_1}") == 303
    page = desk.site_lead.get("/holds/").text
    assert "第1考场 场次 T1 理论知识" in page
    assert "确认生效" in page
    assert "考生申诉" in page
    assert desk.supervisor.post("/holds/1/confirmed", data={"reason": "我"}).status_code == 403
    desk.site_lead.post("/holds/1/confirmed", data={"reason": "同意"})
    assert states(desk) == [HoldState.IN_FORCE]
    assert "已封存" in desk.archivist.get("/retention/due").text


def test_who_asked_is_told_to_wait_for_another(desk: Desk) -> None:
    hold(desk.site_lead, scope="batch", batch=desk.archive.world.batch_id)
    page = desk.site_lead.get("/holds/").text
    assert "等待另一人办理" in page
    assert "确认生效" not in page
    desk.site_lead.post("/holds/1/confirmed", data={"reason": "我自己"})
    assert states(desk) == [HoldState.PROPOSED]
    assert "须由另一人办理" in desk.site_lead.get("/holds/").text


def test_two_people_lift_it(desk: Desk) -> None:
    hold(desk.supervisor, scope="batch", batch=desk.archive.world.batch_id)
    for client, step in [
        (desk.site_lead, "confirmed"),
        (desk.site_lead, "lift_proposed"),
        (desk.quality, "lifted"),
    ]:
        client.post(f"/holds/1/{step}", data={"reason": "已办结"})
    assert states(desk) == [HoldState.LIFTED]
    assert "已解除" in desk.archivist.get("/holds/").text


def test_a_stretch_of_a_room_is_held(desk: Desk) -> None:
    facts = {"room": desk.archive.world.room_1, "date": "2026-11-22"}
    times = {"time_from": "09:00:00", "time_until": "09:10:00"}
    assert hold(desk.archivist, scope="interval", **facts, **times) == 303
    (row,) = desk.archive.rows("hold", exam=True)
    assert row["words"] == "第1考场 2026年11月22日 09:00:00 至 09:10:00"
    assert len(row["reaches"].split(",")) == 2


def test_what_cannot_be_held_is_said(desk: Desk) -> None:
    for facts, words in [
        ({"scope": "batch", "batch": 99}, "请选择批次"),
        ({"scope": "session", "session": "x"}, "请选择场次和考场"),
        ({"scope": "session", "session": "1-99"}, "没有摄像机"),
        ({"scope": "interval"}, "请选择考场"),
    ]:
        hold(desk.archivist, **facts)
        assert words in desk.archivist.get("/holds/").text
    assert states(desk) == []


def test_a_room_without_a_camera_cannot_be_held(desk: Desk) -> None:
    with desk.archive.world.exam.write() as connection:
        connection.execute("insert into room (code, label, kind) values ('R9', '空室', 'theory')")
        room_id = connection.execute("select max(id) from room").fetchone()[0]
    times = {"date": "2026-11-22", "time_from": "09:00", "time_until": "09:10"}
    hold(desk.archivist, scope="interval", room=room_id, **times)
    assert "该考场没有摄像机" in desk.archivist.get("/holds/").text


def test_a_broken_form_is_a_bad_request(desk: Desk) -> None:
    assert desk.archivist.post("/holds/", data={"kind": "other"}).status_code == 400
    assert desk.archivist.post("/holds/1/proposed", data={"reason": "无"}).status_code == 400
    assert desk.archivist.post("/holds/1/lifted", data={}).status_code == 400


def test_sizes_and_quarters_have_words() -> None:
    sizes = [0, 1023, 1536, 3 * 1024**2, 5 * 1024**3, 2 * 1024**4]
    assert [size_words(size) for size in sizes] == ["0 B", "1023 B", "1.5 KB", "3.0 MB", "5.0 GB", "2.0 TB"]
    assert quarter_words("2032 Q1") == "2032年第1季度"
    assert quarter_words("") == "永久保存，直至有人处理"
