"""正在核对时间: what everybody may do while the time is in doubt, and what the site lead says."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from evidence import speakers
from evidence.check_facts import EXAM_FACTS, check_facts
from exam.clock import MINUTE_US, SECOND_US
from exam.clock_step import KeptClock
from exam.server_time import KNOWN_HEADER, KnownTime
from tests.web.console import HTML, PageClient
from tests.web.restarted import AHEAD_US, NOW_US, Restarted
from tests.world import CLOCK_US, KIOSK_TOKEN, World
from web.access import Role
from web.restart_page import HEADER, ROOMS_FIRST_US

HOUR_US = 60 * MINUTE_US


@pytest.fixture
def speaker(app: Flask, world: World) -> FlaskClient:
    """A loudspeaker program of 第1考场."""
    with world.exam.write() as connection:
        code = speakers.invite(connection, "音箱", [world.room_1], CLOCK_US)
        token = speakers.enrol(connection, code, CLOCK_US)
    client = FlaskClient(app, app.response_class, use_cookies=False)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def question(told: KnownTime) -> dict[str, str]:
    return {KNOWN_HEADER: told.in_header()}


def confirm(client: PageClient, shut: Restarted, seen_us: int | None = None) -> int:
    """Press that the time shown is right; returns the answer's status."""
    seen = shut.doubt.machine_offset_us if seen_us is None else seen_us
    return client.post("/restart", data={"seen": str(seen)}).status_code


def test_players_are_answered_like_those_of_a_console_that_is_away_and_heard(
    proctor: PageClient, speaker: FlaskClient, kiosk: FlaskClient, shut: Restarted
) -> None:
    for client, address in ((proctor, "/api/clock"), (speaker, "/api/speaker/v1/clock")):
        answer = client.get(address, headers=question(shut.word()))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.headers[HEADER].startswith("waiting ")
        assert "正在核对时间" in answer.get_json()["error"]
    taken_over = {"Authorization": f"Bearer {KIOSK_TOKEN}"}
    assert kiosk.post("/api/kiosk/v1/heartbeat", headers=taken_over, json={}).status_code == 503
    assert proctor.get("/api/rooms/R01/schedule").status_code == 503
    shut.gather()
    assert shut.restarts()[0]["words"] == 2
    assert proctor.get("/api/clock").status_code == 200


def test_nobody_without_login_or_token_is_heard(
    anonymous: PageClient, kiosk: FlaskClient, as_role: Callable[[Role], PageClient], shut: Restarted
) -> None:
    asked = question(shut.word())
    assert anonymous.get("/api/clock", headers=asked).status_code == 401
    forged = asked | {"Authorization": "Bearer nobody-has-this"}
    assert kiosk.get("/api/speaker/v1/clock", headers=forged).status_code == 401
    assert as_role(Role.AUDITOR).get("/api/clock", headers=asked).status_code == 403
    shut.gather()
    assert shut.keeper.is_in_doubt


def test_a_question_with_nonsense_changes_nothing(proctor: PageClient, shut: Restarted) -> None:
    assert proctor.get("/api/clock", headers={KNOWN_HEADER: "nonsense"}).status_code == 503
    shut.gather()
    assert shut.keeper.is_in_doubt


def test_a_word_counts_only_where_players_ask_for_the_time(proctor: PageClient, shut: Restarted) -> None:
    proctor.get("/overview", headers=question(shut.word()))
    shut.gather()
    assert shut.keeper.is_in_doubt


def test_everybody_reads_what_happens_and_only_the_lead_is_asked_once_rooms_had_their_time(
    anonymous: PageClient, proctor: PageClient, site_lead: PageClient, shut: Restarted
) -> None:
    page = anonymous.get("/", headers=HTML)
    assert (page.status_code, page.headers[HEADER].split()[0]) == (503, "waiting")
    assert "一般不到10秒" in page.text
    assert "手表" not in site_lead.get("/overview", headers=HTML).text
    shut.world.clock.sleep_us(ROOMS_FIRST_US)
    assert "请考点负责人登录" in anonymous.get("/", headers=HTML).text
    assert anonymous.get("/login", headers=HTML).status_code == 200
    assert "请找考点负责人" in proctor.get("/rooms/R01", headers=HTML).text
    asked = site_lead.get("/overview", headers=HTML)
    assert asked.headers[HEADER].split()[0] == "asked"
    assert "手表也是这个时间" in asked.text
    assert "09:20:55" in asked.text
    assert "控制台自己的时间" not in asked.text
    assert proctor.post("/restart").status_code == 403
    assert shut.keeper.is_in_doubt


