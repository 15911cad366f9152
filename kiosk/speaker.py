"""The headless speaker: what it decides and what it remembers. Rings alone when the console is gone.

Three threads: the stream feeds the device and does nothing else, the link talks to the console, and the
look decides, claims on disk and keeps what became of each sound. Whatever the link does, however long
the console or the disk takes, the stream never waits for it.
"""

import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from exam.clock import Clock
from exam.clock_change import ClockChange, as_sent
from exam.playing import Due, PlayerCue, Silence, Turn, claim_name, due, read_schedule, still_wanted
from exam.server_time import Exchange, KnownTime, Measure, ServerTime
from kiosk.speaker_console import ServerMoment
from kiosk.speaker_store import SoundFileError, SpeakerStore
from kiosk.speaker_stream import Sound

# So long before its moment a turn is claimed and handed over: a slow disk has time to remember it.
AHEAD_US: Final = 700_000
LOOK_S: Final = 0.2

_log: Final = structlog.get_logger("speaker")


class SpeakerClock(Clock, Protocol):
    """A clock that also tells how long the machine has slept."""

    def slept_us(self) -> int:
        """Time suspended since boot."""
        ...


class Loudspeaker(Protocol):
    """What sounds: an open stream, or a program that is started."""

    def begin(self, sound: Sound) -> None:
        """Let it sound at its moment."""
        ...

    def withdraw(self, sound: Sound) -> bool:
        """Take it back if it has not begun."""
        ...

    def trouble(self) -> str:
        """Why nothing would be heard now; empty while all is well."""
        ...

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop."""
        ...


@dataclass(frozen=True, slots=True)
class _Sounded:
    """From when to when something was heard, by the server's clock of that name; None: it was not."""

    began_us: int | None
    ended_us: int | None
    clock: str


