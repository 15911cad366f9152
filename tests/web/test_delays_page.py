"""One station gets its time back: written down, stopped on its own, withdrawn, agreed to."""

from html import unescape

import pytest
from flask import Flask

from config.procedures import load_procedures
from evidence.courses import load_course
from evidence.day import load_session
from evidence.ledger import read_leaves
from exam.clock import MINUTE_US
from exam.course import DelayReason
from exam.delay_entries import DelayRefusal
from exam.room_times import RoomTimes, room_times
from tests.web.console import PageClient, account_with, client_for
from tests.world import CLOCK_US, DURATION_US, START_US, World, announce
from web import delays_page
from web.access import Role

ENTRY = {
    "reason_class": "equipment",
    "from": "09:10",
    "until": "09：22",
    "witness": "王芳",
    "comment": "主轴不转",
}


@pytest.fixture
def started(world: World) -> World:
    announce(world, "C5", START_US)
    world.clock.sleep_us(START_US + 40 * MINUTE_US - CLOCK_US)
    return world


def post(client: PageClient, world: World, path: str = "", **form: object) -> tuple[int, str]:
    answer = client.post(f"/delays/{world.session_id}/{world.room_1}{path}", data=form)
    return answer.status_code, unescape(answer.text)


def enter(client: PageClient, world: World, **other: object) -> tuple[int, str]:
    return post(client, world, **{**ENTRY, "place": world.on_time.place_id, **other})


def times(world: World) -> RoomTimes:
    with world.exam.read() as connection:
        session = load_session(connection, world.session_id)
        assert session is not None
        return room_times(load_course(connection, session, load_procedures()), world.room_1)


def test_a_station_goes_on_for_as_long_as_it_stood_still_and_the_room_does_not(
    site_lead: PageClient, started: World
) -> None:
    assert enter(site_lead, started)[0] == 303
    assert enter(site_lead, started, **{"from": "09:20", "until": "09:25"})[0] == 303
    [station] = times(started).extended
    assert station.ends_at_us == START_US + DURATION_US + 15 * MINUTE_US
    assert times(started).ends_at_us == START_US + DURATION_US
    page = unescape(site_lead.get("/delays").text)
    assert "顺延至" in page
    assert "10:15:00" in page
    assert "见证人 王芳，登记人 李强" in page


def test_the_stop_of_the_room_leaves_it_working_until_somebody_stops_it(
    site_lead: PageClient, started: World
) -> None:
    enter(site_lead, started)
    started.clock.sleep_us(20 * MINUTE_US)
    announce(started, "C8", START_US + DURATION_US)
    assert [one.place_id for one in times(started).going_on] == [started.on_time.place_id]
    path = f"/stations/{started.on_time.place_id}/stopped"
    started.clock.sleep_us(12 * MINUTE_US)
    assert post(site_lead, started, path)[0] == 303
    assert times(started).going_on == ()
    assert post(site_lead, started, path)[0] == 409
    code, page = enter(site_lead, started)
    assert (code, delays_page.REFUSAL_WORDS[DelayRefusal.OVER] in page) == (409, True)
    assert "已全部结束" in unescape(site_lead.get("/delays").text)


def test_what_was_a_mistake_is_withdrawn_and_stays_on_record(site_lead: PageClient, started: World) -> None:
    enter(site_lead, started)
    assert post(site_lead, started, "/1/withdrawn", reason="")[0] == 400
    assert post(site_lead, started, "/9/withdrawn", reason="登记错了")[0] == 404
    assert post(site_lead, started, "/1/withdrawn", reason="登记错了")[0] == 303
    assert times(started).extended == ()
    assert "已撤回" in unescape(site_lead.get("/delays").text)
    with started.exam.read() as connection:
        kinds = [leaf.kind for leaf, _ in read_leaves(connection)]
    assert kinds[-3:] == ["delay", "delay_end", "delay_withdrawn"]


def test_more_than_half_an_hour_counts_once_the_site_lead_agrees(
    site_lead: PageClient, started: World
) -> None:
    enter(site_lead, started, **{"from": "09:02", "until": "09:38"})
    [station] = times(started).extended
    assert station.ends_at_us == START_US + DURATION_US + 30 * MINUTE_US
    path = f"/stations/{started.on_time.place_id}/approved"
    for minutes in ("", "30", "241"):
        assert post(site_lead, started, path, minutes=minutes)[0] == 400
    assert post(site_lead, started, "/stations/999/approved", minutes="40")[0] == 404
    assert post(site_lead, started, path, minutes="40")[0] == 303
    [station] = times(started).extended
    assert station.ends_at_us == START_US + DURATION_US + 36 * MINUTE_US


@pytest.mark.parametrize(
    ("other", "code", "words"),
    [
        ({"witness": " "}, 400, "见证人"),
        ({"from": "neun"}, 400, "09:30 的格式"),
        ({"from": "09:30"}, 409, delays_page.REFUSAL_WORDS[DelayRefusal.WRONG_WAY_ROUND]),
        ({"until": "09:59"}, 409, delays_page.REFUSAL_WORDS[DelayRefusal.IN_THE_FUTURE]),
        ({"from": "08:30", "until": "08:40"}, 409, delays_page.REFUSAL_WORDS[DelayRefusal.BEFORE_START]),
        ({"reason_class": "mood"}, 400, "请求不完整"),
        ({"place": 999}, 400, "请求不完整"),
    ],
)
def test_an_entry_that_makes_no_sense_changes_nothing(
    site_lead: PageClient, started: World, other: dict[str, object], code: int, words: str
) -> None:
    told = enter(site_lead, started, **other)
    assert (told[0], words in told[1] or code == 400) == (code, True)
    assert times(started).extended == ()


def test_what_was_typed_is_not_lost_when_it_is_refused(site_lead: PageClient, started: World) -> None:
    page = enter(site_lead, started, until="09:59", place=started.late.place_id)[1]
    assert page.count('value="主轴不转"') == 1
    assert f'<option value="{started.late.place_id}" selected>' in page


def test_before_the_start_there_is_nothing_to_write_down(site_lead: PageClient, world: World) -> None:
    assert "现在没有正在考试的考场" in unescape(site_lead.get("/delays").text)
    assert enter(site_lead, world)[0] == 409


def test_assessors_see_and_change_their_own_rooms_only(app: Flask, started: World) -> None:
    own = client_for(app, started, account_with(started, Role.ASSESSOR, staff_id=started.proctor_staff_id))
    page = unescape(own.get("/delays").text)
    assert "第1考场" in page
    assert "第2考场" not in page
    assert enter(own, started)[0] == 303
    stranger = client_for(app, started, account_with(started, Role.ASSESSOR))
    assert enter(stranger, started)[0] == 403
    assert own.post(f"/delays/{started.session_id}/{started.room_2}", data=ENTRY).status_code == 403
    assert own.post(f"/delays/99/{started.room_1}", data=ENTRY).status_code == 404
    assert post(own, started, f"/stations/{started.on_time.place_id}/approved", minutes="40")[0] == 403


def test_every_reason_and_refusal_has_words() -> None:
    assert set(delays_page.REASON_WORDS) == set(DelayReason)
    assert set(delays_page.REFUSAL_WORDS) == set(DelayRefusal)
