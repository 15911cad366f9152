"""The chore that asks every camera for its own time: soon after it appears, and every ten minutes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from evidence.camera_clocks import ClockFound, ClockOrigin, add_camera_clock
from evidence.cameras import CameraSource, load_camera_sources
from evidence.database import WriterDatabase
from evidence.vault import Vault
from exam.clock import MINUTE_US, Clock
from recorder.camera_onvif import ClockReading, ask_for_time
from recorder.chore_tools import ChoreTools, ExamReader

EVERY_S: Final = 15.0
AGAIN_US: Final = 10 * MINUTE_US

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class CameraClocks:
    """When each camera was asked last. One thread calls `work`."""

    tools: ChoreTools
    cameras: Callable[[], list[CameraSource] | None]
    ask: Callable[[CameraSource, int, Clock], ClockReading | None] = ask_for_time
    _asked_at_us: dict[str, int] = field(default_factory=dict)

    def work(self, is_over: threading.Event) -> None:
        """Ask whoever is due. A camera that speaks no ONVIF is asked again as late as the others."""
        port = self.tools.settings.recorder.onvif_port
        for source in (self.cameras() or []) if port else []:
            if is_over.is_set():
                return
            now_us = self.tools.store.clock.monotonic_us()
            asked_at_us = self._asked_at_us.get(source.uuid)
            if asked_at_us is None or now_us - asked_at_us >= AGAIN_US:
                self._asked_at_us[source.uuid] = now_us
                self._measure(source, port)

    def _measure(self, source: CameraSource, port: int) -> None:
        reading = self.ask(source, port, self.tools.store.clock)
        if reading is not None:
            record_reading(self.tools.store.database, source, reading)


def record_reading(database: WriterDatabase, source: CameraSource, reading: ClockReading) -> None:
    """Keep what a camera said."""
    _log.info("camera_clock", camera=source.uuid, offset_us=reading.offset_us)
    found = ClockFound(
        source.uuid, reading.offset_us, reading.round_trip_us, ClockOrigin.ONVIF, reading.at_us
    )
    with database.write() as connection:
        add_camera_clock(connection, found)


def camera_clocks_chore(tools: ChoreTools) -> Callable[[threading.Event], None]:
    """The chore over the cameras of the site plan."""
    exam = ExamReader(tools.settings.exam_db)

    def cameras() -> list[CameraSource] | None:
        database = exam.database()
        if database is None or not tools.settings.site_key.exists():
            return None
        with database.read() as connection:
            return load_camera_sources(connection, Vault.open(tools.settings.site_key))

    return CameraClocks(tools, cameras).work
