"""What recording costs: the recorder and all it starts, beside bare `ffmpeg -c copy` of the same streams.

Both record the same simulated cameras at the same time, into files of the same length, so that whatever
else the machine does disturbs both alike. CPU is the scheduler's own account of every thread.
"""

import argparse
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from evidence.footage import Cause
from rehearsal.camera_plan import CameraPlan
from rehearsal.camera_server import RunningCameras, running_cameras
from tests.bench.bench_report import Row, print_report, progress
from tests.recorder.live import (
    CLOCK,
    LiveSite,
    children_of,
    live_site,
    start_service,
    stop_service,
    wait_until,
)

WARM_UP_S = 8
WINDOWS = 6
EXPECTED = (Cause.STARTING, Cause.OPERATOR_STOP)


@dataclass
class Group:
    """Some running programs, and what they have used so far."""

    pids: list[int]
    busy_s: list[float] = field(default_factory=list)

    def read(self) -> None:
        self.busy_s.append(sum(busy_seconds(pid) for pid in self.pids))

    def windows(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.busy_s, self.busy_s[1:], strict=False)]


def busy_seconds(pid: int) -> float:
    """Seconds on a processor, of all threads of a process that are alive."""
    accounts = [(task / "schedstat").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int(account[0]) for account in accounts) / 1e9


def pss_mib(pid: int) -> float:
    """Memory of a process, shared pages divided among those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def start_bare(address: str, folder: Path, name: str, segment_seconds: int) -> subprocess.Popen[bytes]:
    command = [
        *("ffmpeg", "-nostdin", "-nostats", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", address),
        *("-map", "0:v:0", "-c", "copy", "-f", "segment", "-segment_time", str(segment_seconds)),
        *("-segment_format", "mp4", "-segment_format_options"),
        "movflags=+frag_keyframe+empty_moov+default_base_moof",
        str(folder / f"{name}_%03d.mp4"),
    ]
    return subprocess.Popen(command)


def measure(cameras: RunningCameras, folder: Path, arguments: argparse.Namespace) -> list[Row]:
    site = live_site(folder, cameras, segment_seconds=arguments.segment_seconds)
    with ExitStack() as stack:
        bare = []
        for camera in cameras.cameras:
            child = start_bare(camera.address, folder, camera.name, arguments.segment_seconds)
            stack.callback(child.wait)
            stack.callback(child.terminate)
            bare.append(child.pid)
        service = start_service(site.settings)
        stack.callback(service.kill)
        wait_until(lambda: len(children_of(service.pid)) == len(bare))
        progress(f"{len(bare)} cameras are being recorded twice; warming up")
        CLOCK.sleep_us(WARM_UP_S * 1_000_000)
        captures = children_of(service.pid)
        groups = [Group([service.pid, *captures]), Group(captures), Group(bare)]
        read_windows(groups, arguments.seconds)
        memory = [median(pss_mib(pid) for pid in pids) for pids in (captures, bare, [service.pid])]
        stop_service(service)
    return [*cost_rows(groups, memory, arguments), *loss_rows(site)]


def read_windows(groups: Sequence[Group], seconds: int) -> None:
    for number in range(WINDOWS + 1):
        for group in groups:
            group.read()
        if number < WINDOWS:
            progress(f"window {number + 1} of {WINDOWS}")
            CLOCK.sleep_us(seconds * 1_000_000 // WINDOWS)


def cost_rows(groups: Sequence[Group], memory: Sequence[float], arguments: argparse.Namespace) -> list[Row]:
    ours, captures, bare = (group.windows() for group in groups)
    window_s = arguments.seconds / WINDOWS

    def per_camera(windows: Sequence[float]) -> float:
        return round(median(windows) / window_s / arguments.cameras * 100, 4)

    def ratio(windows: Sequence[float]) -> float:
        return round(median(own / other for own, other in zip(windows, bare, strict=True)), 3)

    name, core = "bare ffmpeg -c copy", "% of a core"

    def cost(metric: str, windows: Sequence[float]) -> Row:
        return Row(metric, per_camera(windows), core, WINDOWS, per_camera(bare), name, ratio(windows))

    capture_mib, bare_mib, service_mib = (round(mib, 1) for mib in memory)
    memory_ratio = round(capture_mib / bare_mib, 3)
    return [
        cost("cpu_per_camera", ours),
        cost("cpu_per_camera_capture_alone", captures),
        Row("pss_per_camera", capture_mib, "MiB", arguments.cameras, bare_mib, name, memory_ratio),
        Row("pss_recorder", service_mib, "MiB", 1),
    ]


def loss_rows(site: LiveSite) -> list[Row]:
    gaps = [gap for name in site.uuids for gap in site.gaps(name) if gap.cause not in EXPECTED]
    segments = [segment for name in site.uuids for segment in site.segments(name)]
    lost = 0
    for run_id in {segment.run_id for segment in segments}:
        sequences = {segment.sequence for segment in segments if segment.run_id == run_id}
        lost += max(sequences) + 1 - len(sequences)
    left = len(list((site.settings.footage_volumes[0] / "growing").iterdir()))
    return [
        Row("gaps", len(gaps), "count", len(site.uuids)),
        Row("segments_lost", lost + left, "count", len(segments)),
    ]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py bench recorder", description=__doc__)
    parser.add_argument("--cameras", type=int, default=8, help="simulated cameras (default 8)")
    parser.add_argument("--seconds", type=int, default=90, help="seconds measured (default 90)")
    parser.add_argument("--segment-seconds", type=int, default=60, help="length of a file (default 60)")
    parser.add_argument("--resolution", default="1920x1080", help="picture size (default 1920x1080)")
    parser.add_argument("--bitrate", type=int, default=4000, metavar="KBPS", help="default 4000")
    arguments = parser.parse_args(argv)
    plans = [
        CameraPlan(name=f"camera-{n}", resolution=arguments.resolution, bitrate_kbps=arguments.bitrate)
        for n in range(1, arguments.cameras + 1)
    ]
    with tempfile.TemporaryDirectory(prefix="bench-recorder-") as folder:
        progress("preparing the simulated cameras")
        with running_cameras(plans, Path(folder), loop_seconds=4) as cameras:
            rows = measure(cameras, Path(folder), arguments)
    print_report("recorder", rows)
    return 0
