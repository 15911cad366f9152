"""When the console learns what a camera does."""

import sqlite3
import threading

import pytest

from recorder.state_board import StateBoard
from tests.recorder.live import CLOCK, wait_until


def test_a_change_is_shown_at_once_and_a_storm_of_them_together() -> None:
    written: list[int] = []
    board = StateBoard(lambda: written.append(CLOCK.monotonic_us()), every_s=600)
    board.show(["down"])
    wait_until(lambda: written, 30)  # long before the next regular turn
    for number in range(200):
        board.show([number])
        CLOCK.sleep_us(2_000)
    board.show([199])  # nothing new
    wait_until(lambda: not board._has_changed.is_set(), 30)
    board.stop()
    assert 2 <= len(written) < 100, "two hundred changes, few writes"


def test_states_are_written_again_although_nothing_changes_and_the_database_refused_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written = threading.Semaphore(0)
    refusals = [sqlite3.OperationalError("disk I/O error"), OSError("disk I/O error"), IndexError("ours")]

    def write() -> None:
        if refusals:
            raise refusals.pop()
        written.release()

    board = StateBoard(write, every_s=0.05)
    assert written.acquire(timeout=30)
    assert written.acquire(timeout=30)
    board.stop()
    assert "states_not_written" in capsys.readouterr().out
