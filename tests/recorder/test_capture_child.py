import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from exam.clock import SECOND_US, SystemClock
from recorder.camera_watch import Moment
from recorder.capture_child import ChildLoop


@dataclass
class Listener:
    """Remembers what a child said, in place of a camera."""

    output: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ended: list[Moment] = field(default_factory=list)

    def on_output(self, line: str, now: Moment) -> None:
        assert now.monotonic_us > 0
        self.output.append(line)

    def on_error_line(self, line: str) -> None:
        assert not self.ended
        self.errors.append(line)

    def on_ended(self, now: Moment) -> None:
        self.ended.append(now)


def hear(loop: ChildLoop, listener: Listener) -> None:
    for _ in range(600):
        if listener.ended:
            return
        loop.wait(SECOND_US // 10)
        loop.hear()
    raise AssertionError("the child did not end")


def launch(loop: ChildLoop, listener: Listener, code: str, folder: Path, address: str = ""):  # type: ignore[no-untyped-def]
    return loop.launch(listener, [sys.executable, "-c", code], address, folder)  # type: ignore[arg-type]


@pytest.fixture
def loop():  # type: ignore[no-untyped-def]
    opened = ChildLoop(SystemClock())
    yield opened
    opened.close()


def test_a_child_is_heard_line_by_line_and_its_last_words_before_its_end(loop, tmp_path: Path) -> None:
    listener = Listener()
    code = (
        "import sys, os; print(sys.stdin.read(), os.getcwd(), flush=True); print('a\\nb', flush=True);"
        "sys.stdout.write('half'); sys.stderr.write('why\\n')"
    )
    launch(loop, listener, code, tmp_path, "the address")
    hear(loop, listener)
    assert listener.output == [f"the address {tmp_path}", "a", "b"]
    assert listener.errors == ["why"]


def test_a_child_that_takes_no_address_is_no_error(loop, tmp_path: Path) -> None:
    listener = Listener()
    launch(loop, listener, "pass", tmp_path, "x" * 200_000)
    hear(loop, listener)


def test_a_child_can_be_interrupted_and_killed(loop, tmp_path: Path) -> None:
    for end in ("interrupt", "kill"):
        listener = Listener()
        code = (
            "import signal, time; signal.signal(signal.SIGINT, lambda *_: exit(0));"
            "print('ready', flush=True); time.sleep(60)"
        )
        child = launch(loop, listener, code, tmp_path)
        while not listener.output:
            loop.wait(SECOND_US // 10)
            loop.hear()
        getattr(child, end)()
        hear(loop, listener)


def test_a_child_that_closes_its_errors_early_is_still_heard(loop, tmp_path: Path) -> None:
    listener = Listener()
    launch(loop, listener, "import os, time; os.close(2); time.sleep(.3); print('x', flush=True)", tmp_path)
    hear(loop, listener)
    assert listener.output == ["x"]


def test_a_missing_program_is_an_error(loop, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-program"):
        loop.launch(Listener(), ["no-such-program"], "", tmp_path)


def test_words_wait_until_they_are_asked_for_and_an_end_does_not(loop, tmp_path: Path) -> None:
    listener, clock = Listener(), SystemClock()
    code = "import sys, time; print('word', flush=True); sys.stdin.read(); time.sleep(1)"
    launch(loop, listener, code, tmp_path)
    loop.wait(SECOND_US // 2)
    assert listener.output == []
    before_us = clock.monotonic_us()
    while not listener.ended:
        loop.wait(100 * SECOND_US)
    assert listener.output == ["word"]
    assert clock.monotonic_us() - before_us < 50 * SECOND_US


def test_waiting_ends_when_somebody_wakes_the_loop(loop) -> None:
    clock = SystemClock()
    for _ in range(70_000):  # more than the pipe holds
        loop.wake()
    before_us = clock.monotonic_us()
    loop.wait(100 * SECOND_US)
    assert clock.monotonic_us() - before_us < 50 * SECOND_US
