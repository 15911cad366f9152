"""Simulated cameras as a program: `run.py camera`, and `running_cameras` for tests, benches and the demo."""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from exam.clock import SystemClock
from rehearsal.camera_control import CameraControl
from rehearsal.camera_plan import CameraPlan, PlanError, SceneKind, SitePlan, check_plan, load_plan
from rehearsal.camera_site import CameraSite, SiteFolders
from rehearsal.fonts import FontMissingError
from rehearsal.rtsp_messages import Login
from rehearsal.rtsp_server import PortTakenError
from rehearsal.scene_loops import DEFAULT_CACHE, ROOT, EncodingFailedError
from rehearsal.sent_log import SentFrame, read_sent_log

_READY_PATIENCE_S: Final = 300.0  # the first start may encode many loops
_DESCRIPTION: Final = """Simulated room cameras for rehearsals and tests: RTSP over TCP on loopback, H.264, \
a counter and the camera's clock in every picture. The camera's clock is 7.3 s ahead and 50 ppm fast unless \
the file says otherwise. Stop with Ctrl-C."""
_LABELS: Final = {
    SceneKind.CLASSROOM: "第{}考场",
    SceneKind.WORKSHOP: "第{}实训车间",
    SceneKind.VIVA_ROOM: "第{}答辩室",
    SceneKind.CHECK_IN: "第{}签到处",
}


def main(argv: Sequence[str]) -> int:
    """Serve simulated cameras until stopped."""
    arguments = _parser().parse_args(argv)
    try:
        plan = load_plan(arguments.file) if arguments.file else _plan_from_flags(arguments)
        return asyncio.run(_serve(plan, arguments))
    except (PlanError, PortTakenError, EncodingFailedError, FontMissingError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py camera", description=_DESCRIPTION)
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        help="TOML or JSON file describing the cameras; replaces the flags below it",
    )
    parser.add_argument("--count", type=int, default=4, help="how many cameras (default 4)")
    parser.add_argument(
        "--port",
        type=int,
        default=8554,
        help="port of the first camera, the others follow (default 8554; 0: any)",
    )
    parser.add_argument(
        "--seconds-of-loop", type=int, default=12, help="length of the loops in seconds (default 12)"
    )
    parser.add_argument("--resolution", default="1280x720", help="picture size (default 1280x720)")
    parser.add_argument("--fps", type=int, default=25, help="pictures per second (default 25)")
    parser.add_argument(
        "--bitrate", type=int, default=2000, metavar="KBPS", help="mean rate in kb/s (default 2000)"
    )
    parser.add_argument(
        "--loops", type=Path, default=DEFAULT_CACHE, metavar="FOLDER", help="where encoded loops are kept"
    )
    parser.add_argument(
        "--sent-log",
        type=Path,
        metavar="FOLDER",
        help="record when which picture was sent, one file per camera",
    )
    parser.add_argument(
        "--control-port",
        type=int,
        metavar="PORT",
        help="loopback port that switches faults (0: any; default: none)",
    )
    parser.add_argument(
        "--attached",
        action="store_true",
        help="stop when standard input closes; print one JSON line when ready",
    )
    return parser


def _plan_from_flags(arguments: argparse.Namespace) -> SitePlan:
    kinds = list(SceneKind)
    cameras = []
    for index in range(arguments.count):
        kind = kinds[index % len(kinds)]
        number = index // len(kinds) + 1
        cameras.append(
            {
                "name": f"camera-{index + 1}",
                "label": _LABELS[kind].format(number),
                "scene": kind,
                # Few loops serve many cameras; the label is written beside the counter and differs.
                "view": number % 2,
                "resolution": arguments.resolution,
                "fps": arguments.fps,
                "bitrate_kbps": arguments.bitrate,
            }
        )
    raw = {"port": arguments.port, "loop_seconds": arguments.seconds_of_loop, "cameras": cameras}
    return check_plan(raw, "camera flags")


