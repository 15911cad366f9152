"""The page 签到机: every kiosk in words, decisions with their reasons, and who may take them."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from evidence import kiosks
from evidence.kiosk_enrolments import is_out_of_service, wants_roll
from evidence.kiosk_self_tests import NewSelfTest, keep_self_test
from evidence.kiosk_states import keep_report
from evidence.kiosks import Scope
from evidence.staff_pins import load_pins
from exam.clock import MINUTE_US, SECOND_US
from exam.enrolment import parse
from exam.kiosk_capacity import Need, Wave
from exam.kiosk_health import Part, PartState, Report, Trouble
from exam.self_test import Check, Result, Tried
from tests.evidence.rostered import give_pin
from tests.web.console import PageClient
from tests.world import CLOCK_US, World
from web.access import Role
from web.alarms import KIOSK_WORDS
from web.kiosks_view import CHECK_WORDS, PART_WORDS, TROUBLE_WORDS, Said, load_view, need_words
from web.services import Services
from web.tls import Certificates, ensure_certificates

AsRole = Callable[[Role], PageClient]
WELL = Report(
    sent_at_us=CLOCK_US,
    queue_length=0,
    needs_human=0,
    roster_revision=None,
    disk_free_bytes=10**10,
    is_out_of_service=False,
)


@pytest.fixture
def officer(as_role: AsRole) -> PageClient:
    return as_role(Role.EXAMS_OFFICER)


def tell(world: World, report: Report, at_us: int = CLOCK_US) -> None:
    with world.exam.write() as connection:
        keep_report(connection, world.kiosk_id, report, None, at_us)
        connection.execute("update kiosk set last_seen_at_us = ?", (at_us,))


def shown(world: World, app: Flask, at_us: int = CLOCK_US) -> tuple[Said, list[Said]]:
    with app.app_context(), world.exam.read() as connection:
        (view,) = load_view(connection, at_us).kiosks
    return view.state, list(view.facts)


def test_every_code_has_words() -> None:
    assert set(TROUBLE_WORDS) == set(KIOSK_WORDS) == set(Trouble)
    assert set(PART_WORDS) == set(Part)
    assert set(CHECK_WORDS) == set(Check)


def test_a_kiosk_that_never_called_one_that_does_and_one_that_fell_silent(world: World, app: Flask) -> None:
    assert shown(world, app)[0] == Said("off", "尚未联系")
    with world.exam.write() as connection:
        kiosks.note_seen(connection, world.kiosk_id, CLOCK_US)
    assert shown(world, app)[0] == Said("good", "正常")
    assert shown(world, app, CLOCK_US + MINUTE_US)[0] == Said("wait", "离线")
    tell(world, WELL)
    assert shown(world, app)[0] == Said("good", "正常")
    assert shown(world, app, CLOCK_US + MINUTE_US)[0] == Said("wait", "离线")


@pytest.mark.parametrize(
    ("changes", "state", "fact"),
    [
        ({"queue_length": 3}, Said("good", "正常"), Said("wait", "待上传 3 条")),
        ({"needs_human": 2}, Said("bad", "有记录须人工处理"), Said("bad", "须人工处理 2 条")),
        ({"roster_revision": 4}, Said("good", "正常"), Said("wait", "名单第 4 版，应为第 None 版")),
        ({"sent_at_us": CLOCK_US + 9 * SECOND_US}, Said("bad", "时钟不准"), Said("bad", "时钟快 9 秒")),
        ({"sent_at_us": CLOCK_US - 7 * SECOND_US}, Said("bad", "时钟不准"), Said("bad", "时钟慢 7 秒")),
        ({"disk_free_bytes": 1}, Said("bad", "磁盘空间不足"), None),
        ({"is_out_of_service": True}, Said("wait", "本机暂停使用"), None),
        (
            {"parts": {Part.CAMERA: PartState.COVERED, Part.SPEAKER: PartState.OK}},
            Said("wait", "设备故障"),
            Said("bad", "扫码摄像头被遮挡或过暗"),
        ),
    ],
)
def test_what_a_kiosk_says_is_read_in_words(
    world: World, app: Flask, changes: dict[str, object], state: Said, fact: Said | None
) -> None:
    tell(world, replace(WELL, **changes))  # type: ignore[arg-type]
    found, facts = shown(world, app)
    assert found == state
    assert fact is None or fact in facts


def test_the_present_roster_is_said_to_be_present(world: World, app: Flask) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into roster_revision (kiosk_id, revision, digest, candidates, made_at_us)"
            " values (?, 2, zeroblob(32), 4, 1)",
            (world.kiosk_id,),
        )
    tell(world, replace(WELL, roster_revision=2))
    assert Said("good", "名单第 2 版") in shown(world, app)[1]


@pytest.mark.parametrize(
    ("tried", "words"),
    [
        ([], "今天未自检"),
        ([Tried(check, Result.GOOD) for check in Check], "自检合格 08:50"),
        ([Tried(Check.CAMERA, Result.GOOD)], "自检未做完 08:50"),
        ([Tried(Check.SPEAKER, Result.BAD, "没有声音")], "扬声器：没有声音"),
        ([Tried(Check.DISK, Result.BAD)], "自检不合格 08:50"),
    ],
)
def test_todays_self_test_is_shown(
    site_lead: PageClient, world: World, tried: list[Tried], words: str
) -> None:
    if tried:
        with world.exam.write() as connection:
            new = NewSelfTest("0123456789abcdef", CLOCK_US, tried)
            keep_self_test(connection, world.kiosk_id, new, CLOCK_US)
    assert words in site_lead.get("/kiosks").text
    assert words in site_lead.get("/kiosks/live").text


def test_a_one_time_text_is_shown_once_and_opens_the_door(officer: PageClient, world: World) -> None:
    form = {"label": "7号签到机", "room": [world.room_2, 999], "session": [world.session_id]}
    page = officer.post("/kiosks/enrolments", data=form).text
    line = re.search(r"(KZE1 [^<]+)</textarea>", page)
    assert line is not None
    text = parse(line[1])
    assert (text.url, text.fingerprint) == ("http://localhost", "")
    assert 'aria-label="登记二维码"' in page
    with world.exam.read() as connection:
        row = connection.execute("select label, rooms, sessions, used_at_us from kiosk_enrolment").fetchone()
    assert tuple(row) == ("7号签到机", f"[{world.room_2}]", f"[{world.session_id}]", None)
    assert text.token not in officer.get("/kiosks").text


def test_over_https_the_text_carries_the_fingerprint_of_the_authority(
    officer: PageClient, services: Services
) -> None:
    files = ensure_certificates(services.settings.keys_folder, ["localhost"], CLOCK_US)
    assert isinstance(files, Certificates)
    base = "https://localhost:8600"
    page = officer.post(
        "/kiosks/enrolments", data={"label": "7号"}, base_url=base, headers={"Referer": base}
    ).text
    line = re.search(r"(KZE1 [^<]+)</textarea>", page)
    assert line is not None
    assert (parse(line[1]).url, len(parse(line[1]).fingerprint)) == ("https://localhost:8600", 64)


@pytest.mark.parametrize(
    ("label", "words"),
    [("", "请填写签到机名称"), ("很" * 21, "不超过20个字"), ("一号签到机", "已有名为“一号签到机”的签到机")],
)
def test_a_name_that_cannot_be_is_refused_in_words(officer: PageClient, label: str, words: str) -> None:
    answer = officer.post("/kiosks/enrolments", data={"label": label})
    assert answer.status_code == 400
    assert words in answer.text


def test_a_known_kiosk_enrols_again_with_its_scope(officer: PageClient, world: World) -> None:
    officer.post(f"/kiosks/{world.kiosk_id}/bind", data={"room": [world.room_1]})
    assert "登记 一号签到机" in officer.post("/kiosks/enrolments", data={"kiosk": world.kiosk_id}).text
    with world.exam.read() as connection:
        row = connection.execute("select kiosk_id, rooms from kiosk_enrolment").fetchone()
    assert tuple(row) == (world.kiosk_id, f"[{world.room_1}]")
    assert officer.post("/kiosks/enrolments", data={"kiosk": 999}).status_code == 404


def test_the_switch_needs_a_reason_to_stop_and_none_to_go_on(site_lead: PageClient, world: World) -> None:
    address = f"/kiosks/{world.kiosk_id}/switch"
    assert "请写明原因" in site_lead.post(address, data={"to": "out"}).text
    assert site_lead.post(address, data={"to": "out", "reason": "屏幕碎裂"}).status_code == 303
    assert "人工停用" in site_lead.get("/kiosks").text
    with world.exam.read() as connection:
        assert is_out_of_service(connection, world.kiosk_id)
    assert site_lead.post(address, data={"to": "back"}).status_code == 303
    with world.exam.read() as connection:
        assert not is_out_of_service(connection, world.kiosk_id)
    assert site_lead.post("/kiosks/999/switch", data={"to": "back"}).status_code == 404


def test_a_stolen_kiosk_is_revoked_with_a_reason_and_listed_apart(
    site_lead: PageClient, world: World
) -> None:
    address = f"/kiosks/{world.kiosk_id}/revoke"
    assert site_lead.post(address, data={}).status_code == 400
    assert site_lead.post(address, data={"reason": "被盗"}).status_code == 303
    page = site_lead.get("/kiosks").text
    assert "已撤销（1）" in page
    assert "还没有签到机" in page
    assert site_lead.post(address, data={"reason": "被盗"}).status_code == 404


def test_another_token_is_asked_for_where_there_is_a_key(officer: PageClient, world: World) -> None:
    address = f"/kiosks/{world.kiosk_id}/roll"
    assert "没有密钥" in officer.post(address).text
    with world.exam.write() as connection:
        connection.execute("update kiosk set public_key = zeroblob(32)")
    assert officer.post(address).status_code == 303
    assert "等待更换令牌" in officer.get("/kiosks").text
    with world.exam.read() as connection:
        assert wants_roll(connection, world.kiosk_id)


def test_a_kiosk_is_bound_to_rooms_and_back_to_all(officer: PageClient, world: World) -> None:
    address = f"/kiosks/{world.kiosk_id}/bind"
    officer.post(address, data={"room": [world.room_2], "session": [world.session_id]})
    with world.exam.read() as connection:
        assert kiosks.scope_of(connection, world.kiosk_id) == Scope((world.room_2,), (world.session_id,))
    assert "第2考场" in officer.get("/kiosks").text
    officer.post(address)
    with world.exam.read() as connection:
        assert kiosks.scope_of(connection, world.kiosk_id) == Scope()
    assert "全考点" in officer.get("/kiosks").text


def test_the_wait_after_guesses_at_a_pin_is_lifted_by_the_site_lead_alone(
    site_lead: PageClient, officer: PageClient, world: World
) -> None:
    pin_id, _ = give_pin(world, world.proctor_account_id)
    tell(world, replace(WELL, locked_pins=(pin_id,)))
    assert "王芳的签到口令在一号签到机多次输错，可能有人在试" in site_lead.get("/kiosks").text
    assert "请现场负责人核实" in officer.get("/kiosks").text
    address = f"/kiosks/pins/{world.proctor_account_id}/unlock"
    assert officer.post(address).status_code == 403
    assert site_lead.post(address).status_code == 303
    with world.exam.read() as connection:
        assert [pin.unlocked_at_us for pin in load_pins(connection)] == [CLOCK_US]
    assert site_lead.post("/kiosks/pins/999/unlock").status_code == 404


@pytest.mark.parametrize(
    ("role", "codes"),
    [
        (Role.ADMINISTRATOR, (200, 404, 404, 303)),
        (Role.EXAMS_OFFICER, (200, 404, 404, 303)),
        (Role.SITE_LEAD, (200, 404, 403, 403)),
        (Role.PROCTOR, (403, 403, 403, 403)),
    ],
)
def test_who_may_do_what(as_role: AsRole, world: World, role: Role, codes: tuple[int, ...]) -> None:
    client = as_role(role)
    asked = (
        client.get("/kiosks").status_code,
        client.post("/kiosks/999/revoke", data={"reason": "试试"}).status_code,
        client.post("/kiosks/999/roll").status_code,
        client.post(f"/kiosks/{world.kiosk_id}/bind").status_code,
    )
    assert asked == codes


def test_too_few_kiosks_are_said_with_the_arithmetic(site_lead: PageClient, world: World) -> None:
    assert "需要 1 台，现有 1 台。" in site_lead.get("/kiosks").text
    with world.exam.write() as connection:
        connection.execute("update kiosk set room_id = ?", (world.room_1,))
    assert "第2考场没有签到机" in site_lead.get("/kiosks").text
    site_lead.post(f"/kiosks/{world.kiosk_id}/switch", data={"to": "out", "reason": "维修"})
    assert "需要 1 台，现有 0 台" in site_lead.get("/kiosks").text


def test_a_start_that_is_over_needs_no_kiosks(site_lead: PageClient, world: World) -> None:
    world.clock.sleep_us(20 * MINUTE_US)
    assert "开考 4 人" not in site_lead.get("/kiosks").text


def test_a_kiosk_for_other_sessions_does_not_count(officer: PageClient, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into session (batch_id, code, kind, subject, procedure_code, planned_start_us,"
            " duration_us) select batch_id, 'T2', kind, subject, procedure_code,"
            " planned_start_us + 7200000000, duration_us from session"
        )
    officer.post(f"/kiosks/{world.kiosk_id}/bind", data={"session": [2]})
    assert "现有 0 台" in officer.get("/kiosks").text


def test_many_rooms_without_a_kiosk_are_summed_up() -> None:
    wave = Wave(CLOCK_US, 15 * MINUTE_US, dict.fromkeys(range(1, 9), 30))
    words = need_words(Need(wave, 10 * SECOND_US, 3, 0, tuple(range(1, 9))), {})
    assert "等8个考场没有签到机" in words
    enough = need_words(Need(wave, 10 * SECOND_US, 3, 2, ()), {})
    assert "不够用" in enough


def test_a_kiosks_alarm_stands_on_the_overview_with_its_name(site_lead: PageClient, world: World) -> None:
    tell(world, replace(WELL, needs_human=1))
    page = site_lead.get("/overview/live").text
    assert "有上传被拒的签到记录" in page
    assert "一号签到机" in page


def test_a_kiosk_may_be_bound_to_sessions_of_later_days_but_not_of_earlier_ones(
    officer: PageClient, world: World
) -> None:
    with world.exam.write() as connection:
        for code, days in (("T2", 1), ("T0", -1)):
            connection.execute(
                "insert into session (batch_id, code, kind, subject, procedure_code, planned_start_us,"
                " duration_us) select batch_id, ?, kind, subject, procedure_code, planned_start_us + ?,"
                " duration_us from session where id = 1",
                (code, days * 86_400_000_000),
            )
    page = officer.get("/kiosks").text
    assert "2026年11月23日 09:00<br>T2 理论知识" in page
    assert "T0 理论知识" not in page
