"""What the recorder does beside recording: orders of the console, checks, copies.

Each chore has a thread of its own and is asked again every so often. One that fails is logged and
asked again at its next turn; it never stops the recording, nor another chore.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

# How long a stop waits for chores that are in the middle of something; each can be interrupted anywhere.
STOP_PATIENCE_S: Final = 5.0
# In so many parts: however many chores hang in a disk, together they hold up a stop no longer than that.
_PARTS: Final = 50

_log: Final = structlog.get_logger("recorder")


@dataclass(frozen=True, slots=True)
class Chore:
    """Some work, asked for every `every_s` seconds; it looks at the flag often and returns when it is set."""

    name: str
    every_s: float
    work: Callable[[threading.Event], None]


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
        while not self._is_over.is_set():
            try:
                chore.work(self._is_over)
            except Exception:  # noqa: BLE001 - the boundary of a thread: recording goes on, the next turn tries again
                _log.exception("chore_failed", chore=chore.name)
            self._is_over.wait(chore.every_s)