async def _serve(plan: SitePlan, arguments: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, stopped.set)
    if arguments.attached:
        running.add_reader(sys.stdin.fileno(), _stop_with_parent, stopped)
    site = CameraSite(plan, SystemClock(), SiteFolders(arguments.loops, arguments.sent_log), _announce)
    try:
        control = None if arguments.control_port is None else await site.open_control(arguments.control_port)
        ports = await site.open()
        _say_ready(ports, control, as_json=arguments.attached)
        await site.run_until(stopped)
    finally:
        site.close()
    return 0


def _stop_with_parent(stopped: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopped.set()


def _announce(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def _say_ready(ports: dict[str, int], control: int | None, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"ports": ports, "control": control}) + "\n")
    else:
        lines = [_address(name, port) for name, port in ports.items()]
        lines += [f"control port {control}"] if control else []
        sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _address(name: str, port: int) -> str:
    return f"rtsp://127.0.0.1:{port}/{name}"


class CamerasNotReadyError(Exception):
    """The simulated cameras did not start; the message holds their last words."""


@dataclass(frozen=True, slots=True)
class RunningCamera:
    """One simulated camera of a running server. The address carries no password."""

    name: str
    address: str
    login: Login | None
    sent_log: Path

    def sent(self) -> list[SentFrame]:
        """Every frame sent so far."""
        return read_sent_log(self.sent_log)


@dataclass(frozen=True, slots=True)
class RunningCameras:
    """A running camera server."""

    cameras: tuple[RunningCamera, ...]
    control: CameraControl
    pid: int

    def __getitem__(self, name: str) -> RunningCamera:
        return next(camera for camera in self.cameras if camera.name == name)


@contextmanager
def running_cameras(
    cameras: Sequence[CameraPlan], folder: Path, *, loop_seconds: int = 12, loops: Path = DEFAULT_CACHE
) -> Iterator[RunningCameras]:
    """Simulated cameras in a child process, on free ports unless the plans say otherwise.

    `folder` receives the record of sent frames. Raises CamerasNotReadyError. The child ends with the block,
    and also when this process dies.
    """
    plan = SitePlan(port=0, loop_seconds=loop_seconds, cameras=tuple(cameras))
    sent_log = folder / "sent"
    options = ["--control-port", "0", "--loops", str(loops), "--sent-log", str(sent_log)]
    with _attached_server(plan, folder, options) as child:
        ready = _wait_until_ready(child)
        with CameraControl(ready["control"]) as control:
            yield RunningCameras(_running(plan, ready["ports"], sent_log), control, child.pid)


@contextmanager
def _attached_server(plan: SitePlan, folder: Path, options: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A child that serves the plan, which it reads from a file that only the owner may read."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", dir=folder) as file:
        file.write(_with_passwords(plan))
        file.flush()
        command = [sys.executable, "-m", "rehearsal.camera_server", file.name, "--attached", *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as child:
            try:
                yield child
            finally:
                child.terminate()


def _with_passwords(plan: SitePlan) -> str:
    raw = plan.model_dump(mode="json")
    for written, camera in zip(raw["cameras"], plan.cameras, strict=True):
        written["password"] = camera.password.get_secret_value()
    return json.dumps(raw)


def _running(plan: SitePlan, ports: dict[str, int], sent_log: Path) -> tuple[RunningCamera, ...]:
    return tuple(
        RunningCamera(
            camera.name,
            _address(camera.name, ports[camera.name]),
            camera.login,
            sent_log / f"{camera.name}.sent",
        )
        for camera in plan.cameras
    )


def _wait_until_ready(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert child.stdout is not None
    too_slow = threading.Timer(_READY_PATIENCE_S, child.kill)
    too_slow.start()
    try:
        line = child.stdout.readline()
    finally:
        too_slow.cancel()
    if not line:
        raise CamerasNotReadyError(f"the simulated cameras ended at start (exit status {child.wait()})")
    ready: dict[str, Any] = json.loads(line)
    return ready


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
