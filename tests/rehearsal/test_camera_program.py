"""Simulated cameras as a program."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.camera_plan import CameraPlan
from rehearsal.camera_server import CamerasNotReadyError, main, running_cameras
from rehearsal.scene_loops import ROOT
from tests.rehearsal.camera_world import PASSWORD, small_plan

pytestmark = pytest.mark.media
FLAGS = ["--resolution", "640x360", "--bitrate", "200", "--fps", "5", "--seconds-of-loop", "2"]


def test_help_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    words = capsys.readouterr().out
    for flag in ("--count", "--port", "--seconds-of-loop", "--resolution", "--fps", "--bitrate"):
        assert flag in words


def test_flags_give_cameras_of_every_kind_and_a_signal_ends_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rehearsal.camera_server", *FLAGS, "--count", "5", "--port", "0"]
    command += ["--loops", str(tmp_path), "--control-port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline().decode().strip() for _ in range(6)]
        child.send_signal(signal.SIGTERM)
        _, progress = child.communicate(timeout=60)
    assert child.returncode == 0
    assert [line.rsplit("/", 1)[1] for line in lines[:5]] == [f"camera-{number}" for number in range(1, 6)]
    assert all(line.startswith("rtsp://127.0.0.1:") for line in lines[:5])
    assert lines[5].startswith("control port ")
    assert "preparing camera-5 (5/5)" in progress.decode()
    assert {path.name.split("-")[0] for path in tmp_path.iterdir()} == {
        "classroom",
        "workshop",
        "viva_room",
        "check_in",
    }


def test_no_password_is_printed_or_stands_in_an_argument(tmp_path: Path) -> None:
    plans = [small_plan("a", scene="viva_room", user="viewer", password=PASSWORD)]
    with running_cameras(plans, tmp_path, loop_seconds=2, loops=tmp_path) as running:
        arguments = Path(f"/proc/{running.pid}/cmdline").read_text()
        environment = Path(f"/proc/{running.pid}/environ").read_text()
        assert PASSWORD not in arguments + environment + running["a"].address + repr(running)
        assert running["a"].login is not None
        assert running["a"].login.password == PASSWORD
        (plan_file,) = tmp_path.glob("*.json")
        assert plan_file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.glob("*.json")) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.toml"], "none.toml: cannot be read"),
        (["--count", "0"], "no camera is described"),
        (["--resolution", "7x7"], "resolution '7x7'"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_sentence(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_port_in_use_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main([*FLAGS, "--count", "1", "--port", str(port), "--loops", str(tmp_path)]) == 1
    assert f"camera camera-1: port {port} cannot be used (Address already in use)" in capsys.readouterr().err


def test_a_control_port_in_use_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ["--count", "1", "--port", "0", "--loops", str(tmp_path), "--control-port", port]
        assert main([*FLAGS, *arguments]) == 1
    assert f"control port {port} cannot be used" in capsys.readouterr().err


def test_cameras_that_cannot_start_are_an_error_here(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        plan = CameraPlan.model_validate(small_plan("a").model_dump() | {"port": taken.getsockname()[1]})
        with pytest.raises(CamerasNotReadyError, match="exit status 1"), running_cameras([plan], tmp_path):
            pass


def test_closing_standard_input_ends_an_attached_server(tmp_path: Path) -> None:
    file = tmp_path / "cameras.json"
    file.write_text(json.dumps({"loop_seconds": 2, "cameras": [small_plan("a").model_dump(mode="json")]}))
    command = [sys.executable, "-m", "rehearsal.camera_server", str(file), "--attached"]
    command += ["--loops", str(tmp_path)]
    read_end, write_end = os.pipe()
    with subprocess.Popen(command, cwd=ROOT, stdin=read_end, stdout=subprocess.PIPE) as child:
        os.close(read_end)
        assert child.stdout is not None
        assert list(json.loads(child.stdout.readline())["ports"]) == ["a"]
        os.write(write_end, b"x")
        os.close(write_end)
        assert child.wait(timeout=60) == 0
