"""A simulated room player: holds the room's schedule, plays each cue at its moment, reports what it played.

It does over HTTP what the room page does in a browser (docs/design/signals.md), with silence for sound. What
is due, what has become too late and what time it is at the console it decides as the headless speaker does.
"""

import threading
from collections.abc import Iterable
from typing import Any, Final

import httpx

from exam.clock import SECOND_US, Clock
from exam.clock_change import ClockChange, as_sent
from exam.playing import Due, PlayerCue, due, read_schedule
from exam.server_time import KNOWN_HEADER, Exchange, ServerTime
from rehearsal.console_client import ConsoleClient, ConsoleRefusedError

SCHEDULE_EVERY_US: Final = SECOND_US
HEARTBEAT_EVERY_US: Final = 5 * SECOND_US
LOOK_EVERY_US: Final = 20_000
CLOCK_EXCHANGES: Final = 5
# So long before a sound the console is not asked anything.
QUIET_US: Final = 4 * SECOND_US


class RoomPlayer:
    """Plays for one room until told to stop. Use `run` as the target of a thread."""

    def __init__(self, console: ConsoleClient, room_code: str, clock: Clock) -> None:
        """`console` is logged in as somebody who works in the room."""
        self._console = console
        self._room = room_code
        self._clock = clock
        self._name = f"rehearsal-{room_code}"
        self._time = ServerTime()
        # What was dealt with in any way, and when what sounded began, by the console's clock of that name.
        self._claimed: set[str] = set()
        self._played: dict[str, tuple[int, str]] = {}
        self._last: dict[str, Any] | None = None
        self._unsent: list[dict[str, Any]] = []
        self._cues: list[PlayerCue] = []
        self._told_at_us: int | None = None

    def run(self, stopping: threading.Event) -> None:
        """Play until `stopping`; a console that is away changes nothing but the reports' arrival."""
        looked_at_us = -SCHEDULE_EVERY_US
        while not stopping.is_set():
            is_time = self._clock.monotonic_us() - looked_at_us >= SCHEDULE_EVERY_US
            if is_time and not self._is_about_to_ring():
                looked_at_us = self._clock.monotonic_us()
                self._talk_to_console()
            self._play_what_is_due()
            stopping.wait(LOOK_EVERY_US / SECOND_US)
        self._talk_to_console()

    def _is_about_to_ring(self) -> bool:
        """Whether something at hand sounds in a moment: a slow answer of the console must not delay it."""
        return any(one.silence is None for one in self._due(QUIET_US))

    def _due(self, ahead_us: int) -> list[Due]:
        """What begins by then; nothing while the console's time is not known."""
        now_us = self._time.now_us(self._clock.monotonic_us())
        played = {name: at_us for name, (at_us, clock) in self._played.items() if clock == self._clock_name()}
        return [] if now_us is None else due(self._cues, self._claimed, played, now_us, ahead_us)

    def _talk_to_console(self) -> None:
        try:
            self._learn()
            if self._unsent:
                body = {"player": self._name, "reports": [as_sent(report) for report in self._unsent]}
                self._console.post_json(f"/api/rooms/{self._room}/reports", body)
                self._unsent = []
            self._tell_how_it_is()
        except (httpx.TransportError, ConsoleRefusedError):
            return  # tried again at the next look; the schedule at hand goes on

    def _tell_how_it_is(self) -> None:
        """The heartbeat: without it, the console sends people to a room that stays silent."""
        now_us = self._clock.monotonic_us()
        if self._told_at_us is not None and now_us - self._told_at_us < HEARTBEAT_EVERY_US:
            return
        body = {
            "player": self._name,
            "label": "模拟播放器",
            "clock": {"offset_us": self._offset_us(), "error_us": self._time.error_us(now_us)},
            "audio_ready": len(self._cues),
            "audio_wanted": len(self._cues),
            "allowed": True,
            "awake": True,
            "output": True,
            "audible": None,
            "played": None if self._last is None else as_sent(self._last),
        }
        self._console.post_json(f"/api/rooms/{self._room}/players", body)
        self._told_at_us = now_us

    def _learn(self) -> None:
        """The schedule and the time it is by, together: none is looked at by another clock's."""
        exchanges = [self._exchange() for _ in range(CLOCK_EXCHANGES)]
        told = self._console.get_json(f"/api/rooms/{self._room}/schedule")
        own = [one for one in exchanges if one.clock == told.get("clock", "")]
        if not own:
            raise ConsoleRefusedError("the console's clock changed while it was asked")
        for one in own:
            self._hear(one)
        self._cues = read_schedule(told)

    def _exchange(self) -> Exchange:
        """One question for the time; it tells what this machine knows of it."""
        sent_us = self._clock.monotonic_us()
        known = self._time.known_time(sent_us)
        headers = {} if known is None else {KNOWN_HEADER: known.in_header()}
        told = self._console.get_json("/api/clock", headers=headers)
        return Exchange(sent_us, told["server_now_us"], self._clock.monotonic_us(), told.get("clock", ""))

    def _hear(self, one: Exchange) -> None:
        """By another clock than before, what was noted is read by that one."""
        change = ClockChange.heard(self._time, one)
        if change is None:
            return
        self._unsent = [change.of_report(report) for report in self._unsent]
        self._played = {name: change.of_moment(*began) for name, began in self._played.items()}
        self._last = None if self._last is None else change.of_played(self._last)

    def _clock_name(self) -> str:
        return "" if self._time.best is None else self._time.best.clock

    def _offset_us(self) -> int:
        """This machine's wall clock minus the console's time."""
        now_us = self._clock.monotonic_us()
        return self._clock.wall_us() - (self._time.now_us(now_us) or self._clock.wall_us())

    def _play_what_is_due(self) -> None:
        for one in self._due(0):
            now_us = self._time.now_us(self._clock.monotonic_us())
            self._claimed |= one.turn.keys
            began_us = None if one.silence else now_us
            error = str(one.silence or "")
            clock = self._clock_name()
            self._last = {"key": one.turn.cues[0].key, "at_us": began_us, "error": error, "clock": clock}
            if began_us is not None:
                self._played.update(dict.fromkeys(one.turn.keys, (began_us, clock)))
            reports = self._reports(one.turn.cues, began_us, error)
            self._unsent += [{**report, "clock": clock} for report in reports]

    def _reports(self, cues: Iterable[PlayerCue], began_us: int | None, error: str) -> list[dict[str, Any]]:
        """What is told of a sound; of a test tone only the heartbeat speaks."""
        return [
            {
                "session_id": cue.session_id,
                "cue": cue.cue,
                "occurrence": cue.occurrence,
                "started_at_us": began_us,
                "ended_at_us": None if began_us is None else began_us + cue.duration_us,
                "offset_us": self._offset_us(),
                "uncertainty_us": self._time.error_us(self._clock.monotonic_us()),
                "error": error,
            }
            for cue in cues
            if cue.session_id is not None
        ]
