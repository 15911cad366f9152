"""The open stream: to the sample, the newer word counts, a lost device is opened again."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from exam.clock import SECOND_US, SimulatedClock
from kiosk.speaker_outputs import RATE, OutputError
from kiosk.speaker_stream import BLOCK_US, HUNG_US, TARGET_US, Sound, Stream
from tests.kiosk.speakers import PaperOutput

NOW_US = 50 * SECOND_US


@dataclass
class Heard:
    """What a sound's listener was told."""

    began: list[int] = field(default_factory=list)
    ended: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Studio:
    """A stream whose loop the test turns by hand; time passes only in it."""

    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(0, NOW_US))
    outputs: list[PaperOutput] = field(default_factory=list)
    is_plugged: bool = True

    def __post_init__(self) -> None:
        self.stream = Stream(self.open_output, self.clock)

    def open_output(self) -> PaperOutput:
        if not self.is_plugged:
            raise OutputError("no sound card")
        self.outputs.append(PaperOutput(self.clock))
        return self.outputs[-1]

    def sound(self, at_us: int, seconds: float = 1.0) -> tuple[Sound, Heard]:
        told = Heard()
        sound = Sound(
            samples=np.full(round(seconds * RATE), 9_000, np.int16),
            path=Path("bell.wav"),
            at_us=at_us,
            closes_at_us=at_us + 2 * SECOND_US,
            began=told.began.append,
            ended=lambda at, why: told.ended.append((at, why)),
        )
        self.stream.begin(sound)
        return sound, told

    def until(self, moment_us: int) -> None:
        while self.clock.monotonic_us() < moment_us:
            before_us = self.clock.monotonic_us()
            self.stream._turn()
            if self.clock.monotonic_us() == before_us:
                self.clock.sleep_us(1_000)


def test_a_sound_begins_at_its_moment_to_the_sample_and_says_so() -> None:
    studio = Studio()
    _sound, told = studio.sound(NOW_US + 777_777)
    studio.until(NOW_US + 3 * SECOND_US)
    onset_us = studio.outputs[0].onset_us()
    assert onset_us is not None
    assert 0 <= onset_us - (NOW_US + 777_777) + 50 <= 100  # a sample lasts 45 us
    assert abs(told.began[0] - onset_us) < 100
    [(ended_us, why)] = told.ended
    assert why == ""
    assert abs(ended_us - onset_us - SECOND_US) < 100


def test_a_sound_handed_over_late_begins_at_once_but_never_after_it_closes() -> None:
    studio = Studio()
    studio.until(NOW_US + SECOND_US)
    _sound, told = studio.sound(NOW_US)
    _other, never = studio.sound(NOW_US - 5 * SECOND_US)
    studio.until(NOW_US + 2 * SECOND_US)
    assert 0 < told.began[0] - NOW_US - SECOND_US <= TARGET_US + BLOCK_US
    assert never.began == []
    assert never.ended[0][1] == "too_late"


def test_the_newer_word_counts() -> None:
    studio = Studio()
    _first, older = studio.sound(NOW_US + SECOND_US, seconds=5)
    _second, newer = studio.sound(NOW_US + 2 * SECOND_US)
    studio.until(NOW_US + 4 * SECOND_US)
    assert older.ended[0][1] == "cut"
    assert abs(older.ended[0][0] - newer.began[0]) < 100
    assert abs(studio.outputs[0].loud_us() - 2 * SECOND_US) < 10_000


def test_a_sound_that_waits_can_be_taken_back_and_one_that_is_heard_cannot() -> None:
    studio = Studio()
    waiting, told = studio.sound(NOW_US + SECOND_US)
    assert studio.stream.withdraw(waiting)
    assert not studio.stream.withdraw(waiting)
    sounding, _ = studio.sound(NOW_US + SECOND_US)
    studio.until(NOW_US + 3 * SECOND_US // 2)
    assert not studio.stream.withdraw(sounding)
    assert told.began == []


def test_a_device_that_goes_away_ends_the_sound_and_is_opened_again() -> None:
    studio = Studio()
    _sound, told = studio.sound(NOW_US + SECOND_US, seconds=5)
    _later, fine = studio.sound(NOW_US + 8 * SECOND_US)
    studio.until(NOW_US + 2 * SECOND_US)
    studio.outputs[0].broken, studio.is_plugged = True, False
    studio.until(NOW_US + 4 * SECOND_US)
    assert told.ended[0][1] == "the sound card went away"
    assert studio.outputs[0].closed
    assert studio.stream.trouble() == "no sound card"
    studio.is_plugged = True
    studio.until(NOW_US + 10 * SECOND_US)
    assert studio.stream.trouble() == ""
    assert fine.ended[0][1] == ""


def test_without_a_device_nothing_sounds_and_the_reason_is_told() -> None:
    studio = Studio(is_plugged=False)
    _sound, told = studio.sound(NOW_US)
    studio.until(NOW_US + 3 * SECOND_US)
    assert told.began == []
    assert told.ended[0][1] == "no sound card"


def test_a_device_that_hangs_is_noticed() -> None:
    studio = Studio()
    assert studio.stream.trouble() == "the sound output is being opened"
    studio.until(NOW_US + SECOND_US)
    assert studio.stream.trouble() == ""
    studio.clock.sleep_us(HUNG_US + SECOND_US)
    assert studio.stream.trouble() == "the sound output does not move"


def test_samples_that_add_up_too_loud_are_limited() -> None:
    studio = Studio()
    studio.sound(NOW_US + SECOND_US)[0].samples[:] = 30_000
    studio.until(NOW_US + 3 * SECOND_US)
    assert max(studio.outputs[0].heard) == 30_000


def test_a_machine_that_was_busy_too_long_leaves_a_gap_and_goes_on_at_the_right_place() -> None:
    studio = Studio()
    _sound, told = studio.sound(NOW_US + SECOND_US, seconds=4)
    studio.until(NOW_US + 2 * SECOND_US)
    studio.clock.sleep_us(SECOND_US)  # nobody fed the device
    studio.until(NOW_US + 6 * SECOND_US)
    assert studio.outputs[0].restarts == 1
    assert abs(studio.outputs[0].loud_us() - 3_250_000) < 110_000  # what the device held was heard
    assert abs(told.began[0] - NOW_US - SECOND_US) < 100
    assert abs(told.ended[0][0] - NOW_US - 5 * SECOND_US) < 60_000


def test_nothing_begins_while_the_device_has_run_dry() -> None:
    studio = Studio()
    studio.until(NOW_US + SECOND_US)
    studio.clock.sleep_us(SECOND_US)
    _sound, told = studio.sound(NOW_US + 2 * SECOND_US)
    studio.until(NOW_US + 4 * SECOND_US)
    assert 0 < told.began[0] - NOW_US - 2 * SECOND_US < 2 * BLOCK_US
    assert abs(told.began[0] - (studio.outputs[0].onset_us() or 0)) < 100


def test_a_device_that_takes_everything_and_plays_nothing_is_opened_again() -> None:
    studio = Studio()
    studio.until(NOW_US + SECOND_US)
    studio.outputs[0].swallows = True
    studio.until(NOW_US + 3 * SECOND_US)
    assert studio.outputs[0].closed
    assert len(studio.outputs) == 2
    assert studio.stream.trouble() == ""
