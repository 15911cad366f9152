"""Arming in two steps: what is shown is what is armed, once, by whom it takes; and disarming."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask

from config.settings import SignalSettings
from evidence.ledger import LeafKind, read_leaves
from evidence.own_recordings import NewRecording, RecordingAct, decide, keep_recording
from evidence.plan_changes import arm_session, arming_acts
from evidence.players import Heard, SoundCheck, keep_check, keep_heartbeats
from exam.clock import MINUTE_US, SECOND_US
from exam.players import AWAY_US
from tests.clocks_found import all_right
from tests.exam.test_players import WELL
from tests.web.console import PageClient, account_with, client_for
from tests.web.crowd import add_rooms, give_players
from tests.web.test_clock_check_page import confirm as confirm_clocks
from tests.world import CLOCK_US, PASSWORD, START_US, World, announce
from web.access import Role
from web.own_sounds import lay_recordings
from web.services import Services, attach

REASON = {"reason": "推迟开考"}
SECOND = {"second_name": "wangfang", "second_password": PASSWORD}


def address(world: World, act: str = "arm") -> str:
    return f"/sessions/{world.session_id}/{act}"


def look(client: PageClient, world: World) -> tuple[str, dict[str, str]]:
    """The page, and what its form carries."""
    text = unescape(client.get(address(world)).text)
    fields = dict(re.findall(r'name="(plan|last_act|seen)" value="(.*?)">', text))
    return text, fields


def send(client: PageClient, world: World, act: str = "arm", **fields: str) -> tuple[int, str]:
    answer = client.post(address(world, act), data=fields)
    return answer.status_code, unescape(answer.text)


def arm(client: PageClient, world: World, **more: str) -> tuple[int, str]:
    return send(client, world, **look(client, world)[1], **more)


def acts(world: World) -> list[tuple[str, str, str]]:
    with world.exam.read() as connection:
        return [(str(one.kind), one.by, one.reason) for one in arming_acts(connection, world.session_id)]


def leaves(world: World) -> int:
    with world.exam.read() as connection:
        return sum(leaf.kind == LeafKind.SESSION_ARMING for leaf, _ in read_leaves(connection))


def change(world: World, words: str) -> None:
    with world.exam.write() as connection:
        connection.execute(f"update session set {words}")


def armed(world: World) -> None:
    with world.exam.write() as connection:
        arm_session(connection, world.session_id, world.site_lead_account_id, CLOCK_US - 60 * MINUTE_US)


def make_ready(client: PageClient, world: World) -> None:
    """Nothing stands against arming, where sounds are prepared."""
    give_players(world)
    all_right(world)
    confirm_clocks(client)
    with world.exam.write() as connection:
        for room_id in (world.room_1, world.room_2):
            keep_check(connection, SoundCheck(room_id, world.proctor_account_id, Heard.HEARD, CLOCK_US))


@pytest.fixture
def by_two(app: Flask, services: Services, site_lead: PageClient) -> PageClient:
    """李强 at a site that wants two people."""
    settings = services.settings.model_copy(update={"signals": SignalSettings(two_persons_arm=True)})
    attach(app, replace(services, settings=settings))
    return site_lead


@pytest.mark.parametrize("role", list(Role))
def test_only_the_site_lead_arms_and_disarms(
    as_role: Callable[[Role], PageClient], world: World, role: Role
) -> None:
    client, is_lead = as_role(role), role is Role.SITE_LEAD
    assert client.get(address(world)).status_code == (200 if is_lead else 403)
    assert send(client, world)[0] == (409 if is_lead else 403)
    assert send(client, world, "disarm")[0] == (400 if is_lead else 403)
    assert acts(world) == []


def test_every_signal_is_shown_with_its_moment_rooms_and_giver(site_lead: PageClient, world: World) -> None:
    page, _ = look(site_lead, world)
    for words in ("09:00:00", "开考信号", "第1考场、第2考场", "自动", "预计", "60分钟"):
        assert words in page
    assert page.count("不会自动响铃") == 3, "two steps of the morning have passed, and that is explained"
    add_rooms(world, 8)
    assert "全部10个考场" in look(site_lead, world)[0]


def test_looking_arms_nothing_and_confirming_arms_once(site_lead: PageClient, world: World) -> None:
    _, seen = look(site_lead, world)
    assert acts(world) == []
    assert send(site_lead, world, **seen)[0] == 303
    assert send(site_lead, world, **seen)[0] == 303, "pressed twice, or loaded again"
    assert (acts(world), leaves(world)) == ([("armed", "李强", "")], 1)
    page, _ = look(site_lead, world)
    assert re.search(r"已启用.*李强.*2026年11月22日 08:50:00", page, re.DOTALL)
    assert "自动信号已启用" in site_lead.get("/overview").text


def test_what_changed_after_arming_stands_beside_what_was_armed(site_lead: PageClient, world: World) -> None:
    assert arm(site_lead, world)[0] == 303
    assert "启用之后的变化" not in look(site_lead, world)[0]
    change(world, f"planned_start_us = {START_US + 30 * MINUTE_US}")
    changed = look(site_lead, world)[0].partition("启用之后的变化")[2].partition("</table>")[0]
    assert re.search(r"开考信号</th><td>第1考场、第2考场</td><td>09:00:00</td><td>09:30:00", changed)


def test_a_plan_that_changed_is_looked_at_again_with_what_changed(
    site_lead: PageClient, world: World
) -> None:
    _, seen = look(site_lead, world)
    change(world, f"planned_start_us = {START_US + 30 * MINUTE_US}")
    code, page = send(site_lead, world, **seen)
    assert code == 409
    assert acts(world) == []
    changed = page.partition("您核对之后的变化")[2].partition("</table>")[0]
    assert re.search(r"开考信号</th><td>第1考场、第2考场</td><td>09:00:00</td><td>.*09:30:00", changed)
    assert arm(site_lead, world)[0] == 303


@pytest.mark.parametrize(
    ("change_words", "told"),
    [
        ("duration_us = duration_us / 2", "预计09:30:00"),
        ("procedure_code = 'practical'", "已更换，请重新核对全部信号"),
        ("procedure_code = 'review'", "没有"),
    ],
    ids=["duration", "procedure", "cues"],
)
def test_whatever_changed_is_named(site_lead: PageClient, world: World, change_words: str, told: str) -> None:
    _, seen = look(site_lead, world)
    change(world, change_words)
    code, page = send(site_lead, world, **seen)
    assert code == 409
    assert told in page.partition("您核对之后的变化")[2].partition("</table>")[0]


def test_a_signal_whose_moment_passed_meanwhile_is_named(site_lead: PageClient, world: World) -> None:
    _, seen = look(site_lead, world)
    world.clock.sleep_us(10 * MINUTE_US)
    code, page = send(site_lead, world, **seen)
    assert code == 409
    assert "09:00:00，不会自动响铃" in page
    announce(world, "C5", START_US + MINUTE_US)
    assert "09:01:00，已发出" in send(site_lead, world, **seen)[1]


def test_a_recording_taken_back_meanwhile_is_another_sound(
    sounding: Flask, site_lead: PageClient, world: World
) -> None:
    _, seen = look(site_lead, world)
    sounding.extensions["kaochang.audio"].pop(("theory", "C5"))
    code, page = send(site_lead, world, **seen)
    assert code == 409
    assert "09:00:00，声音或考室不同" in page
    assert "没有声音：开考信号" in page


@pytest.mark.parametrize("fields", [{}, {"plan": "[]"}, {"plan": "x" * 9}], ids=["nothing", "empty", "junk"])
def test_a_form_that_shows_no_plan_arms_nothing(
    site_lead: PageClient, world: World, fields: dict[str, str]
) -> None:
    code, page = send(site_lead, world, **fields)
    assert code == 409
    assert "计划在您核对之后有变化" in page
    assert acts(world) == []


def test_a_cancelled_session_is_not_armed_and_an_unknown_one_is_a_404(
    site_lead: PageClient, world: World
) -> None:
    _, seen = look(site_lead, world)
    change(world, "cancelled_at_us = 1")
    assert "本场次已取消，自动信号没有启用" in send(site_lead, world, **seen)[1]
    page, fields = look(site_lead, world)
    assert "本场次已取消，不再发出信号" in page
    assert fields == {}
    assert site_lead.get("/sessions/99/arm").status_code == 404
    assert site_lead.post("/sessions/99/arm").status_code == 404


def test_a_console_killed_before_the_commit_has_armed_nothing_and_the_same_form_arms(
    site_lead: PageClient, world: World, by_two: PageClient
) -> None:
    _, seen = look(site_lead, world)
    with world.exam.write() as connection:
        connection.execute(
            "create temp trigger dies before insert on ledger_leaf when"
            " (select count(*) from session_arming) = 2 begin select raise(abort, 'killed'); end"
        )
    with pytest.raises(Exception, match="killed"):
        send(by_two, world, **seen, **SECOND)
    assert (acts(world), leaves(world)) == ([], 0)
    with world.exam.write() as connection:
        connection.execute("drop trigger dies")
        assert connection.execute("select armed_at_us from session").fetchone()[0] is None
    assert send(by_two, world, **seen, **SECOND)[0] == 303
    assert len(acts(world)) == 2


class TestTwoPeople:
    def test_the_second_confirms_with_an_own_password_and_both_stand_on_record(
        self, by_two: PageClient, world: World
    ) -> None:
        page, seen = look(by_two, world)
        assert "第二人密码" in page
        assert send(by_two, world, **seen, **SECOND)[0] == 303
        assert send(by_two, world, **seen, **SECOND)[0] == 303
        assert acts(world) == [("asked", "李强", ""), ("armed", "王芳", "")]
        assert leaves(world) == 2
        assert "李强、王芳" in look(by_two, world)[0]

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({}, "启用自动信号须由第二人输入本人的登录名和密码确认"),
            (SECOND | {"second_password": "falsch"}, "输入不正确，自动信号没有启用"),
            ({"second_name": "liqiang", "second_password": PASSWORD}, "自动信号没有启用"),
            ({"second_name": "guanli", "second_password": PASSWORD}, "第二人须是本人以外的"),
        ],
        ids=["nobody", "wrong password", "the same person", "the administrator"],
    )
    def test_nobody_else_will_do(
        self, by_two: PageClient, world: World, fields: dict[str, str], told: str
    ) -> None:
        code, page = arm(by_two, world, **fields)
        assert code == 400
        assert told in page
        assert PASSWORD not in page
        assert acts(world) == []

    def test_whoever_was_too_quick_finds_what_changed(self, by_two: PageClient, world: World) -> None:
        _, seen = look(by_two, world)
        change(world, f"planned_start_us = {START_US + MINUTE_US}")
        assert send(by_two, world, **seen, **SECOND)[0] == 409
        assert acts(world) == []


class TestDisarming:
    def test_it_takes_one_press_and_a_reason_and_arming_again_takes_a_new_look(
        self, site_lead: PageClient, world: World
    ) -> None:
        _, before = look(site_lead, world)
        send(site_lead, world, **before)
        _, seen = look(site_lead, world)
        assert send(site_lead, world, "disarm", **seen)[0] == 400
        assert send(site_lead, world, "disarm", **seen, **REASON)[0] == 303
        assert send(site_lead, world, "disarm", **seen, **REASON)[0] == 303, "pressed twice"
        assert acts(world) == [("armed", "李强", ""), ("disarmed", "李强", "推迟开考")]
        code, page = send(site_lead, world, **before)
        assert code == 409, "a form from before is about something else"
        assert "情况在您打开页面之后有变化" in page
        assert arm(site_lead, world)[0] == 303
        assert send(site_lead, world, "disarm", **seen, **REASON)[0] == 409
        assert [kind for kind, _, _ in acts(world)] == ["armed", "disarmed", "armed"]

    def test_not_while_rooms_may_be_ringing(self, site_lead: PageClient, world: World) -> None:
        armed(world)
        world.clock.sleep_us(10 * MINUTE_US - 5 * SECOND_US)
        code, page = send(site_lead, world, "disarm", **look(site_lead, world)[1], **REASON)
        assert code == 409
        assert "信号马上要响或正在响，自动信号没有停用" in page

    def test_a_room_that_would_ring_on_is_seen_to_first(self, site_lead: PageClient, world: World) -> None:
        armed(world)
        world.clock.sleep_us(MINUTE_US)
        with world.exam.write() as connection:
            away_us = world.clock.wall_us() - AWAY_US - 1
            keep_heartbeats(connection, [replace(WELL, room_id=world.room_1, seen_at_us=away_us)])
        page, seen = look(site_lead, world)
        assert "已派人到第1考场" in page
        code, page = send(site_lead, world, "disarm", **seen, **REASON)
        assert code == 409
        assert "会按原计划自行响铃，自动信号没有停用" in page
        sent = {**seen, **REASON, "told": str(world.room_1)}
        assert send(site_lead, world, "disarm", **sent)[0] == 303
        assert acts(world)[-1] == ("disarmed", "李强", "推迟开考（已派人告知：第1考场）")


class TestWarnings:
    def test_everything_that_is_not_ready_is_named_with_what_to_do(
        self, site_lead: PageClient, world: World
    ) -> None:
        page, _ = look(site_lead, world)
        for words in (
            "现在没有能响铃的设备：第1考场、第2考场",
            "没有声音：",
            "今天还没有核对时钟",
            "没有人确认听到试音：第1考场、第2考场",
        ):
            assert words in page

    @pytest.mark.usefixtures("sounding")
    def test_a_site_that_is_ready_is_told_of_nothing(self, site_lead: PageClient, world: World) -> None:
        make_ready(site_lead, world)
        assert "启用之前请看" not in look(site_lead, world)[0]

    def test_a_clock_that_is_wrong_and_a_day_that_is_not_the_exams_are_told(
        self, site_lead: PageClient, world: World
    ) -> None:
        site_lead.post("/clock-check/readings", data={"reference": "手机", "shown_time": "08:49:58"})
        assert "考点时间不准：比手机快2.00秒" in look(site_lead, world)[0]
        change(world, f"planned_start_us = {START_US + 24 * 60 * MINUTE_US}")
        assert "考试当天还要核对时钟" in look(site_lead, world)[0]

    def test_a_recording_that_became_unusable_is_told(
        self, sounding: Flask, services: Services, site_lead: PageClient, world: World
    ) -> None:
        start = services.procedures["theory"].cue("C5")
        assert start is not None
        with world.exam.write() as connection:
            new = NewRecording(start.text, b"no sound" * 9, SECOND_US, "a" * 64, world.site_lead_account_id)
            kept = keep_recording(connection, new, CLOCK_US)
            decide(connection, kept, RecordingAct.CONFIRMED, world.site_lead_account_id, CLOCK_US)
        lay_recordings(sounding, services, dict(sounding.extensions["kaochang.rendered_audio"]))
        assert "自备录音不能再用，将播放合成语音：开考信号" in look(site_lead, world)[0]


def test_another_lead_finds_it_armed(app: Flask, site_lead: PageClient, world: World) -> None:
    _, seen = look(site_lead, world)
    other = client_for(app, world, account_with(world, Role.SITE_LEAD))
    assert arm(other, world)[0] == 303
    assert send(site_lead, world, **seen)[0] == 303
    assert len(acts(world)) == 1
