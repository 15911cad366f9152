"""The files that make a machine a kiosk and nothing else: systemd takes them, and the guide names them."""

import configparser
import json
import re
import shutil
import subprocess
from collections import OrderedDict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from config.settings import KioskSettings

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "config" / "kiosk_lockdown"
GUIDE = ROOT / "docs" / "guide" / "kiosk-lockdown.zh.md"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.timer")])
SCREEN = f"http://127.0.0.1:{KioskSettings().port}"
# What is not on the machine that tests: systemd refuses a unit whose program is missing.
PROGRAMS = (
    "/usr/bin/cage",
    "/usr/bin/chromium",
    "/usr/local/lib/kaochang/screen-answers.sh",
    "/usr/bin/python3",
)


class Repeated(OrderedDict[str, Any]):
    """A unit may say a key several times."""

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and key in self:
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def unit(name: str) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None, dict_type=Repeated)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read_string((FOLDER / name).read_text(encoding="utf-8").replace("\\\n", " "))
    return read


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong(path: Path, tmp_path: Path) -> None:
    for one in UNITS:
        text = one.read_text(encoding="utf-8").replace("WorkingDirectory=/opt/kaochang", "WorkingDirectory=/")
        for program in PROGRAMS:
            text = text.replace(program, "/bin/true")
        (tmp_path / one.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=one", str(tmp_path / path.name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if path.name in line]) == (0, [])


@pytest.mark.parametrize("name", ["kaochang-kiosk.service", "kaochang-screen.service"])
def test_what_ends_is_started_again_without_limit(name: str) -> None:
    read = unit(name)
    assert read["Service"]["Restart"] == "always"
    assert read["Unit"]["StartLimitIntervalSec"] == "0"
    assert int(read["Service"]["RestartSec"]) <= 2


def test_agent_and_browser_are_different_users_and_the_agent_writes_its_folder_alone() -> None:
    agent, screen = unit("kaochang-kiosk.service")["Service"], unit("kaochang-screen.service")["Service"]
    assert agent["User"] != screen["User"]
    assert (agent["ProtectSystem"], agent["ReadWritePaths"]) == ("strict", "/var/lib/kaochang")


def test_the_browser_opens_this_page_alone_and_may_sound_without_a_touch() -> None:
    words = unit("kaochang-screen.service")["Service"]["ExecStart"].split()
    assert words[-1] == f"{SCREEN}/"
    assert {"--kiosk", "--incognito", "--autoplay-policy=no-user-gesture-required"} <= set(words)
    assert "-s" not in words[: words.index("--")]
    policy = json.loads((FOLDER / "chromium-policy.json").read_text(encoding="utf-8"))
    assert (policy["URLBlocklist"], policy["URLAllowlist"]) == (["*"], [SCREEN])
    assert policy["DeveloperToolsAvailability"] == 2


def test_every_device_rule_is_whole() -> None:
    lines = (FOLDER / "70-kaochang.rules").read_text(encoding="utf-8").splitlines()
    part = r'[A-Z]+(\{[A-Za-z_]+\})?(==|=)"[^"]*"'
    rules = [line for line in lines if line and not line.startswith("#")]
    assert len(rules) == 4
    assert [line for line in rules if not re.fullmatch(rf"{part}(, {part})*", line)] == []


def test_the_guide_names_every_file() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [path.name for path in sorted(FOLDER.iterdir()) if path.name not in guide] == []


class Answering(BaseHTTPRequestHandler):
    """A screen that answers, or has lost its way."""

    def do_GET(self) -> None:
        is_screen = self.path == "/local/state"
        self.send_response(200 if is_screen else 500)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        del args


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask(word: str, address: str, tmp_path: Path) -> tuple[int, str]:
    """Status of the script, and what it told a systemctl that only writes down what it was told."""
    told = tmp_path / "told"
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    systemctl.chmod(0o755)
    known = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ADDRESS": address, "PAUSE_S": "0"}
    script = [str(FOLDER / "screen-answers.sh"), word]
    done = subprocess.run(script, env=known, capture_output=True, timeout=100, check=False)
    return done.returncode, told.read_text() if told.exists() else ""


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_watchdog_restarts_an_agent_that_does_not_answer_and_no_other(
    address: str, tmp_path: Path
) -> None:
    assert ask("restart", f"{address}/local/state", tmp_path) == (0, "")
    assert ask("wait", f"{address}/local/state", tmp_path) == (0, "")
    assert ask("restart", f"{address}/broken", tmp_path) == (0, "restart kaochang-kiosk.service\n")
    assert ask("", address, tmp_path)[0] == 2
