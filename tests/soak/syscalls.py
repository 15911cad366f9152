"""Every file-system call of publishing a segment and of starting up fails once, or kills: does the law hold?

Our own modules work on a real folder with files that ffmpeg wrote. After each fault a clean start follows and
`tests.soak.footage_law` is asked. Needs strace and the right to trace own children.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog

from evidence.adoption import adopt, settle_broken_runs
from evidence.checkpoints import Checkpoints
from evidence.database import DatabaseError, WriterDatabase
from evidence.footage import Cause
from evidence.footage_rows import NewRun
from evidence.ingest import Store
from evidence.naming import SegmentName
from evidence.volume_look import VolumeError, open_volume
from evidence.volumes import LocalDisk, Volume
from exam.clock import SECOND_US, SystemClock
from recorder.keeper import FileClosed, Keeper, RunOnDisk, RunOver
from tests.bench.bench_report import progress
from tests.soak.footage_law import broken_laws, digest, files_below
from tests.soak.injected import Fault, Outcome, Tell, count_calls, run_child

CLOCK = SystemClock()
CAMERA, RUN, OLD_RUN = (str(UUID(int=number)) for number in (0xC1, 0xA1, 0xA0))
BOOT = "this-boot"
LENGTH_US = 4 * SECOND_US
TORN = b"\0\0\0\x40moofhalf"
READING = ("openat", "read", "pread64", "newfstatat", "getdents64", "lseek", "flock", "fcntl", "mmap")
WRITING = (
    *(
        "write",
        "pwrite64",
        "fsync",
        "fdatasync",
        "rename",
        "ftruncate",
        "truncate",
        "unlink",
        "mkdir",
        "chmod",
    ),
    *("chmod", "fchmod", "fchown", "utimensat", "ioctl"),
)
# No disk is asked: a lock that fails is a lock that another holds, and SQLite waits five seconds for it.
LOCKS = ("fcntl",)
ROOMY = ("openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "ftruncate", "mkdir")
REFUSED = 3

# How many faults by work, kind of fault, and outcome.
Table = Counter[tuple[str, str, str]]


class TellingDatabase(WriterDatabase):
    """Tells every segment whose transaction is over: from then on it is acknowledged."""

    tell: Tell | None = None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        with super().write() as connection:
            yield connection
            rows = connection.execute("select path, sha256 from segment").fetchall()
        if self.tell is not None:
            for path, sha in rows:
                self.tell(b"a" + sha + path.encode())


@contextmanager
def started(folder: Path, tell: Tell | None = None) -> Iterator[tuple[Store, Volume]]:
    """What the recorder does at its start, and at its end."""
    database = TellingDatabase(folder / "footage.db", "footage")
    database.tell = tell
    with closing(database):
        checkpoints = Checkpoints(database, folder / "keys", "footage")
        with closing(checkpoints):
            checkpoints.sign(CLOCK.wall_us())
            volume = open_volume(database, folder / "disk", CLOCK.wall_us())
            store = Store(database, LocalDisk(), CLOCK)
            adopt(store, volume)
            with database.write() as connection:
                settle_broken_runs(connection, BOOT, CLOCK.wall_us())
            yield store, volume
            checkpoints.sign(CLOCK.wall_us())


def lay_growing(
    folder: Path, film: Path, place: tuple[str, int], closed_at_us: int, *, torn: bytes = b""
) -> None:
    """A file the capture program has written, closed at that moment."""
    run, sequence = place
    path = folder / "disk" / SegmentName(CAMERA, run, sequence).path()
    path.write_bytes(film.read_bytes() + torn)
    os.utime(path, ns=(closed_at_us * 1000, closed_at_us * 1000))


def keep(store: Store, volume: Volume, run_uuid: str, first_us: int, *, cause: Cause | None = None) -> None:
    """Two files are closed, a third is left torn when the run ends with a cause."""
    run = NewRun(run_uuid, CAMERA, BOOT, first_us, 1)
    where = RunOnDisk(run, volume)
    keeper = Keeper(store)
    keeper.begin_run(run)
    for sequence in range(2):
        keeper.file_closed(where, FileClosed(sequence, first_us + (sequence + 1) * LENGTH_US))
    if cause is not None:
        keeper.run_over(where, RunOver(2, first_us + 3 * LENGTH_US, cause))
    keeper.sync([])
    keeper.close()


def lay_nothing(folder: Path, _film: Path) -> None:
    folder.mkdir()


def lay_site(folder: Path, film: Path) -> None:
    """A site with an earlier run, and one whose files wait in the growing folder."""
    now_us = CLOCK.wall_us()
    old_us, new_us = now_us - 40 * SECOND_US, now_us - 20 * SECOND_US
    with started(folder) as (store, volume):
        for sequence in range(2):
            lay_growing(folder, film, (OLD_RUN, sequence), old_us + (sequence + 1) * LENGTH_US)
        keep(store, volume, OLD_RUN, old_us, cause=Cause.STALLED)
        for sequence in range(2):
            lay_growing(folder, film, (RUN, sequence), new_us + (sequence + 1) * LENGTH_US)
        lay_growing(folder, film, (RUN, 2), new_us + 3 * LENGTH_US, torn=TORN)
    (folder / "first_us").write_text(str(new_us))


def lay_crashed(folder: Path, film: Path) -> None:
    """What a crash can leave: torn, renamed without a row, strange, and quarantined without a row."""
    lay_site(folder, film)
    disk = folder / "disk"
    source = disk / SegmentName(CAMERA, RUN, 0).path()
    started_us = int((folder / "first_us").read_text())
    target = disk / SegmentName(CAMERA, RUN, 0, started_us).path()
    target.parent.mkdir(exist_ok=True)
    source.rename(target)
    (disk / "growing" / "holiday.mp4").write_bytes(b"noise" * 50)
    (disk / SegmentName(CAMERA, str(UUID(int=0xA9)), 0).path()).write_bytes(b"")
    (disk / "quarantine" / "left").write_bytes(b"left behind")


def start(folder: Path, tell: Tell) -> None:
    with started(folder, tell):
        pass


def publish(folder: Path, tell: Tell) -> None:
    """The life of two closed files and of one torn by the end of their run, without a start before it."""
    database = TellingDatabase(folder / "footage.db", "footage")
    database.tell = tell
    with closing(database):
        volume = open_volume(database, folder / "disk", CLOCK.wall_us())
        first_us = int((folder / "first_us").read_text())
        keep(Store(database, LocalDisk(), CLOCK), volume, RUN, first_us, cause=Cause.STALLED)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What lies on the disk, and the work that is disturbed."""

    name: str
    lay: Callable[[Path, Path], None]
    act: Callable[[Path, Tell], None]


