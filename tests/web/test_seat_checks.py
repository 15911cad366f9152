"""再次查验证件: after the start, for who is in, by who works in the room."""

from collections.abc import Callable

from tests.evidence.check_ins import Desk
from tests.web.console import HTML, PageClient
from tests.world import START_US, World, announce
from web.access import Role
from web.check_in_desk import _start_of


def address(world: World, room_id: int) -> str:
    return f"/check-in/documents/{world.session_id}/{room_id}"


def test_documents_are_looked_at_again_after_the_start_of_who_is_in(
    proctor: PageClient, as_role: Callable[[Role], PageClient], world: World, desk: Desk
) -> None:
    here, him = address(world, world.room_1), {"candidate_id": world.on_time.id}
    desk.ask(world.on_time)
    assert "本考场还没有开考" in proctor.get(here, headers=HTML).text
    early = proctor.post(here, json=him)
    assert (early.status_code, early.json["error"]) == (409, "not_started")
    announce(world, "C5", START_US, world.room_1)
    assert proctor.post(here, json=him).json == {"is_new": True}
    assert proctor.post(here, json=him).json == {"is_new": False}
    page = proctor.get(f"{here}/live").text
    assert "已查验 1/1" in page
    assert "陈一诺" in page
    assert "赵迟" not in page
    outside = proctor.post(here, json={"candidate_id": world.late.id})
    assert (outside.status_code, outside.json["error"]) == (409, "not_in")
    assert proctor.post(here, json={"candidate_id": world.other_room.id}).status_code == 404
    assert proctor.post(here, json={**him, "is_taken_back": True}).json == {"is_new": True}
    assert "已查验 0/1" in proctor.get(here, headers=HTML).text
    assert 'href="/check-in/documents/' in proctor.get(f"/proctor/{world.session_id}/{world.room_1}").text
    assert "data-post" not in as_role(Role.INSPECTOR).get(here, headers=HTML).text
    assert desk.findings() == []


def test_nobody_looks_at_documents_elsewhere(
    proctor: PageClient, as_role: Callable[[Role], PageClient], world: World
) -> None:
    there = address(world, world.room_2)
    assert proctor.get(there).status_code == 403
    assert proctor.post(there, json={"candidate_id": world.other_room.id}).status_code == 403
    assert as_role(Role.INSPECTOR).post(there, json={"candidate_id": 1}).status_code == 403


def test_an_emergency_room_outside_the_plan_starts_with_its_session() -> None:
    assert _start_of({1: None, 2: 7, 3: 5}, 9) == 5
    assert _start_of({1: None}, 9) is None
    assert _start_of({1: None, 2: 7}, 1) is None
