"""A recorded site that is brought down again and again: what was acknowledged, and what each crash cost.

Every simulated picture carries a counter, and the simulator notes when it sent which. The last counter in the
footage therefore tells exactly how much of what a camera had sent before a crash is missing.
"""

import argparse
import io
import json
import signal
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

import av

from evidence.database import WriterDatabase
from evidence.footage import Recording, Segment
from exam.clock import SECOND_US
from rehearsal.camera_plan import CameraPlan
from rehearsal.camera_server import RunningCameras
from rehearsal.picture_counter import read_counter
from rehearsal.sent_log import SentFrame
from tests.bench.bench_report import progress
from tests.recorder.live import CLOCK, ROOT, LiveSite, children_of, live_site, start_service, wait_until
from tests.soak.footage_law import broken_laws

GOP_US, FRAME_US = 2 * SECOND_US, 40_000
FRAGMENT_US = GOP_US
# A camera whose next picture takes longer than so has been left: whoever comes back waits a second.
HOLE_US = SECOND_US // 2
PATIENCE_S = 60.0
STATE_FOLDER = ROOT / "var" / "soak"


def plans(count: int) -> list[CameraPlan]:
    """Small cameras, every second one without sender reports."""
    size = {"resolution": "640x368", "bitrate_kbps": 600}
    return [
        CameraPlan.model_validate({"name": f"camera-{number}", "sender_reports": number % 2 > 0, **size})
        for number in range(1, count + 1)
    ]


@dataclass(frozen=True, slots=True)
class Round:
    """One crash: what was brought down, what it cost each camera hit, and how soon all recorded again."""

    number: int
    victim: str
    lost_us: dict[str, int]
    back_us: int
    # Cameras that were not hit and lost their connection nevertheless.
    disturbed: int
    acknowledged: int


@dataclass(slots=True)
class CrashSite:
    """A live site with its running recorder."""

    site: LiveSite
    cameras: RunningCameras
    service: "subprocess.Popen[bytes] | None" = None
    acknowledged: dict[str, bytes] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return list(self.site.uuids)

    def start(self) -> None:
        self.service = start_service(self.site.settings)

    def stop(self) -> None:
        """An orderly stop."""
        assert self.service is not None
        self.service.send_signal(signal.SIGTERM)
        self.service.wait(30)
        self.service = None

    def end(self) -> None:
        """An orderly stop, after a clean start when the last crash left nothing running."""
        if self.service is None or self.service.poll() is not None:
            since_us = CLOCK.wall_us()
            self.start()
            self.wait_until_recording(since_us)
        self.stop()

    def wait_until_recording(self, since_us: int, names: Sequence[str] | None = None) -> None:
        def are_back() -> bool:
            states = [self.site.state(name) for name in names or self.names]
            return all(
                state is not None and state.state is Recording.RECORDING and state.since_us > since_us
                for state in states
            )

        wait_until(are_back, PATIENCE_S)

    def note_acknowledged(self) -> int:
        """Remember every segment that has a row now."""
        for name in self.names:
            for segment in self.site.segments(name):
                self.acknowledged[segment.path] = segment.sha256
        return len(self.acknowledged)

    def kill(self) -> None:
        """The recorder and all it has started, at once."""
        assert self.service is not None
        self.service.kill()
        self.service.wait()
        self.service = None

    def captures(self) -> list[int]:
        assert self.service is not None
        return children_of(self.service.pid)

    def lost_us(self, name: str, crashed_at_us: int) -> int:
        """How much of what the camera had sent over its last connection is missing at the end of its footage.

        What it sent over an earlier one was lost earlier, by the crash that ended it.
        """
        before = [s for s in self.site.segments(name) if s.started_at_us < crashed_at_us]
        sent = [frame for frame in self.cameras[name].sent() if frame.sent_at_us <= crashed_at_us]
        began_us = connected_at_us(sent)
        if not before:
            return sent[-1].sent_at_us - began_us
        counter = last_counter(before[-1])
        last = next(frame for frame in reversed(sent) if frame.counter <= counter)
        return sent[-1].sent_at_us - max(last.sent_at_us, began_us)

    def violations(self) -> list[str]:
        """What is wrong with the stopped site."""
        with closing(WriterDatabase(self.site.settings.footage_db, "footage")) as database:
            return broken_laws(database, self.site.settings.footage_volumes[0], self.acknowledged, [])


def connected_at_us(sent: Sequence[SentFrame]) -> int:
    """When the last connection got its first picture, a keyframe: nothing is sent while nobody looks."""
    first = (
        after
        for before, after in zip(reversed(sent[:-1]), reversed(sent), strict=False)
        if after.is_keyframe and after.sent_at_us - before.sent_at_us > HOLE_US
    )
    return next(first, sent[0]).sent_at_us


