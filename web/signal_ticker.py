"""Emits what is due in armed sessions, and calls a signal missed only after the rooms had their say.

The ticker keeps nothing that matters: what is due is computed from the database at every tick
(`exam.cues.due`), decided again under the writer's lock, and written once. APScheduler only ticks.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from sqlite3 import Connection
from typing import Final

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from config.procedures import load_procedures
from config.settings import Settings
from config.speech import MANDARIN
from evidence.announcements import record_missed
from evidence.database import WriterDatabase
from exam.clock import SECOND_US, Clock
from exam.cues import Due, RoomCue, Verdict
from exam.procedure import Procedure
from web import restart_doubt
from web.audio import AudioLibrary, crowded, prepare, prepare_test_tone
from web.console_clock import KEEPER_EXTENSION, ClockKeeper, clock_keeper
from web.own_sounds import lay_recordings
from web.services import Bus, Services, room_topic
from web.signal_emission import ArmedBook, ArmedCues, due_among, emit

TICK_S: Final = 0.1
# A tick that stays away this long means that APScheduler waits for a wall clock that was set back.
HEARTBEAT_S: Final = 0.5
# After a restart or a stall, rooms that rang by themselves get this long to report.
REPORT_GRACE_US: Final = 6 * SECOND_US
# Facts that nobody changed are good for this long.
BOOK_LASTS_US: Final = 60 * SECOND_US

_log: Final = structlog.get_logger("signals")

_Key = tuple[int, int, str]


@dataclass(slots=True)
class SignalTicker:
    """One tick after another; safe to stop and restart at any moment."""

    exam: WriterDatabase
    clock: Clock
    bus: Bus
    procedures: Mapping[str, Procedure]
    keeper: ClockKeeper | None = None
    # Cues found too late, and the monotonic moment they were first found so by this service.
    _late_since_us: dict[_Key, int] = field(default_factory=dict)
    _book: ArmedBook | None = None
    # The connection that was looked through last, its count of commits, and when; what was found.
    _seen: tuple[Connection, int] | None = None
    _read_at_us: int = 0
    _cues: list[ArmedCues] = field(default_factory=list)

    def tick(self) -> None:
        """Deal with everything due now."""
        if self.keeper is not None:
            self.keeper.look()
            if self.keeper.is_in_doubt:
                return
        now_us = self.clock.wall_us()
        with self.exam.read() as connection:
            if not self._actionable(self._due(connection, now_us)):
                return
        with self.exam.write() as connection, self.exam.read() as seen:
            now_us = self.clock.wall_us()  # read again: waiting for the lock may have used up a tolerance
            # Whoever wrote meanwhile is seen; nobody else can write now.
            found = self._actionable(self._due(seen, now_us))
            emitted = emit(connection, found, now_us)
            missed = self._give_up(connection, found, now_us)
        for one in (*emitted, *missed):
            self.bus.publish(room_topic(one.room_id))
        for one in emitted:
            _log.info("signal_emitted", **_named(one))
        for one in missed:
            _log.warning("signal_missed", **_named(one))

    def _due(self, connection: Connection, now_us: int) -> list[Due]:
        """What is due at this moment; facts are read again whenever anybody has written anything.

        SQLite counts the commits that a connection sees; what another connection saw says nothing.
        """
        self._book = self._book or ArmedBook(self.procedures)
        version = connection.execute("pragma data_version").fetchone()[0]
        is_same = self._seen is not None and self._seen[0] is connection and self._seen[1] == version
        # Which sessions are near changes with time alone.
        if not is_same or not 0 <= now_us - self._read_at_us < BOOK_LASTS_US:
            self._cues = self._book.read(connection, now_us)
            self._seen, self._read_at_us = (connection, version), now_us
        return due_among(connection, self._cues, now_us)

    def _actionable(self, found: list[Due]) -> list[Due]:
        """Without those whose rooms may still report."""
        now_us = self.clock.monotonic_us()
        late = [_key(one.room_cue) for one in found if one.verdict is Verdict.TOO_LATE]
        self._late_since_us = {key: self._late_since_us.get(key, now_us) for key in late}
        return [
            one
            for one in found
            if one.verdict is Verdict.EMIT
            or now_us - self._late_since_us.get(_key(one.room_cue), now_us) >= REPORT_GRACE_US
        ]

    def _give_up(self, connection: Connection, found: list[Due], now_us: int) -> list[RoomCue]:
        late = [one.room_cue for one in found if one.verdict is Verdict.TOO_LATE]
        return [one for one in late if record_missed(connection, one, now_us)]


def _key(one: RoomCue) -> _Key:
    return one.session_id, one.room_id, one.cue.code


def _named(one: RoomCue) -> dict[str, object]:
    return {
        "session": one.session_id,
        "room": one.room_id,
        "cue": one.cue.code,
        "planned_at_us": one.planned_at_us,
    }


class Ticking:
    """The ticker running in a thread of its own, from construction until `stop`.

    APScheduler plans by the wall clock: set back by an hour, it would stay silent for an hour. A
    heartbeat on the monotonic clock notices and plans the next tick anew.
    """

    def __init__(self, ticker: SignalTicker) -> None:
        self._ticker = ticker
        self._ticks = 0
        self._stopping = threading.Event()
        logging.getLogger("apscheduler").setLevel(
            logging.ERROR
        )  # a tick that found the last one busy is no news
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        self._job = self._scheduler.add_job(self._tick, "interval", seconds=TICK_S)
        self._heart = threading.Thread(target=self._beat, name="signal-heartbeat", daemon=True)
        self._scheduler.start()
        self._heart.start()

    def stop(self) -> None:
        """Finish the tick that runs, if any, and start no other."""
        self._stopping.set()
        self._heart.join()
        self._scheduler.shutdown(wait=True)

    def _tick(self) -> None:
        self._ticks += 1
        self._ticker.tick()

    def _beat(self) -> None:
        seen = 0
        while not self._stopping.wait(HEARTBEAT_S):
            if self._ticks == seen:
                self._job.reschedule("interval", seconds=TICK_S)
            seen = self._ticks


def prepare_audio(settings: Settings, procedures: Mapping[str, Procedure] | None = None) -> AudioLibrary:
    """Make the audio of every procedure, by default those the settings name. Raises AudioError."""
    procedures = load_procedures(settings.procedures_folder) if procedures is None else procedures
    library = prepare(settings.audio_folder, procedures, MANDARIN)
    for procedure in procedures.values():
        for words in crowded(procedure, library):
            _log.warning("announcement_too_long", words=words)
    return {**library, **prepare_test_tone(settings.audio_folder, MANDARIN)}


def start_signals(app: Flask, services: Services) -> Callable[[], None]:
    """Give the app its audio and start ticking. Returns what stops the ticking; raises AudioError."""
    lay_recordings(app, services, prepare_audio(services.settings, services.procedures))
    app.extensions[KEEPER_EXTENSION] = keeper = clock_keeper(services)
    if keeper is not None and keeper.doubt is not None:
        app.extensions[restart_doubt.EXTENSION] = keeper.doubt
    ticker = SignalTicker(services.exam, services.clock, services.bus, services.procedures, keeper)
    return Ticking(ticker).stop
