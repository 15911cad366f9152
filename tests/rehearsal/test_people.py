"""Simulated people: they use what the pages offer, once, and say what went wrong."""

import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from exam.clock import SECOND_US, SimulatedClock
from exam.server_time import KNOWN_HEADER, KnownTime
from rehearsal.console_client import ConsoleClient, ConsoleRefusedError
from rehearsal.page_buttons import PageButton, buttons, seats
from rehearsal.room_player import RoomPlayer
from rehearsal.staff import LogNote, Press, StaffMember

NOW_US = 1_795_000_000_000_000
TOKEN_PAGE = '<meta name="csrf-token" content="token-1">'
CONFIRM = (
    """<button data-post="/api/sessions/1/rooms/R01/confirmations" data-body='{"cue": "C1"}'>确认</button>"""
)
PRESS = (
    """<button data-hold data-post="/api/sessions/1/press/C5" data-body='{"rooms": ["R01"]}'>发出</button>"""
)
ARM_LINK = '<a href="/sessions/1/arm">核对并启用</a><a href="/sessions/2/arm#armed">查看或停用</a>'
ARM_FORMS = (
    '<form method="get"><input name="day" value="1"></form>'
    '<form method="post" action="/sessions/1/arm"><input type="hidden" name="plan" value="[1]"></form>'
    '<form method="post" action="/sessions/1/disarm"><input type="text" name="reason"></form>'
)
SEAT = '<button data-candidate="7" data-seat="3号 何雨桐"></button>'


class Site:
    """A console that shows one page and remembers what was sent to it."""

    def __init__(self, page: str = "") -> None:
        self.page = page
        self.sent: list[tuple[str, object]] = []
        self.refuses = False
        self.is_down = False
        self.doubts = False
        self.schedule: list[dict[str, object]] = []
        self.test: dict[str, object] | None = None
        self.asked: list[str] = []
        # The name of the clock, how far it is set, and what players said they know of it.
        self.clock_name = ""
        self.set_by_us = 0
        self.known: list[KnownTime | None] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.is_down:
            raise httpx.ConnectError("no console")
        if request.url.path == "/api/clock":
            self.known.append(KnownTime.from_header(request.headers.get(KNOWN_HEADER, "")))
            now_us = NOW_US - 5 * SECOND_US + self.set_by_us
            return httpx.Response(200, json={"server_now_us": now_us, "clock": self.clock_name})
        if request.url.path.endswith("/schedule"):
            told = {"clock": self.clock_name, "room": {"code": "R01"}, "cues": self.schedule}
            return httpx.Response(200, json={**told, "test": self.test})
        if request.url.path in {"/check-in/alarms", "/check-in/cases"}:
            assert self.doubts
            name = request.url.path.removeprefix("/check-in/")
            return httpx.Response(200, json={name: [{"id": {"alarms": 4, "cases": 9}[name]}]})
        if request.method == "POST" and request.url.path != "/login":
            if self.refuses:
                return httpx.Response(403, json={"error": "无权"})
            token = request.headers.get("X-CSRFToken") or request.content.decode()
            assert "token-1" in token
            is_json = request.headers["Content-Type"] == "application/json"
            body = json.loads(request.content) if is_json else request.content.decode()
            self.sent.append((request.url.path, body))
            return httpx.Response(200, json={})
        page = ARM_FORMS if request.url.path == "/sessions/1/arm" else self.page
        return httpx.Response(200, text=TOKEN_PAGE + page)

    def posted(self, path: str) -> list[dict[str, Any]]:
        return [body for to, body in self.sent if to == path and isinstance(body, dict)]

    def client(self) -> ConsoleClient:
        console = ConsoleClient("http://console.test", httpx.MockTransport(self.answer))
        console.log_in("proctor1", "password")
        return console


class Rounds(threading.Event):
    """Stops a worker after so many waits, advancing a clock at each."""

    def __init__(self, rounds: int, clock: SimulatedClock) -> None:
        super().__init__()
        self.rounds, self.clock = rounds, clock

    def wait(self, timeout: float | None = None) -> bool:
        self.rounds -= 1
        self.clock.sleep_us(round((timeout or 0) * SECOND_US))
        if self.rounds < 0:
            self.set()
        return self.is_set()


def member(site: Site, clock: SimulatedClock, **more: object) -> StaffMember:
    return StaffMember("proctor1", site.client(), clock, ["/proctor/1/1/live"], **more)  # type: ignore[arg-type]


def work(person: StaffMember, clock: SimulatedClock, rounds: int = 4) -> None:
    person.run(Rounds(rounds, clock))


