"""A simulated room player: holds the room's schedule, plays each cue at its moment, reports what it played.

It does over HTTP what the room page does in a browser (docs/design/signals.md), with silence for sound.
"""

import threading
from typing import Any, Final

import httpx

from exam.clock import SECOND_US, Clock
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
        self._played: set[str] = set()
        self._unsent: list[dict[str, Any]] = []
        self._cues: list[dict[str, Any]] = []
        self._offset_us = 0
        self._uncertainty_us = 0
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
        now_us = self._clock.wall_us() - self._offset_us
        return any(
            cue["may_sound"] and cue["sounds_at_us"] and 0 < cue["sounds_at_us"] - now_us <= QUIET_US
            for cue in self._cues
        )

    def _talk_to_console(self) -> None:
        try:
            self._measure_offset()
            self._cues = self._console.get_json(f"/api/rooms/{self._room}/schedule")["cues"]
            if self._unsent:
                body = {"player": self._name, "reports": self._unsent}
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
            "clock": {"offset_us": self._offset_us, "error_us": self._uncertainty_us},
            "audio_ready": len(self._cues),
            "audio_wanted": len(self._cues),
            "allowed": True,
            "awake": True,
            "output": True,
            "audible": None,
            "played": None,
        }
        self._console.post_json(f"/api/rooms/{self._room}/players", body)
        self._told_at_us = now_us

    def _measure_offset(self) -> None:
        """Player clock minus the console's, by the exchange with the shortest way there and back."""
        best_us: int | None = None
        for _ in range(CLOCK_EXCHANGES):
            before_us = self._clock.wall_us()
            server_us = self._console.get_json("/api/clock")["server_now_us"]
            after_us = self._clock.wall_us()
            if best_us is None or after_us - before_us < best_us:
                best_us = after_us - before_us
                self._offset_us = (before_us + after_us) // 2 - server_us
                self._uncertainty_us = best_us // 2

    def _play_what_is_due(self) -> None:
        now_us = self._clock.wall_us() - self._offset_us
        for cue in self._cues:
            if (
                cue["key"] in self._played
                or not cue["may_sound"]
                or cue["after"]
                or cue["sounds_at_us"] is None
            ):
                continue
            late_us = now_us - cue["sounds_at_us"]
            if 0 <= late_us <= cue["tolerance_us"]:
                self._played.add(cue["key"])
                self._unsent.append(self._report(cue, now_us))

    def _report(self, cue: dict[str, Any], started_at_us: int) -> dict[str, Any]:
        return {
            "session_id": cue["session_id"],
            "cue": cue["cue"],
            "occurrence": cue["occurrence"],
            "started_at_us": started_at_us,
            "ended_at_us": started_at_us + (cue["duration_us"] or 0),
            "offset_us": self._offset_us,
            "uncertainty_us": self._uncertainty_us,
            "error": "",
        }
