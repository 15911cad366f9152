from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from evidence import announcements
from evidence.check_in_alarms import Subject, acknowledge, raise_alarms
from exam.clock import MINUTE_US, SECOND_US
from exam.upload_rules import AlarmKind
from tests.web.console import PageClient, account_with, client_for
from tests.web.crowd import admit, fill_first_room, recording
from tests.web.doubted import lay_doubts
from tests.world import CLOCK_US, START_US, World, announce
from web.access import Role
from web.services import Services, room_topic


def address(world: World, tail: str = "") -> str:
    return f"/proctor/{world.session_id}/{world.room_1}{tail}"


def body(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "nonce": "nonce-000000000001",
        "kind": "absent",
        "candidate_id": world.late.id,
        "happened_at_us": CLOCK_US,
        **changes,
    }


def set_procedure(world: World, code: str, kind: str) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = ?, kind = ?", (code, kind))


def give_duty(world: World, staff_role: str, role: Role) -> int:
    with world.exam.write() as connection:
        connection.execute(
            "update duty set role = ? where staff_id = ?", (staff_role, world.proctor_staff_id)
        )
    return account_with(world, role, staff_id=world.proctor_staff_id)


def test_a_doubt_is_told_at_the_seat_and_leads_to_its_page(proctor: PageClient, world: World) -> None:
    lay_doubts(world)
    page = proctor.get(f"/proctor/{world.session_id}/{world.room_1}/live").text
    assert 'href="/doubts"' in page
    assert "存疑 2</a>" in page
    assert 'aria-label="1号 陈一诺 已入场，存疑"' in page


def test_a_proctor_with_one_room_is_led_straight_there(proctor: PageClient, world: World) -> None:
    assert proctor.get("/proctor").headers["Location"] == address(world)


def test_a_lead_with_many_rooms_chooses(site_lead: PageClient) -> None:
    page = site_lead.get("/proctor").text
    assert "第1考场" in page
    assert "第2考场" in page


def test_somebody_without_a_duty_today_is_told_so(
    proctor: PageClient, as_role: Callable[[Role], PageClient], world: World
) -> None:
    assert "今天没有安排您" in as_role(Role.PROCTOR).get("/proctor").text
    world.clock.sleep_us(48 * 60 * MINUTE_US)
    fresh = client_for(proctor.application, world, world.proctor_account_id)
    assert "今天没有安排您" in fresh.get("/proctor").text


def test_the_page_names_the_next_step_and_when(proctor: PageClient, world: World) -> None:
    page = proctor.get(address(world)).text
    assert "验证密封、启封分发" in page
    assert f'data-countdown-us="{START_US - 5 * MINUTE_US}"' in page
    assert "08:55:00" in page


def test_seats_show_who_is_in_absent_or_awaited(proctor: PageClient, world: World) -> None:
    admit(world, world.on_time.id)
    proctor.post(address(world, "/entries"), json=body(world))
    page = proctor.get(address(world, "/live")).text
    for words in ("1号 陈一诺 已入场", "2号 赵迟 缺考", "3号 孙错 未到"):
        assert f'aria-label="{words}"' in page


def test_a_grid_with_holes_keeps_its_shape(proctor: PageClient, world: World) -> None:
    fill_first_room(world)
    with world.exam.write() as connection:
        connection.execute("delete from seating where place_id in (select id from place where label = '8')")
        connection.execute("delete from place where label = '8' and room_id = ?", (world.room_1,))
    page = proctor.get(address(world, "/live")).text
    assert page.count('class="seat-row"') == 5
    assert page.count("seat-gap") == 1


def test_an_entry_is_kept_and_shown_and_everybody_is_woken(
    proctor: PageClient, world: World, services: Services
) -> None:
    before = services.bus.current(room_topic(world.room_1))
    answer = proctor.post(address(world, "/entries"), json=body(world))
    assert answer.status_code == 201
    assert services.bus.current(room_topic(world.room_1)) == before + 1
    again = proctor.post(address(world, "/entries"), json=body(world))
    assert again.get_json() == answer.get_json()
    page = proctor.get(address(world, "/live")).text
    assert "缺考" in page
    assert "2号 赵迟" in page


def test_a_correction_strikes_the_old_entry_through(proctor: PageClient, world: World) -> None:
    wrong = proctor.post(address(world, "/entries"), json=body(world)).get_json()["entry_id"]
    fix = body(world, nonce="nonce-000000000002", kind="late", corrects_id=wrong, text="九点二十到")
    assert proctor.post(address(world, "/entries"), json=fix).status_code == 201
    page = proctor.get(address(world, "/live")).text
    assert "entry-corrected" in page
    assert "更正后" in page
    third = body(world, nonce="nonce-000000000003", corrects_id=wrong)
    assert proctor.post(address(world, "/entries"), json=third).status_code == 409


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"nonce": "short"}, "不完整"),
        ({"unknown": 1}, "不完整"),
        ({"kind": "party"}, "没有这种记录"),
        ({"candidate_id": None}, "请选择考生座位"),
        ({"kind": "other"}, "请填写情况说明"),
        ({"happened_at_us": CLOCK_US + 2 * MINUTE_US}, "平板时间"),
        ({"candidate_id": 999}, "不在本考场"),
    ],
)
def test_a_faulty_entry_is_refused_with_advice(
    proctor: PageClient, world: World, change: dict[str, Any], advice: str
) -> None:
    answer = proctor.post(address(world, "/entries"), json=body(world, **change))
    assert answer.status_code in {400, 409}
    assert advice in answer.get_json()["advice"]