def test_a_page_is_read_as_a_person_would() -> None:
    assert buttons(CONFIRM + PRESS + "<button>leer</button>") == [
        PageButton("/api/sessions/1/rooms/R01/confirmations", {"cue": "C1"}, is_held=False),
        PageButton("/api/sessions/1/press/C5", {"rooms": ["R01"]}, is_held=True),
    ]
    assert [(seat.candidate_id, seat.words) for seat in seats(SEAT)] == [(7, "3号 何雨桐")]


def test_a_step_is_ticked_a_little_after_it_appears() -> None:
    site, clock = Site(CONFIRM), SimulatedClock(NOW_US)
    work(member(site, clock), clock, rounds=2)
    assert site.sent == []
    work(member(site, clock), clock, rounds=3)
    assert site.sent == [("/api/sessions/1/rooms/R01/confirmations", {"cue": "C1"})]


def test_nobody_ticks_what_is_not_his() -> None:
    site, clock = Site(CONFIRM + ARM_LINK + PRESS), SimulatedClock(NOW_US)
    work(member(site, clock, confirms=frozenset({"B1"})), clock)
    assert site.sent == []


def test_the_lead_looks_at_what_can_be_armed_and_confirms_what_is_shown() -> None:
    site, clock = Site(ARM_LINK), SimulatedClock(NOW_US)
    work(member(site, clock, arms=True), clock, rounds=1)
    assert [path for path, _ in site.sent] == ["/sessions/1/arm"]
    assert "plan=%5B1%5D" in str(site.sent[0][1])


def test_the_lead_sees_alarms_and_decides_doubts_and_says_what_went_wrong() -> None:
    site, clock = Site(), SimulatedClock(NOW_US)
    site.doubts = True
    lead = member(site, clock, decides=True)
    work(lead, clock, rounds=1)
    assert [address for address, _ in site.sent] == ["/check-in/alarms/4/seen", "/check-in/cases/9/steps"]
    site.refuses = True
    work(lead, clock, rounds=1)
    assert len(lead.troubles) == 1
    site.is_down = True
    work(lead, clock, rounds=1)
    assert len(lead.troubles) == 1


def test_a_signal_is_given_at_its_moment_and_not_before() -> None:
    site, clock = Site(PRESS), SimulatedClock(NOW_US)
    press = Press(NOW_US + 3 * SECOND_US, "C5", "/proctor/1/1/live")
    work(member(site, clock, presses=[press]), clock, rounds=2)
    assert site.sent == []
    work(member(site, clock, presses=[press]), clock, rounds=1)
    assert site.sent == [("/api/sessions/1/press/C5", {"rooms": ["R01"]})]


def test_a_log_entry_names_its_candidate_once() -> None:
    site, clock = Site(SEAT), SimulatedClock(NOW_US)
    note = LogNote(NOW_US + SECOND_US, "/proctor/1/1/live", "reminder", "何雨桐", "提醒")
    work(member(site, clock, notes=[note]), clock)
    [(path, body)] = site.sent
    assert path == "/proctor/1/1/entries"
    assert isinstance(body, dict)
    assert (body["kind"], body["candidate_id"], body["happened_at_us"]) == ("reminder", 7, NOW_US + SECOND_US)


def test_what_is_refused_is_a_trouble_with_a_name() -> None:
    site, clock = Site(CONFIRM), SimulatedClock(NOW_US)
    person = member(site, clock)
    site.refuses = True
    work(person, clock, rounds=3)
    assert person.troubles[0].startswith("proctor1, {'cue': 'C1'}: POST /api/sessions/1/rooms/R01/conf")
    site.page, person = ARM_LINK, member(site, clock, arms=True)
    work(person, clock, rounds=1)
    assert person.troubles == ['proctor1: POST /sessions/1/arm: status 403: {"error":"无权"}']


def test_people_wait_for_a_console_that_restarts() -> None:
    site, clock = Site(ARM_LINK), SimulatedClock(NOW_US)
    person = member(site, clock, arms=True)
    site.is_down = True
    work(person, clock, rounds=1)
    site.is_down = False
    work(person, clock, rounds=1)
    assert person.troubles == []
    assert len(site.sent) == 1


def cue(**more: object) -> dict[str, object]:
    return {
        "key": "1:C5:1",
        "session_id": 1,
        "cue": "C5",
        "occurrence": 1,
        "sounds_at_us": NOW_US - 5 * SECOND_US + 100_000,
        "tolerance_us": 2 * SECOND_US,
        "duration_us": SECOND_US,
        "after": None,
        "may_sound": True,
        "audio": None,
        "title": "开考信号",
        **more,
    }


