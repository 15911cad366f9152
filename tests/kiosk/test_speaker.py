"""The speaker on a simulated clock: it rings alone, at its moment, once, and says what became of it."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from exam.clock import SECOND_US
from exam.playing import Silence
from exam.server_time import Exchange, Measure
from kiosk.speaker import Speaker, exchange
from kiosk.speaker_console import ConsoleAwayError, ServerMoment, ShutOutError
from kiosk.speaker_link import SpeakerLink
from kiosk.speaker_outputs import OutputError
from kiosk.speaker_store import SpeakerStore
from kiosk.speaker_stream import Stream
from tests.kiosk.speakers import (
    SERVER_AHEAD_US,
    START_US,
    PaperConsole,
    PaperOutput,
    QuartzClock,
    clock_at,
    cue_json,
    room_json,
    tone_wav,
)

NAME = "R01/1@0:C5:1"


@dataclass
class Room:
    """One speaker in its surroundings; `until` lets the time pass."""

    folder: Path
    clock: QuartzClock = field(default_factory=lambda: clock_at(START_US - 10 * SECOND_US))
    rooms: frozenset[str] | None = None
    outputs: list[PaperOutput] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.console = PaperConsole(self.clock, [room_json(cue_json())])
        self.console.sounds["/audio/bell.wav"] = (tone_wav(), "")
        self.switch_on()

    def switch_on(self) -> None:
        """A new life of the program over the same disk."""
        self.stream = Stream(self._open, self.clock)
        self.speaker = Speaker(SpeakerStore(self.folder), self.stream, self.clock, self.rooms)
        self.speaker.remember("boot")
        self.link = SpeakerLink(self.speaker, self.console, "boot")

    def _open(self) -> PaperOutput:
        self.outputs.append(PaperOutput(self.clock))
        return self.outputs[-1]

    def talk(self) -> None:
        """Ask for everything, and a second later for the sounds of the schedule that came."""
        self.link.talk()
        self.speaker.look()
        self.clock.sleep_us(SECOND_US)
        self.link.talk()

    def until(self, server_us: int) -> None:
        next_us = 0
        while self.clock.monotonic_us() + SERVER_AHEAD_US < server_us:
            before_us = self.clock.monotonic_us()
            if before_us >= next_us:
                self.speaker.look()
                next_us = before_us + 100_000
            self.stream._turn()
            if self.clock.monotonic_us() == before_us:
                self.clock.sleep_us(1_000)
        self.speaker.look()

    @property
    def onset_us(self) -> int | None:
        """When it was heard, server time."""
        onsets = [one.onset_us() for one in self.outputs if one.began_us is not None]
        found = [onset for onset in onsets if onset is not None]
        return found[0] + SERVER_AHEAD_US if found else None

    @property
    def loud_us(self) -> int:
        return sum(one.loud_us() for one in self.outputs)

    def report(self) -> dict[str, Any]:
        [report] = self.speaker.store.waiting_reports(50).values()
        return report


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_it_rings_at_the_servers_moment_though_its_own_clock_is_half_a_minute_off(room: Room) -> None:
    room.talk()
    room.until(START_US + 3 * SECOND_US)
    assert room.onset_us is not None
    assert abs(room.onset_us - START_US) < 200
    report = room.report()
    assert abs(report["started_at_us"] - START_US) < 200
    assert abs(report["ended_at_us"] - START_US - SECOND_US) < 200
    assert (report["offset_us"], report["error"]) == (30 * SECOND_US, "")
    assert room.speaker.state()["played"]["key"] == "1@0:C5:1"


def test_it_rings_though_the_console_dies_before_and_tells_afterwards(room: Room) -> None:
    room.talk()
    room.console.failing = ConsoleAwayError("gone")
    room.until(START_US + 3 * SECOND_US)
    room.talk()
    assert room.console.reports == []
    room.console.failing = None
    room.talk()
    [told] = room.console.reports
    assert told["R01"][0]["cue"] == "C5"
    assert room.speaker.store.reports == {}


def test_a_speaker_started_without_the_console_rings_by_what_it_kept(room: Room) -> None:
    room.talk()
    room.console.failing = ConsoleAwayError("gone")
    room.switch_on()
    room.until(START_US + 3 * SECOND_US)
    assert room.onset_us is not None
    assert abs(room.onset_us - START_US) < 200


def test_one_that_never_measured_the_time_stays_silent(room: Room) -> None:
    room.speaker.learn(room.console.rooms)
    room.until(START_US + 3 * SECOND_US)
    assert room.onset_us is None
    assert room.speaker.state()["clock"] is None


@pytest.mark.parametrize("die_us", [-400_000, -1_000, 300_000, 900_000])
def test_a_speaker_that_dies_and_comes_back_never_rings_twice(room: Room, die_us: int) -> None:
    room.talk()
    room.until(START_US + die_us)
    room.switch_on()
    room.until(START_US + 5 * SECOND_US)
    assert room.loud_us <= SECOND_US + 1000
    if die_us < 0:
        assert room.report()["error"] == Silence.INTERRUPTED
        assert room.report()["started_at_us"] is None
    else:
        assert room.report()["started_at_us"] is not None


def test_a_bell_that_was_slept_through_is_never_rung_and_told(room: Room) -> None:
    room.talk()
    room.until(START_US - 5 * SECOND_US)
    room.clock.sleep_us(8 * SECOND_US)
    room.stream._turn()
    room.until(START_US + 6 * SECOND_US)
    assert room.onset_us is None
    assert room.report()["error"] == Silence.TOO_LATE


def test_missing_sound_is_told_as_such(room: Room) -> None:
    room.console.sounds["/audio/bell.wav"] = (b"torn", "sha-256=:AAAA:")
    room.talk()
    room.until(START_US + 3 * SECOND_US)
    assert room.report()["error"] == Silence.AUDIO_MISSING


def test_a_sound_that_comes_within_its_tolerance_is_still_played(room: Room) -> None:
    sounds = room.console.sounds.pop("/audio/bell.wav")
    room.console.sounds["/audio/bell.wav"] = (b"", "sha-256=:AAAA:")
    room.talk()
    room.until(START_US + SECOND_US // 4)
    room.console.sounds["/audio/bell.wav"] = sounds
    room.talk()
    room.until(START_US + 4 * SECOND_US)
    assert room.onset_us is not None
    assert SECOND_US < room.onset_us - START_US < 2 * SECOND_US


def test_a_cue_withdrawn_in_the_last_half_second_does_not_sound_and_may_come_back(room: Room) -> None:
    room.talk()
    room.until(START_US - 400_000)
    assert NAME in room.speaker.store.claims
    room.speaker.learn([room_json(cue_json(may_sound=False))])
    room.until(START_US + SECOND_US)
    assert room.onset_us is None
    room.speaker.learn([room_json(cue_json(sounds_at_us=START_US + 5 * SECOND_US))])
    room.until(START_US + 7 * SECOND_US)
    assert room.onset_us is not None
    assert abs(room.onset_us - START_US - 5 * SECOND_US) < 200


def test_a_sound_card_pulled_out_in_the_middle_is_told_as_interrupted(room: Room) -> None:
    room.talk()
    room.until(START_US + 500_000)
    room.outputs[0].broken = True
    room.until(START_US + 2 * SECOND_US)
    report = room.report()
    assert (report["error"], report["started_at_us"] is None) == (Silence.INTERRUPTED, False)


def test_a_speaker_without_any_output_says_so(room: Room) -> None:
    room.talk()
    room.until(START_US - 2 * SECOND_US)
    room.outputs[0].broken = True
    room.stream.open_output = _refuse
    room.until(START_US + 4 * SECOND_US)
    assert room.report()["error"] == Silence.NO_OUTPUT
    assert room.speaker.state()["output"] is False


def _refuse() -> PaperOutput:
    raise OutputError("no sound card")


def test_a_test_tone_is_played_and_told_by_the_heartbeat_alone(room: Room) -> None:
    tone = {
        "key": "test:1@5",
        "sounds_at_us": START_US,
        "tolerance_us": 5 * SECOND_US,
        "audio": "/audio/bell.wav",
        "duration_us": SECOND_US,
    }
    room.console.rooms = [room_json(test=tone)]
    room.talk()
    room.until(START_US + 3 * SECOND_US)
    assert room.onset_us is not None
    assert room.speaker.store.reports == {}
    assert room.speaker.state()["played"]["key"] == "test:1@5"


def test_it_sounds_only_in_the_rooms_it_was_started_for(tmp_path: Path) -> None:
    room = Room(tmp_path, rooms=frozenset({"R09"}))
    room.talk()
    assert room.speaker.wanted_sounds() == []


def test_a_schedule_it_does_not_understand_leaves_the_one_it_has(room: Room) -> None:
    room.talk()
    room.speaker.learn([{"room": {}}])
    room.speaker.look()
    assert room.speaker.wanted_sounds() == ["/audio/bell.wav"]


def test_sleep_costs_the_measure_until_the_console_is_asked_again(room: Room) -> None:
    room.talk()
    room.clock.asleep_us = 5 * SECOND_US
    room.speaker.look()
    assert room.speaker.measure() is None
    room.speaker.heard_time(Exchange(0, SERVER_AHEAD_US, 0))
    assert room.speaker.measure() == (Measure(SERVER_AHEAD_US, 0, 0), 5 * SECOND_US)


class TestLink:
    def test_the_real_consoles_schedule_is_not_looked_at_by_the_time_of_a_rehearsal(self, room: Room) -> None:
        real, room.console.rooms = room.console.rooms, []
        # The start signal was rehearsed a few seconds ago, and really comes in a few.
        room.console.ahead_us += 14 * SECOND_US
        room.talk()
        room.console.rooms, room.console.ahead_us = real, SERVER_AHEAD_US
        room.link._due_us["schedule"] = 0  # woken; the time is asked for some seconds later
        room.link.talk()
        room.speaker.look()
        assert room.speaker.store.claims == {}, "nothing was missed"
        room.talk()  # the sound arrives
        room.until(START_US + 2 * SECOND_US)
        assert room.onset_us is not None
        assert 0 <= room.onset_us - START_US < SECOND_US // 10

    def test_on_a_bad_line_the_time_is_asked_more_often(self, room: Room) -> None:
        room.console.server_now = lambda _known=None: _slow(room)  # type: ignore[method-assign]
        room.link.talk()
        assert room.link._due_us["measure"] - room.clock.monotonic_us() <= SECOND_US // 2

    def test_each_question_may_fail_alone(self, room: Room) -> None:
        room.console.failing = ShutOutError("unknown")
        room.link.talk()
        assert room.console.asked == ["clock", "schedules", "state"]
        room.console.failing = None
        room.clock.sleep_us(SECOND_US)
        room.talk()
        assert room.speaker.wanted_sounds()
        assert len(room.console.states) == 1

    def test_a_console_that_stays_away_is_said_to_be_lost_once(
        self, room: Room, capsys: pytest.CaptureFixture[str]
    ) -> None:
        room.console.failing = ConsoleAwayError("no answer")
        for _ in range(5):
            room.talk()
        room.console.failing = None
        room.talk()
        said = capsys.readouterr().out
        assert (said.count("console_lost"), said.count("console_back")) == (1, 1)

    def test_reports_that_nobody_understands_are_not_sent_for_ever(self, room: Room) -> None:
        room.speaker.store.keep_report(NAME, {"cue": "C5"})
        room.console.refuses = True
        room.link.wake()
        room.link.talk()
        assert room.speaker.store.reports == {}

    def test_a_wake_brings_the_schedule_at_once(self, room: Room) -> None:
        room.talk()
        room.console.rooms = []
        stopping = threading.Event()
        listener = threading.Thread(target=room.link.listen, args=(stopping,))
        listener.start()  # one wake, then the line breaks
        while "wakes" not in room.console.asked:
            pass
        stopping.set()
        listener.join()
        room.link.talk()
        room.speaker.look()
        assert room.speaker.wanted_sounds() == []


def _slow(room: Room) -> ServerMoment:
    room.clock.sleep_us(100_000)
    now_us = room.clock.monotonic_us() + SERVER_AHEAD_US
    room.clock.sleep_us(100_000)
    return ServerMoment(now_us)


def test_an_exchange_is_timed_on_both_sides(room: Room) -> None:
    one = exchange(lambda: _slow(room), room.clock)
    assert one.received_us - one.sent_us == 200_000
