"""Fixtures that several kiosk tests share."""

import os
import pty
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kiosk import speaker_command
from tests.kiosk.device_stage import FakeKernel, SerialDevice


@pytest.fixture(autouse=True)
def logs_go_where_they_went(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is run inside a test must not bind everybody's log to that test's captured output."""
    monkeypatch.setattr(speaker_command, "configure_logs", lambda: None)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[FakeKernel]:
    fake = FakeKernel(tmp_path)
    yield fake
    fake.close()


@pytest.fixture
def serial_device() -> Iterator[SerialDevice]:
    end, kept = pty.openpty()
    tty.setraw(kept)
    yield SerialDevice(os.ttyname(kept), end, kept)
    for number in (end, kept):
        with suppress(OSError):  # unplugged by the test
            os.close(number)
