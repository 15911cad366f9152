"""After a restart of the machine in the middle of T1: nothing hangs on the time until somebody vouches."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.site_clock import load_clock
from exam.clock import MINUTE_US, SECOND_US
from exam.clock_restart import GATHER_US
from exam.clock_step import StepChoice
from exam.server_time import KnownTime
from tests.web.console import HTML, PageClient
from tests.web.restarted import AHEAD_US, NOW_US, PROCEDURES, Restarted
from tests.world import CLOCK_US, KIOSK_TOKEN, START_US, World
from web.access import Role
from web.console_clock import ClockKeeper, start_clock
from web.restart_doubt import MOST_WORDS, find_doubt
from web.restart_page import HEADER
from web.services import Bus
from web.signal_ticker import SignalTicker


def test_the_rooms_tell_the_time_and_the_lead_is_asked_about_the_machines_clock(restarted: Restarted) -> None:
    assert restarted.keeper.is_in_doubt
    restarted.doubt.hear(restarted.word())
    restarted.keeper.look()
    assert restarted.keeper.is_in_doubt
    restarted.gather()
    assert not restarted.keeper.is_in_doubt
    assert restarted.now_us == NOW_US + GATHER_US - 3_000
    [row] = restarted.restarts()
    assert (row["source"], row["words"], row["account_id"], row["apart_us"]) == (
        "rooms",
        1,
        None,
        AHEAD_US + 3_000,
    )
    restarted.keeper.look()
    step = restarted.keeper.open_step()
    assert step is not None
    assert step.apart_us == AHEAD_US + 3_000
    restarted.keeper.decide(step.id, StepChoice.KEPT, restarted.world.site_lead_account_id)
    with restarted.world.exam.read() as connection:
        assert list(check_facts(connection, EXAM_FACTS)) == []


def test_nothing_is_given_while_the_time_is_in_doubt(restarted: Restarted) -> None:
    restarted.world.clock.sleep_us(START_US - restarted.now_us)
    ticker = SignalTicker(restarted.world.exam, restarted.keeper.clock, Bus(), PROCEDURES, restarted.keeper)
    ticker.tick()
    with restarted.world.exam.read() as connection:
        assert connection.execute("select count(*) from announcement").fetchone()[0] == 0


def test_a_console_that_is_killed_in_doubt_is_in_doubt_again(restarted: Restarted) -> None:
    again = Restarted(restarted.world)
    assert again.keeper.is_in_doubt
    again.doubt.hear(again.word())
    again.gather()
    assert find_doubt(again.world.exam, again.keeper.clock, "boot-1") is None
    third = Restarted(again.world)
    assert third.keeper.doubt is None
    assert third.keeper.clock.name == again.keeper.clock.name != again.doubt.kept.name
    assert third.now_us == again.now_us


def test_without_an_exam_the_machine_is_believed_under_another_name(world: World) -> None:
    world.clock.step_wall(-20 * 60 * MINUTE_US)
    before = start_clock(world.exam, world.clock, PROCEDURES, "boot-0").name
    after = start_clock(world.exam, world.clock, PROCEDURES, "boot-1")
    assert find_doubt(world.exam, after, "boot-1") is None
    assert after.name != before


def test_who_cannot_know_is_not_heard_and_no_more_are_kept_than_a_site_has(restarted: Restarted) -> None:
    for _ in range(3):
        restarted.doubt.hear(KnownTime("guessed", NOW_US, 0))
    restarted.gather()
    assert restarted.keeper.is_in_doubt
    for _ in range(MOST_WORDS + 1):
        restarted.doubt.hear(restarted.word())
    restarted.gather()
    assert restarted.restarts()[0]["words"] == MOST_WORDS


def test_an_adopted_clock_has_another_name_and_its_time_comes_with_it(world: World) -> None:
    clock = start_clock(world.exam, world.clock, PROCEDURES, "boot-0")
    keeper = ClockKeeper(world.exam, clock, Bus(), PROCEDURES, "boot-0")
    keeper.look()
    before = clock.name
    world.clock.step_wall(AHEAD_US)
    keeper.look()
    step = keeper.open_step()
    assert step is not None
    assert clock.name == before
    keeper.decide(step.id, StepChoice.ADOPTED, world.site_lead_account_id)
    assert clock.told() == (CLOCK_US + AHEAD_US, clock.name)
    assert clock.name not in {"", before}
    with world.exam.read() as connection:
        kept = load_clock(connection)
    assert kept is not None
    assert kept.name == clock.name


# ---- What the console shows meanwhile --------------------------------------------------------


def question(told: KnownTime) -> dict[str, str]:
    return {"clock": told.clock, "now_us": str(told.now_us), "error_us": str(told.error_us)}


def test_players_are_answered_like_those_of_a_console_that_is_away_and_heard(
    anonymous: PageClient, kiosk: FlaskClient, shut: Restarted
) -> None:
    for address in ("/api/clock", "/api/speaker/v1/clock"):
        answer = anonymous.get(address, query_string=question(shut.word()))
        assert (answer.status_code, answer.headers["Retry-After"], answer.headers[HEADER]) == (503, "1", "1")
        assert "正在核对时间" in answer.get_json()["error"]
    taken_over = {"Authorization": f"Bearer {KIOSK_TOKEN}"}
    assert kiosk.post("/api/kiosk/v1/heartbeat", headers=taken_over, json={}).status_code == 503
    shut.gather()
    assert shut.restarts()[0]["words"] == 2
    assert anonymous.get("/api/clock").status_code == 401


@pytest.mark.parametrize("told", [{}, {"now_us": "x", "error_us": "1"}, {"now_us": "-1", "error_us": "1"}])
def test_a_question_without_a_word_or_with_nonsense_changes_nothing(
    anonymous: PageClient, shut: Restarted, told: dict[str, str]
) -> None:
    assert anonymous.get("/api/clock", query_string=told).status_code == 503
    shut.gather()
    assert shut.keeper.is_in_doubt


def test_a_word_counts_only_where_players_ask_for_the_time(proctor: PageClient, shut: Restarted) -> None:
    proctor.get("/overview", query_string=question(shut.word()))
    shut.gather()
    assert shut.keeper.is_in_doubt


def test_everybody_reads_what_happens_and_only_the_lead_is_asked(
    anonymous: PageClient, proctor: PageClient, site_lead: PageClient, shut: Restarted
) -> None:
    page = anonymous.get("/", headers=HTML)
    assert (page.status_code, page.headers[HEADER]) == (503, "1")
    assert "请考点负责人登录" in page.text
    assert anonymous.get("/login", headers=HTML).status_code == 200
    assert "请找考点负责人" in proctor.get("/rooms/R01", headers=HTML).text
    asked = site_lead.get("/overview", headers=HTML).text
    assert "按这个时间继续" in asked
    assert "09:20:40" in asked
    assert proctor.post("/restart").status_code == 403
    assert shut.keeper.is_in_doubt


def test_the_lead_says_that_the_time_shown_is_right(site_lead: PageClient, shut: Restarted) -> None:
    answer = site_lead.post("/restart")
    assert (answer.status_code, answer.location) == (303, "/")
    assert shut.now_us == NOW_US + AHEAD_US
    [row] = shut.restarts()
    assert (row["source"], row["account_id"], row["apart_us"]) == (
        "person",
        shut.world.site_lead_account_id,
        0,
    )
    assert site_lead.post("/restart").status_code == 303
    assert len(shut.restarts()) == 1
    shut.keeper.look()
    assert site_lead.get("/overview").status_code == 200


def test_the_lead_says_what_his_watch_shows(site_lead: PageClient, shut: Restarted) -> None:
    assert site_lead.post("/restart", data={"time": "08：51：00"}).status_code == 303
    assert shut.now_us == CLOCK_US + MINUTE_US
    assert shut.restarts()[0]["apart_us"] == AHEAD_US - 20 * SECOND_US


@pytest.mark.parametrize(
    ("typed", "fault"), [("早上九点", "没有看懂"), ("08:49:00", "早于重新启动前的最后时间（08:50:00）")]
)
def test_what_cannot_be_read_or_cannot_be_is_said_and_changes_nothing(
    site_lead: PageClient, shut: Restarted, typed: str, fault: str
) -> None:
    answer = site_lead.post("/restart", data={"time": typed})
    assert answer.status_code == 400
    assert fault in answer.text
    assert typed in answer.text
    assert shut.keeper.is_in_doubt


@pytest.mark.usefixtures("shut")
def test_a_machine_that_is_believed_before_the_console_was_last_seen_is_refused(
    site_lead: PageClient, world: World
) -> None:
    world.clock.now_us = CLOCK_US - MINUTE_US
    answer = site_lead.post("/restart")
    assert (answer.status_code, "早于" in answer.text) == (400, True)


def test_a_person_and_the_rooms_at_once_settle_it_once(site_lead: PageClient, shut: Restarted) -> None:
    shut.doubt.hear(shut.word())
    shut.gather()
    assert site_lead.post("/restart").status_code == 303
    assert [row["source"] for row in shut.restarts()] == ["rooms"]


def test_nobody_but_the_lead_settles_it(as_role: Callable[[Role], PageClient], shut: Restarted) -> None:
    for role in set(Role) - {Role.SITE_LEAD}:
        assert as_role(role).post("/restart").status_code == 403
    assert shut.keeper.is_in_doubt
