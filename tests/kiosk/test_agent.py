"""The agent: threads, typed numbers, a console that goes away and comes back."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exam.clock import SimulatedClock
from exam.kiosk_health import Part
from exam.self_test import Standing
from kiosk import agent as agent_module
from kiosk.agent import Agent, Usable
from kiosk.scan import Scan
from kiosk.scanner import Reading
from kiosk.screen import Camera
from kiosk.visit import READABLE_US, RESULT_US, Happened, TicketRead
from tests.kiosk.stage import ID_NUMBER, TICKET, FakeConsole, agent_of, answer

WAIT_S = 30.0


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(1_800_000_000_000_000, 60_000_000)


@pytest.fixture
def still(console: FakeConsole, clock: SimulatedClock, tmp_path: Path) -> Iterator[Agent]:
    """An agent whose threads do not run."""
    with agent_of(console, tmp_path, clock) as made:
        yield made


@pytest.fixture
def agent(still: Agent) -> Agent:
    still.start()
    return still


def until(agent: Agent, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first screen for which this is so."""
    snapshot = agent.snapshot()
    while not is_so(snapshot.screen):
        later = agent.snapshot(snapshot.version, WAIT_S)
        assert later.version > snapshot.version, f"still {snapshot.screen['screen']}"
        snapshot = later
    return snapshot.screen


