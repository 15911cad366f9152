"""A real console beside a benchmark: gunicorn in a process of its own, its clock standing in the morning."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from config.settings import Settings
from exam.clock import SimulatedClock, SystemClock
from exam.kiosk_health import Report
from kiosk.console import ConsoleUnreachableError, HttpConsole
from tests.world import CLOCK_US
from web.service import serve

CLOCK = SystemClock()
REPORT = Report(
    sent_at_us=CLOCK_US,
    queue_length=0,
    needs_human=0,
    roster_revision=None,
    disk_free_bytes=2**30,
    is_out_of_service=False,
)


@contextmanager
def running_console(settings: Settings) -> Iterator[None]:
    """The console in a process of its own, its clock standing inside the check-in window."""
    sys.stdout.flush()
    child = multiprocessing.get_context("fork").Process(target=_serve, args=(settings,))
    child.start()
    try:
        yield
    finally:
        child.terminate()
        child.join(10)


def _serve(settings: Settings) -> None:
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the report alone goes to stdout
    sys.exit(serve(settings, SimulatedClock(CLOCK_US)))


def first_heartbeat(console: HttpConsole) -> tuple[str, ...]:
    """Wait for the console; the ticket forms it tells."""
    for _ in range(200):
        try:
            return console.heartbeat(REPORT).ticket_forms
        except ConsoleUnreachableError:
            CLOCK.sleep_us(100_000)
    raise TimeoutError("the console did not come up")
