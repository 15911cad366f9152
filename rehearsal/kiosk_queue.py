"""Simulated candidates at the kiosk: each holds a printed ticket under the camera and types a number.

The kiosk sees pictures only; the screen's own loopback interface takes the number, as a reader would.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from exam.clock import SECOND_US, Clock
from rehearsal.cast import Visit
from rehearsal.ticket_show import FolderCamera, PrintedSheet, View, hand_movement, seen

FRAME_EVERY_US: Final = SECOND_US // 8
# After this many pictures without success the hand moves anew, as people do.
FRAMES_PER_TRY: Final = 16
TRIES: Final = 4
READING_US: Final = 1_500_000
PATIENT_TRIES: Final = 10
PATIENCE_S: Final = 2.0
OWN_HEADER: Final = {"X-Kaochang-Kiosk": "rehearsal"}


class KioskSilentError(Exception):
    """The kiosk did not get to the expected screen; the message says where it stayed."""


@dataclass(frozen=True, slots=True)
class Visited:
    """What a visit came to. `outcome` is empty when the kiosk gave no answer."""

    visit: Visit
    outcome: str
    ticket_read_us: int
    answered_us: int


@dataclass(slots=True)
class KioskQueue:
    """The candidates of the day, one after the other at one kiosk."""

    address: str
    camera: FolderCamera
    sheet: PrintedSheet
    clock: Clock
    visited: list[Visited] = field(default_factory=list)
    _http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.address, timeout=15.0, trust_env=False, headers=OWN_HEADER)

    def run(self, visits: Sequence[tuple[int, Visit]], stopping: threading.Event) -> None:
        """Visit by visit, each not before its moment (wall clock, microseconds)."""
        for at_us, visit in visits:
            while not stopping.is_set() and self.clock.wall_us() < at_us:
                stopping.wait(0.05)
            if stopping.is_set():
                return
            self.visited.append(self._attend_patiently(visit, stopping))
            stopping.wait(READING_US / SECOND_US)

    def _attend_patiently(self, visit: Visit, stopping: threading.Event) -> Visited:
        """Whoever gets no answer stays and tries again, as people do when a machine restarts."""
        visited = self._attend(visit)
        for _ in range(PATIENT_TRIES):
            if visited.outcome or stopping.wait(PATIENCE_S):
                break
            visited = self._attend(visit)
        return visited

    def _attend(self, visit: Visit) -> Visited:
        began_us = self.clock.monotonic_us()
        read_us = began_us
        try:
            self._touch_restart()
            self._show_ticket(visit)
            read_us = self.clock.monotonic_us()
            if visit.stumbles:
                self._type(visit.id_number[:10] + "9" * 8)
            self._type(visit.id_number)
            outcome = self._result()
        except (KioskSilentError, httpx.HTTPError):
            outcome = ""
        return Visited(visit, outcome, read_us - began_us, self.clock.monotonic_us() - read_us)

    def _touch_restart(self) -> None:
        if self._state()["screen"] != "idle":
            self._http.post("/local/touch", json={"touch": "restart"})

    def _show_ticket(self, visit: Visit) -> None:
        seed = int(visit.candidate.ticket_no[-6:]) * 31 + visit.at_s % 31
        for trial in range(TRIES):
            for number, view in enumerate(self._views(seed + trial)):
                picture = seen(self.sheet.ticket(visit.candidate.ticket_no), view, seed * 100 + number)
                self.camera.show(picture)
                self.clock.sleep_us(FRAME_EVERY_US)
                if self._state()["screen"] == "need_id_number":
                    return
        raise KioskSilentError(f"ticket not read after {TRIES * FRAMES_PER_TRY} pictures")

    def _views(self, seed: int) -> Iterator[View]:
        yield from hand_movement(seed, FRAMES_PER_TRY)

    def _type(self, number: str) -> None:
        self._http.post("/local/id-number", json={"id_number": number})

    def _result(self) -> str:
        deadline_us = self.clock.monotonic_us() + 10 * SECOND_US
        while self.clock.monotonic_us() < deadline_us:
            state = self._state()
            if state["screen"] == "result":
                return str(state["outcome"])
            self.clock.sleep_us(SECOND_US // 20)
        raise KioskSilentError(f"no answer; the screen stayed at {self._state()['screen']}")

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._http.get("/local/state").json()
        return state