@pytest.mark.parametrize("path", ["/nowhere", "/restart/x"])
def test_an_address_that_does_not_exist_is_shut_as_well(
    anonymous: PageClient, shut: Restarted, path: str
) -> None:
    assert anonymous.get(path, headers=HTML).status_code == 503
    assert shut.keeper.is_in_doubt


def test_the_lead_says_that_the_time_shown_is_right(site_lead: PageClient, shut: Restarted) -> None:
    assert site_lead.get("/restart", headers=HTML).status_code == 503
    assert confirm(site_lead, shut) == 303
    assert shut.now_us == NOW_US + AHEAD_US
    [row] = shut.restarts()
    person = ("person", shut.world.site_lead_account_id, 0)
    assert (row["source"], row["account_id"], row["apart_us"]) == person
    assert site_lead.post("/restart").status_code == 303
    assert len(shut.restarts()) == 1
    assert site_lead.get("/restart").location == "/"
    shut.keeper.look()
    assert site_lead.get("/overview").status_code == 200


def test_a_time_that_is_not_the_one_that_was_seen_is_not_confirmed(
    site_lead: PageClient, shut: Restarted
) -> None:
    seen_us = shut.doubt.machine_offset_us
    shut.world.clock.step_wall(-20 * MINUTE_US)
    answer = site_lead.post("/restart", data={"seen": str(seen_us)})
    assert (answer.status_code, "再对照一次" in answer.text) == (400, True)
    assert "09:00:40" in answer.text
    assert site_lead.post("/restart", data={"seen": "x"}).status_code == 400
    assert confirm(site_lead, shut) == 303
    assert shut.now_us == NOW_US + AHEAD_US - 20 * MINUTE_US


def type_twice(client: PageClient, typed: str) -> str:
    """Say what a watch shows, and say it again; returns what was asked in between."""
    answer = client.post("/restart", data={"time": typed})
    assert answer.status_code == 400
    sure = re.search(r'name="sure" value="(-?[0-9]+)"', answer.text)
    assert sure is not None, answer.text
    said = {"time": typed, "said": typed.replace("：", ":"), "sure": sure[1]}
    assert client.post("/restart", data=said | {"time": "23:59:59"}).status_code == 400
    assert client.post("/restart", data=said).status_code == 303
    return answer.text


def test_the_lead_says_what_his_watch_shows_twice_and_it_counts_from_the_first_time(
    site_lead: PageClient, shut: Restarted
) -> None:
    asked = type_twice(site_lead, "08：51：00")
    assert "现在是2026年11月22日 08:51:00，比本机的时间早29分40秒，控制台停了1分0秒" in asked
    assert "主机时钟的时间" not in asked
    shut.world.clock.sleep_us(5 * SECOND_US)
    assert shut.now_us == CLOCK_US + MINUTE_US + 5 * SECOND_US
    assert shut.restarts()[0]["apart_us"] == AHEAD_US - 20 * SECOND_US


def test_where_the_console_keeps_its_own_time_that_is_shown_and_the_machines_is_warned_of(
    site_lead: PageClient, shut: Restarted
) -> None:
    """The lead decided that the machine, five minutes ahead, is wrong."""
    kept, apart_us = shut.doubt.kept, 5 * MINUTE_US
    shut.doubt.kept = KeptClock(kept.boot_id, kept.offset_us, apart_us, kept.kept_at_us, kept.name)
    shut.world.clock.now_us = NOW_US + apart_us
    shut.world.clock.sleep_us(ROOMS_FIRST_US)
    page = site_lead.get("/overview", headers=HTML).text
    assert "08:50:55" in page
    assert "主机的时钟比它快5分0秒，此前已决定不按主机的时钟" in page
    assert (
        "这是主机时钟的时间，考试一直没有按它进行"
        in site_lead.post("/restart", data={"time": "08:56:00"}).text
    )
    assert confirm(site_lead, shut) == 303
    assert shut.now_us == NOW_US + ROOMS_FIRST_US
    shut.keeper.look()


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("早上九点", "没有看懂"),
        ("09", "没有看懂"),
        ("25:00:00", "没有看懂"),
        ("08:49:00", "早于重新启动前的最后时间（08:50:00）"),
        ("20:50:01", "晚了半天以上"),
    ],
)
def test_what_cannot_be_read_or_cannot_be_is_said_and_changes_nothing(
    site_lead: PageClient, shut: Restarted, typed: str, fault: str
) -> None:
    answer = site_lead.post("/restart", data={"time": typed})
    assert answer.status_code == 400
    assert fault in answer.text
    assert typed in answer.text
    assert shut.keeper.is_in_doubt