def last_counter(segment: Segment) -> int:
    """The counter in the last picture of a file that shows one."""
    return next(counter for counter in reversed(_counters(segment, -1)) if counter is not None)


def first_counter_of(segment: Segment) -> int:
    """The counter in the first picture of a file that shows one."""
    return next(counter for counter in _counters(segment, 0) if counter is not None)


def _counters(segment: Segment, which: int) -> list[int | None]:
    """The counters in the pictures of one fragment."""
    fragment = segment.fragments[which]
    with segment.file.open("rb") as opened:
        head = opened.read(segment.init_bytes)
        opened.seek(fragment.offset)
        content = io.BytesIO(head + opened.read(fragment.size_bytes))
    with av.open(content) as container:
        return [read_counter(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


@dataclass(slots=True)
class Record:
    """What a trial has seen so far, kept in a file so that it can be continued."""

    path: Path
    rounds: list[Round] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, name: str, *, anew: bool) -> "Record":
        path = STATE_FOLDER / f"{name}.json"
        if anew or not path.exists():
            return cls(path)
        raw = json.loads(path.read_text())
        return cls(path, [Round(**each) for each in raw["rounds"]], raw["violations"])

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        raw = {"rounds": [asdict(each) for each in self.rounds], "violations": self.violations}
        draft.write_text(json.dumps(raw))
        draft.rename(self.path)

    def report(self, limit_us: int) -> int:
        """Print the table and the figures as JSON; the exit status."""
        heads = ("rounds", "cameras", "median ms", "p99 ms", "most ms", "back s")
        print(f"{'brought down':14}" + "".join(f"{head:>11}" for head in heads))
        for victim in sorted({each.victim for each in self.rounds}):
            self._print_row(victim, [each for each in self.rounds if each.victim == victim])
        losses = [lost for each in self.rounds for lost in each.lost_us.values()]
        figures = {
            "rounds": len(self.rounds),
            "losses": len(losses),
            "lost_p99_us": percentile(losses, 99),
            "lost_max_us": max(losses, default=0),
            "limit_us": limit_us,
            "disturbed_cameras": sum(each.disturbed for each in self.rounds),
            "acknowledged": sum(each.acknowledged for each in self.rounds),
            "violations": self.violations,
        }
        print(json.dumps(figures))
        is_good = not self.violations and percentile(losses, 99) <= limit_us
        return 0 if is_good and not figures["disturbed_cameras"] else 1

    def _print_row(self, victim: str, rounds: Sequence[Round]) -> None:
        losses = [lost for each in rounds for lost in each.lost_us.values()]
        back_s = percentile([each.back_us for each in rounds], 50) / SECOND_US
        middle, high, most = (round(percentile(losses, share) / 1000) for share in (50, 99, 100))
        print(f"{victim:14}{len(rounds):11}{len(losses):11}{middle:11}{high:11}{most:11}{back_s:11.1f}")


def percentile(values: Sequence[int], share: int) -> int:
    """The smallest value that so many per cent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else 0


def arguments_of(name: str, doc: str | None, argv: Sequence[str], rounds: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"run.py soak {name}", description=doc)
    parser.add_argument("--rounds", type=int, default=rounds, help="in all, earlier ones counted")
    parser.add_argument("--cameras", type=int, default=3)
    parser.add_argument("--anew", action="store_true", help="forget the rounds of an earlier trial")
    return parser.parse_args(argv)


def suffer(record: Record, crash_site: CrashSite, rounds: int, crash: Callable[[int], Round]) -> None:
    """The rounds that are still missing; then, also after Ctrl-C, the law."""
    crash_site.start()
    try:
        crash_site.wait_until_recording(0)
        for number in range(len(record.rounds) + 1, rounds + 1):
            done = crash(number)
            record.rounds.append(done)
            record.save()
            most = max(done.lost_us.values(), default=0)
            progress(f"{number} of {rounds}: {done.victim}, at most {most / 1000:.0f} ms lost")
    except KeyboardInterrupt:
        progress("interrupted; the law is asked all the same, and the rounds so far are kept")
    finally:
        crash_site.end()
    record.violations += crash_site.violations()
    record.save()


def lay_site(folder: Path, cameras: RunningCameras) -> CrashSite:
    """A site below the folder with short files."""
    return CrashSite(live_site(folder, cameras, segment_seconds=6), cameras)


def now_us() -> int:
    return CLOCK.wall_us()


def pause(seconds: float) -> None:
    CLOCK.sleep_us(round(seconds * SECOND_US))