def shows(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda screen: screen["screen"] == name


def test_ticket_and_number_lead_to_the_answer(agent: Agent, console: FakeConsole) -> None:
    agent.happened(TicketRead(TICKET))
    assert agent.number_given(ID_NUMBER) is Usable.ID_NUMBER
    assert until(agent, shows("result"))["title"] == "签到成功"
    assert [(request["ticket_no"], request["id_number"]) for request in console.asked] == [
        (TICKET, ID_NUMBER)
    ]


def test_the_number_may_come_first_and_a_gun_may_send_the_ticket(agent: Agent, console: FakeConsole) -> None:
    agent.number_given(ID_NUMBER)
    until(agent, shows("need_ticket"))
    assert agent.number_given(TICKET) is Usable.TICKET
    until(agent, shows("result"))
    assert console.asked[0]["ticket_no"] == TICKET


def test_a_wrong_check_digit_is_never_asked(still: Agent, console: FakeConsole) -> None:
    still.happened(TicketRead(TICKET))
    wrong = ID_NUMBER[:-1] + ("1" if ID_NUMBER[-1] != "1" else "2")
    assert still.number_given(wrong) is Usable.NEITHER
    screen = still.snapshot().screen
    assert (screen["screen"], screen["hint"]["code"]) == ("need_id_number", "id_checksum")
    assert console.asked == []


def test_a_passport_goes_to_the_console_which_refers_its_holder(agent: Agent, console: FakeConsole) -> None:
    console.answer = answer("ID_FORMAT_OTHER", "H", "请到人工窗口", "您的证件由工作人员核验。")
    agent.happened(TicketRead(TICKET))
    assert agent.number_given("E12345678") is Usable.ID_NUMBER
    assert until(agent, shows("result"))["tone"] == "wait"
    assert console.asked[0]["id_number"] == "E12345678"


def test_nothing_typed_is_nothing_usable(still: Agent) -> None:
    assert still.number_given("  ") is Usable.NEITHER


def test_while_forms_are_unknown_a_typed_ticket_is_not_guessed(console: FakeConsole, tmp_path: Path) -> None:
    with agent_of(console, tmp_path, SimulatedClock(1), forms=()) as unknowing:
        assert unknowing.number_given(TICKET) is Usable.NEITHER


def test_a_console_that_does_not_answer_sends_candidates_elsewhere_and_returns_by_itself(
    still: Agent, console: FakeConsole, clock: SimulatedClock
) -> None:
    still._hear()
    console.is_away = True
    still.start()
    agent = still
    agent.happened(TicketRead(TICKET))
    agent.number_given(ID_NUMBER)
    screen = until(agent, shows("result"))
    assert (screen["outcome"], screen["line"]) == ("SYS_STALE_ROSTER", "请到其他签到机，或到人工窗口。")
    console.is_away = False
    clock.sleep_us(RESULT_US)
    until(agent, lambda screen: screen["screen"] == "idle" and not screen["alone"])
    assert console.asked[-1]["decided"] == {"outcome": "SYS_STALE_ROSTER", "place_id": None}
    assert len({request["nonce"] for request in console.asked}) == 1


def test_missed_heartbeats_are_said_before_anybody_asks(
    still: Agent, console: FakeConsole, clock: SimulatedClock
) -> None:
    still._hear()
    console.is_away = True
    still._hear()
    assert still.snapshot().screen["screen"] == "idle"
    still._hear()
    still._hear()
    screen = still.snapshot().screen
    assert (screen["screen"], screen["outcome"]) == ("out_of_use", "SYS_STALE_ROSTER")
    console.is_away = False
    clock.sleep_us(READABLE_US)
    still._hear()
    assert still.snapshot().screen["screen"] == "idle"


def test_heartbeats_teach_the_forms_of_the_day(console: FakeConsole, tmp_path: Path) -> None:
    with agent_of(console, tmp_path, SimulatedClock(1_000), forms=()) as learning:
        learning._hear()
        assert learning.acceptance.has_form(TICKET)
        assert not learning.acceptance.has_form("1234567")


def test_how_the_kiosk_stands_is_told_to_the_page_and_a_change_of_it_wakes_the_page(
    still: Agent, console: FakeConsole
) -> None:
    still._hear()
    before = still.snapshot()
    assert (before.screen["alone"], before.screen["queue"], before.screen["needs_human"]) == (False, 0, 0)
    console.refuses = True
    still.asker.ask(Scan(TICKET, ID_NUMBER))
    still._stands(still.contact.told)
    after = still.snapshot(after=before.version, timeout_s=WAIT_S)
    assert (after.screen["alone"], after.screen["queue"], after.screen["needs_human"]) == (False, 1, 1)
    assert after.screen["standing"] == "待上传1条 · 1条须人工处理"
    still.has_place = False
    assert still.snapshot().screen["standing"].startswith("登记文件损坏，找不到控制台：请系统管理员重新登记")
    still.has_place = True
    still.contact.lost()
    still._stands(replace(still.contact.told, self_test=Standing.FAILED))
    assert still.snapshot().screen["standing"] == (
        "断网，本机独立签到 · 待上传1条 · 1条须人工处理 · 今日自检不合格"
    )


def test_a_request_not_judged_shows_the_way_to_a_person(agent: Agent, console: FakeConsole) -> None:
    console.refuses = True
    agent.happened(TicketRead(TICKET))
    agent.number_given(ID_NUMBER)
    assert until(agent, shows("result"))["outcome"] == "NOT_JUDGED"


def test_whatever_breaks_while_asking_leads_to_a_person_and_the_next_one_is_asked(
    agent: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.happened(TicketRead(TICKET))
    agent.number_given("E1234567\ud800")  # cannot be written down at all
    assert until(agent, shows("result"))["outcome"] == "NOT_JUDGED"
    agent.happened(Happened.RESTART)
    agent.happened(TicketRead(TICKET))
    agent.number_given(ID_NUMBER)
    assert until(agent, lambda screen: screen.get("outcome") == "OK_ADMITTED")
    assert "E1234567" not in capsys.readouterr().out


def test_a_turn_that_breaks_is_not_the_last_one_and_says_no_number(
    still: Agent, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError(ID_NUMBER)

    with monkeypatch.context() as patched:
        patched.setattr(still.contact, "turn", broken)
        still._try_to_hear()
    printed = capsys.readouterr().out
    assert "turn broken off" in printed
    assert ID_NUMBER not in printed
    still._try_to_hear()


def test_starting_over_lets_the_ticket_in_view_be_read_again(still: Agent) -> None:
    assert still.acceptance.judge([Reading("QRCODE", TICKET)], 1) == TicketRead(TICKET)
    still.happened(TicketRead(TICKET))
    still.happened(Happened.RESTART)
    assert still.acceptance.judge([Reading("QRCODE", TICKET)], 2) == TicketRead(TICKET)


def test_a_lost_camera_is_on_the_screen(still: Agent) -> None:
    before = still.snapshot().version
    still.camera_is(Camera(works=False, reason="unplugged"))
    snapshot = still.snapshot(before)
    assert snapshot.version > before
    assert snapshot.screen["screen"] == "camera_lost"


def test_time_passes_by_itself(agent: Agent, console: FakeConsole, clock: SimulatedClock) -> None:
    agent.happened(Happened.NO_DOCUMENT)
    clock.sleep_us(RESULT_US)
    until(agent, shows("idle"))
    assert console.heartbeats >= 1


def test_stopping_lets_waiting_pages_go(still: Agent) -> None:
    still.start(lambda stopping: bool(stopping.wait(WAIT_S)) and None)  # type: ignore[func-returns-value]
    seen: list[int] = []
    page = threading.Thread(target=lambda: seen.append(still.snapshot(10_000, 60.0).version))
    page.start()
    still.stop()
    page.join(WAIT_S)
    assert len(seen) == 1
    assert agent_module.TICK_SECONDS < 1


def test_a_lost_camera_and_a_working_gun_change_what_the_screen_asks_for(still: Agent) -> None:
    still.camera_is(Camera(works=False, reason="unplugged"))
    assert still.snapshot().screen["screen"] == "camera_lost"
    still.board.fit("usb:05e0:1200", Part.SCANNER)
    before = still.snapshot().version
    still.board.works("usb:05e0:1200", Part.SCANNER)
    snapshot = still.snapshot(after=before, timeout_s=WAIT_S)
    assert snapshot.screen["screen"] == "use_gun"
    told = [(device["part"], device["state"], device["reason"]) for device in snapshot.screen["devices"]]
    assert told == [("camera", "lost", "unplugged"), ("scanner", "ok", "")]
    still.camera_is(Camera(works=True))
    assert still.snapshot().screen["screen"] == "idle"


def test_a_number_is_wanted_once_the_ticket_was_read(still: Agent) -> None:
    assert not still.wants_number()
    still.happened(TicketRead(TICKET))
    assert still.wants_number()
