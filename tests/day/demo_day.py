"""Runs `run.py demo` as a user would, and reads what it says."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exam.clock import SECOND_US, SystemClock, site_time

ROOT = Path(__file__).resolve().parents[2]
START_PATIENCE_US = 180 * SECOND_US
DAY_PATIENCE_S = 420


def free_ports() -> int:
    """A console port whose kiosk port (ten higher) is free as well."""
    for _ in range(50):
        with socket.socket() as web, socket.socket() as kiosk:
            web.bind(("127.0.0.1", 0))
            port = web.getsockname()[1]
            try:
                kiosk.bind(("127.0.0.1", port + 10))
            except (OSError, OverflowError):
                continue
            return int(port)
    raise AssertionError("no free pair of ports")


def running() -> list[tuple[int, int, list[bytes]]]:
    """Process, parent and words of everything that runs on this machine."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # ended meanwhile
                parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
                found.append((int(folder.name), int(parent), (folder / "cmdline").read_bytes().split(b"\0")))
    return found


def ancestry(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid:
        yield pid
        pid = parents.get(pid, 0)


@dataclass(frozen=True, slots=True)
class DemoDayRun:
    """A demo day in its own folder, running."""

    child: "subprocess.Popen[str]"
    folder: Path
    port: int
    said: Path

    def words(self) -> str:
        return self.said.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the terminal shows the words."""
        clock = SystemClock()
        deadline_us = clock.monotonic_us() + START_PATIENCE_US
        while clock.monotonic_us() < deadline_us:
            found = re.search(pattern, self.words())
            if found:
                return found
            assert self.child.poll() is None, self.words()
            clock.sleep_us(SECOND_US // 5)
        raise AssertionError(f"never said {pattern!r}:\n{self.words()}")

    def seconds_until(self, at_s: float) -> float:
        """Until so many seconds after the planned theory start."""
        said = self.wait_for(r"Theory starts at (\d\d):(\d\d):(\d\d)")
        now = site_time(SystemClock().wall_us())
        hour, minute, second = map(int, said.groups())
        start = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
        left = (start - now).total_seconds()
        return (left + 24 * 3600 if left < -12 * 3600 else left) + at_s  # the start may be after midnight

    def wait_until(self, at_s: float) -> None:
        """Wait until so many seconds after the planned theory start."""
        SystemClock().sleep_us(round(max(0.0, self.seconds_until(at_s)) * SECOND_US))

    @property
    def password(self) -> str:
        return self.wait_for(r"all with the password (\w+)").group(1)

    def services(self) -> list[int]:
        """Every process of the site's services and their children; not the demo and its cameras."""
        settings = str(self.folder / "kaochang.toml").encode()
        parents = {pid: parent for pid, parent, _ in running()}
        roots = {pid for pid, _, words in running() if settings in words}
        return [pid for pid in parents if roots & set(ancestry(pid, parents))]

    def finish(self) -> dict[str, Any]:
        """Wait for the end of the day and return the printed summary."""
        out, _ = self.child.communicate(timeout=DAY_PATIENCE_S)
        assert out, f"the demo ended without a summary:\n{self.words()[-6000:]}"
        return dict(json.loads(out))


@contextlib.contextmanager
def demo_day(folder: Path) -> Iterator[DemoDayRun]:
    port = free_ports()
    said = folder / "said.txt"
    command = [sys.executable, str(ROOT / "run.py"), "demo", "--once", "--port", str(port)]
    with said.open("w", encoding="utf-8") as terminal:
        child = subprocess.Popen(
            [*command, "--folder", str(folder / "day")],
            stdout=subprocess.PIPE,
            stderr=terminal,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        yield DemoDayRun(child, folder / "day", port, said)
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            child.wait(60)
        assert child.stdout is not None
        child.stdout.close()