SCENARIOS = (
    Scenario("publish", lay_site, publish),
    Scenario("start after a crash", lay_crashed, start),
    Scenario("first start", lay_nothing, start),
)


def act(scenario: Scenario, folder: Path, tell: Tell) -> int:
    """The disturbed work. What the recorder answers with a sentence is no fault of its own."""
    try:
        scenario.act(folder, tell)
    except (DatabaseError, VolumeError, OSError, sqlite3.Error):
        return REFUSED
    return 0


def faults(calls: dict[str, int]) -> list[Fault]:
    """Every call fails once; is the last one ever; and from each on, the disk stays full or dead."""
    found: list[Fault] = []
    for call, number in sorted(calls.items()):
        for at in range(1, number + 1):
            found.append(Fault(call, at, "signal=KILL"))
            if call not in LOCKS:
                found.append(Fault(call, at, "error=EIO"))
            if call in ROOMY:
                found.append(Fault(call, at, "error=ENOSPC"))
            if call in WRITING:
                found.append(Fault(call, at, "error=EIO", onwards=True))
            if call in ("write", "pwrite64", "mkdir"):
                found.append(Fault(call, at, "error=ENOSPC", onwards=True))
    return found


def make_film(path: Path) -> Path:
    """Four seconds in two fragments, by the muxer that records."""
    picture = f"testsrc2=s=160x120:r=25:d={LENGTH_US // SECOND_US}"
    codec = "-c:v libx264 -preset ultrafast -g 50 -keyint_min 50 -sc_threshold 0 -bf 0 -pix_fmt yuv420p"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, *codec.split()]
    subprocess.run(
        [*command, "-movflags", "+frag_keyframe+empty_moov+default_base_moof", str(path)], check=True
    )
    return path


def contents(folder: Path) -> list[bytes]:
    """Digests of what must be found again: whole files, and torn ones as their two parts."""
    kept: list[bytes] = []
    for path in files_below(folder / "disk"):
        raw = path.read_bytes()
        kept += _parts(raw) if raw.endswith(TORN) and raw != TORN else [digest(path)]
    return kept


def _parts(raw: bytes) -> list[bytes]:
    return [hashlib.sha256(part).digest() for part in (raw[: -len(TORN)], TORN)]