def play(site: Site, *, rounds: int = 20) -> None:
    clock = SimulatedClock(NOW_US)
    RoomPlayer(site.client(), "R01", clock).run(Rounds(rounds, clock))


def test_a_player_rings_once_by_the_consoles_clock_and_reports_it() -> None:
    site = Site()
    site.schedule = [cue()]
    play(site)
    [body] = site.posted("/api/rooms/R01/reports")
    [report] = body["reports"]
    assert 0 <= report["started_at_us"] - (NOW_US - 5 * SECOND_US + 100_000) <= 40_000
    assert report["offset_us"] == 5 * SECOND_US


def test_a_player_tells_what_came_too_late_and_follows_the_start_that_it_sounded() -> None:
    site = Site()
    start_us = NOW_US - 5 * SECOND_US + 100_000
    end = cue(key="1:C8:1", cue="C8", sounds_at_us=start_us + 200_000, after="1:C5:1")
    site.schedule = [cue(), end, cue(key="1:C4:1", cue="C4", sounds_at_us=NOW_US - 10 * SECOND_US)]
    play(site)
    reports = {one["cue"]: one for body in site.posted("/api/rooms/R01/reports") for one in body["reports"]}
    assert (reports["C4"]["started_at_us"], reports["C4"]["error"]) == (None, "too_late")
    apart_us = reports["C8"]["started_at_us"] - reports["C5"]["started_at_us"]
    assert 200_000 <= apart_us <= 240_000


def test_of_a_test_tone_only_the_heartbeat_speaks() -> None:
    site = Site()
    tone_us = NOW_US - 5 * SECOND_US + 100_000
    site.test = {"key": "test:7@0", "sounds_at_us": tone_us, "tolerance_us": 5 * SECOND_US, "audio": None}
    site.test["duration_us"] = SECOND_US
    play(site, rounds=300)
    assert site.posted("/api/rooms/R01/reports") == []
    played = site.posted("/api/rooms/R01/players")[-1]["played"]
    assert (played["key"], played["error"]) == ("test:7@0", "")


@pytest.mark.parametrize(
    "change",
    [
        lambda: {"may_sound": False},
        lambda: {"after": "1:C4:1"},
        lambda: {"sounds_at_us": None},
        lambda: {"sounds_at_us": NOW_US - 60 * SECOND_US},
        lambda: {"sounds_at_us": NOW_US + 60 * SECOND_US},
    ],
    ids=["not armed", "start unknown", "no moment", "stale", "to come"],
)
def test_a_player_keeps_silent(change: Callable[[], dict[str, object]]) -> None:
    site = Site()
    site.schedule = [cue(**change())]
    play(site)
    assert site.posted("/api/rooms/R01/reports") == []


def test_a_player_tells_how_it_is_every_five_seconds() -> None:
    site = Site()
    play(site, rounds=600)  # 12 s
    beats = site.posted("/api/rooms/R01/players")
    assert len(beats) == 3
    assert beats[0]["clock"] == {"offset_us": 5 * SECOND_US, "error_us": 0}


def test_a_player_asks_nothing_while_it_is_about_to_ring() -> None:
    site = Site()
    site.schedule = [cue(sounds_at_us=NOW_US - 5 * SECOND_US + 3 * SECOND_US)]
    play(site, rounds=120)  # a little more than two seconds, and once more when it stops
    schedules = [path for path in site.asked if path.endswith("/schedule")]
    assert len(schedules) == 2


def test_a_player_survives_a_console_that_is_away() -> None:
    site = Site()
    player_console = site.client()
    site.is_down = True
    clock = SimulatedClock(NOW_US)
    RoomPlayer(player_console, "R01", clock).run(Rounds(3, clock))
    assert site.sent == []


def test_a_page_without_a_form_token_is_refused() -> None:
    console = ConsoleClient(
        "http://console.test",
        httpx.MockTransport(lambda _request: httpx.Response(200, text="<p>nothing</p>")),
    )
    with pytest.raises(ConsoleRefusedError, match="no form token"):
        console.log_in("a", "b")
    console.close()


def test_a_whole_file_instead_of_a_part_is_refused() -> None:
    console = ConsoleClient(
        "http://console.test", httpx.MockTransport(lambda _request: httpx.Response(200, content=b"whole"))
    )
    with pytest.raises(ConsoleRefusedError, match="asked for a part"):
        console.get_range("/file", 0, 2)
