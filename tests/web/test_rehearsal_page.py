"""The page of a rehearsal, on which doors are shut; rehearsals on record; what the readiness sheet says."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from html import unescape

import pytest
from flask.testing import FlaskClient

from config.settings import Settings
from evidence.announcements import load_reports
from evidence.rehearsals import keep_rehearsal
from exam.clock import MINUTE_US, SECOND_US, SimulatedClock, SystemClock
from exam.rehearsal import LASTS_US, Became, Rehearsed, RehearsedSignal
from kiosk.console import HttpConsole
from kiosk.local import open_local
from kiosk.scan import Scan
from tests.kiosk.real_console import PARTS, at_console
from tests.web.console import HTML, PageClient, serving
from tests.web.test_readiness_page import row
from tests.web.test_rehearsing import DAY, Rehearsal, rehearsal_of, waiting_rehearsal
from tests.world import CLOCK_US, START_US, World
from web.access import Role
from web.logins import cookie_name
from web.rehearsal_folder import clear, folder_of, rehearsal_settings, set_aside_in
from web.rehearsing import Wanted

HEARD = RehearsedSignal("T1", "第1考场", "C5", "开考信号", START_US, Became.HEARD, 4_000, 1)
SILENT = RehearsedSignal("T1", "第2考场", "C5", "开考信号", START_US, Became.SILENT, trouble="no_output")
OPEN = RehearsedSignal("T1", "第1考场", "C8", "终止考试信号", START_US + MINUTE_US, Became.NOT_REACHED)


@pytest.fixture
def rehearsal(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """One that waits for players, for ever."""
    with waiting_rehearsal(world, tmp_path_factory.mktemp("rehearsal")) as built:
        yield built


def visitor(rehearsal: Rehearsal, world: World, account_id: int) -> FlaskClient:
    """Somebody who logs in while it is rehearsed."""
    rehearsal.app.test_client_class = PageClient
    client = rehearsal.app.test_client()
    name = {world.site_lead_account_id: "liqiang", world.proctor_account_id: "wangfang"}[account_id]
    answer = client.post("/login", data={"login_name": name, "password": "world-password-0001", "next": ""})
    assert answer.status_code in {302, 303}
    assert client.get_cookie(cookie_name(rehearsal.app)) is not None
    return client


def test_every_page_says_that_it_is_no_exam_and_shows_each_signal_of_each_room(
    rehearsal: Rehearsal, world: World
) -> None:
    lead = visitor(rehearsal, world, world.site_lead_account_id)
    page = unescape(lead.get("/rehearsal/").text)
    assert "正在演练，不是考试" in page
    assert "等待考室设备连接" in page
    assert page.count("未轮到") == 5, "two signals in two rooms, and the sum"
    assert "正在演练，不是考试" in lead.get("/overview").text
    assert 'data-live="signals"' in lead.get("/rehearsal/live").text
    rehearsal.conductor.clock.leap(10 * 60 * MINUTE_US)
    room = visitor(rehearsal, world, world.proctor_account_id)
    assert "正在演练，不是考试" in room.get("/rooms/R01").text
    assert room.get("/api/rooms/R01/schedule").json["session"]["subject"].startswith("演练 · ")
    assert room.post("/rehearsal/end").status_code == 403


def test_doors_behind_which_something_would_be_lost_are_shut_also_to_kiosks(
    rehearsal: Rehearsal, world: World
) -> None:
    lead = visitor(rehearsal, world, world.site_lead_account_id)
    for address in ("/readiness/", "/roster", "/playback/", "/exports/"):
        answer = lead.get(address, headers=HTML)
        assert answer.status_code == 503, address
        assert "演练期间不开放" in unescape(answer.text)
    kiosk = rehearsal.app.test_client()
    told = kiosk.post("/api/kiosk/v1/heartbeat", json={}, headers={"Authorization": "Bearer unknown"})
    assert told.status_code == 503, "away, not shut out: a kiosk that is shut out wipes itself"
    assert lead.get("/healthz").status_code == 200
    assert lead.get("/nowhere").status_code == 404


def test_a_kiosk_takes_a_rehearsal_for_a_console_that_is_away_and_lets_people_in_alone(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scan = Scan(world.on_time.ticket_no, world.on_time.id_number)
    place = tmp_path_factory.mktemp("kiosk")
    with at_console(world, place) as (local, _):
        local.close()
    settings = Settings(data_folder=place)
    wanted = Wanted(DAY, world.site_lead_account_id)
    machine = SimulatedClock(SystemClock().wall_us())
    with (
        rehearsal_of(world, tmp_path_factory.mktemp("rehearsal"), machine, wanted) as rehearsal,
        serving(rehearsal.app) as address,
        closing(HttpConsole(address, settings.kiosk_token)) as line,
        closing(open_local(settings, line, world.clock)) as local,
    ):
        assert not local.contact.turn(PARTS).is_heard
        assert local.contact.unfit() == ()
        assert local.asker.ask(scan).answer.outcome == "OK_OFFLINE"
        assert not local.contact.turn(PARTS).is_heard
        assert local.contact.told.counts.waiting == 1, "the real console will have it"
        assert settings.kiosk_token.exists()


def test_nobody_is_let_in_or_put_out_or_heard_where_it_would_be_lost(
    rehearsal: Rehearsal, world: World
) -> None:
    lead = visitor(rehearsal, world, world.site_lead_account_id)
    assert lead.get("/players").status_code == 200
    for address, told in (
        ("/api/speakers", {"label": "音箱"}),
        ("/api/speakers/1/revoke", {}),
        ("/api/rooms/R01/sound-checks", {"outcome": "heard"}),
    ):
        assert lead.post(address, json=told).status_code == 503, address
    enrolling = rehearsal.app.test_client().post("/api/speaker/v1/enrol", json={"code": "x"})
    assert enrolling.status_code == 503


def test_a_player_that_still_has_to_tell_of_an_exam_tells_the_site_and_not_the_rehearsal(
    rehearsal: Rehearsal, world: World
) -> None:
    room = visitor(rehearsal, world, world.proctor_account_id)
    report = {
        "session_id": world.session_id,
        "cue": "C5",
        "occurrence": 1,
        "started_at_us": START_US,
        "ended_at_us": START_US + SECOND_US,
        "offset_us": 0,
        "uncertainty_us": 0,
        "error": "",
    }
    told = room.post("/api/rooms/R01/reports", json={"player": "tablet-0001", "reports": [report]})
    assert told.json == {"kept": 0, "dropped": 1}
    own = rehearsal.conductor.services.settings
    laid = folder_of(world_settings := Settings(data_folder=world.folder))
    laid.mkdir()
    shutil.copy(set_aside_in(own), set_aside_in(rehearsal_settings(world_settings)))
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'demo_theory'")
    clear(world_settings, world.exam, CLOCK_US)
    with world.exam.read() as connection:
        assert [one.player for one in load_reports(connection, world.session_id)] == ["tablet-0001"]
    assert not laid.exists()
    clear(world_settings, world.exam, CLOCK_US)  # nothing is left, and nothing happens


def test_the_screens_in_the_rooms_know_that_it_is_a_rehearsal(rehearsal: Rehearsal, world: World) -> None:
    room = visitor(rehearsal, world, world.proctor_account_id)
    assert room.get("/api/rooms/R01/schedule").json["rehearsal"] is True


def test_the_lead_ends_it_on_the_page(rehearsal: Rehearsal, world: World) -> None:
    lead = visitor(rehearsal, world, world.site_lead_account_id)
    assert lead.post("/rehearsal/end").status_code == 303
    assert rehearsal.conductor.is_over()
    rehearsal.conductor.start()
    assert rehearsal.over.wait(30)


def kept(world: World, *signals: RehearsedSignal, at_us: int = CLOCK_US - MINUTE_US) -> int:
    with world.exam.write() as connection:
        done = Rehearsed("2026-11-22", at_us - 10 * MINUTE_US, at_us, signals)
        return keep_rehearsal(connection, done, world.site_lead_account_id)


def test_outside_a_rehearsal_the_page_says_how_and_what_was_rehearsed(
    world: World, as_role: Callable[[Role], PageClient]
) -> None:
    lead = as_role(Role.SITE_LEAD)
    page = unescape(lead.get("/rehearsal/").text)
    assert "run.py rehearse" in page
    assert "正在演练" not in page.replace("写着“正在演练”", "")
    late = replace(HEARD, cue="C8", late_us=120_000)
    first = kept(world, HEARD, SILENT, late)
    kept(world, HEARD)
    kept(world, HEARD, OPEN)
    page = unescape(lead.get("/rehearsal/").text)
    assert ["有1个没有响" in page, "1个信号全部播放" in page, "没有演练完" in page] == [True] * 3
    shown = unescape(lead.get(f"/rehearsal/{first}").text)
    assert "准时" in shown
    assert "晚120毫秒" in shown
    assert "没有声音输出" in shown
    assert lead.get("/rehearsal/99").status_code == 404
    assert lead.get("/rehearsal/live").status_code == 404
    assert lead.post("/rehearsal/end").status_code == 404


def test_without_a_day_there_is_nothing_to_rehearse(
    world: World, as_role: Callable[[Role], PageClient]
) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set cancelled_at_us = 1")
    assert "没有将要进行的场次" in as_role(Role.SITE_LEAD).get("/rehearsal/").text


@pytest.mark.parametrize(
    ("signals", "age_us", "found", "verdict"),
    [
        ((), 0, "没有演练过", "请注意"),
        ((HEARD,), 0, "1个信号全部播放", "已准备好"),
        ((HEARD, OPEN), 0, "没有演练完", "请注意"),
        ((HEARD, SILENT), 0, "第2考场有1个信号没有响", "未完成"),
        ((HEARD,), LASTS_US, "没有演练过", "请注意"),
    ],
)
def test_the_readiness_sheet_says_how_the_rehearsal_went(
    world: World,
    as_role: Callable[[Role], PageClient],
    signals: tuple[RehearsedSignal, ...],
    age_us: int,
    found: str,
    verdict: str,
) -> None:
    if signals:
        kept(world, *signals, at_us=CLOCK_US - age_us - SECOND_US)
    line = row(unescape(as_role(Role.SITE_LEAD).get("/readiness/").text), "演练")
    assert found in line
    assert verdict in line
