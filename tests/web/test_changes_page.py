import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from evidence.given_time import load_grants
from evidence.plan_changes import PlanKind, arm_session, plan_changes
from evidence.players import keep_heartbeats
from exam.changes import ChangeRefusal
from exam.clock import MINUTE_US, SECOND_US
from exam.effects import EffectKind, EffectRefusal
from exam.lost_time import LossKind
from exam.players import AWAY_US
from tests.exam.test_players import WELL
from tests.web.console import PageClient
from tests.web.test_recording import login_name
from tests.world import CLOCK_US, PASSWORD, START_US, World, announce
from web import change_words
from web.access import Role

REASON = {"reason": "试卷晚到"}


def ask(client: PageClient, world: World, kind: str, **fields: object) -> tuple[int, str]:
    """What the page tells of a change before it is made."""
    answer = client.get(
        "/changes/effects", query_string={"session": world.session_id, "kind": kind, **fields}
    )
    return answer.status_code, unescape(answer.text)


def make(client: PageClient, world: World, kind: str, **fields: Any) -> tuple[int, str]:
    answer = client.post("/changes", data={"session": world.session_id, "kind": kind, **REASON, **fields})
    return answer.status_code, unescape(answer.text)


def made(world: World) -> list[tuple[PlanKind, int | None]]:
    with world.exam.read() as connection:
        return [(one.kind, one.to_us) for one in plan_changes(connection, world.session_id)]


def given(world: World) -> list[tuple[int, int, bool]]:
    with world.exam.read() as connection:
        found = load_grants(connection, world.session_id)
    return [(one.room_id, one.granted_us, one.is_withdrawn) for one in found]


def arm(world: World) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, 1)


def start(world: World) -> None:
    announce(world, "C5", START_US)
    world.clock.sleep_us(START_US + 5 * MINUTE_US - CLOCK_US)


def wrong_stop(world: World) -> None:
    """第1考场 was stopped by mistake and went on a minute later."""
    start(world)
    announce(world, "C8", START_US + 4 * MINUTE_US, world.room_1)
    announce(world, "X1", START_US + 5 * MINUTE_US, world.room_1)
    world.clock.sleep_us(MINUTE_US)


def test_every_effect_is_shown_before_anything_is_made(site_lead: PageClient, world: World) -> None:
    code, page = ask(site_lead, world, "start", to="09:30")
    assert code == 200
    assert "开考时间由 09:00 改为 09:30" in page
    assert re.search(r"第1考场.*?开考信号.*?09:00:00.*?09:30:00.*?改时间", page, re.S)
    assert "确认变更" in page
    assert made(world) == []


def test_the_lead_makes_the_change_with_a_reason(site_lead: PageClient, world: World) -> None:
    assert make(site_lead, world, "start", to="09:30", reason=" ")[0] == 400
    assert made(world) == []
    assert make(site_lead, world, "start", to="09：30")[0] == 302
    assert made(world) == [(PlanKind.START, START_US + 30 * MINUTE_US)]
    page = site_lead.get("/changes").text
    assert "试卷晚到" in page
    assert "09:30" in page


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("start", {"to": "九点"}, "09:30 的格式"),
        ("start", {}, "09:30 的格式"),
        ("duration", {"minutes": "半"}, "分钟数"),
        ("duration", {"minutes": "60"}, "没有变化"),
        ("grant", {"minutes": "5", "room": "99"}, "请选择本场次的考场"),
        ("loss", {"minutes": "5", "loss": "1-X1-1"}, "已经有了决定"),
        ("withdraw", {"grant": "7"}, "已经撤回"),
        ("dance", {}, "没有这种变更"),
    ],
)
def test_a_slip_is_said_in_words_and_changes_nothing(
    site_lead: PageClient, world: World, kind: str, fields: dict[str, str], words: str
) -> None:
    assert words in ask(site_lead, world, kind, **fields)[1]
    code, page = make(site_lead, world, kind, **fields)
    assert code in {400, 409}
    assert words in page
    assert made(world) == given(world) == []


def test_what_would_sound_at_once_cannot_be_confirmed(site_lead: PageClient, world: World) -> None:
    arm(world)
    world.clock.sleep_us(START_US - SECOND_US - CLOCK_US)
    page = ask(site_lead, world, "start", to="09:30")[1]
    assert "请在响过之后再改" in page
    assert "确认变更" not in page
    assert make(site_lead, world, "start", to="09:30")[0] == 409
    assert made(world) == []


