"""Shows the console what every camera does: at once when it changes, and every so often in any case.

A thread of its own: a disk that stalls delays what is shown, not the watching of cameras.
"""

import threading
from collections.abc import Callable
from typing import Final

import structlog

EVERY_S: Final = 2.0
# Thirty cameras that change within a moment are shown together.
LEAST_S: Final = 0.2

_log: Final = structlog.get_logger("recorder")


class StateBoard:
    """Writes the states from construction until `stop`."""

    def __init__(self, write: Callable[[], None], *, every_s: float = EVERY_S) -> None:
        self._write = write
        self._every_s = every_s
        self._has_changed = threading.Event()
        self._is_over = threading.Event()
        self._shown: object = None
        self._thread = threading.Thread(target=self._keep_writing, name="camera-states", daemon=True)
        self._thread.start()

    def show(self, states: object) -> None:
        """What there is to show now; another value than the last is written at once."""
        if states != self._shown:
            self._shown = states
            self._has_changed.set()

    def stop(self) -> None:
        """Write nothing more."""
        self._is_over.set()
        self._has_changed.set()
        self._thread.join()

    def _keep_writing(self) -> None:
        while not self._is_over.is_set():
            self._has_changed.wait(self._every_s)
            self._has_changed.clear()
            self._try_to_write()
            self._is_over.wait(LEAST_S)

    def _try_to_write(self) -> None:
        try:
            self._write()
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: the next turn tries again
            # Meanwhile the old rows grow stale visibly.
            _log.exception("states_not_written", error=str(error))
