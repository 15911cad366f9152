from collections.abc import Callable
from dataclasses import replace

import pytest

from evidence.plan_changes import arm_session
from evidence.players import keep_heartbeats
from exam.clock import MINUTE_US, SECOND_US
from tests.exam.test_players import WELL
from tests.web.console import PageClient
from tests.world import CLOCK_US, START_US, World, announce
from web.access import Role

LIVE = "/rounds/live"


def set_up(world: World, *room_ids: int, is_allowed: bool = True) -> None:
    """T1 is armed, and these rooms have a player."""
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, 1)
        now_us = world.clock.wall_us()
        for room_id in room_ids:
            state = replace(WELL, room_id=room_id, seen_at_us=now_us, is_allowed=is_allowed)
            keep_heartbeats(connection, [state])


def start_unheard(world: World) -> None:
    """The start was given eight seconds ago, and no room has said that it sounded."""
    announce(world, "C5", START_US)
    world.clock.sleep_us(START_US + 8 * SECOND_US - CLOCK_US)


def by_hand(client: PageClient, world: World, cue: str = "C5", **body: int) -> tuple[int, str]:
    address = f"/api/sessions/{world.session_id}/rooms/R01/by-hand/{cue}"
    answer = client.post(address, json=body)
    return answer.status_code, (answer.json or {}).get("error", "")


def test_where_all_is_well_nobody_has_to_go_anywhere(site_lead: PageClient, world: World) -> None:
    set_up(world, world.room_1, world.room_2)
    page = site_lead.get("/rounds").text
    assert "没有需要前往的考场" in page


def test_a_room_whose_start_nobody_heard_stands_first_with_what_to_do(
    site_lead: PageClient, world: World
) -> None:
    set_up(world, world.room_1, world.room_2)
    start_unheard(world)
    page = site_lead.get(LIVE).text
    assert page.count("开考信号：没有发出，或考室没有报告已播放") == 2
    assert "摇手铃并当面宣布" in page
    assert f"/api/sessions/{world.session_id}/rooms/R01/by-hand/C5" in page


def test_a_muted_player_is_red_before_its_next_signal(site_lead: PageClient, world: World) -> None:
    set_up(world, world.room_1, is_allowed=False)
    page = site_lead.get(LIVE).text
    assert "没有能响铃的设备：声音未启用，请在该设备上点一下屏幕" in page
    assert "没有播放设备，信号不会响" in page
    overview = site_lead.get("/overview/live").text
    assert "没有能响铃的设备" in overview.partition('data-live="sessions"')[0]


def test_one_press_records_the_hand_bell_as_t0(proctor: PageClient, world: World) -> None:
    set_up(world, world.room_1, world.room_2)
    start_unheard(world)
    page = f"/proctor/{world.session_id}/{world.room_1}/live"
    assert "刚刚已用手铃发出：开考信号" in proctor.get(page).text
    assert by_hand(proctor, world, ago_us=2 * SECOND_US) == (200, "")
    with world.exam.read() as connection:
        row = connection.execute("select * from announcement where source = 'by_hand'").fetchone()
    assert (row["room_id"], row["emitted_at_us"]) == (world.room_1, START_US + 6 * SECOND_US)
    assert row["account_id"] == world.proctor_account_id
    assert "已用手铃发出：开考信号" not in proctor.get(page).text


def test_a_record_that_makes_no_sense_is_refused_in_words(
    proctor: PageClient, site_lead: PageClient, world: World
) -> None:
    assert by_hand(proctor, world) == (409, "before_plan")
    assert by_hand(proctor, world, "C4") == (409, "no_signal")
    assert by_hand(site_lead, world, "C8") == (409, "not_started")
    assert by_hand(proctor, world, ago_us=-1)[0] == 400
    assert by_hand(proctor, world, ago_us=11 * MINUTE_US)[0] == 400


def test_a_room_that_does_not_sit_the_session_is_not_found(site_lead: PageClient) -> None:
    assert site_lead.post("/api/sessions/99/rooms/R01/by-hand/C5", json={}).status_code == 404


@pytest.mark.parametrize("path", ["/rounds", LIVE])
def test_the_list_is_for_the_lead_and_patrols(as_role: Callable[[Role], PageClient], path: str) -> None:
    assert as_role(Role.INSPECTOR).get(path).status_code == 200
    assert as_role(Role.PROCTOR).get(path).status_code == 403


def test_a_patrol_records_nothing(as_role: Callable[[Role], PageClient], world: World) -> None:
    assert by_hand(as_role(Role.INSPECTOR), world)[0] == 403


def test_a_proctor_of_another_room_records_nothing(proctor: PageClient, world: World) -> None:
    address = f"/api/sessions/{world.session_id}/rooms/R02/by-hand/C5"
    assert proctor.post(address, json={}).status_code == 403
