"""Tries the rules of picture health on drawn rooms with planted faults, and prints what they saw.

Synthetic, and said to be: see `tests.soak.health_scenes`. Each camera is one story at one quantiser; the
recorder's own measures and rules look at every keyframe. Seeds below TUNING_SEEDS were used to choose the
limits; a report uses others only. Resumable: finished cameras are kept in a file.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from config.picture_health import load_picture_health
from evidence.health import HealthKind
from exam.clock import SECOND_US, SystemClock
from recorder.picture_measures import Reference, measure
from recorder.picture_rules import CameraJudge, Reading
from tests.soak.health_scenes import (
    FAULT_PICTURES,
    RECOVERY_PICTURES,
    SPACING_S,
    KeyframeEncoder,
    Room,
    Story,
    glances,
    plan,
)

TUNING_SEEDS = 1000
QUANTISERS = (22, 28, 34, 40)
PICTURES_PER_DAY = 24 * 3600 // SPACING_S
START_US = 1_800_000_000 * SECOND_US
# From the picture to the reading: the next keyframe completes the fragment, then it is noticed.
REPORT_DELAY_S = SPACING_S + 1
STATE = Path("var/soak-health.json")


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera of the trial."""

    story: Story
    seed: int
    quantiser: int
    pictures: int

    @property
    def name(self) -> str:
        return f"{self.story.value}/{self.seed}/{self.quantiser}/{self.pictures}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one camera. `seconds` from each fault to its first alarm; None: never."""

    story: str
    pictures: int
    healthy_pictures: int
    false_alarms: list[str]
    faults: list[tuple[str, float | None, str]]
    keyframe_bytes: int


def watch(camera: Camera) -> Outcome:
    """Let one camera's day go by."""
    room, encoder = Room(camera.story, camera.seed), KeyframeEncoder(camera.quantiser)
    reference = Reference(encoder.through(room.reference()).grey)
    faults = plan(camera.story, camera.pictures, camera.seed)
    judge = CameraJudge(load_picture_health().limits)
    alarms: list[tuple[int, HealthKind]] = []
    before = None
    for number, glance in enumerate(glances(room, encoder, camera.pictures, faults)):
        reading = Reading(
            camera.name, START_US + number * SPACING_S * SECOND_US, SPACING_S * SECOND_US, 50, 900_000,
            measure(glance, before, reference),
        )  # fmt: skip
        before = glance
        alarms += [(number, change.kind) for change in judge.judge(reading) if change.is_trouble]
    return _outcome(camera, encoder.sent_bytes, faults.faults, alarms)


