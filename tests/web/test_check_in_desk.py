"""签到 for staff: who finds whom, what is offered to whom, and that nothing typed stands in an address."""

from collections.abc import Callable

from flask import Flask

from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from tests.evidence.check_ins import Desk, second_kiosk
from tests.evidence.office import late_scan
from tests.web.console import HTML, PageClient, account_with, client_for
from tests.web.doubted import lay_doubts, show_way
from tests.world import CLOCK_US, START_US, Person, World, announce
from web.access import Role


def card(world: World, person: Person) -> str:
    return f"/check-in/candidates/{world.session_id}/{person.id}"


def offered(client: PageClient, world: World, person: Person) -> set[str]:
    page = client.get(card(world, person), headers=HTML).text
    return {words.split('"')[0] for words in page.split('id="act-')[1:]}


def test_room_staff_see_their_room_and_the_lead_all(
    proctor: PageClient, site_lead: PageClient, as_role: Callable[[Role], PageClient], world: World
) -> None:
    lay_doubts(world)
    own = proctor.get("/check-in", headers=HTML).text
    assert "应到3人，入场1人：存疑2人，未到1人" in own
    assert "第2考场" not in own
    assert "签到告警 2" in own
    assert "签到告警 3" in site_lead.get("/check-in/live").text
    assert "3件存疑没有结论" in site_lead.get("/overview", headers=HTML).text
    assert "今天没有您的场次" in as_role(Role.PROCTOR).get("/check-in", headers=HTML).text
    address = f"/check-in/rooms/{world.session_id}"
    assert "陈*诺" in proctor.get(f"{address}/{world.room_1}", headers=HTML).text
    assert proctor.get(f"{address}/{world.room_1}/live").status_code == 200
    assert proctor.get(f"{address}/{world.room_2}").status_code == 403
    assert site_lead.get(f"{address}/999").status_code == 404
    with proctor.get("/check-in/stream") as stream:
        assert stream.mimetype == "text/event-stream"


