"""The exam wall clock: actual time and announced times for everybody, nothing else, and never a countdown."""

from typing import Any

from evidence.plan_changes import arm_session
from exam.clock import MINUTE_US
from tests.web.console import HTML, PageClient
from tests.world import DURATION_US, START_US, World


def facts(client: PageClient, room: str = "R01") -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"/api/display/{room}").get_json()
    return told


def test_a_display_needs_no_login_and_shows_what_hangs_on_the_door(
    anonymous: PageClient, world: World
) -> None:
    assert "第1考场" in anonymous.get("/display/R01", headers=HTML).text
    told = facts(anonymous)
    assert told["server_now_us"] == world.clock.wall_us()
    assert told["session"] == {
        "subject": "理论知识",
        "starts_at_us": START_US,
        "has_started": False,
        "ends_at_us": START_US + DURATION_US,
        "is_over": False,
    }
    assert told.keys() == {"server_now_us", "room", "session"}


def test_after_the_start_signal_start_and_end_are_the_emitted_ones(
    anonymous: PageClient, site_lead: PageClient, world: World
) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'review', kind = 'review'")
        arm_session(connection, world.session_id, world.site_lead_account_id, world.clock.wall_us())
    world.clock.sleep_us(START_US + MINUTE_US - world.clock.wall_us())
    given = site_lead.post(f"/api/sessions/{world.session_id}/press/C5").get_json()
    start_us = given["rooms"]["R01"]["emitted_at_us"]
    told = facts(anonymous)["session"]
    assert (told["has_started"], told["starts_at_us"]) == (True, start_us)
    assert told["ends_at_us"] == start_us + DURATION_US
    world.clock.sleep_us(10 * MINUTE_US)
    stop = site_lead.post(f"/api/sessions/{world.session_id}/press/C8").get_json()
    told = facts(anonymous)["session"]
    assert (told["is_over"], told["ends_at_us"]) == (True, stop["rooms"]["R01"]["emitted_at_us"])


def test_a_day_without_a_session_shows_the_time_alone(anonymous: PageClient, world: World) -> None:
    world.clock.sleep_us(48 * 60 * MINUTE_US)
    assert facts(anonymous)["session"] is None


def test_rooms_without_sessions_are_nobodys_business(anonymous: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("delete from session_room where room_id = ?", (world.room_2,))
    assert anonymous.get("/display/R02").status_code == 404
    assert anonymous.get("/api/display/R99").status_code == 404


def test_staff_find_the_way_back_to_the_room_page(proctor: PageClient, anonymous: PageClient) -> None:
    assert "考场播报页" in proctor.get("/rooms/R01/clock", headers=HTML).text
    assert "考场播报页" not in anonymous.get("/display/R01", headers=HTML).text
    assert anonymous.get("/rooms/R01/clock").status_code == 401


def test_nothing_on_the_page_counts_down(anonymous: PageClient) -> None:
    page = anonymous.get("/display/R01", headers=HTML).text
    assert "countdown" not in page
    assert "剩余" not in page
    with anonymous.get("/static/clock/page.js") as script:
        assert "countdown" not in script.text.lower()
