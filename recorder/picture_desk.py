"""The recorder's side of picture health: keeps the looking program running, judges, writes the alarms down.

A chore beside the recording. The program that looks at pictures is a child with low priority that ends
with us; when it dies, whatever the reason, the next turn starts another.
"""

import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from config.picture_health import PictureHealth, load_picture_health
from evidence.health import (
    NewTrouble,
    ReferenceSource,
    begin_trouble,
    current_health,
    end_trouble,
    load_reference_view,
    save_reference_view,
)
from evidence.ingest import Store
from evidence.thumbnail_shedding import shed_thumbnails
from exam.clock import SECOND_US
from recorder.chore_tools import ChoreTools
from recorder.chores import Chore
from recorder.picture_rules import CameraJudge, Change, Measures, Reading

ROOT: Final = Path(__file__).resolve().parent.parent
LISTEN_S: Final = 0.5
RESTART_S: Final = 2
SHED_S: Final = 600
STOP_PATIENCE_S: Final = 3.0
_CHUNK_BYTES: Final = 65_536
_DAY_US: Final = 24 * 60 * 60 * SECOND_US
_MIB: Final = 1024 * 1024
# It ends with the thread that started it, and never takes the processor from the recording.
_BESIDE: Final = ("setpriv", "--pdeathsig", "KILL", "--", "nice", "-n", "10")

_log: Final = structlog.get_logger("recorder")


def watch_command(footage_db: Path, thumbnails: Path) -> list[str]:
    """How to start the program that looks at pictures; it runs in another folder than we do."""
    places = [str(footage_db.absolute()), str(thumbnails.absolute())]
    return [*_BESIDE, sys.executable, "-m", "recorder.picture_watch", *places]


@dataclass(slots=True)
class PictureDesk:
    """Judges readings and writes what changes. Used by one thread."""

    store: Store
    rules: PictureHealth = field(default_factory=load_picture_health)
    _judges: dict[str, CameraJudge] = field(default_factory=dict)
    _unwritten: deque[Callable[[sqlite3.Connection], None]] = field(default_factory=deque)
    _is_resumed: bool = False

    def work(self, command: list[str], is_over: threading.Event) -> None:
        """Run the looking program until it ends or we are to stop."""
        self._resume()
        child = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        try:
            self._listen(child, is_over)
        finally:
            _end(child)
        if not is_over.is_set():
            _log.warning("picture_watch_ended", exit_code=child.returncode)

    def hear(self, line: str) -> None:
        """Take one line of the looking program."""
        try:
            fact = json.loads(line)
            if "reference" in fact:
                self._take_reference(fact)
            else:
                self._take(_reading(fact))
        except (ValueError, TypeError, KeyError):  # cut short by its death
            _log.warning("picture_line_unreadable")
        self._write()

    def _resume(self) -> None:
        if self._is_resumed:
            return
        with self.store.database.read() as connection:
            for camera_uuid, changes in current_health(connection).items():
                for change in changes:
                    self._judge(camera_uuid).resume(change.kind, change.began_at_us)
        self._is_resumed = True

    def _judge(self, camera_uuid: str) -> CameraJudge:
        return self._judges.setdefault(camera_uuid, CameraJudge(self.rules.limits))

    def _listen(self, child: "subprocess.Popen[bytes]", is_over: threading.Event) -> None:
        """Hear the program now and then: its words wait in the pipe, and an alarm has thirty seconds."""
        assert child.stdout is not None
        output = child.stdout.fileno()
        os.set_blocking(output, False)
        rest = b""
        while not is_over.wait(LISTEN_S):
            while (chunk := _read_if_any(output)) is not None:
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self.hear(line.decode("utf-8", "replace"))

    def _take(self, reading: Reading) -> None:
        for change in self._judge(reading.camera_uuid).judge(reading):
            self._note(reading.camera_uuid, change)

    def _note(self, camera_uuid: str, change: Change) -> None:
        _log.warning(
            "picture_trouble" if change.is_trouble else "picture_trouble_over",
            camera=camera_uuid,
            kind=change.kind,
        )
        now_us = self.store.clock.wall_us()

        def write(connection: sqlite3.Connection) -> None:
            if change.is_trouble:
                new = NewTrouble(camera_uuid, change.kind, change.since_us, change.measured)
                begin_trouble(connection, new, now_us)
            else:
                end_trouble(connection, camera_uuid, change.kind, change.since_us, now_us)

        self._unwritten.append(write)

    def _take_reference(self, fact: dict[str, Any]) -> None:
        camera_uuid, taken_at_us = str(fact["camera_uuid"]), int(fact["taken_at_us"])
        picture = base64.b64decode(fact["reference"], validate=True)

        def write(connection: sqlite3.Connection) -> None:
            if load_reference_view(connection, camera_uuid) is None:
                save_reference_view(
                    connection, camera_uuid, ReferenceSource.FIRST_PICTURES, picture, taken_at_us
                )

        self._unwritten.append(write)

    def _write(self) -> None:
        """Write what waits, in order. What the database refuses waits for the next line."""
        while self._unwritten:
            try:
                with self.store.database.write() as connection:
                    self._unwritten[0](connection)
            except sqlite3.Error:
                _log.exception("picture_health_unwritten")
                return
            self._unwritten.popleft()


def picture_chores(tools: ChoreTools) -> list[Chore]:
    """Watching the pictures, and giving up old thumbnails; nothing when the settings say so."""
    if not tools.settings.pictures.enabled:
        return []
    desk, thumbnails = PictureDesk(tools.store), tools.settings.thumbnails_folder
    command = watch_command(tools.settings.footage_db, thumbnails)
    return [
        Chore("pictures", RESTART_S, lambda is_over: desk.work(command, is_over)),
        Chore("thumbnails", SHED_S, lambda _: shed(desk.store, thumbnails, desk.rules)),
    ]


def shed(store: Store, thumbnails: Path, rules: PictureHealth) -> None:
    """Give up thumbnails that are too old, and the oldest ones while their disk is short."""
    if not thumbnails.exists():
        return
    keep_from_us = store.clock.wall_us() - rules.thumbnails.keep_days * _DAY_US
    spare_bytes = rules.thumbnails.spare_mib * _MIB
    gone = shed_thumbnails(thumbnails, keep_from_us, lambda: shutil.disk_usage(thumbnails).free < spare_bytes)
    if gone:
        _log.warning("thumbnails_shed", files=gone)


def _reading(fact: dict[str, Any]) -> Reading:
    measures = fact.pop("measures")
    return Reading(**fact, measures=None if measures is None else Measures(**measures))


def _read_if_any(descriptor: int) -> bytes | None:
    """What has arrived; nothing at the end, None when nothing has come."""
    try:
        return os.read(descriptor, _CHUNK_BYTES)
    except BlockingIOError:
        return None


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Ask it to end by closing its standard input; insist when it does not hear."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.close()
    try:
        child.wait(STOP_PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    child.stdout.close()