def _outcome(
    camera: Camera,
    sent_bytes: int,
    faults: Sequence[tuple[int, int, object]],
    alarms: list[tuple[int, HealthKind]],
) -> Outcome:
    windows = [(begin, end + RECOVERY_PICTURES) for begin, end, _ in faults]
    seen: list[tuple[str, float | None, str]] = []
    for begin, end, fault in faults:
        found = [(number, kind) for number, kind in alarms if begin <= number < end]
        first = found[0] if found else None
        seconds = None if first is None else float((first[0] - begin) * SPACING_S + REPORT_DELAY_S)
        seen.append((str(fault), seconds, "" if first is None else str(first[1])))
    false = [
        f"{kind} at picture {number}"
        for number, kind in alarms
        if not any(begin <= number < end for begin, end in windows)
    ]
    healthy = camera.pictures - len(faults) * (FAULT_PICTURES + RECOVERY_PICTURES)
    return Outcome(camera.story.value, camera.pictures, healthy, false, seen, sent_bytes // camera.pictures)


def cameras(total: int, first_seed: int) -> list[Camera]:
    """So many keyframes in all, over every story and quantiser in turn."""
    pairs = [(story, quantiser) for quantiser in QUANTISERS for story in Story]
    each = -(-total // len(pairs))
    return [
        Camera(story, first_seed + number, quantiser, each) for number, (story, quantiser) in enumerate(pairs)
    ]


def _kept(state: Path) -> dict[str, Outcome]:
    if not state.exists():
        return {}
    raw = json.loads(state.read_text(encoding="utf-8"))
    return {
        name: Outcome(**{**one, "faults": [tuple(each) for each in one["faults"]]})
        for name, one in raw.items()
    }


def _run(wanted: list[Camera], state: Path, workers: int) -> Iterator[Outcome]:
    kept = _kept(state)
    missing = [camera for camera in wanted if camera.name not in kept]
    print(f"{len(wanted) - len(missing)} of {len(wanted)} cameras were finished before", file=sys.stderr)
    started_us = SystemClock().monotonic_us()
    state.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        for number, (camera, outcome) in enumerate(zip(missing, pool.map(watch, missing), strict=True), 1):
            kept[camera.name] = outcome
            state.write_text(json.dumps({name: asdict(one) for name, one in kept.items()}), encoding="utf-8")
            minutes = (SystemClock().monotonic_us() - started_us) / 60 / SECOND_US
            print(f"{number}/{len(missing)} cameras, {minutes:.1f} min: {camera.name}", file=sys.stderr)
    yield from (kept[camera.name] for camera in wanted)


def _line(name: str, outcomes: list[Outcome]) -> str:
    pictures = sum(one.pictures for one in outcomes)
    healthy = sum(one.healthy_pictures for one in outcomes)
    false = sum(len(one.false_alarms) for one in outcomes)
    faults = [fault for one in outcomes for fault in one.faults]
    return f"{name:34}{pictures:>9}{false * PICTURES_PER_DAY / max(healthy, 1):>10.2f}  {_found(faults)}"


def _found(faults: list[tuple[str, float | None, str]]) -> str:
    seconds = sorted(second for _, second, _ in faults if second is not None)
    times = f"{median(seconds):>8.0f}{seconds[-1]:>8.0f}" if seconds else f"{'-':>8}{'-':>8}"
    return f"{len(seconds):>5} of {len(faults):<5}{times}"


def _print(outcomes: list[Outcome]) -> None:
    stories, kinds = defaultdict(list), defaultdict(list)
    for one in outcomes:
        stories[one.story].append(one)
        for fault in one.faults:
            kinds[fault[0]].append(fault)
    print("Synthetic scenes (drawn rooms, real H.264 keyframes); no real camera was looked at.\n")
    print(f"{'scene':34}{'keyframes':>9}{'false/day':>10}  {'faults found':14}{'median s':>8}{'max s':>8}")
    for name in sorted(stories):
        print(_line(name, stories[name]))
    print(_line("all scenes", outcomes))
    print(f"\n{'planted fault':34}{'found':>14}{'median s':>10}{'max s':>8}  named as")
    for name in sorted(kinds):
        words = Counter(word for _, _, word in kinds[name] if word)
        named = ", ".join(f"{word} {count}" for word, count in words.most_common())
        print(f"{name:34}{_found(kinds[name])}  {named}")
    print(f"\nkeyframe bytes (640x360), by camera: {sorted({one.keyframe_bytes for one in outcomes})}")
    for one in outcomes:
        for alarm in one.false_alarms:
            print(f"false alarm: {one.story}: {alarm}")


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py soak health", description=__doc__)
    parser.add_argument("--keyframes", type=int, default=43_200, help="in all (default 43200: one day)")
    parser.add_argument("--tuning", action="store_true", help="use the seeds the limits were chosen with")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--state", type=Path, default=STATE, help=f"where progress is kept (default {STATE})")
    arguments = parser.parse_args(words)
    wanted = cameras(arguments.keyframes, 1 if arguments.tuning else TUNING_SEEDS)
    outcomes = list(_run(wanted, arguments.state, arguments.workers))
    _print(outcomes)
    missed = sum(1 for one in outcomes for _, seconds, _ in one.faults if seconds is None)
    return 1 if missed or any(one.false_alarms for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
