"""The console goes by another clock: the speaker tells the time it knows, and reads anew what it noted."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request

from exam.clock import SECOND_US
from exam.clock_change import ClockChange
from exam.playing import Silence
from exam.server_time import KNOWN_HEADER, KnownTime, Measure
from kiosk.speaker_console import ConsoleAwayError, HttpSpeakerConsole, ServerMoment
from kiosk.speaker_store import SpeakerStore
from tests.kiosk.speakers import SERVER_AHEAD_US, START_US, cue_json, room_json
from tests.kiosk.test_speaker import NAME, Room
from tests.kiosk.test_speaker_command import _Bus
from tests.kiosk.test_speaker_store import CUE
from tests.web.console import serving

# The console's clock was three minutes slow, and was set right.
SLOW_US = 180 * SECOND_US
CHANGE = ClockChange("before", "after", SLOW_US)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Its console goes by a clock with a name, and has been asked."""
    room = Room(tmp_path)
    room.console.clock_name = "before"
    room.talk()
    return room


def set_clock(room: Room, name: str = "after", by_us: int = SLOW_US) -> None:
    """What was planned is planned by the time of day, and so moves in the room."""
    room.console.ahead_us += by_us
    room.console.clock_name = name
    room.clock.sleep_us(SECOND_US)


def rung(room: Room) -> Room:
    """It rang while the console was away, and has not told anybody."""
    room.console.failing = ConsoleAwayError("gone")
    room.until(START_US + 3 * SECOND_US)
    room.console.failing = None
    return room


def told(room: Room) -> dict[str, Any]:
    [rooms] = room.console.reports
    [report] = rooms["R01"]
    return report


class TestWord:
    def test_with_every_question_for_the_time_it_tells_what_it_knows(self, room: Room) -> None:
        room.clock.sleep_us(5 * SECOND_US)
        room.link.talk()
        assert room.console.known[0] is None, "nothing was known before the first answer"
        now_us = room.clock.monotonic_us() + SERVER_AHEAD_US
        assert room.console.known[-1] == KnownTime("before", now_us, 600)

    def test_after_sleep_and_of_a_clock_without_a_name_it_has_no_word(self, room: Room) -> None:
        room.clock.asleep_us = 5 * SECOND_US
        room.clock.sleep_us(5 * SECOND_US)
        room.console.clock_name = ""
        for _ in range(3):
            room.link.talk()
            room.clock.sleep_us(5 * SECOND_US)
        assert room.console.known[-3:] == [None, None, None]

    def test_it_stands_in_the_question(self) -> None:
        asked: list[str | None] = []

        def clock() -> Response:
            asked.append(request.headers.get(KNOWN_HEADER))
            return jsonify(server_now_us=5, clock="after")

        with _Console(clock) as console:
            assert console.server_now(KnownTime("before", 1_795_309_200_000_000, 250)) == ServerMoment(
                5, "after"
            )
            console.server_now()
        assert asked == ["before 1795309200000000 250", None]

    def test_an_answer_of_before_clocks_had_names_is_by_a_clock_without_one(self) -> None:
        with _Console(lambda: jsonify(server_now_us=5)) as console:
            assert console.server_now() == ServerMoment(5, "")

    def test_a_console_that_does_not_know_the_time_yet_is_away(self) -> None:
        with (
            _Console(lambda: Response("no time yet", 503)) as console,
            pytest.raises(ConsoleAwayError, match="503"),
        ):
            console.server_now(KnownTime("before", 1, 1))


class _Console:
    """Something that answers the question for the time, and a speaker's line to it."""

    def __init__(self, clock: Any) -> None:
        app = Flask("console")
        app.add_url_rule("/api/speaker/v1/clock", "clock", clock)
        app.extensions["kaochang"] = _Bus()
        self._serving = serving(app)

    def __enter__(self) -> HttpSpeakerConsole:
        self._console = HttpSpeakerConsole(self._serving.__enter__(), "token")
        return self._console

    def __exit__(self, *why: Any) -> None:
        self._console.close()
        self._serving.__exit__(*why)


