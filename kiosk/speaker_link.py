"""The speaker's line to the console: keeps it supplied, measures the time, delivers what it has to tell.

Every question may fail at any moment; then the speaker goes on with what it has, and the question is
asked again a second later.
"""

import threading
from dataclasses import dataclass, field
from typing import Final

import structlog

from exam.clock import SECOND_US
from exam.clock_change import as_sent
from exam.server_time import Exchange, Measure
from kiosk.speaker import Speaker, exchange
from kiosk.speaker_console import ConsoleAwayError, ReportsRefusedError, ShutOutError, SpeakerConsole
from kiosk.speaker_store import SoundFileError

SCHEDULE_US: Final = 10 * SECOND_US
MEASURE_US: Final = 5 * SECOND_US
# On a bad line good exchanges are rare: ask more often until the time is known this well.
GOOD_ENOUGH_US: Final = 25_000
STATE_US: Final = 5 * SECOND_US
RETRY_US: Final = SECOND_US
MOST_AT_ONCE: Final = 50
FIRST_EXCHANGES: Final = 6
# What always asks the console something: with nothing to fetch or deliver the rest proves nothing.
PROOF: Final = frozenset({"measure", "schedule", "state"})

_log: Final = structlog.get_logger("speaker")


@dataclass
class SpeakerLink:
    """Use `run` and `listen` as targets of two threads."""

    speaker: Speaker
    console: SpeakerConsole
    boot_id: str
    _hurry: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _due_us: dict[str, int] = field(default_factory=dict, init=False)
    _trouble: str = field(default="", init=False)

    def wake(self) -> None:
        """There is something to tell."""
        self._hurry.set()

    def run(self, stopping: threading.Event) -> None:
        """Talk until told to stop."""
        while not stopping.is_set():
            self.talk()
            self._hurry.wait(0.25)
            self._hurry.clear()

    def listen(self, stopping: threading.Event) -> None:
        """Follow the console's wakes; a broken line is opened again."""
        while not stopping.is_set():
            self._follow(stopping)
            stopping.wait(RETRY_US / SECOND_US)

    def _follow(self, stopping: threading.Event) -> None:
        try:
            for _ in self.console.wakes():
                self._due_us["schedule"] = 0
                self._hurry.set()
                if stopping.is_set():
                    return
        except (ConsoleAwayError, ShutOutError):
            return  # told by `talk`

    def talk(self) -> None:
        """Whatever is due of measuring, schedule, reports and heartbeat, each on its own."""
        for name, every_us, work in (
            ("measure", MEASURE_US, self._measure),
            ("schedule", SCHEDULE_US, self._fetch_schedule),
            ("sounds", RETRY_US, self._fetch_sounds),
            ("reports", RETRY_US, self._deliver),
            ("state", STATE_US, self._tell_state),
        ):
            now_us = self.speaker.clock.monotonic_us()
            is_urgent = name == "reports" and self._hurry.is_set()
            if now_us < self._due_us.get(name, 0) and not is_urgent:
                continue
            try:
                self._due_us[name] = now_us + every_us
                work()
                if name in PROOF:
                    self._notice("")
            except (ConsoleAwayError, ShutOutError, ReportsRefusedError, SoundFileError) as error:
                self._due_us[name] = now_us + RETRY_US
                self._notice(str(error))

    def _notice(self, trouble: str) -> None:
        if trouble and not self._trouble:
            _log.warning("console_lost", reason=trouble)
        elif self._trouble and not trouble:
            _log.info("console_back")
        self._trouble = trouble

    def _measure(self) -> None:
        known = self.speaker.measure()
        for _ in range(1 if known else FIRST_EXCHANGES):
            self._ask_time()
        found = self.speaker.measure()
        now_us = self.speaker.clock.monotonic_us()
        if found is None or found[0].error_at(now_us) > GOOD_ENOUGH_US:
            self._due_us["measure"] = now_us + RETRY_US // 2

    def _ask_time(self) -> None:
        """One exchange. Another clock counts only with a schedule by it: until then all is as before."""
        known = self.speaker.known_time()
        one = exchange(lambda: self.console.server_now(known), self.speaker.clock)
        if self.speaker.is_by_another_clock(one):
            self._fetch_schedule(one)
            return
        before = self.speaker.measure()
        self.speaker.heard_time(one)
        self._keep_measure(before)

    def _keep_measure(self, known: tuple[Measure, int] | None) -> None:
        """Remember the time for a start without the console, if it is known otherwise than before."""
        found = self.speaker.measure()
        if found is not None and (known is None or known[0] != found[0]):
            self.speaker.store.keep_measure(found[0], self.boot_id, found[1])

    def _fetch_schedule(self, asked: Exchange | None = None) -> None:
        """A schedule is never looked at by the time of another clock: its own time comes with it.

        `asked`: an exchange of just now, which knows another clock better than a whole schedule can.
        """
        known, sent_us = self.speaker.measure(), self.speaker.clock.monotonic_us()
        rooms = self.console.schedules()["rooms"]
        received_us = self.speaker.clock.monotonic_us()
        told = [Exchange(sent_us, room["server_now_us"], received_us, room["clock"]) for room in rooms[:1]]
        if asked is None and any(map(self.speaker.is_by_another_clock, told)):
            self._ask_time()
            return
        own = [asked] if asked is not None and all(asked.clock == one.clock for one in told) else []
        self.speaker.learn(rooms, [*own, *told])
        self._keep_measure(known)

    def _fetch_sounds(self) -> None:
        for address in self.speaker.wanted_sounds():
            if not self.speaker.store.has_sound(address):
                self.speaker.store.keep_sound(address, *self.console.sound(address))

    def _deliver(self) -> None:
        """Nothing is told by a clock that the console may have left meanwhile: its time is asked first."""
        if not self.speaker.store.reports:
            return
        self._ask_time()
        waiting = self.speaker.store.waiting_reports(MOST_AT_ONCE)
        rooms: dict[str, list[dict[str, object]]] = {}
        for name, report in waiting.items():
            rooms.setdefault(name.split("/", 1)[0], []).append(as_sent(report))
        try:
            self.console.tell_reports(rooms)
        except ReportsRefusedError:
            _log.error("reports_refused", count=len(waiting))  # never understood: not sent again
        self.speaker.store.drop_reports(waiting)

    def _tell_state(self) -> None:
        self.console.tell_state(self.speaker.state())
