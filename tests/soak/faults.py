"""The running `serve` processes against the failures F1 to F28 of recorders: fault, expected, seen.

One function per fault, in `camera_faults`, `picture_faults`, `process_faults` and `people_faults`. What
another trial or test covers, and what nothing here can, is printed as such. `--rounds` counts earlier
rounds; a trial that was stopped goes on with the next fault.
"""

import argparse
import json
import secrets
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from exam.clock import SECOND_US
from rehearsal.camera_control import ControlRefusedError
from rehearsal.camera_server import running_cameras
from rehearsal.console_client import ConsoleRefusedError
from tests.bench.bench_report import progress
from tests.recorder.live import CLOCK, wait_until
from tests.soak import camera_faults, people_faults, picture_faults, process_faults
from tests.soak.crash_site import STATE_FOLDER
from tests.soak.fault_seen import Seen
from tests.soak.fault_site import FaultSite, fault_site, plans

Fault = Callable[[FaultSite], Seen]
FAULTS: tuple[Fault, ...] = (
    *(camera_faults.f1_short, camera_faults.f1_long, camera_faults.f2, camera_faults.f2_hangs_up),
    *(picture_faults.f3, picture_faults.f4_black, picture_faults.f4_covered, picture_faults.f4_blurred),
    *(picture_faults.f4_moved, camera_faults.f5_forwards, camera_faults.f5_backwards, camera_faults.f7),
    *(camera_faults.f8, camera_faults.f9, process_faults.f10_capture, process_faults.f10_web),
    *(process_faults.f10_recorder, process_faults.f17, process_faults.f18, process_faults.f20),
    *(process_faults.f25, camera_faults.f27_password, camera_faults.f27_sessions, camera_faults.f27_busy),
    *(people_faults.f28, process_faults.f24, process_faults.f16),
)
LONG: tuple[Fault, ...] = (camera_faults.f1_ten_minutes,)
ELSEWHERE = {
    "F1 for ten minutes": "with --long",
    "F3, F4 on many kinds of rooms and light": "soak health, on drawn pictures",
    "F6 host clock set": "not here: it would set this machine's clock; tests/recorder has its own",
    "F11 power cut": "soak power_cut",
    "F12 to F14 disks full, gone, slow": "soak volumes",
    "F15 a segment rots": "soak fixity",
    "F19 names repeat": "impossible by naming: tests/evidence/test_naming.py",
    "F21 export across gaps": "soak bags",
    "F22 camera replaced": "footage names the camera by uuid: tests/evidence/test_site_import.py",
    "F23 retention floor": "soak early_deletion",
    "F24 at every step of a start": "soak syscalls",
    "F26 five years of segments": "bench index",
}
# A fault that the site does not survive shows as one of these.
NO_ANSWER = (
    *(AssertionError, LookupError, StopIteration, OSError, subprocess.TimeoutExpired),
    *(httpx.HTTPError, ConsoleRefusedError, ControlRefusedError),
)


@dataclass(frozen=True, slots=True)
class Tried:
    """One fault of one round, and how long it took."""

    name: str
    seen: Seen
    took_s: float


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py soak faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="rounds of all faults, earlier ones counted")
    parser.add_argument("--only", default="f", help="faults whose function begins so, such as f1 or f10_web")
    parser.add_argument("--long", action="store_true", help="also those that take ten minutes")
    parser.add_argument("--anew", action="store_true", help="forget what an earlier trial has seen")
    arguments = parser.parse_args(argv)
    path = STATE_FOLDER / "fault-rounds.json"
    tried = [] if arguments.anew else kept(path)
    known = (*FAULTS, *(LONG if arguments.long else ()))
    wanted = [each for each in known if each.__name__.startswith(arguments.only)]
    missing = missing_of(wanted, arguments.rounds, tried)
    if missing:
        with tempfile.TemporaryDirectory(prefix="soak-faults-") as name:
            suffer(Path(name), missing, tried, path)
    report(tried)
    return 0 if all(each.seen.is_good for each in tried) else 1


def kept(path: Path) -> list[Tried]:
    """What an earlier trial has seen."""
    if not path.exists():
        return []
    return [Tried(**{**each, "seen": Seen(**each["seen"])}) for each in json.loads(path.read_text())]


def missing_of(wanted: Sequence[Fault], rounds: int, tried: Sequence[Tried]) -> list[Fault]:
    """What is still to come, round by round."""
    counts = Counter(each.name for each in tried)
    return [each for number in range(rounds) for each in wanted if counts[each.__name__] <= number]


def suffer(folder: Path, missing: Sequence[Fault], tried: list[Tried], path: Path) -> None:
    """The faults that are still to come, each noted as soon as it is over."""
    password = secrets.token_hex(8)
    path.parent.mkdir(parents=True, exist_ok=True)
    progress("preparing the simulated cameras")
    with (
        running_cameras(plans(password), folder) as cameras,
        fault_site(folder, cameras, password) as world,
    ):
        wait_until(lambda: len(world.runs()) == len(world.names), 60)
        for number, fault in enumerate(missing, 1):
            progress(f"{number} of {len(missing)}: {fault.__name__}")
            began_us = CLOCK.monotonic_us()
            seen = outcome(world, fault)
            took_s = round((CLOCK.monotonic_us() - began_us) / SECOND_US, 1)
            tried.append(Tried(fault.__name__, seen, took_s))
            path.write_text(json.dumps([asdict(each) for each in tried], ensure_ascii=False))
            if not seen.is_good:
                progress(f"BAD: {seen.seen}")
                world.heal()


def outcome(world: FaultSite, fault: Fault) -> Seen:
    """A fault that the site does not survive is a result too."""
    try:
        return fault(world)
    except NO_ANSWER as error:
        return Seen(fault.__name__, "an answer", f"it did not come: {error!r}", is_good=False)


def report(tried: Sequence[Tried]) -> None:
    for each in tried:
        print(f"{'good' if each.seen.is_good else 'BAD ':5}{each.seen.fault} ({each.took_s:.0f} s)")
        print(f"     expected: {each.seen.expected}")
        print(f"     seen:     {each.seen.seen}")
    print(f"{sum(each.seen.is_good for each in tried)} of {len(tried)} as expected")
    for fault, where in ELSEWHERE.items():
        print(f"---- {fault}: {where}")