class TestChange:
    def test_a_report_that_waits_is_sent_by_the_new_clock_and_shifted_once(self, room: Room) -> None:
        rung(room)
        set_clock(room)
        room.talk()
        room.talk()
        report = told(room)
        assert abs(report["started_at_us"] - START_US - SLOW_US) < 200
        assert abs(report["ended_at_us"] - START_US - SLOW_US - SECOND_US) < 200
        assert report["offset_us"] == 30 * SECOND_US - SLOW_US
        assert "clock" not in report
        assert abs(room.speaker.store.played_by("after")[NAME] - START_US - SLOW_US) < 200
        played = room.speaker.state()["played"]
        assert abs(played["at_us"] - START_US - SLOW_US) < 200
        assert "clock" not in played

    def test_it_is_shifted_too_when_the_program_was_started_anew_meanwhile(self, room: Room) -> None:
        rung(room)
        room.switch_on()
        set_clock(room)
        room.talk()
        assert abs(told(room)["started_at_us"] - START_US - SLOW_US) < 200
        room.switch_on()
        assert abs(room.speaker.store.played_by("after")[NAME] - START_US - SLOW_US) < 200

    def test_what_sounds_while_the_clock_changes_is_told_by_the_new_one(self, room: Room) -> None:
        room.until(START_US + SECOND_US // 2)
        room.console.clock_name, room.console.ahead_us = "after", SERVER_AHEAD_US - SLOW_US
        room.link._due_us.clear()
        room.link.talk()
        room.until(START_US + 4 * SECOND_US)
        room.link._due_us.clear()
        room.link.talk()
        report = room.console.reports[-1]["R01"][0]
        assert abs(report["started_at_us"] - START_US + SLOW_US) < 200
        assert abs(report["ended_at_us"] - report["started_at_us"] - SECOND_US) < 200

    def test_nothing_is_shifted_by_a_rehearsal_in_between(self, room: Room) -> None:
        rung(room)
        kept = room.report()
        room.console.refuses = False
        for name, by_us in (("", 7200 * SECOND_US), ("before", -7200 * SECOND_US)):
            set_clock(room, name, by_us)
            room.link._due_us = dict.fromkeys(("reports", "state"), 1 << 62)
            room.talk()
            assert room.speaker.store.reports == {NAME: kept}
        room.link._due_us.clear()
        room.talk()
        assert told(room) == {name: value for name, value in kept.items() if name != "clock"}

    def test_a_silent_cue_is_told_without_a_moment_by_any_clock(self, room: Room) -> None:
        room.console.failing = ConsoleAwayError("gone")
        room.clock.sleep_us(12 * SECOND_US)
        room.speaker.look()
        room.console.failing = None
        set_clock(room)
        room.talk()
        assert (told(room)["started_at_us"], told(room)["error"]) == (None, Silence.NO_OUTPUT)
        assert room.speaker.state()["played"]["at_us"] is None


class TestScheduleAndTime:
    def test_another_clock_counts_only_with_a_schedule_by_it(self, room: Room) -> None:
        rung(room)
        set_clock(room)
        schedules, room.console.schedules = room.console.schedules, _away  # type: ignore[method-assign]
        for _ in range(3):
            room.talk()
        assert room.speaker.measure() == (Measure(SERVER_AHEAD_US, 0, 90 * SECOND_US, "before"), 0)
        assert room.console.reports == [], "not told by a clock that the console has left"
        room.console.schedules = schedules  # type: ignore[method-assign]
        room.talk()
        assert abs(told(room)["started_at_us"] - START_US - SLOW_US) < 200

    def test_until_then_it_rings_by_the_clock_and_the_schedule_it_has(self, room: Room) -> None:
        set_clock(room)
        room.console.schedules = _away  # type: ignore[method-assign]
        room.talk()
        room.until(START_US + 3 * SECOND_US)
        assert room.onset_us is not None
        assert abs(room.onset_us - START_US) < 200

    def test_a_schedule_by_another_clock_is_taken_with_a_better_word_of_its_time(self, room: Room) -> None:
        set_clock(room)
        room.console.rooms = [room_json(cue_json(sounds_at_us=START_US + SLOW_US))]
        room.console.asked.clear()
        room.link._due_us = {"schedule": 0, **dict.fromkeys(("measure", "sounds", "state"), 1 << 62)}
        room.link.talk()
        assert room.console.asked == ["schedules", "clock", "schedules"]
        room.until(START_US + 3 * SECOND_US)
        assert room.onset_us is not None
        assert abs(room.onset_us - START_US) < 200

    def test_a_speaker_that_died_between_schedule_and_time_asks_before_it_rings(self, room: Room) -> None:
        room.speaker.store.keep_schedule([{**room_json(cue_json()), "clock": "after"}])
        room.switch_on()
        assert room.speaker.measure() is None
        set_clock(room)
        room.talk()
        found = room.speaker.measure()
        assert found is not None
        assert found[0].clock == "after"

    def test_after_a_reboot_the_kept_schedule_waits_for_one_by_the_consoles_clock(self, room: Room) -> None:
        (room.folder / "clock.json").unlink()
        set_clock(room)
        understood, room.console.rooms = room.console.rooms, [{"room": {}}]
        room.switch_on()
        room.talk()
        assert room.speaker.measure() is None
        room.console.rooms = understood
        room.talk()
        found = room.speaker.measure()
        assert found is not None
        assert found[0].clock == "after"

    def test_reports_wait_while_the_time_cannot_be_asked(self, room: Room) -> None:
        rung(room)
        room.console.server_now = _away  # type: ignore[method-assign]
        room.talk()
        assert room.console.reports == []
        assert room.speaker.store.reports


def _away(*_: object) -> Any:
    raise ConsoleAwayError("status 503")


class TestStore:
    def test_a_change_outlives_a_restart_and_counts_once(self, tmp_path: Path) -> None:
        store = self._noted(tmp_path)
        store.shift(CHANGE)
        for _ in range(2):
            store = SpeakerStore(tmp_path)
            assert store.played_by("after") == {NAME: 1005 + SLOW_US}
            assert store.reports[NAME]["started_at_us"] == 1005 + SLOW_US
            store.shift(CHANGE)
            assert store.played_by("after") == {NAME: 1005 + SLOW_US}

    def test_a_crash_in_the_middle_is_made_good_by_the_same_change_heard_again(self, tmp_path: Path) -> None:
        self._noted(tmp_path).shift(CHANGE)
        journal = tmp_path / "played.jsonl"
        journal.write_bytes(journal.read_bytes()[:-10])
        store = SpeakerStore(tmp_path)
        assert store.played_by("before") == {NAME: 1005}
        assert store.reports[NAME]["started_at_us"] == 1005 + SLOW_US
        store.shift(CHANGE)
        assert store.played_by("after") == {NAME: 1005 + SLOW_US}
        assert store.reports[NAME]["started_at_us"] == 1005 + SLOW_US

    def test_what_was_kept_before_clocks_had_names_is_by_a_clock_without_one(self, tmp_path: Path) -> None:
        self._noted(tmp_path)
        for name in ("played.jsonl", "reports.json"):
            kept = (tmp_path / name).read_text(encoding="utf-8")
            (tmp_path / name).write_text(kept.replace(', "clock": "before"', ""), encoding="utf-8")
        measured = '{"offset_us": 5, "error_us": 6, "taken_us": 7, "boot_id": "boot", "slept_us": 8}'
        (tmp_path / "clock.json").write_text(measured, encoding="utf-8")
        store = SpeakerStore(tmp_path)
        store.shift(CHANGE)
        assert store.played_by("") == {NAME: 1005}
        assert store.reports[NAME]["started_at_us"] == 1005
        assert store.measure("boot") == (Measure(5, 6, 7, ""), 8)

    def _noted(self, folder: Path) -> SpeakerStore:
        store = SpeakerStore(folder)
        store.claim([CUE], 900)
        store.began([NAME], 1005, "before")
        store.keep_report(
            NAME, {"started_at_us": 1005, "ended_at_us": None, "offset_us": 0, "clock": "before"}
        )
        return store
