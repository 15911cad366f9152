"""Chores: each in its own thread, asked again, none able to hurt another."""

import threading
from pathlib import Path

import pytest

from evidence.database import WriterDatabase
from exam.clock import SECOND_US, SimulatedClock
from recorder.chore_list import ExamReader
from recorder.chores import Chore, Chores, Failures
from tests.recorder.live import CLOCK


def test_a_chore_is_asked_again_and_again() -> None:
    turns: list[int] = []
    enough = threading.Event()

    def work(_is_over: threading.Event) -> None:
        turns.append(1)
        if len(turns) == 3:
            enough.set()

    chores = Chores([Chore("count", 0.01, work)])
    assert enough.wait(30)
    chores.stop()


def test_a_chore_that_fails_is_asked_again_and_hurts_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    tried, done = threading.Semaphore(0), threading.Event()

    def fail(_is_over: threading.Event) -> None:
        tried.release()
        raise ValueError("broken on purpose")

    chores = Chores([Chore("broken", 0.01, fail), Chore("fine", 0.01, lambda _flag: done.set())])
    assert tried.acquire(timeout=30)
    assert tried.acquire(timeout=30)
    assert done.wait(30)
    chores.stop()
    assert capsys.readouterr().out.count("chore_failed") == 1


def test_a_failure_that_goes_on_is_told_in_full_once_and_then_every_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = SimulatedClock(0)
    failures = Failures("broken", clock.monotonic_us)

    def fail(reason: str) -> str:
        try:
            raise ValueError(reason)
        except ValueError as error:
            failures.tell(error)
        return capsys.readouterr().out

    full = fail("no such table")
    assert "Traceback" in full or "exception" in full
    for _ in range(11):
        clock.sleep_us(5 * SECOND_US)
        assert fail("no such table") == ""
    clock.sleep_us(5 * SECOND_US)
    again = fail("no such table")
    assert "chore_fails_still" in again
    assert "no such table" in again
    assert "12" in again
    assert "Traceback" not in again
    assert fail("no such table") == ""
    assert "chore_failed" in fail("disk gone")


def test_a_stop_tells_the_chore_that_is_in_the_middle_of_something() -> None:
    started, ended = threading.Event(), threading.Event()

    def work(is_over: threading.Event) -> None:
        started.set()
        is_over.wait(60)
        ended.set()

    chores = Chores([Chore("long", 0.01, work)])
    assert started.wait(30)
    chores.stop()
    assert ended.is_set()


def test_chores_that_hang_hold_up_a_stop_together_no_longer_than_one() -> None:
    disk_answers, hanging = threading.Event(), threading.Semaphore(0)

    def hang(_is_over: threading.Event) -> None:
        hanging.release()
        disk_answers.wait(60)

    chores = Chores([Chore(f"hangs {number}", 1, hang) for number in range(40)])
    assert all(hanging.acquire(timeout=30) for _ in range(40))
    began_us = CLOCK.monotonic_us()
    chores.stop(2)
    assert CLOCK.monotonic_us() - began_us < 40 * 1_000_000
    disk_answers.set()
    chores.stop()


def test_the_exam_database_is_read_once_it_exists(tmp_path: Path) -> None:
    reader = ExamReader(tmp_path / "exam.db")
    assert reader.database() is None
    WriterDatabase(tmp_path / "exam.db", "exam").close()
    found = reader.database()
    assert found is not None
    assert reader.database() is found
    reader.close()
    ExamReader(tmp_path / "none.db").close()
