"""Floor plans at a kiosk: fetched beforehand, believed by digest, shown to whoever is sent elsewhere."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from config.kiosk_screen import load_kiosk_words
from exam.clock import SystemClock
from exam.kiosk_health import Part, PartState
from kiosk.acceptance import Acceptance
from kiosk.agent import Agent
from kiosk.visit import TicketRead
from tests.axe import findings
from tests.floor_plans import drawn, put_up
from tests.kiosk.page_stage import SIZES, Stage, overflows, staged, unreadable
from tests.kiosk.real_console import at_console
from tests.kiosk.rostered_kiosk import Rostered, rostered
from tests.kiosk.stage import FORM, ID_NUMBER, TICKET, answer
from tests.world import World

PARTS = {Part.CAMERA: PartState.OK}
WRONG_ROOM = replace(
    answer("WRONG_ROOM", "R", "请到第2考场", "您的位置在第2考场（二楼西侧），1号座位。"),
    room_label="第2考场",
    title_en="Please go to 第2考场",
    line_en="Your place is in 第2考场 (二楼西侧), seat 1.",
    masked_name="周*远",
    id_tail="004X",
)


@pytest.fixture
def kiosk(world: World, tmp_path: Path) -> Iterator[Rostered]:
    """Its console has a floor plan of each of the two rooms."""
    put_up(world, tmp_path, world.room_1, drawn(), (200, 300))
    put_up(world, tmp_path, world.room_2, drawn(shade=200), (700, 600))
    made = rostered(world, tmp_path / "kiosk")
    yield made
    made.local.close()


def turns(kiosk: Rostered, times: int = 1) -> None:
    for _ in range(times):
        kiosk.local.contact.turn(PARTS)


def has(kiosk: Rostered, label: str = "第2考场") -> bool:
    return kiosk.local.contact.packages.map_of(label) is not None


def test_one_comes_in_a_turn_and_outlives_a_restart(kiosk: Rostered) -> None:
    turns(kiosk)
    assert kiosk.console.fetched.count("map") == 1
    turns(kiosk, 3)
    assert kiosk.console.fetched.count("map") == 2
    kiosk.console.is_away = True
    kiosk.restart()
    held = kiosk.local.contact.packages.map_of("第2考场")
    assert held is not None
    assert (held.media_type, held.place.at_x, held.place.at_y) == ("image/png", 700, 600)
    assert not has(kiosk, "第9考场")


@pytest.mark.parametrize("content", [b"", b"<svg/>", drawn(300, 200)])
def test_a_picture_of_another_digest_is_not_believed(kiosk: Rostered, content: bytes) -> None:
    kiosk.console.maps = dict.fromkeys(kiosk.console.maps, content)
    turns(kiosk, 3)
    assert not has(kiosk)


def test_one_that_cannot_be_had_does_not_stand_before_the_others(kiosk: Rostered) -> None:
    kiosk.console.maps.pop(min(kiosk.console.maps))
    turns(kiosk, 4)
    assert [has(kiosk, "第1考场"), has(kiosk)].count(True) == 1
    assert not kiosk.local.contact.is_alone


def test_what_no_room_names_any_more_is_forgotten(kiosk: Rostered, world: World) -> None:
    turns(kiosk, 2)
    with world.exam.write() as connection:
        connection.execute("delete from room_map where room_id = ?", (world.room_2,))
    kiosk.publish(revision=2)
    turns(kiosk, 2)
    assert (has(kiosk), has(kiosk, "第1考场")) == (False, True)
    assert len(kiosk.local.store.maps()) == 1


def test_a_revoked_kiosk_forgets_them(kiosk: Rostered) -> None:
    turns(kiosk, 2)
    kiosk.console.has_revoked = True
    turns(kiosk)
    assert kiosk.local.store.maps() == {}
    assert kiosk.local.contact.packages.maps.picture("0" * 64) is None


def test_a_real_console_sends_them_small(world: World, tmp_path: Path) -> None:
    put_up(world, tmp_path, world.room_2, drawn(2800, 1400), (700, 600))
    with at_console(world, tmp_path / "kiosk") as (local, _):
        held = local.contact.packages.map_of("第2考场")
        assert held is not None
        assert len(held.content) < len(drawn(2800, 1400))
        assert (held.place.width, held.place.height) == (2800, 1400)
        local.close()


@pytest.fixture(params=SIZES)
def stage(chromium: Browser, request: pytest.FixtureRequest, kiosk: Rostered) -> Iterator[Stage]:
    turns(kiosk, 2)
    local = kiosk.local
    agent = Agent(local.contact, local.asker, Acceptance((FORM,)), load_kiosk_words(), SystemClock())
    agent.start()
    yield from staged(chromium, SIZES[request.param], kiosk.console, agent)
    agent.stop()


@pytest.mark.browser
def test_whoever_is_sent_elsewhere_sees_the_way_and_the_console_is_not_asked(stage: Stage) -> None:
    page, fetched = stage.page, stage.console.fetched.count("map")
    stage.console.answer = WRONG_ROOM
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)
    expect(page.locator("h1")).to_have_text("请到第2考场")
    plan = page.get_by_role("img", name="平面图：第2考场的位置")
    expect(plan).to_be_visible()
    assert page.evaluate("document.querySelector('[data-map-picture]').getBoundingClientRect().width") > 400
    assert overflows(page) == []
    assert unreadable(page) == []
    assert findings(page) == []
    assert stage.console.fetched.count("map") == fetched
    assert page.evaluate("async () => (await fetch('/local/maps/0')).status") == 404
    stage.console.answer = replace(WRONG_ROOM, room_label="第9考场")
    stage.agent.happened(TicketRead(TICKET))
    stage.agent.number_given(ID_NUMBER)
    expect(plan).to_be_hidden()
