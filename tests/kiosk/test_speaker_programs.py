"""A program at each moment: its exit status and its length decide whether the sound was heard."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from exam.clock import MINUTE_US, SECOND_US, SystemClock
from kiosk.speaker_outputs import RATE
from kiosk.speaker_programs import ProgramLoudspeaker, command_of
from kiosk.speaker_stream import Sound

CLOCK = SystemClock()


@dataclass
class Heard:
    began: list[int] = field(default_factory=list)
    ended: list[tuple[int, str]] = field(default_factory=list)


def sound(loudspeaker: ProgramLoudspeaker, *, in_us: int = 0, lasts_s: float = 0.2) -> tuple[Sound, Heard]:
    told = Heard()
    at_us = CLOCK.monotonic_us() + in_us
    one = Sound(
        samples=np.zeros(round(lasts_s * RATE), np.int16),
        path=Path("bell.wav"),
        at_us=at_us,
        closes_at_us=at_us + MINUTE_US,
        began=told.began.append,
        ended=lambda at, why: told.ended.append((at, why)),
    )
    loudspeaker.begin(one)
    return one, told


def played(loudspeaker: ProgramLoudspeaker, *heard: Heard) -> None:
    while not all(one.ended for one in heard):
        loudspeaker.turn()
        CLOCK.sleep_us(5_000)


@pytest.mark.parametrize(
    ("player", "words"),
    [
        ("pw-play", ("pw-play", "{file}")),
        ("paplay", ("paplay", "{file}")),
        ("aplay", ("aplay", "-q", "{file}")),
        ("ssh pa 'aplay -' < x", ("ssh", "pa", "aplay -", "<", "x", "{file}")),
        ("ring --zone 3 {file}", ("ring", "--zone", "3", "{file}")),
    ],
)
def test_known_players_and_commands_of_the_site(player: str, words: tuple[str, ...]) -> None:
    assert command_of(player) == words


def test_a_program_that_plays_it_whole_is_believed() -> None:
    loudspeaker = ProgramLoudspeaker(("sleep", "0.2"), CLOCK)
    one, told = sound(loudspeaker, in_us=50_000)
    played(loudspeaker, told)
    assert told.began[0] >= one.at_us
    assert told.ended[0][1] == ""
    assert loudspeaker.trouble() == ""


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("false",), "false ended with status 1"),
        (("true",), "true ended too soon"),
        (("/no/such/player",), "/no/such/player cannot be started (No such file or directory)"),
    ],
)
def test_a_program_that_fails_is_not_believed(command: tuple[str, ...], why: str) -> None:
    loudspeaker = ProgramLoudspeaker(command, CLOCK)
    _one, told = sound(loudspeaker, lasts_s=30)
    played(loudspeaker, told)
    assert told.ended[0][1] == why
    assert loudspeaker.trouble()


def test_nothing_is_started_too_late() -> None:
    loudspeaker = ProgramLoudspeaker(("sleep", "0.2"), CLOCK)
    _one, told = sound(loudspeaker, in_us=-2 * MINUTE_US)
    loudspeaker.turn()
    assert told.began == []
    assert told.ended[0][1] == "too_late"


def test_the_newer_word_ends_the_older_program() -> None:
    loudspeaker = ProgramLoudspeaker(("sleep", "60"), CLOCK)
    _one, older = sound(loudspeaker, lasts_s=60)
    loudspeaker.turn()
    _two, newer = sound(loudspeaker, lasts_s=60)
    loudspeaker.turn()
    assert older.ended[0][1] == "cut"
    assert newer.began
    stopping = threading.Event()
    stopping.set()
    loudspeaker.run(stopping)  # what still sounds is ended with the speaker
    assert newer.ended[0][1] == "cut"


def test_a_sound_that_waits_can_be_taken_back() -> None:
    loudspeaker = ProgramLoudspeaker(("sleep", "0.2"), CLOCK)
    one, told = sound(loudspeaker, in_us=SECOND_US)
    assert loudspeaker.withdraw(one)
    assert not loudspeaker.withdraw(one)
    loudspeaker.turn()
    assert told == Heard()
