"""What stood against arming is kept with it; what nobody was shown is shown before anything is armed."""

from html import unescape

import pytest
from flask import Flask

from evidence.plan_changes import ArmingAct, arm_session, arming_acts
from exam.arming_warnings import Against, SeenWarnings
from exam.clock import SECOND_US
from exam.players import AWAY_US
from tests.web.console import PageClient, account_with, client_for
from tests.web.crowd import give_players
from tests.web.test_arming import REASON, arm, look, make_ready, send
from tests.world import CLOCK_US, World
from web.access import Role


@pytest.fixture
def ready(sounding: Flask, site_lead: PageClient, world: World) -> World:
    """A site that nothing stands against."""
    del sounding
    make_ready(site_lead, world)
    return world


def acts(world: World) -> list[ArmingAct]:
    with world.exam.read() as connection:
        return arming_acts(connection, world.session_id)


def kept(world: World) -> SeenWarnings:
    warnings = acts(world)[-1].warnings
    assert warnings is not None
    return warnings


def fall_silent(world: World) -> None:
    """No player of the site is heard of any more."""
    world.clock.sleep_us(AWAY_US + SECOND_US)


def records(page: str) -> str:
    return page.partition("启用记录</h2>")[2]


def test_whoever_arms_over_warnings_has_them_on_record_and_on_the_page(
    site_lead: PageClient, world: World
) -> None:
    page, _ = look(site_lead, world)
    assert "会和启用一起记入台账" in page
    assert arm(site_lead, world)[0] == 303
    shown = {one.against: one for one in kept(world).shown}
    assert shown[Against.SILENT_ROOM].subjects == ("第1考场", "第2考场")
    assert shown[Against.SILENT_ROOM].is_grave
    assert {Against.NO_SOUND, Against.CLOCK_UNCHECKED, Against.UNHEARD_ROOM} < set(shown)
    assert kept(world).stood == kept(world).shown
    told = records(look(site_lead, world)[0])
    for words in (
        "启用</strong> 李强",
        "当时看到的提醒",
        "现在没有能响铃的设备：第1考场、第2考场",
        "今天还没有核对时钟",
    ):
        assert words in told
    assert "其中按下时还有的" not in told


def test_where_nothing_stood_against_it_that_is_on_record(site_lead: PageClient, ready: World) -> None:
    assert arm(site_lead, ready)[0] == 303
    assert kept(ready) == SeenWarnings()
    assert "当时没有提醒" in records(look(site_lead, ready)[0])


def test_a_room_that_fell_silent_meanwhile_is_shown_first_and_then_kept(
    site_lead: PageClient, ready: World
) -> None:
    _, seen = look(site_lead, ready)
    fall_silent(ready)
    code, page = send(site_lead, ready, **seen)
    assert code == 409
    assert "您核对之后又有新的提醒，自动信号没有启用" in page
    assert page.count("<strong>新</strong>") == 1
    assert acts(ready) == []
    assert arm(site_lead, ready)[0] == 303
    assert [one.against for one in kept(ready).stood] == [Against.SILENT_ROOM]


def test_a_room_that_flickers_is_shown_once_in_an_attempt(site_lead: PageClient, ready: World) -> None:
    _, seen = look(site_lead, ready)
    fall_silent(ready)
    page = send(site_lead, ready, **seen)[1]
    again = seen | {"seen": page.partition('name="seen" value="')[2].partition('">')[0]}
    give_players(ready)
    code, page = send(site_lead, ready, **again | {"plan": "[]"})
    assert code == 409, (
        "another thing has changed, and the room is back: it was shown in this attempt all the same"
    )
    again["seen"] = page.partition('name="seen" value="')[2].partition('">')[0]
    fall_silent(ready)
    assert send(site_lead, ready, **again)[0] == 303
    assert kept(ready).stood == kept(ready).shown


def test_what_was_put_right_meanwhile_arms_and_is_kept_as_gone(site_lead: PageClient, ready: World) -> None:
    fall_silent(ready)
    _, seen = look(site_lead, ready)
    give_players(ready)
    assert send(site_lead, ready, **seen)[0] == 303
    assert [one.against for one in kept(ready).shown] == [Against.SILENT_ROOM]
    assert kept(ready).stood == ()
    assert "按下时都已没有" in records(look(site_lead, ready)[0])


@pytest.mark.parametrize("touched", ["nothing", "words", "seal", "junk"])
def test_a_form_that_does_not_prove_what_was_shown_arms_nothing(
    site_lead: PageClient, world: World, touched: str
) -> None:
    _, seen = look(site_lead, world)
    seen["seen"] = {
        "nothing": "",
        "words": seen["seen"].replace("现在没有", "现在都有"),
        "seal": "0" * 64 + seen["seen"][64:],
        "junk": "汉" * 70,
    }[touched]
    assert send(site_lead, world, **seen)[0] == 409
    assert acts(world) == []
    assert arm(site_lead, world)[0] == 303


def test_what_was_shown_of_another_session_counts_for_that_alone(site_lead: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into session (id, batch_id, code, kind, subject, procedure_code, planned_start_us,"
            " duration_us) select 99, batch_id, 'T9', kind, subject, procedure_code, planned_start_us,"
            " duration_us from session"
        )
        connection.execute("insert into session_room select 99, room_id from session_room")
    other = unescape(site_lead.get("/sessions/99/arm").text)
    _, seen = look(site_lead, world)
    seen["seen"] = other.partition('name="seen" value="')[2].partition('">')[0]
    assert send(site_lead, world, **seen)[0] == 409
    assert acts(world) == []


def test_what_another_person_was_shown_counts_for_nobody_else(
    app: Flask, site_lead: PageClient, world: World
) -> None:
    _, seen = look(site_lead, world)
    other = client_for(app, world, account_with(world, Role.SITE_LEAD))
    assert send(other, world, **seen)[0] == 409
    assert send(site_lead, world, **seen)[0] == 303


def test_an_arming_from_before_they_were_kept_says_so_and_disarming_shows_its_reason(
    site_lead: PageClient, world: World
) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US)
    page, seen = look(site_lead, world)
    assert "当时看到的提醒没有保存" in records(page)
    assert send(site_lead, world, "disarm", **seen, **REASON)[0] == 303
    told = records(look(site_lead, world)[0])
    assert "停用</strong> 李强" in told
    assert "原因：推迟开考" in told
