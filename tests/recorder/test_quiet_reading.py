"""Reading beside the recording is slow on purpose and ends with the service."""

import os
import threading
from pathlib import Path

import pytest

from evidence.fixity import StoppedError
from exam.clock import SECOND_US, SimulatedClock
from recorder.quiet_reading import Pacer, yield_to_others
from tests.world import CLOCK_US


class Waits(threading.Event):
    """Remembers how long it was waited for, and lets that time pass."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self.clock, self.waited_s = clock, list[float]()

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waited_s.append(timeout)
        self.clock.sleep_us(round(timeout * SECOND_US))
        return self.is_set()


def test_a_second_of_bytes_takes_a_second() -> None:
    clock = SimulatedClock(CLOCK_US)
    waits = Waits(clock)
    pacer = Pacer(clock, 2, waits)
    pacer(1_000_000)
    clock.sleep_us(600_000)
    pacer(1_000_000)
    assert waits.waited_s == [0.5, 0.0]
    pacer(3_000_000)
    assert sum(waits.waited_s) == pytest.approx(1.9)


def test_a_stop_ends_it_at_once() -> None:
    clock = SimulatedClock(CLOCK_US)
    waits = Waits(clock)
    waits.set()
    with pytest.raises(StoppedError):
        Pacer(clock, 2, waits)(0)


def priorities(path: str | None, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, int, int]:
    """What a thread that yields has afterwards, and what ours has."""
    if path is not None:
        monkeypatch.setenv("PATH", path)
    found: list[tuple[bool, int]] = []

    def run() -> None:
        did = yield_to_others()
        found.append((did, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return *found[0], os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_only_the_thread_that_reads_yields(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert priorities(None, monkeypatch) == (True, 19, before)


def test_a_machine_without_the_tool_reads_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert priorities(str(tmp_path), monkeypatch)[:2] == (False, 19)
