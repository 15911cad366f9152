"""Keeps the services of one machine running: starts them, restarts those that die, stops all together.

Standard library only: the front door uses it before and after the project's own environment exists.
"""

import subprocess
import sys
import threading
from collections.abc import Collection
from typing import Final

from config.stop_signals import once_on_signals
from exam.clock import SECOND_US, SystemClock

STOP_SECONDS: Final = 20.0
RESTART_SECONDS: Final = (1.0, 2.0, 5.0)
# A child that dies sooner than this at its very first start has a fault a restart will not cure.
FIRST_START_SECONDS: Final = 5.0


class Supervisor:
    """Starts the services of this machine, restarts those that die, stops all together.

    Children get a death signal from the kernel, so none outlives a supervisor that was killed.
    """

    def __init__(self, commands: dict[str, list[str]], essential: Collection[str] | None = None) -> None:
        """`commands` maps a service's name to the words after the Python interpreter.

        When an `essential` service (default: each) cannot start at all, everything stops; the others are
        tried again for ever, because an exam goes on without a kiosk or a disk.
        """
        self._commands = commands
        self._essential = commands.keys() if essential is None else essential
        self._stopping = threading.Event()
        self._failed: dict[str, int] = {}

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT stop every child and then this process."""
        once_on_signals(self.stop)

    def stop(self) -> None:
        """Ask every child to finish; `run` returns when they have."""
        self._stopping.set()

    def run(self) -> int:
        """Keep the children running until stopped. 0, or the status of a child that never came up."""
        keepers = [threading.Thread(target=self._keep, args=(name,), name=name) for name in self._commands]
        for keeper in keepers:
            keeper.start()
        for keeper in keepers:
            while keeper.is_alive():  # a plain join() would not let signals through
                keeper.join(0.2)
        return next(iter(self._failed.values()), 0)

    def _keep(self, name: str) -> None:
        starts = 0
        while not self._stopping.is_set():
            lived, code = self._one_life(name)
            if self._stopping.is_set():
                return
            cannot_start = starts == 0 and code != 0 and lived < FIRST_START_SECONDS
            if cannot_start and name in self._essential:
                self._failed[name] = code
                _say(f"{name} could not start (exit status {code}); stopping everything")
                self.stop()
                return
            pause = RESTART_SECONDS[min(starts, len(RESTART_SECONDS) - 1)]
            starts += 1
            _say(f"{name} ended (exit status {code}); starting it again in {pause:.0f} s")
            self._stopping.wait(pause)

    def _one_life(self, name: str) -> tuple[float, int]:
        clock = SystemClock()
        born_us = clock.monotonic_us()
        try:
            child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", sys.executable, *self._commands[name]]
            )
        except OSError as error:  # no memory for one more process: a reason to try again, not to give up
            _say(f"{name} cannot be started: {error}")
            return 0.0, 1
        while child.poll() is None:
            if self._stopping.wait(0.1):
                _end(child)
        return (clock.monotonic_us() - born_us) / SECOND_US, child.returncode or 0


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