@dataclass
class Speaker:
    """One speaker. `look` belongs to one thread; `learn` and `heard_time` are called by the link.

    Cues, the time they are by and what was noted by it change together, under the lock: nothing is ever
    looked at by the time of another clock.
    """

    store: SpeakerStore
    loudspeaker: Loudspeaker
    clock: SpeakerClock
    # Rooms to sound in; None: all that the console names.
    rooms: frozenset[str] | None = None
    time: ServerTime = field(default_factory=ServerTime)
    # Called when a report is waiting to be sent.
    on_report: Callable[[], None] = lambda: None
    last_played: dict[str, Any] | None = None
    _cues: list[PlayerCue] = field(default_factory=list, init=False)
    # The name of the server's clock that the moments of the cues are by.
    _cues_clock: str = field(default="", init=False)
    _waiting: dict[frozenset[str], tuple[Turn, Sound]] = field(default_factory=dict, init=False)
    _happened: "queue.SimpleQueue[Callable[[], None]]" = field(default_factory=queue.SimpleQueue, init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    def remember(self, boot_id: str) -> None:
        """Take up what an earlier life left: schedule, time, and claims of which nothing became."""
        self._read(self.store.schedule())
        known = self.store.measure(boot_id)
        # It died between keeping a schedule and the time it is by: the console was there just now.
        if known is not None and not (self._cues and known[0].clock != self._cues_clock):
            measure, slept_us = known
            self.time = ServerTime(measure, slept_us)
        for name, one in self.store.open_claims().items():
            sounded = _Sounded(one.began_us, None, one.clock)
            self._tell({name: PlayerCue(**one.cue)}, sounded, Silence.INTERRUPTED)
            self.store.done([name], one.claimed_at_us)

    def learn(self, rooms: list[dict[str, Any]], exchanges: Iterable[Exchange] = ()) -> None:
        """New schedules from the console, and the exchanges that tell the time they are by."""
        with self._lock:
            if not self._read(rooms):
                return
            for one in exchanges:
                self.heard_time(one)
            self.store.keep_schedule([{**room, "server_now_us": 0} for room in rooms])

    def is_by_another_clock(self, one: Exchange) -> bool:
        """Whether the cues at hand are not by the clock that answered: both then change together."""
        with self._lock:
            return bool(self._cues) and one.clock != self._cues_clock

    def heard_time(self, one: Exchange) -> None:
        """One exchange with the console. By another clock than before, what was noted is read by that one."""
        with self._lock:
            self.time.notice_sleep(self.clock.slept_us())
            change = ClockChange.heard(self.time, one)
            if change is None:
                return
            self.store.shift(change)
            if self.last_played is not None:
                self.last_played = change.of_played(self.last_played)
        _log.info("console_clock_changed", shift_us=change.shift_us)

    def known_time(self) -> KnownTime | None:
        """What the console is told with every question for its time."""
        with self._lock:
            self.time.notice_sleep(self.clock.slept_us())
            return self.time.known_time(self.clock.monotonic_us())

    def measure(self) -> tuple[Measure, int] | None:
        """The present measure of the server's time, with the time slept so far."""
        with self._lock:
            return None if self.time.best is None else (self.time.best, self.time.slept_us)

    def wanted_sounds(self) -> list[str]:
        """The addresses of all sounds that its rooms may need."""
        cues = self._cues
        return sorted({cue.audio for cue in cues if cue.audio})

    def run(self, stopping: threading.Event) -> None:
        """Look again and again until told to stop."""
        while not stopping.is_set():
            self.look(LOOK_S)

    def look(self, timeout_s: float = 0) -> None:
        """Deal with what happened, then with what is due. Waits so long for something to happen."""
        happened = self._wait(timeout_s)
        with self._lock:
            for act in happened:
                act()
            self._decide()

    def _wait(self, timeout_s: float) -> list[Callable[[], None]]:
        happened: list[Callable[[], None]] = []
        try:
            happened.append(self._happened.get(block=timeout_s > 0, timeout=timeout_s or None))
            while True:
                happened.append(self._happened.get_nowait())
        except queue.Empty:
            return happened

    def _decide(self) -> None:
        now_us = self._server_now()
        if now_us is None:
            return
        self._take_back(now_us)
        for one in due(self._cues, self.store.claims.keys(), self._played(), now_us, AHEAD_US):
            self._deal_with(one, now_us)

    def state(self) -> dict[str, Any]:
        """A heartbeat, as the console wants it."""
        wanted = self.wanted_sounds()
        now_us, mono_us = self._server_now(), self.clock.monotonic_us()
        offset = None if now_us is None else {"offset_us": self.clock.wall_us() - now_us}
        return {
            "clock": offset and {**offset, "error_us": self.time.error_us(mono_us)},
            "audio_ready": sum(map(self.store.has_sound, wanted)),
            "audio_wanted": len(wanted),
            "allowed": True,
            "awake": True,
            "output": not self.loudspeaker.trouble(),
            "audible": None,
            "played": None if self.last_played is None else as_sent(self.last_played),
        }

    def _read(self, rooms: list[dict[str, Any]]) -> bool:
        try:
            cues = [cue for room in rooms for cue in read_schedule(room)]
        except (KeyError, TypeError, ValueError) as error:
            _log.error("schedule_not_understood", reason=str(error))
            return False
        self._cues = [cue for cue in cues if self.rooms is None or cue.room in self.rooms]
        self._cues_clock = next((str(room.get("clock", "")) for room in rooms), "")
        return True

    def _server_now(self) -> int | None:
        with self._lock:
            self.time.notice_sleep(self.clock.slept_us())
            return self.time.now_us(self.clock.monotonic_us())

    def _take_back(self, now_us: int) -> None:
        """A waiting turn that moved or was withdrawn meanwhile must not sound."""
        for keys, (turn, sound) in list(self._waiting.items()):
            if not still_wanted(turn, self._cues, self._played()) and self.loudspeaker.withdraw(sound):
                del self._waiting[keys]
                self.store.release(keys, now_us)

    def _deal_with(self, one: Due, now_us: int) -> None:
        turn = one.turn
        named = {claim_name(cue): cue for cue in turn.cues}
        if one.silence is not None:
            self.store.claim(turn.cues, now_us)
            self._tell(named, _Sounded(None, None, self._clock_name()), self._why(turn, one.silence))
            self.store.done(named, now_us)
            return
        try:
            samples = self.store.samples(turn.audio or "")
        except SoundFileError:
            return  # it may still arrive in time
        self.store.claim(turn.cues, now_us)
        sound = self._sound(turn, samples)
        self._waiting[turn.keys] = (turn, sound)
        self.loudspeaker.begin(sound)

    def _sound(self, turn: Turn, samples: Any) -> Sound:
        began: list[int] = []

        def on_began(at_us: int) -> None:
            began.append(at_us)
            self._happened.put(lambda: self._began(turn, at_us))

        def on_ended(at_us: int, why: str) -> None:
            self._happened.put(lambda: self._ended(turn, began[0] if began else None, at_us, why))

        return Sound(
            samples=samples,
            path=self.store.sound_path(turn.audio or ""),
            at_us=self.time.monotonic_of(turn.moment_us),
            closes_at_us=self.time.monotonic_of(turn.closes_at_us),
            began=on_began,
            ended=on_ended,
        )

    def _began(self, turn: Turn, at_us: int) -> None:
        started_us, clock = self._on_server(at_us), self._clock_name()
        named = {claim_name(cue): cue for cue in turn.cues}
        self._waiting.pop(turn.keys, None)
        self.store.began(named, started_us, clock)
        self._tell(named, _Sounded(started_us, None, clock), None)
        _log.info("sounds", cue=turn.cues[0].cue, rooms=len(named), late_us=started_us - turn.moment_us)

    def _ended(self, turn: Turn, began_us: int | None, at_us: int, why: str) -> None:
        named = {claim_name(cue): cue for cue in turn.cues}
        self._waiting.pop(turn.keys, None)
        started_us = None if began_us is None else self._on_server(began_us)
        silence = _silence(why, heard=began_us is not None)
        ended_us = None if began_us is None else self._on_server(at_us)
        self._tell(named, _Sounded(started_us, ended_us, self._clock_name()), silence)
        self.store.done(named, self._on_server(at_us))
        if silence is not None:
            _log.warning("not_heard_whole", cue=turn.cues[0].cue, reason=why)

    def _on_server(self, monotonic_us: int) -> int:
        best = self.time.best
        return monotonic_us if best is None else monotonic_us + best.offset_us

    def _played(self) -> dict[str, int]:
        return self.store.played_by(self._clock_name())

    def _clock_name(self) -> str:
        return "" if self.time.best is None else self.time.best.clock

    def _why(self, turn: Turn, silence: Silence) -> Silence:
        if silence is Silence.TOO_LATE and not (turn.audio and self.store.has_sound(turn.audio)):
            return Silence.AUDIO_MISSING
        if silence is Silence.TOO_LATE and self.loudspeaker.trouble():
            return Silence.NO_OUTPUT
        return silence

    def _tell(self, named: dict[str, PlayerCue], sounded: _Sounded, silence: Silence | None) -> None:
        """Leave a report for the console; a test tone is told by the heartbeat alone."""
        mono_us, now_us = self.clock.monotonic_us(), self._server_now()
        error = "" if silence is None else silence.value
        for name, cue in named.items():
            self.last_played = {
                "key": cue.key,
                "at_us": sounded.began_us,
                "error": error,
                "clock": sounded.clock,
            }
            if cue.session_id is None:
                continue
            report = {
                "session_id": cue.session_id,
                "cue": cue.cue,
                "occurrence": cue.occurrence,
                "started_at_us": sounded.began_us,
                "ended_at_us": sounded.ended_us,
                "offset_us": 0 if now_us is None else self.clock.wall_us() - now_us,
                "uncertainty_us": self.time.error_us(mono_us),
                "error": error,
                "clock": sounded.clock,
            }
            self.store.keep_report(name, report)
        self.on_report()


def _silence(why: str, *, heard: bool) -> Silence | None:
    if why in {"", "cut"}:
        return None if heard else Silence.NOT_PLAYED
    if heard:
        return Silence.INTERRUPTED
    return Silence.TOO_LATE if why == "too_late" else Silence.NO_OUTPUT


def exchange(ask: Callable[[], ServerMoment], clock: Clock) -> Exchange:
    """Ask once for the time; raises what `ask` raises."""
    sent_us = clock.monotonic_us()
    told = ask()
    return Exchange(sent_us, told.now_us, clock.monotonic_us(), told.clock)
