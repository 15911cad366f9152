"""Fixtures that several kiosk tests share."""

import os
import pty
import threading
import tty
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from config.kiosk_screen import load_kiosk_words
from exam.clock import SystemClock
from kiosk import speaker_command
from kiosk.clips import Clips
from tests.chromium import started_chromium
from tests.kiosk.device_stage import FakeKernel, SerialDevice
from tests.kiosk.page_stage import SIZES, Stage, staged
from tests.kiosk.stage import FakeConsole, agent_of


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


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with started_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """All prompts, rendered for real."""
    made = Clips(tmp_path_factory.mktemp("clips"), load_kiosk_words().clips, ("zh", "en"))
    made.run(threading.Event())
    return made


@pytest.fixture(params=SIZES)
def stage(chromium: Browser, clips: Clips, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    console = FakeConsole()
    with agent_of(console, tmp_path, SystemClock()) as agent:
        agent.start()
        yield from staged(chromium, SIZES[request.param], console, agent, clips)
