"""The front door: plain help, one clear sentence for each fault, and children that never outlive it."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import run
from config.supervisor import FIRST_START_SECONDS
from exam.clock import SystemClock

ROOT = Path(__file__).resolve().parent.parent.parent


def front_door(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_help_names_every_command_in_plain_words() -> None:
    done = front_door("--help")
    assert done.returncode == 0
    for command in run.COMMANDS:
        assert re.search(rf"^\s+{command}\s+\w", done.stdout, re.MULTILINE), command


def test_both_readmes_name_commands_that_exist() -> None:
    for name in ("README.md", "README.zh.md"):
        named = re.findall(r"python3 run\.py (\w+)", (ROOT / name).read_text(encoding="utf-8"))
        assert set(named) <= set(run.COMMANDS)
        assert {"demo", "test", "serve", "import"} <= set(named)


def test_an_unknown_command_is_refused() -> None:
    assert front_door("dance").returncode == 2


def test_unreadable_settings_are_one_sentence_and_not_status_zero(tmp_path: Path) -> None:
    settings = tmp_path / "kaochang.toml"
    settings.write_text("[web]\nport = 'x'\n")
    done = front_door("serve", "--settings", str(settings))
    assert done.returncode == 1
    assert f"settings file {settings}: 1 fault(s)" in done.stderr
    assert "web.port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = tmp_path / "kaochang.toml"
        settings.write_text(f'data_folder = "{tmp_path}/site"\n[web]\nport = {port}\n')
        done = front_door("serve", "--settings", str(settings))
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is already in use" in done.stderr


def test_an_address_that_is_not_this_machines_is_not_called_a_port_in_use(tmp_path: Path) -> None:
    settings = tmp_path / "kaochang.toml"
    settings.write_text(f'data_folder = "{tmp_path}/site"\n[web]\nhost = "192.0.2.1"\n')
    done = front_door("serve", "--settings", str(settings))
    assert done.returncode == 1
    assert "port 8600 on 192.0.2.1 cannot be used (Cannot assign requested address)" in done.stderr


def test_what_a_command_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    settings = tmp_path / "kaochang.toml"
    settings.write_text(f'data_folder = "{tmp_path}/site"\n')
    front_door("import", str(tmp_path / "none.xlsx"), "--batch", "B", "--settings", str(settings))
    made = sorted((tmp_path / "site").rglob("*"))
    assert (tmp_path / "site" / "exam.db") in made
    assert [path for path in [tmp_path / "site", *made] if path.stat().st_mode & 0o077] == []


def test_a_child_that_cannot_even_be_started_is_one_sentence(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert run.Supervisor({"web": sleeper()}).run() == 1
    assert "web cannot be started: " in capfd.readouterr().err


def test_a_demo_on_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = front_door("demo", "--port", str(port), "--folder", str(tmp_path / "day"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"demo: port {port} on 127.0.0.1 is already in use")


def test_a_demo_needs_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    done = front_door("demo", "--port", "28600", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == f"demo: folder {tmp_path} is not empty; a demo day needs a folder of its own\n"


def test_a_file_to_import_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = tmp_path / "kaochang.toml"
    settings.write_text(f'data_folder = "{tmp_path}/site"\n')
    done = front_door("import", str(tmp_path / "none.xlsx"), "--batch", "B", "--settings", str(settings))
    assert done.returncode == 1
    assert "none.xlsx" in done.stderr
    assert "Traceback" not in done.stderr


def sleeper(*, code: int | None = None) -> list[str]:
    return ["-c", "import time; time.sleep(60)" if code is None else f"raise SystemExit({code})"]


def test_a_child_that_cannot_start_stops_everything_with_its_status(
    capfd: pytest.CaptureFixture[str],
) -> None:
    supervisor = run.Supervisor({"broken": sleeper(code=3), "fine": sleeper()})
    assert supervisor.run() == 3
    assert "broken could not start (exit status 3)" in capfd.readouterr().err


def test_a_service_the_exam_can_do_without_stops_nobody_else(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    broken = ["-c", f"open({str(starts)!r}, 'a').write('1\\n'); raise SystemExit(3)"]
    supervisor = run.Supervisor({"broken": broken, "fine": sleeper()}, essential={"fine"})

    def stop_once_started_again() -> None:
        children(starts, 2)
        supervisor.stop()

    threading.Thread(target=stop_once_started_again, daemon=True).start()
    assert supervisor.run() == 0
    said = capfd.readouterr().err
    assert "broken ended (exit status 3); starting it again in 1 s" in said
    assert "stopping everything" not in said


def test_a_busy_kiosk_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = tmp_path / "kaochang.toml"
        port = taken.getsockname()[1]
        settings.write_text(f'data_folder = "{tmp_path}/site"\n[web]\nport = 28601\n[kiosk]\nport = {port}\n')
        done = front_door("serve", "--settings", str(settings))
    assert done.returncode == 1
    assert f"kiosk: port {port} on 127.0.0.1 is already in use" in done.stderr


SUPERVISE = """
import sys
sys.path.insert(0, sys.argv[1])
import run
from config.supervisor import FIRST_START_SECONDS
from config.supervisor import FIRST_START_SECONDS
code = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\\\n'); time.sleep(60)"
supervisor = run.Supervisor({"a": ["-c", code, sys.argv[2]], "b": ["-c", code, sys.argv[2]]})
supervisor.stop_on_signals()
sys.exit(supervisor.run())
"""


def children(pids: Path, count: int) -> list[int]:
    clock = SystemClock()
    for _ in range(1000):
        if pids.exists() and len(pids.read_text().splitlines()) >= count:
            return [int(line) for line in pids.read_text().splitlines()]
        clock.sleep_us(50_000)
    raise AssertionError("children did not start")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids: list[int]) -> bool:
    clock = SystemClock()
    for _ in range(1000):
        if not any(is_alive(pid) for pid in pids):
            return True
        clock.sleep_us(50_000)
    return False


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=["TERM", "INT", "KILL"]
)
def test_no_child_outlives_the_supervisor(tmp_path: Path, number: signal.Signals) -> None:
    pids = tmp_path / "pids"
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISE, str(ROOT), str(pids)])
    started = children(pids, 2)
    supervisor.send_signal(number)
    assert supervisor.wait(60) == (-9 if number == signal.SIGKILL else 0)
    assert gone(started)


def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISE, str(ROOT), str(pids)])
    first = children(pids, 2)
    SystemClock().sleep_us(int(FIRST_START_SECONDS * 1_000_000))
    os.kill(first[0], signal.SIGKILL)
    assert len(children(pids, 3)) == 3
    supervisor.terminate()
    assert supervisor.wait(60) == 0


def test_the_words_after_camera_are_the_cameras_own() -> None:
    assert run.parsed(["camera", "--count", "2", "a.toml"]).rest == ["--count", "2", "a.toml"]
    done = front_door("camera", "--help")
    assert done.returncode == 0
    assert "--seconds-of-loop" in done.stdout