def test_nobody_goes_back_before_the_console_was_last_seen(site_lead: PageClient, shut: Restarted) -> None:
    kept = shut.doubt.kept
    later = KeptClock(kept.boot_id, kept.offset_us, 0, shut.now_us + HOUR_US, kept.name)
    shut.doubt.kept = later
    answer = site_lead.post("/restart", data={"seen": str(shut.doubt.machine_offset_us)})
    assert (answer.status_code, "早于" in answer.text) == (400, True)


def test_a_person_and_the_rooms_settle_it_once(site_lead: PageClient, shut: Restarted) -> None:
    shut.hear()
    shut.gather()
    assert site_lead.post("/restart").status_code == 303
    assert [row["source"] for row in shut.restarts()] == ["rooms"]


def test_nobody_but_the_lead_settles_it(as_role: Callable[[Role], PageClient], shut: Restarted) -> None:
    for role in set(Role) - {Role.SITE_LEAD}:
        assert as_role(role).post("/restart").status_code == 403
    assert shut.keeper.is_in_doubt


def test_a_clock_that_is_hours_ahead_logs_nobody_out(
    proctor: PageClient, site_lead: PageClient, shut: Restarted
) -> None:
    shut.world.clock.step_wall(13 * HOUR_US)
    assert proctor.get("/rooms/R01", headers=HTML).status_code == 503
    assert site_lead.get("/restart", headers=HTML).status_code == 503
    shut.world.clock.step_wall(-13 * HOUR_US - AHEAD_US)
    shut.hear()
    shut.gather()
    assert proctor.get("/api/clock").status_code == 200


def test_a_login_that_was_over_before_is_over_and_stays_on_record(
    proctor: PageClient, world: World, shut: Restarted
) -> None:
    with world.exam.write() as connection:
        connection.execute("update login set last_used_at_us = 1, opened_at_us = 1")
    assert proctor.post("/restart").status_code == 401
    with world.exam.read() as connection:
        assert (
            connection.execute("select count(*) from login where closed_at_us is not null").fetchone()[0] == 0
        )
    assert shut.keeper.is_in_doubt


def test_rooms_that_come_later_and_know_better_are_told_of_once(
    proctor: PageClient, site_lead: PageClient, shut: Restarted
) -> None:
    agreeing, knowing = shut.word(AHEAD_US), shut.word()
    confirm(site_lead, shut)
    assert "考场设备" not in site_lead.get("/overview/live").text
    assert proctor.get("/api/clock", headers=question(agreeing)).status_code == 200
    assert proctor.get("/api/clock", headers=question(knowing)).status_code == 200
    assert proctor.get("/api/clock", headers=question(shut.word(HOUR_US))).status_code == 200
    with shut.world.exam.read() as connection:
        rows = connection.execute("select restart_id, apart_us from console_clock_contradiction")
        assert [tuple(row) for row in rows] == [(1, -AHEAD_US)]
        assert list(check_facts(connection, EXAM_FACTS)) == []
    assert "考场设备比重新启动后确认的时间慢30分0秒" in site_lead.get("/overview/live").text
    shut.world.clock.now_us += 30 * HOUR_US
    assert "考场设备" not in site_lead.get("/overview/live").text


def test_what_rooms_settled_or_a_clock_that_was_moved_since_nobody_contradicts(
    proctor: PageClient, site_lead: PageClient, shut: Restarted
) -> None:
    confirm(site_lead, shut)
    shut.doubt.clock.adopt(0, "another name")
    assert proctor.get("/api/clock", headers=question(shut.word())).status_code == 200
    assert "考场设备" not in site_lead.get("/overview/live").text
