"""A simulated player whose console goes by another clock: it tells what it knows, and shifts its notes."""

from typing import Any

import httpx
import pytest

from exam.clock import SECOND_US, SimulatedClock
from rehearsal.room_player import RoomPlayer
from tests.rehearsal.test_people import NOW_US, Rounds, Site, cue

START_US = NOW_US - 5 * SECOND_US + 100_000
SLOW_US = 180 * SECOND_US


class Named(Site):
    """A console whose clock has a name and goes on, and which may be away or without reports."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self.clock, self.clock_name = clock, "before"
        self.schedule = [cue()]
        self.status = 200
        # By which clock the schedule is; None: by the same.
        self.schedule_clock: str | None = None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.status != 200 and request.url.path != "/login":
            return httpx.Response(self.status, text="no time yet")
        answer = super().answer(request)
        if request.url.path == "/api/clock":
            told = answer.json()
            return httpx.Response(
                200, json={**told, "server_now_us": told["server_now_us"] + self._gone_us()}
            )
        if request.url.path.endswith("/schedule") and self.schedule_clock is not None:
            return httpx.Response(200, json={**answer.json(), "clock": self.schedule_clock})
        return answer

    def _gone_us(self) -> int:
        return self.clock.monotonic_us()

    def reports(self) -> list[dict[str, Any]]:
        return [one for body in self.posted("/api/rooms/R01/reports") for one in body["reports"]]


@pytest.fixture
def site() -> Named:
    return Named(SimulatedClock(NOW_US, 0))


@pytest.fixture
def player(site: Named) -> RoomPlayer:
    return RoomPlayer(site.client(), "R01", site.clock)


def play(player: RoomPlayer, site: Named, seconds: float = 2) -> None:
    player.run(Rounds(round(seconds * 50), site.clock))


def test_it_tells_the_time_it_knows_as_soon_as_it_knows_it(site: Named, player: RoomPlayer) -> None:
    play(player, site)
    assert site.known[:5] == [None] * 5
    told = site.known[-1]
    assert told is not None
    assert told.clock == "before"
    assert abs(told.now_us - (START_US - 100_000 + site.clock.monotonic_us())) < 100


def test_of_a_clock_without_a_name_it_has_no_word(site: Named, player: RoomPlayer) -> None:
    site.clock_name = ""
    play(player, site)
    assert site.known == [None] * len(site.known)


def test_it_rings_on_while_the_console_does_not_know_the_time_and_tells_it_by_the_new_clock_afterwards(
    site: Named, player: RoomPlayer
) -> None:
    site.schedule = [cue(sounds_at_us=START_US + 2 * SECOND_US)]
    player._talk_to_console()
    site.status = 503
    play(player, site, 4)
    assert site.reports() == []
    site.status, site.clock_name, site.set_by_us = 200, "after", SLOW_US
    play(player, site)
    [report] = site.reports()
    assert 0 <= report["started_at_us"] - START_US - 2 * SECOND_US - SLOW_US <= 40_000
    assert report["ended_at_us"] - report["started_at_us"] == SECOND_US
    assert "clock" not in report
    assert "clock" not in site.posted("/api/rooms/R01/players")[-1]["played"]


def test_an_end_follows_the_start_it_sounded_by_the_clock_before(site: Named, player: RoomPlayer) -> None:
    play(player, site, 1)
    site.clock_name, site.set_by_us = "after", SLOW_US
    start_us = START_US + SLOW_US
    end = cue(key="1:C8:1", cue="C8", sounds_at_us=start_us + 3 * SECOND_US, after="1:C5:1")
    site.schedule = [cue(sounds_at_us=start_us), end]
    play(player, site, 4)
    apart_us = site.reports()[1]["started_at_us"] - site.reports()[0]["started_at_us"] - SLOW_US
    assert 0 <= apart_us - 3 * SECOND_US <= 40_000


def test_a_rehearsal_in_between_shifts_nothing(site: Named, player: RoomPlayer) -> None:
    player._talk_to_console()
    site.status = 503
    play(player, site, 1)
    kept = list(player._unsent)
    for name, by_us in (("", 7200 * SECOND_US), ("before", 0)):
        site.status, site.clock_name, site.set_by_us = 200, name, by_us
        player._learn()
    assert player._unsent == kept


def test_a_schedule_by_another_clock_than_the_time_is_not_looked_at(site: Named, player: RoomPlayer) -> None:
    site.schedule_clock = "after"
    play(player, site, 1)
    assert site.sent == []
    site.schedule_clock = None
    play(player, site, 1)
    assert [one["cue"] for one in site.reports()] == ["C5"]