def test_entries_go_into_the_own_room_only(proctor: PageClient, world: World) -> None:
    other = f"/proctor/{world.session_id}/{world.room_2}/entries"
    assert proctor.post(other, json=body(world)).status_code == 403


def test_a_patrol_that_also_proctors_looks_everywhere_and_acts_in_its_own_room(
    app: Flask, world: World
) -> None:
    account_id = account_with(world, Role.PROCTOR, Role.INSPECTOR, staff_id=world.proctor_staff_id)
    both = client_for(app, world, account_id)
    other = f"/proctor/{world.session_id}/{world.room_2}"
    assert both.get(other).status_code == 200
    assert both.post(f"{other}/entries", json={}).status_code == 403
    confirm = "/api/sessions/{}/rooms/{}/confirmations"
    assert both.post(confirm.format(world.session_id, "R02"), json={"cue": "C1"}).status_code == 403
    assert both.post(confirm.format(world.session_id, "R01"), json={"cue": "C1"}).status_code == 200


def test_an_unknown_room_is_a_404_for_the_lead(site_lead: PageClient, world: World) -> None:
    assert site_lead.get(f"/proctor/{world.session_id}/999").status_code == 404


def test_steps_wait_for_their_tick_and_are_ticked_through_the_signals(
    proctor: PageClient, world: World
) -> None:
    page = proctor.get(address(world, "/live")).text
    assert 'id="confirm-C1"' in page
    target = f"/api/sessions/{world.session_id}/rooms/R01/confirmations"
    assert target in page
    assert proctor.post(target, json={"cue": "C1"}).status_code == 200
    page = proctor.get(address(world, "/live")).text
    assert 'id="confirm-C1"' not in page
    assert "已确认" in page


def test_only_the_steps_of_ones_own_duty_can_be_ticked(app: Flask, world: World) -> None:
    """An assessor hears the sign-in call too, but the proctor confirms it."""
    set_procedure(world, "practical", "practical")
    announce(world, "C2", CLOCK_US)
    page = (
        client_for(app, world, give_duty(world, "assessor", Role.ASSESSOR)).get(address(world, "/live")).text
    )
    assert "签到入场" in page
    assert 'id="confirm-C2"' not in page


def test_what_is_wrong_in_the_room_stands_on_top(proctor: PageClient, world: World) -> None:
    recording(world, stale_us=60 * SECOND_US)
    page = proctor.get(address(world, "/live")).text
    assert "摄像机“前方”“后方”录像服务无响应" in page


def test_somebody_barred_who_sits_in_the_room_is_a_task_until_it_is_done(
    proctor: PageClient, world: World
) -> None:
    about = Subject(candidate_id=world.on_time.id, session_id=world.session_id, room_id=world.room_1)
    with world.exam.write() as connection:
        raise_alarms(connection, [AlarmKind.BARRED_INSIDE], about, CLOCK_US)
    page = proctor.get(address(world, "/live")).text
    assert "1号：受限制的考生已在考场内。" in page
    assert 'href="/check-in#alarms-title"' in page
    assert world.on_time.name not in page.partition("</section>")[0]
    with world.exam.write() as connection:
        acknowledge(connection, 1, world.site_lead_account_id, "已停考", CLOCK_US)
    assert "受限制的考生" not in proctor.get(address(world, "/live")).text


def test_an_assessor_starts_the_practical_by_holding(app: Flask, world: World) -> None:
    set_procedure(world, "practical", "practical")
    account_id = give_duty(world, "assessor", Role.ASSESSOR)
    client = client_for(app, world, account_id)
    assert "data-hold" not in client.get(address(world, "/live")).text, "not before the planned start"
    world.clock.sleep_us(10 * MINUTE_US)
    page = client.get(address(world, "/live")).text
    press = f"/api/sessions/{world.session_id}/press/C5"
    assert f'data-post="{press}"' in page
    assert "工位" in page
    assert client.post(press, json={"rooms": ["R01"]}).status_code == 200
    assert f'data-post="{press}"' not in client.get(address(world, "/live")).text


def test_a_chair_may_close_the_review_early(app: Flask, world: World) -> None:
    set_procedure(world, "review", "review")
    client = client_for(app, world, give_duty(world, "review_chair", Role.REVIEW_CHAIR))
    stop = f"/api/sessions/{world.session_id}/press/C8"
    assert stop not in client.get(address(world, "/live")).text
    announce(world, "C5", CLOCK_US)
    assert stop in client.get(address(world, "/live")).text


def test_a_proctor_gets_no_button_for_signals(proctor: PageClient, world: World) -> None:
    world.clock.sleep_us(30 * MINUTE_US)
    assert "data-hold" not in proctor.get(address(world, "/live")).text


def test_when_all_is_done_the_page_says_so(proctor: PageClient, world: World) -> None:
    for code, minutes in [("C5", 0), ("C8", 60)]:
        announce(world, code, START_US + minutes * MINUTE_US)
    with world.exam.write() as connection:
        for cue in ["B2", "C1", "C2", "C3", "C4", "C5", "D1", "C6", "C7", "C8", "C9", "D2"]:
            tick = announcements.Confirmation(
                world.session_id, world.room_1, cue, world.proctor_account_id, START_US
            )
            announcements.confirm(connection, tick)
    world.clock.sleep_us(150 * MINUTE_US)
    page = proctor.get(address(world, "/live")).text
    assert "已终止" in page
    assert "本场各步骤已完成" in page


def test_the_stream_tells_to_look_again(proctor: PageClient, world: World, services: Services) -> None:
    with proctor.get(address(world, "/stream")) as answer:
        assert answer.mimetype == "text/event-stream"
        frames = answer.response
        assert next(iter(frames)).startswith(b"retry: 1000\nid: ")
    services.bus.close()
