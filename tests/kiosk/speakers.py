"""Fakes of a speaker's surroundings: a device that plays by a simulated clock, a console that can be away."""

import io
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from exam.clock import SECOND_US, SimulatedClock
from exam.server_time import KnownTime
from kiosk.speaker_console import ConsoleAwayError, ReportsRefusedError, ServerMoment
from kiosk.speaker_outputs import RATE, OutputError

SERVER_AHEAD_US = 1_795_309_200_000_000
START_US = SERVER_AHEAD_US + 100 * SECOND_US


@dataclass
class QuartzClock(SimulatedClock):
    """Monotonic and wall clock as the test sets them, and time slept."""

    asleep_us: int = 0

    def slept_us(self) -> int:
        return self.asleep_us


def clock_at(server_us: int) -> QuartzClock:
    """A machine at this moment of the server, whose own wall clock is half a minute off."""
    uptime_us = server_us - SERVER_AHEAD_US
    return QuartzClock(now_us=server_us + 30 * SECOND_US, uptime_us=uptime_us)


def tone_wav(seconds: float = 1.0, *, rate: int = RATE, channels: int = 1, loud: int = 9_000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(np.full(round(seconds * rate) * channels, loud, "<i2").tobytes())
    return out.getvalue()


@dataclass
class PaperOutput:
    """A device that writes down what it was given, and when each sample is heard by the clock."""

    clock: SimulatedClock
    heard: list[int] = field(default_factory=list)
    began_us: int | None = None
    broken: bool = False
    closed: bool = False
    restarts: int = 0
    # A server that takes samples and never plays any.
    swallows: bool = False

    def delay_us(self) -> int:
        if self.broken:
            raise OutputError("the sound card went away")
        return (
            0
            if self.began_us is None or self.swallows
            else max(0, self._end_us() - self.clock.monotonic_us())
        )

    def write(self, samples: bytes) -> None:
        if self.broken:
            raise OutputError("the sound card went away")
        if self.began_us is None or self._end_us() < self.clock.monotonic_us():
            # Starting, or after an underrun: what is written now is heard now.
            self.began_us = self.clock.monotonic_us() - len(self.heard) * SECOND_US // RATE
        self.heard += np.frombuffer(samples, "<i2").tolist()

    def restart(self) -> None:
        self.restarts += 1

    def close(self) -> None:
        self.closed = True

    def onset_us(self) -> int | None:
        """When the first loud sample is heard, monotonic."""
        loud = [frame for frame, level in enumerate(self.heard) if abs(level) > 100]
        assert self.began_us is not None
        return self.began_us + loud[0] * SECOND_US // RATE if loud else None

    def loud_us(self) -> int:
        """How long it was loud in all."""
        return sum(abs(level) > 100 for level in self.heard) * SECOND_US // RATE

    def _end_us(self) -> int:
        assert self.began_us is not None
        return self.began_us + len(self.heard) * SECOND_US // RATE


def cue_json(code: str = "C5", **changed: Any) -> dict[str, Any]:
    return {
        "key": f"1@0:{code}:1",
        "session_id": 1,
        "cue": code,
        "occurrence": 1,
        "title": "开考信号",
        "text": "",
        "kind": "bell",
        "signal": "start_signal",
        "sounds_at_us": START_US,
        "tolerance_us": 2 * SECOND_US,
        "may_sound": True,
        "after": None,
        "outcome": None,
        "audio": "/audio/bell.wav",
        "duration_us": SECOND_US,
    } | changed


def room_json(*cues: dict[str, Any], code: str = "R01", test: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"room": {"code": code, "label": "第1考场"}, "cues": list(cues), "test": test}


@dataclass
class PaperConsole:
    """A console that answers from memory, or not at all."""

    clock: SimulatedClock
    rooms: list[dict[str, Any]] = field(default_factory=list)
    sounds: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    reports: list[dict[str, list[dict[str, Any]]]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    failing: Exception | None = None
    asked: list[str] = field(default_factory=list)
    # Its time; a rehearsal's is hours ahead.
    ahead_us: int = SERVER_AHEAD_US
    # The name of its clock.
    clock_name: str = ""
    known: list[KnownTime | None] = field(default_factory=list)
    # Reports it will never understand.
    refuses: bool = False

    def server_now(self, known: KnownTime | None = None) -> ServerMoment:
        self._ask("clock")
        self.known.append(known)
        return ServerMoment(self.clock.monotonic_us() + self.ahead_us, self.clock_name)

    def schedules(self) -> dict[str, Any]:
        self._ask("schedules")
        now = {"server_now_us": self.clock.monotonic_us() + self.ahead_us, "clock": self.clock_name}
        return {"label": "音箱", "speaker": "uuid", "rooms": [{**room, **now} for room in self.rooms]}

    def sound(self, address: str) -> tuple[bytes, str]:
        self._ask("sound")
        return self.sounds[address]

    def tell_reports(self, rooms: dict[str, list[dict[str, Any]]]) -> None:
        self._ask("reports")
        if self.refuses:
            raise ReportsRefusedError("no")
        self.reports.append(rooms)

    def tell_state(self, state: dict[str, Any]) -> None:
        self._ask("state")
        self.states.append(state)

    def wakes(self) -> Iterator[None]:
        self._ask("wakes")
        yield None
        raise ConsoleAwayError("the line broke")

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.failing is not None:
            raise self.failing
