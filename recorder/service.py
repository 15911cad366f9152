"""The recorder service: from start-up adoption to an orderly stop.

Runs with or without the console. Cameras come from exam.db, read-only; it may appear later, and so
may cameras. SIGTERM and SIGINT finish the files that are being written, index them and end with 0.
"""

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import structlog

from config.procedures import load_procedures
from config.settings import Settings
from config.stop_signals import once_on_signals
from evidence.adoption import settle_broken_runs
from evidence.cameras import CameraSource, load_camera_sources
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import DatabaseError, ReaderDatabase, WriterBusyError, WriterDatabase
from evidence.database_reserve import ReserveKeeper
from evidence.ingest import Store
from evidence.late_facts import record_kept_facts
from evidence.presence import begin_presence, end_presence
from evidence.recording_plan import RecordingPlan, load_plan
from evidence.service_start import boot_id, record_start
from evidence.vault import Vault, VaultError
from evidence.volumes import LocalDisk
from exam.clock import SECOND_US, Clock
from recorder.camera_recorder import Workshop
from recorder.capture_child import ChildLoop
from recorder.chore_list import ChoreTools, chores
from recorder.chores import Chores
from recorder.keeper import Keeper
from recorder.recorder import Beside, Recorder, write_camera_states
from recorder.state_board import StateBoard
from recorder.ticker import Ticker
from recorder.volume_desk import MIB, VolumeDesk
from recorder.wanted_cameras import WantedCameras

# Cameras are looked after this often, however often their children speak.
WATCH_US: Final = SECOND_US // 4
CAMERAS_US: Final = 2 * SECOND_US
SYNC_S: Final = 5
# How often growing files are looked into: a camera that changes its picture is connected anew.
LOOK_US: Final = 1 * SECOND_US
# A stop that takes longer leaves the rest to the next start's adoption.
STOP_PATIENCE_US: Final = 8 * SECOND_US

_log: Final = structlog.get_logger("recorder")


class RecorderServiceError(RuntimeError):
    """The recorder cannot start; the message says what is wrong and where."""


def serve(settings: Settings, clock: Clock) -> int:
    """Record every camera of the site until SIGTERM or SIGINT. Raises RecorderServiceError."""
    try:
        database = WriterDatabase(settings.footage_db, "footage", settings.database_reserve_mb * MIB)
    except DatabaseError as error:
        raise RecorderServiceError(_with_remedy(error)) from error
    try:
        checkpoints = Checkpoints(database, settings.keys_folder, "footage")
        with closing(Signing(checkpoints, clock)):
            store = Store(database, LocalDisk(settings.recorder.immutable), clock)
            desk = VolumeDesk(settings, store)
            with closing(desk.watch), closing(ReserveKeeper(database, clock)):
                _record_late_facts(store, settings.late_facts)
                _start_up(store, desk)
                _Service(settings, store, desk).run()
    except DatabaseError as error:
        raise RecorderServiceError(_with_remedy(error)) from error
    finally:
        database.close()
    return 0


def _record_late_facts(store: Store, late_file: Path) -> None:
    try:
        recorded, refused = record_kept_facts(store.database, late_file, store.clock)
    except (OSError, sqlite3.Error):  # the file stays for the next start
        _log.exception("late_facts_not_recorded")
    else:
        _log.info("late_facts", recorded=recorded, refused=len(refused))


def _with_remedy(error: DatabaseError) -> str:
    if isinstance(error, WriterBusyError):
        return str(error)
    return f"{error}\n(If the index is damaged, lost or an older copy: python3 run.py rebuild)"


def _start_up(store: Store, desk: VolumeDesk) -> None:
    desk.start()
    with store.database.write() as connection:
        settle_broken_runs(connection, boot_id(), store.clock.wall_us())
        record_start(connection, "recorder", store.clock.wall_us())


@dataclass(slots=True)
class CameraList:
    """The cameras as exam.db has them now; the last known ones while it cannot be read."""

    exam_db: Path
    site_key: Path
    procedures_folder: Path | None = None
    _database: ReaderDatabase | None = None
    _vault: Vault | None = None
    _trouble: str = ""
    # Locked cameras that were told; and each camera as it was last read with its password.
    _locked: frozenset[str] = frozenset()
    _known: dict[str, CameraSource] = field(default_factory=dict)

    def read(self) -> list[CameraSource] | None:
        """The cameras to record; None when nothing can be said about them yet."""
        try:
            if self._database is None or self._vault is None:
                if not (self.exam_db.exists() and self.site_key.exists()):
                    return None
                self._vault = Vault.open(self.site_key)
                self._database = ReaderDatabase(self.exam_db)
            with self._database.read() as connection:
                sources = load_camera_sources(connection, self._vault)
        except (DatabaseError, sqlite3.Error, VaultError) as error:
            self._tell(str(error))
            return None
        return self._with_known_passwords(sources)

    def plan(self, now_us: int) -> RecordingPlan | None:
        """What rooms owe; None when it cannot be told: then everything is recorded."""
        if self._database is None:
            return None
        try:
            with self._database.read() as connection:
                plan = load_plan(connection, load_procedures(self.procedures_folder), now_us)
        except sqlite3.Error as error:
            self._tell(str(error))
            return None
        if plan.unknown:
            self._tell("no procedure for sessions " + ", ".join(one.code for one in plan.unknown))
        else:
            self._trouble = ""
        return plan

    def _with_known_passwords(self, sources: list[CameraSource]) -> list[CameraSource]:
        """A password that can no longer be read does not end what was begun with it."""
        locked = frozenset(one.uuid for one in sources if one.is_locked)
        if locked - self._locked:
            _log.error("camera_passwords_locked", cameras=sorted(locked))
        self._locked = locked
        self._known.update({one.uuid: one for one in sources if not one.is_locked})
        last = {one.uuid: self._known.get(one.uuid, one) for one in sources}
        return [
            replace(one, username=last[one.uuid].username, password=last[one.uuid].password)
            for one in sources
        ]

    def close(self) -> None:
        """Close the connection."""
        if self._database is not None:
            self._database.close()

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:  # once, not every two seconds
            _log.warning("cameras_unreadable", because=trouble)
        self._trouble = trouble