def test_cancelled_sessions_are_not_shown(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set cancelled_at_us = ?", (START_US,))
    assert "今天没有您的场次" in site_lead.get("/check-in", headers=HTML).text


def test_somebody_found_alone_is_shown_at_once(proctor: PageClient, world: World) -> None:
    for words in ("2", world.late.ticket_no[-5:], world.late.id_number[-6:]):
        answer = proctor.post("/check-in/lookup", data={"words": words}, headers=HTML)
        assert (answer.status_code, answer.headers["Location"]) == (303, card(world, world.late))


def test_whoever_belongs_elsewhere_is_sent_there(proctor: PageClient, world: World, desk: Desk) -> None:
    page = proctor.post("/check-in/lookup", data={"words": world.other_room.ticket_no}, headers=HTML).text
    assert "请到第2考场（二楼西侧）" in page
    assert card(world, world.other_room) not in page
    assert "周远" not in page
    body = {"act": "redirect", "session_id": world.session_id, "candidate_id": world.other_room.id}
    act = {**body, "nonce": "redirect-nonce-01", "room_id": world.room_2, "reason": "走错考场"}
    assert proctor.post("/check-in/acts", json=act).status_code == 200
    assert len(desk.rows("select 1 from check_in_act")) == 1


def test_whoever_belongs_elsewhere_is_shown_where_on_the_floor_plan(
    proctor: PageClient, as_role: Callable[[Role], PageClient], world: World
) -> None:
    lookup = {"words": world.other_room.ticket_no}
    assert "平面图" not in proctor.post("/check-in/lookup", data=lookup, headers=HTML).text
    drawn = show_way(world)
    page = proctor.post("/check-in/lookup", data=lookup, headers=HTML).text
    assert "平面图：第2考场的位置" in page
    assert "translate(450.0 168.0)" in page
    address = f"/check-in/maps/{world.room_2}"
    assert f'href="{address}"' in page
    assert (proctor.get(address).data, proctor.get(address).mimetype) == (drawn, "image/png")
    assert proctor.get(f"/check-in/maps/{world.room_1}").status_code == 404
    assert as_role(Role.AUDITOR).get(address).status_code == 403


def test_nobody_and_many_are_told(site_lead: PageClient, proctor: PageClient, world: World) -> None:
    assert "没有找到" in proctor.post("/check-in/lookup", data={"words": "99999"}, headers=HTML).text
    assert "没有找到" in proctor.post("/check-in/lookup", data={"words": " "}, headers=HTML).text
    many = site_lead.post("/check-in/lookup", data={"words": "1"}, headers=HTML).text
    assert "找到2人" in many
    assert card(world, world.other_room) in many


def test_before_the_exam_the_room_undoes_and_the_lead_decides(
    proctor: PageClient,
    site_lead: PageClient,
    as_role: Callable[[Role], PageClient],
    world: World,
    desk: Desk,
) -> None:
    desk.ask(world.on_time)
    assert offered(proctor, world, world.on_time) == {"undo-1", "doubt"}
    assert offered(site_lead, world, world.on_time) == {
        "undo-1",
        "seat_change",
        "void_ticket",
        "block",
        "doubt",
    }
    assert offered(proctor, world, world.late) == {"by_hand", "redirect", "doubt"}
    assert offered(site_lead, world, world.late) == {
        "by_hand",
        "provisional",
        "seat_change",
        "redirect",
        "void_ticket",
        "block",
        "doubt",
    }
    assert offered(as_role(Role.INSPECTOR), world, world.late) == {"redirect"}
    assert proctor.get(card(world, world.other_room)).status_code == 403
    assert site_lead.get(f"/check-in/candidates/{world.session_id}/999").status_code == 404


def test_whoever_leaves_can_be_let_go_and_that_undone(
    proctor: PageClient, site_lead: PageClient, world: World, desk: Desk
) -> None:
    desk.ask(world.on_time)
    announce(world, "C5", START_US)
    world.clock.sleep_us(45 * MINUTE_US)
    assert offered(proctor, world, world.on_time) == {"exit", "doubt"}
    leave = {"act": "exit", "nonce": "exit-nonce-000001", "reason": "交卷"}
    body = {**leave, "session_id": world.session_id, "candidate_id": world.on_time.id}
    assert proctor.post("/check-in/acts", json=body).status_code == 200
    assert "已离场 09:35:00" in proctor.get(f"{card(world, world.on_time)}/live").text
    assert {"undo-1", "undo-2"} <= offered(site_lead, world, world.on_time)


def test_where_no_kiosk_works_the_proctor_checks_in_by_hand(proctor: PageClient, world: World) -> None:
    page = proctor.get(card(world, world.on_time), headers=HTML).text
    assert "核对无误，签到入场" in page
    act = {"act": "by_hand", "nonce": "by-hand-nonce-0001", "reason": "签到机断电"}
    whom = {"session_id": world.session_id, "candidate_id": world.on_time.id}
    answer = proctor.post("/check-in/acts", json={**act, **whom})
    assert (answer.status_code, answer.json["outcome"]) == (200, "OK_ADMITTED")
    assert "应到3人，入场1人" in proctor.get("/check-in/live").text
    assert "by_hand" not in offered(proctor, world, world.on_time)
    trail = proctor.get(f"{card(world, world.on_time)}/live").text
    assert "人工签到" in trail
    assert "签到机断电" in trail
    elsewhere = {**act, "nonce": "by-hand-nonce-0002", "candidate_id": world.other_room.id}
    assert proctor.post("/check-in/acts", json={**whom, **elsewhere}).status_code == 403


def test_whom_the_rule_turns_away_is_told_so_before(proctor: PageClient, world: World) -> None:
    announce(world, "C5", START_US)
    world.clock.sleep_us(42 * MINUTE_US)
    page = proctor.get(card(world, world.late), headers=HTML).text
    assert "现在不能入场：迟到拒入" in page
    assert "登记：迟到拒入" in page


def test_late_entry_asks_for_a_second_person(
    site_lead: PageClient, proctor: PageClient, world: World, desk: Desk
) -> None:
    late_scan(desk, world)
    world.clock.sleep_us(42 * MINUTE_US)
    page = site_lead.get(card(world, world.late), headers=HTML).text
    assert "迟到拒入" in page
    assert "override-1-name" in page
    assert "override-1" not in offered(proctor, world, world.late)


def test_of_two_entries_people_choose_one(site_lead: PageClient, world: World, desk: Desk) -> None:
    desk.upload(world.on_time, now_us=CLOCK_US)
    desk.upload(world.on_time, now_us=CLOCK_US, kiosk_id=second_kiosk(world))
    assert desk.standing() == []
    assert {"settle_conflict-1", "settle_conflict-2"} <= offered(site_lead, world, world.on_time)
    assert "去办理存疑" in site_lead.get(card(world, world.on_time), headers=HTML).text


def test_an_emergency_room_is_offered_where_there_is_one(
    site_lead: PageClient, world: World, desk: Desk
) -> None:
    desk.set("insert into room (code, label, kind) values ('E01', '应急考场', 'contingency_hall')")
    assert "emergency_room" not in offered(site_lead, world, world.on_time)
    desk.set(
        "insert into place (room_id, kind, label, grid_row, grid_col)"
        " select id, 'seat', '1', 1, 1 from room where code = 'E01'"
    )
    page = site_lead.get(card(world, world.on_time), headers=HTML).text
    assert "应急考场 1号" in page
    assert 'label="第1考场"' in page


def test_a_block_is_told_to_staff_and_what_people_did_is_told(
    site_lead: PageClient, world: World, desk: Desk
) -> None:
    desk.set("update candidate set blocked_reason = '上批次作弊' where id = ?", world.late.id)
    desk.ask(world.late, declared=frozenset({Outcome.FACE_DOUBT}))
    page = site_lead.get(card(world, world.late), headers=HTML).text
    assert "受限制：上批次作弊" in page
    assert "provisional-name" in page, "a second person signs for whoever is barred"
    assert "unblock-name" in page
    assert "act-block" not in page


def test_a_walk_in_is_the_site_lead_s(
    app: Flask, site_lead: PageClient, proctor: PageClient, world: World, desk: Desk
) -> None:
    address = f"/check-in/walk-in/{world.session_id}"
    page = site_lead.get(address, headers=HTML).text
    assert "居民身份证" in page
    assert "第1考场 4号" in page
    assert proctor.get(address).status_code == 403
    officer = client_for(app, world, account_with(world, Role.EXAMS_OFFICER))
    assert officer.get(address).status_code == 403
    assert site_lead.get("/check-in/walk-in/999").status_code == 404
    desk.set("delete from place where id not in (select place_id from seating)")
    assert "没有空座位" in site_lead.get(address, headers=HTML).text
