from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from config.procedures import load_procedures
from evidence.plan_changes import arm_session
from evidence.players import keep_heartbeats
from exam.clock import MINUTE_US, SECOND_US
from exam.players import AWAY_US
from tests.exam.test_players import WELL
from tests.web.console import PageClient
from tests.world import CLOCK_US, START_US, World
from web.access import Role
from web.clock_steps import StepView
from web.console_clock import KEEPER_EXTENSION, ClockKeeper, start_clock
from web.services import Bus

HOUR_US = 60 * MINUTE_US


@pytest.fixture
def keeper(app: Flask, world: World) -> Iterator[ClockKeeper]:
    """The console's clock, and a machine that was set an hour ahead in the middle of T1."""
    clock = start_clock(world.exam, world.clock, load_procedures(), "boot-0")
    found = ClockKeeper(world.exam, clock, Bus(), load_procedures(), "boot-0")
    app.extensions[KEEPER_EXTENSION] = found
    found.look()
    world.clock.step_wall(HOUR_US)
    found.look()
    yield found
    del app.extensions[KEEPER_EXTENSION]


def decide(client: PageClient, choice: str) -> tuple[int, str]:
    answer = client.post(f"/api/clock-steps/1/{choice}", json={})
    return answer.status_code, (answer.json or {}).get("error", "")


def test_the_lead_is_asked_on_the_overview_and_keeps_the_time(
    site_lead: PageClient, keeper: ClockKeeper
) -> None:
    page = site_lead.get("/overview/live").text
    assert "比控制台快了1小时0分" in page
    assert decide(site_lead, "kept") == (200, "")
    assert keeper.clock.wall_us() == CLOCK_US
    assert "本机时钟被调整" not in site_lead.get("/overview/live").text
    assert decide(site_lead, "adopted") == (409, "decided")


def test_the_lead_takes_the_new_time_over(site_lead: PageClient, keeper: ClockKeeper) -> None:
    assert decide(site_lead, "adopted") == (200, "")
    assert keeper.clock.wall_us() == CLOCK_US + HOUR_US


@pytest.mark.usefixtures("keeper")
def test_shortly_before_a_signal_no_time_is_taken_over(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, 1)
    world.clock.sleep_us(START_US - CLOCK_US - SECOND_US)
    assert decide(site_lead, "adopted") == (409, "signal_near")


def test_no_time_is_taken_over_while_a_room_would_ring_by_the_old_one(
    site_lead: PageClient, keeper: ClockKeeper, world: World
) -> None:
    world.clock.sleep_us(MINUTE_US)
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, keeper.clock.wall_us())
        heard_us = keeper.clock.wall_us()
        keep_heartbeats(connection, [replace(WELL, room_id=world.room_1, seen_at_us=heard_us)])
    world.clock.sleep_us(AWAY_US + 1)
    answer = site_lead.post("/api/clock-steps/1/adopted", json={})
    assert (answer.status_code, answer.json["error"]) == (409, "rooms_away")
    assert answer.json["advice"].startswith("第1考场的设备失去联系")
    with world.exam.write() as connection:
        back = replace(WELL, room_id=world.room_1, seen_at_us=keeper.clock.wall_us())
        keep_heartbeats(connection, [back])
    assert decide(site_lead, "adopted") == (200, "")


def test_there_are_two_choices_and_one_who_chooses(
    as_role: Callable[[Role], PageClient], site_lead: PageClient, keeper: ClockKeeper
) -> None:
    assert decide(site_lead, "followed")[0] == 404
    assert decide(as_role(Role.EXAMS_OFFICER), "kept")[0] == 403
    officer = as_role(Role.EXAMS_OFFICER).get("/overview/live").text
    assert "本机时钟被调整" in officer
    assert "/api/clock-steps/" not in officer
    assert keeper.open_step() is not None


def test_a_console_without_a_clock_of_its_own_has_nothing_to_decide(site_lead: PageClient) -> None:
    assert decide(site_lead, "kept")[0] == 409


def test_a_dead_batterys_time_is_not_offered_and_not_taken_over(
    site_lead: PageClient, keeper: ClockKeeper, world: World
) -> None:
    assert decide(site_lead, "kept") == (200, "")
    world.clock.step_wall(-400 * 24 * HOUR_US)
    keeper.look()
    page = site_lead.get("/overview/live").text
    assert "比控制台慢了399天" in page
    assert "改正本机的日期和时间" in page
    assert "改用新时间" not in page
    answer = site_lead.post("/api/clock-steps/2/adopted", json={})
    assert (answer.status_code, answer.get_json()["error"]) == (409, "too_far_back")
    assert keeper.clock.wall_us() == CLOCK_US


def test_how_far_a_clock_was_set_is_told_in_words() -> None:
    assert StepView(1, -3 * SECOND_US).words == "慢了3秒"
    assert StepView(1, 61 * SECOND_US).words == "快了1分1秒"
