"""What the recorder does beside recording: orders of the console, checks, copies.

Each chore has a thread of its own and is asked again every so often. One that fails is logged and
asked again at its next turn; it never stops the recording, nor another chore.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from exam.clock import MINUTE_US, SystemClock

# How long a stop waits for chores that are in the middle of something; each can be interrupted anywhere.
STOP_PATIENCE_S: Final = 5.0
# In so many parts: however many chores hang in a disk, together they hold up a stop no longer than that.
_PARTS: Final = 50

# How often a failure that goes on is told again.
AGAIN_US: Final = MINUTE_US

_log: Final = structlog.get_logger("recorder")


@dataclass(frozen=True, slots=True)
class Chore:
    """Some work, asked for every `every_s` seconds; it looks at the flag often and returns when it is set."""

    name: str
    every_s: float
    work: Callable[[threading.Event], None]


@dataclass(slots=True)
class Failures:
    """What the log says of one chore's failures: a new one in full, the same again as one line a minute."""

    chore: str
    now_us: Callable[[], int] = SystemClock().monotonic_us
    _last: str = ""
    _told_at_us: int = 0
    _times: int = 0

    def tell(self, error: Exception) -> None:
        """A turn failed."""
        what = f"{type(error).__name__}: {error}"
        if what != self._last:
            _log.error("chore_failed", chore=self.chore, exc_info=error)
            self._last, self._told_at_us, self._times = what, self.now_us(), 0
            return
        self._times += 1
        if self.now_us() - self._told_at_us >= AGAIN_US:
            _log.error("chore_fails_still", chore=self.chore, because=what, times=self._times)
            self._told_at_us, self._times = self.now_us(), 0


class Chores:
    """The chores' threads, from construction until `stop`."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_doing, args=(chore,), name=chore.name, daemon=True)
            for chore in chores
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, patience_s: float = STOP_PATIENCE_S) -> None:
        """Ask all chores to end and wait a while; what is cut short is taken up at the next start."""
        self._is_over.set()
        for _ in range(_PARTS):
            alive = [thread for thread in self._threads if thread.is_alive()]
            if not alive:
                return
            alive[0].join(patience_s / _PARTS)

    def _keep_doing(self, chore: Chore) -> None:
        failures = Failures(chore.name)
        while not self._is_over.is_set():
            try:
                chore.work(self._is_over)
            except Exception as error:  # noqa: BLE001 - the boundary of a thread: recording goes on, the next turn tries again
                failures.tell(error)
            self._is_over.wait(chore.every_s)