@dataclass(slots=True)
class Trial:
    """One scenario, laid once and copied for each fault."""

    scenario: Scenario
    folder: Path
    film: Path

    @property
    def site(self) -> Path:
        return self.folder / "site"

    @property
    def template(self) -> Path:
        return self.folder / "template"

    def prepare(self) -> dict[str, int]:
        """Lay the site, and learn which calls the work makes."""
        self.folder.mkdir()
        self.scenario.lay(self.site, self.film)
        shutil.copytree(self.site, self.template)
        act(self.scenario, self.site, lambda _: None)  # what is imported late is imported now
        check(self.site, {}, [])
        self.renew()
        work = partial(act, self.scenario, self.site)
        return count_calls(work, (*READING, *WRITING), self.folder)

    def renew(self) -> None:
        """The site as it was before."""
        shutil.rmtree(self.site)
        shutil.copytree(self.template, self.site)

    def suffer(self, fault: Fault) -> tuple[Outcome, list[str]]:
        """Do the work with a fault, start cleanly, and see what is wrong."""
        self.renew()
        kept = contents(self.site)
        outcome = run_child(partial(act, self.scenario, self.site), fault)
        acknowledged = {told[33:].decode(): told[1:33] for told in outcome.told if told[:1] == b"a"}
        wrong = [told.decode(errors="replace") for told in outcome.told if told[:1] == b"!"]
        if outcome.status is None:
            wrong.append("the work hung")
        found = run_child(lambda tell: _check_in_child(self.site, acknowledged, kept, tell))
        wrong += [told.decode(errors="replace") for told in found.told]
        if found.status != 0 and not found.told:
            wrong.append(f"the check ended with {found.status}")
        return outcome, wrong


def _check_in_child(site: Path, acknowledged: dict[str, bytes], kept: list[bytes], tell: Tell) -> int:
    for words in check(site, acknowledged, kept):
        tell(words.encode())
    return 0


def check(site: Path, acknowledged: dict[str, bytes], kept: Sequence[bytes]) -> list[str]:
    """A clean start, and what is wrong after it."""
    with started(site) as (store, volume):
        database = store.database
        return broken_laws(database, volume.path, acknowledged, kept)


def quiet() -> None:
    """Log lines would be calls too, and nobody reads them here."""
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())


def spread(found: Sequence[tuple[Trial, Fault]], rounds: int | None) -> list[tuple[Trial, Fault]]:
    """All faults, or so many of them from everywhere, always the same ones."""
    if rounds is None or rounds >= len(found):
        return list(found)
    return random.Random(7).sample(list(found), rounds)


def suffer_all(trials: Sequence[tuple[Trial, Fault]], tell: Callable[[str], None]) -> tuple[Table, list[str]]:
    """The count of each kind of fault and outcome, and every violation."""
    table = Table()
    violations: list[str] = []
    for number, (trial, fault) in enumerate(trials, 1):
        outcome, wrong = trial.suffer(fault)
        kind = fault.what.partition("=")[2] + (" onwards" if fault.onwards else "")
        ended = {0: "went on", REFUSED: "refused"}.get(outcome.status or 0, f"ended {outcome.status}")
        table[trial.scenario.name, kind, ended] += 1
        violations += [f"{trial.scenario.name}, {fault.words()}: {words}" for words in wrong]
        if number % 100 == 0:
            tell(f"{number} of {len(trials)} faults, {len(violations)} violations")
    return table, violations


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py soak syscalls", description=__doc__)
    parser.add_argument("--rounds", type=int, help="so many faults, from everywhere (default: every one)")
    arguments = parser.parse_args(argv)
    quiet()
    with tempfile.TemporaryDirectory(prefix="soak-syscalls-") as name:
        folder = Path(name)
        film = make_film(folder / "film.mp4")
        found: list[tuple[Trial, Fault]] = []
        for number, scenario in enumerate(SCENARIOS):
            trial = Trial(scenario, folder / str(number), film)
            calls = trial.prepare()
            progress(f"{scenario.name}: {json.dumps(calls)}")
            found += [(trial, fault) for fault in faults(calls)]
        table, violations = suffer_all(spread(found, arguments.rounds), progress)
    print(f"{'work':22}{'fault':18}{'outcome':14}faults")
    for (work, kind, ended), count in sorted(table.items()):
        print(f"{work:22}{kind:18}{ended:14}{count:6}")
    print(f"{table.total()} faults injected, {len(violations)} violations")
    print("\n".join(violations))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
