"""What recording costs: the recorder and all it starts, beside bare `ffmpeg -c copy` of the same streams.

Both record the same simulated cameras at the same time, into files of the same length, so that whatever
else the machine does disturbs both alike. CPU is the scheduler's own account of every thread. The program
that looks at pictures (health, thumbnails) is a process of its own, so one run tells the cost with and
without it. With --cameras 32 --alone nothing else records: then the machine's share is the site's.
"""

import argparse
import os
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

BARE = "bare ffmpeg -c copy"
WARM_UP_S = 8
WINDOWS = 6
# Before the first picture and after the last one nothing is owed.
EXPECTED = (Cause.STARTING, Cause.OPERATOR_STOP, Cause.LATE_PLAN, Cause.RECORDER_OFF)


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
    site = live_site(folder, cameras, segment_seconds=arguments.segment_seconds, looks_at_pictures=True)
    with ExitStack() as stack:
        bare = []
        for camera in cameras.cameras if not arguments.alone else ():
            child = start_bare(camera.address, folder, camera.name, arguments.segment_seconds)
            stack.callback(child.wait)
            stack.callback(child.terminate)
            bare.append(child.pid)
        service = start_service(site.settings)
        stack.callback(service.kill)
        wait_until(lambda: len(children_of(service.pid)) == len(cameras.cameras) + 1, 120)
        progress(f"{len(cameras.cameras)} cameras are being recorded; warming up")
        CLOCK.sleep_us(WARM_UP_S * 1_000_000)
        looking = [pid for pid in children_of(service.pid) if is_looking(pid)]
        captures = [pid for pid in children_of(service.pid) if pid not in looking]
        recording = [service.pid, *captures]
        groups = [Group(recording), Group(captures), Group([*recording, *looking])]
        groups += [Group(bare)] if bare else []
        read_windows(groups, arguments.seconds)
        shared = [("pss_recorder", service.pid), *(("pss_looking", pid) for pid in looking)]
        rows = cost_rows(groups, arguments)
        rows += memory_rows(captures, bare)
        rows += [Row(metric, round(pss_mib(pid), 1), "MiB", 1) for metric, pid in shared]
        stop_service(service)
    return [*rows, *loss_rows(site)]


def is_looking(pid: int) -> bool:
    """Whether this child is the program that looks at pictures."""
    return b"recorder.picture_watch" in Path(f"/proc/{pid}/cmdline").read_bytes()


def read_windows(groups: Sequence[Group], seconds: int) -> None:
    for number in range(WINDOWS + 1):
        for group in groups:
            group.read()
        if number < WINDOWS:
            progress(f"window {number + 1} of {WINDOWS}")
            CLOCK.sleep_us(seconds * 1_000_000 // WINDOWS)


def cost_rows(groups: Sequence[Group], arguments: argparse.Namespace) -> list[Row]:
    ours, captures, with_health, *rest = (group.windows() for group in groups)
    bare = rest[0] if rest else None
    window_s = arguments.seconds / WINDOWS

    def per_camera(windows: Sequence[float]) -> float:
        return round(median(windows) / window_s / arguments.cameras * 100, 4)

    def cost(metric: str, windows: Sequence[float]) -> Row:
        if bare is None:
            return Row(metric, per_camera(windows), "% of a core", WINDOWS)
        ratio = round(median(own / other for own, other in zip(windows, bare, strict=True)), 3)
        return Row(metric, per_camera(windows), "% of a core", WINDOWS, per_camera(bare), BARE, ratio)

    cores = os.cpu_count() or 1
    whole = round(median(with_health) / window_s / cores * 100, 2)
    return [
        cost("cpu_per_camera", ours),
        cost("cpu_per_camera_capture_alone", captures),
        cost("cpu_per_camera_health", with_health),
        Row("cpu_machine", whole, f"% of {cores} cores", WINDOWS),
    ]


def memory_rows(captures: Sequence[int], bare: Sequence[int]) -> list[Row]:
    capture_mib = round(median(pss_mib(pid) for pid in captures), 1)
    if not bare:
        return [Row("pss_per_camera", capture_mib, "MiB", len(captures))]
    bare_mib = round(median(pss_mib(pid) for pid in bare), 1)
    ratio = round(capture_mib / bare_mib, 3)
    return [Row("pss_per_camera", capture_mib, "MiB", len(captures), bare_mib, BARE, ratio)]


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
    parser.add_argument("--alone", action="store_true", help="leave the bare ffmpeg out")
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