def test_a_room_out_of_reach_needs_somebody_there(site_lead: PageClient, world: World) -> None:
    arm(world)
    world.clock.sleep_us(2 * MINUTE_US)
    with world.exam.write() as connection:
        seen_us = world.clock.wall_us() - AWAY_US - 1
        keep_heartbeats(connection, [replace(WELL, room_id=world.room_1, seen_at_us=seen_us)])
    page = ask(site_lead, world, "start", to="09:30")[1]
    assert "会按原时间自行响铃" in page
    assert "已派人到第1考场告知" in page
    assert make(site_lead, world, "start", to="09:30")[0] == 409
    assert make(site_lead, world, "start", to="09:30", told=[world.room_1])[0] == 302
    assert made(world) == [(PlanKind.START, START_US + 30 * MINUTE_US)]


def test_a_theory_room_is_extended_by_two_people(site_lead: PageClient, world: World) -> None:
    start(world)
    fields = {"minutes": "10", "room": world.room_1}
    assert "第1考场补时10分钟" in ask(site_lead, world, "grant", **fields)[1]
    second = {"second_name": login_name(world, world.proctor_account_id)}
    code, page = make(site_lead, world, "grant", **fields, **second, second_password="wrong")
    assert (code, given(world)) == (400, [])
    assert "延长整个考场的时间须由第二人" in page
    assert make(site_lead, world, "grant", **fields, **second, second_password=PASSWORD)[0] == 302
    assert given(world) == [(world.room_1, 10 * MINUTE_US, False)]
    with world.exam.read() as connection:
        row = connection.execute("select agreed_by from time_grant").fetchone()
    assert row["agreed_by"] == world.proctor_account_id


def test_what_was_given_by_mistake_is_withdrawn(site_lead: PageClient, world: World) -> None:
    start(world)
    second = {"second_name": login_name(world, world.proctor_account_id), "second_password": PASSWORD}
    make(site_lead, world, "grant", minutes="10", room=world.room_1, **second)
    assert "撤回…" in site_lead.get("/changes").text
    assert "撤回补时" in ask(site_lead, world, "withdraw", grant=1)[1]
    assert make(site_lead, world, "withdraw", grant=1)[0] == 302
    assert given(world) == [(world.room_1, 10 * MINUTE_US, True)]


@pytest.mark.parametrize(("minutes", "words"), [("1", "第1考场补时1分钟"), ("0", "第1考场不补时")])
def test_time_that_a_wrong_bell_took_is_given_back_or_not(
    site_lead: PageClient, world: World, minutes: str, words: str
) -> None:
    wrong_stop(world)
    page = site_lead.get("/changes").text
    assert "第1考场：误响终止铃" in page
    assert "建议补时1分钟" in page
    loss = f"{world.room_1}-X1-1"
    assert words in ask(site_lead, world, "loss", loss=loss, minutes=minutes)[1]
    assert make(site_lead, world, "loss", loss=loss, minutes=minutes)[0] == 302
    assert given(world) == [(world.room_1, int(minutes) * MINUTE_US, False)]
    page = site_lead.get("/changes").text
    assert "误响终止铃" not in page


def test_working_time_is_changed_and_a_session_cancelled(site_lead: PageClient, world: World) -> None:
    assert "由60分钟改为90分钟" in ask(site_lead, world, "duration", minutes="90")[1]
    assert make(site_lead, world, "duration", minutes="90")[0] == 302
    assert "取消场次" in ask(site_lead, world, "cancel")[1]
    assert make(site_lead, world, "cancel")[0] == 302
    assert [kind for kind, _ in made(world)] == [PlanKind.DURATION, PlanKind.CANCELLED]
    assert "今天没有可以变更的场次" in site_lead.get("/changes").text


def test_a_session_that_is_over_offers_nothing(site_lead: PageClient, world: World) -> None:
    start(world)
    announce(world, "C8", START_US + 5 * MINUTE_US)
    page = site_lead.get("/changes").text
    assert page.count("已结束") == 2
    assert "补时…" not in page
    assert "取消场次…" not in page


def test_a_session_that_nobody_knows_is_not_found(site_lead: PageClient) -> None:
    assert site_lead.get("/changes/effects?session=99&kind=cancel").status_code == 404


@pytest.mark.parametrize("role", [Role.EXAMS_OFFICER, Role.PROCTOR, Role.INSPECTOR])
def test_only_the_lead_changes_times(as_role: Callable[[Role], PageClient], world: World, role: Role) -> None:
    client = as_role(role)
    assert client.get("/changes").status_code == 403
    assert ask(client, world, "cancel")[0] == 403
    assert make(client, world, "cancel")[0] == 403


def test_everything_has_words() -> None:
    assert set(change_words.EFFECT_WORDS) == set(EffectKind)
    assert set(change_words.REFUSED_EFFECT_WORDS) == set(EffectRefusal)
    assert set(change_words.CHANGE_REFUSAL_WORDS) == set(ChangeRefusal)
    assert set(change_words.LOSS_WORDS) == set(LossKind)
    assert set(change_words.PLAN_WORDS) == set(PlanKind)