@dataclass(slots=True)
class _Service:
    settings: Settings
    store: Store
    desk: VolumeDesk
    _is_sync_due: bool = False
    _is_stop_asked: bool = False
    _loop: ChildLoop = field(init=False)
    _recorder: Recorder = field(init=False)
    _keeper: Keeper = field(init=False)
    _list: CameraList = field(init=False)
    _ticker: Ticker = field(init=False)
    _wanted: WantedCameras = field(init=False)
    _presence_id: int = 0
    # Monotonic.
    _cameras_read_at_us: int | None = None
    _looked_at_us: int = 0

    def __post_init__(self) -> None:
        self._loop = ChildLoop(self.store.clock)
        self._keeper = Keeper(self.store, late_file=self.settings.late_facts)
        seconds = self.settings.recorder.segment_seconds
        workshop = Workshop(
            self._loop, self._keeper, boot_id(), seconds, self.settings.recorder.audio, self.desk.watch
        )
        self._recorder = Recorder(workshop, self._keeper)
        began_us = self.store.clock.wall_us()
        self._wanted = WantedCameras(self._recorder, began_us)
        with self.store.database.write() as connection:
            self._presence_id = begin_presence(connection, boot_id(), began_us)
        self._list = CameraList(
            self.settings.exam_db, self.settings.site_key, self.settings.procedures_folder
        )

    def run(self) -> None:
        """Record until asked to stop, then finish what is being written."""
        with _stop_signals(self._ask_to_stop):
            self._ticker = Ticker({self._ask_to_sync: SYNC_S})
            board = StateBoard(self._write_states)
            beside = Chores(chores(ChoreTools(self.settings, self.store)))
            while not self._is_stop_asked:
                self._listen()
                self._work()
                board.show((self._recorder.shown(), self.desk.shown()))
            beside.stop()
            self._ticker.stop()
            board.stop()
            self._stop()
        self._list.close()
        self._loop.close()

    def _listen(self) -> None:
        """Let a while go by, then hear what the children have said meanwhile."""
        until_us = self._loop.now().monotonic_us + WATCH_US
        while not self._is_stop_asked and (left_us := until_us - self._loop.now().monotonic_us) > 0:
            self._loop.wait(left_us)
        self._loop.hear()

    def _work(self) -> None:
        now = self._loop.now()
        if self._cameras_read_at_us is None or now.monotonic_us - self._cameras_read_at_us >= CAMERAS_US:
            self._cameras_read_at_us = now.monotonic_us
            sources = self._list.read()
            if sources is None:
                self._wanted.cannot_tell(now)
            else:
                self._wanted.apply(sources, self._list.plan(now.wall_us), now)
        if self._recorder.tick(now):
            self._ticker.plan_anew()
        self.desk.take_back(self._keeper, self._recorder.everybody())
        if now.monotonic_us - self._looked_at_us >= LOOK_US:
            self._looked_at_us = now.monotonic_us
            self._recorder.look_into_files()
        if self._is_sync_due:
            self._is_sync_due = False
            self._recorder.sync()

    def _stop(self) -> None:
        now = self._loop.now()
        _log.info("stopping_all", cameras=len(self._recorder.cameras))
        self._recorder.stop_all(now)
        until_us = now.monotonic_us + STOP_PATIENCE_US
        while not self._recorder.is_finished and self._loop.now().monotonic_us < until_us:
            self._loop.wait(WATCH_US)
            self._loop.hear()
            self._recorder.tick(self._loop.now())
        self._keeper.close()
        self._write_states()
        with self.store.database.write() as connection:
            end_presence(connection, self._presence_id, self.store.clock.wall_us())

    def _ask_to_stop(self) -> None:
        self._is_stop_asked = True
        self._loop.wake()

    def _ask_to_sync(self) -> None:
        self._is_sync_due = True
        self._loop.wake()

    def _write_states(self) -> None:
        states = self._recorder.states(self._loop.now())
        found = self.desk.found(self._recorder.write_rates(states))
        beside = Beside(self._presence_id, found, self.store.clock.wall_us())
        write_camera_states(self.store.database, states, beside)


@contextmanager
def _stop_signals(ask: Callable[[], None]) -> Iterator[None]:
    before = once_on_signals(ask)
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
