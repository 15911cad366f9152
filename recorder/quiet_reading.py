"""Reading and copying beside the recording: slowly, and after everybody else.

The pace is kept against the monotonic clock and every wait ends with the service. The priorities are
those of the calling thread alone; a system that refuses them is told in the log and read all the same.
"""

import os
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from evidence.fixity import StoppedError
from evidence.fixity_rows import IndexedFile
from exam.clock import MINUTE_US, SECOND_US, Clock

_LEAST: Final = 19
_MB: Final = 1_000_000
# Going through all segments from the start takes seconds when there are millions.
ANEW_US: Final = 60 * MINUTE_US

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class Pacer:
    """Waits after each chunk so that no more than so many MB a second are read."""

    clock: Clock
    mb_per_s: float
    is_over: threading.Event
    _began_us: int = field(init=False)
    _bytes: int = 0

    def __post_init__(self) -> None:
        self._began_us = self.clock.monotonic_us()

    def __call__(self, size_bytes: int) -> None:
        """Some bytes were read. Raises StoppedError once the service ends."""
        self._bytes += size_bytes
        due_us = self._began_us + self._bytes * SECOND_US / (self.mb_per_s * _MB)
        wait_s = max(0.0, (due_us - self.clock.monotonic_us()) / SECOND_US)
        if self.is_over.wait(wait_s):
            raise StoppedError


@dataclass(slots=True)
class Search:
    """Goes through segments by their ids, and now and then from the start: a volume may have come back."""

    _after_id: int = 0
    _began_us: int | None = None

    def after_id(self, now_us: int) -> int:
        """Where to go on."""
        if self._began_us is None or now_us - self._began_us >= ANEW_US:
            self._after_id, self._began_us = 0, now_us
        return self._after_id

    def came_to(self, files: Sequence[IndexedFile]) -> None:
        """These were found."""
        if files:
            self._after_id = files[-1].segment_id


def yield_to_others() -> bool:
    """Let the calling thread read only when nobody else wants the disk. False when the system refuses."""
    thread_id = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread_id, _LEAST)
    try:
        command = ["ionice", "--class", "idle", "--pid", str(thread_id)]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        _log.warning("no_idle_reading", because=str(error))
        return False
    return True
