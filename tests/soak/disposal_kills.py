"""Disposal killed at every system call, and at random: each file is there, or the register names it.

Our own modules dispose of invented footage on a real folder. After each kill the law is asked: a file that
is gone has a row with its register, two approvers, a proposer and a time from outside, in a ledger that
holds; then a clean start finishes the rest. Needs strace and the right to trace own children.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import structlog

from evidence.database import ReaderDatabase, WriterDatabase
from evidence.disposal import Disposer
from evidence.disposal_permit import Permits
from evidence.ingest import Store
from evidence.ledger import recompute
from evidence.volumes import LocalDisk
from exam.clock import SimulatedClock, SystemClock
from tests.bench.bench_report import progress
from tests.disposals import DUE_US, open_archive
from tests.soak.injected import Fault, count_calls, run_child
from tests.world import build_world

# What changes something comes first: a trial that is cut short has done the telling ones.
CALLS = (
    *("unlink", "fsync", "fdatasync", "pwrite64", "write", "ftruncate", "ioctl"),
    *("openat", "close", "read", "pread64", "newfstatat", "lseek", "fcntl"),
)
LONGEST_LIFE_S = 0.4


@dataclass(frozen=True, slots=True)
class Site:
    """A folder with an approved order, and a copy of it from before anything was carried out."""

    folder: Path
    order_id: int
    segment_ids: list[int]

    @property
    def world(self) -> Path:
        return self.folder / "world"

    def renew(self) -> None:
        shutil.rmtree(self.world)
        shutil.copytree(self.folder / "before", self.world)


def build(folder: Path, files: int) -> Site:
    world = build_world(folder / "world")
    with open_archive(world, files) as archive:
        order_id, segment_ids = archive.approved_order(), archive.segment_ids
    world.close()
    shutil.copytree(folder / "world", folder / "before")
    return Site(folder, order_id, segment_ids)


def dispose(site: Site) -> int:
    """What the recorder does with the order, from its start."""
    with (
        closing(WriterDatabase(site.world / "footage.db", "footage")) as footage,
        closing(ReaderDatabase(site.world / "footage.db")) as index,
        closing(ReaderDatabase(site.world / "exam.db")) as exam,
    ):
        clock = SimulatedClock(DUE_US)
        with closing(Permits(index, exam, site.world / "keys", clock, lambda: 5)) as permits:
            disposer = Disposer(Store(footage, LocalDisk(), clock), permits)
            disposer.carry_out(site.order_id, site.segment_ids, threading.Event())
    return 0


def broken_laws(site: Site, *, finished: bool = False) -> list[str]:
    """What does not hold; empty when all does. Reads as a stranger would, with SQLite alone."""
    broken = []
    with closing(sqlite3.connect(site.world / "footage.db")) as connection:
        connection.row_factory = sqlite3.Row
        recompute(connection)
        named = {
            json.loads(row["body"])["segment_id"]: json.loads(row["body"])
            for row in connection.execute("select body from ledger_leaf where kind = 'disposal'")
        }
        done = {row[0] for row in connection.execute("select segment_id from disposal where done_at_us > 0")}
        for row in connection.execute("select segment.id, path, hex(sha256) as digest from segment"):
            exists = (site.world / "footage" / row["path"]).exists()
            leaf = named.get(row["id"])
            if not exists and (leaf is None or not _is_complete(leaf, row["digest"].lower())):
                broken.append(f"segment {row['id']} is gone and no register names it")
            if exists and row["id"] in done:
                broken.append(f"segment {row['id']} is called gone and is there")
            if finished and (exists or row["id"] not in done):
                broken.append(f"segment {row['id']} was not finished")
        if connection.execute("select count(*) from disposal_refusal").fetchone()[0]:
            broken.append("a file was refused")
    return broken


def _is_complete(leaf: dict[str, object], digest: str) -> bool:
    approvers = leaf["approved_by"]
    return (
        isinstance(approvers, list)
        and len(set(approvers)) == 2
        and str(leaf["proposed_by"]) not in approvers
        and leaf["proved_at_us"] == DUE_US
        and leaf["sha256"] == digest
    )


def kill_at_calls(site: Site, rounds: int | None, tell: Callable[[str], None]) -> tuple[int, list[str]]:
    """A kill at every system call, or at so many of them from everywhere."""
    calls = count_calls(lambda _tell: dispose(site), CALLS, site.folder)
    tell(f"calls: {json.dumps(calls)}")
    faults = [
        Fault(call, number, "signal=SIGKILL") for call in CALLS for number in range(1, calls.get(call, 0) + 1)
    ]
    if rounds is not None:
        faults = random.Random(rounds).sample(faults, min(rounds, len(faults)))
    violations = []
    for at, fault in enumerate(faults):
        site.renew()
        outcome = run_child(lambda _tell: dispose(site), fault)
        found = [] if outcome.status == -signal.SIGKILL else [f"was not killed: {outcome}"]
        found += broken_laws(site)
        dispose(site)
        found += broken_laws(site, finished=True)
        violations += [f"{fault.words()}: {each}" for each in found]
        if at % 50 == 49:
            tell(f"{at + 1} of {len(faults)} kills, {len(violations)} violations")
    return len(faults), violations


def kill_at_random(site: Site, kills: int, tell: Callable[[str], None]) -> tuple[int, list[str]]:
    """Kills after a random while, again and again; from the beginning whenever all is done."""
    site.renew()
    chance, clock = random.Random(7), SystemClock()
    done, violations = 0, []
    while done < kills:
        child = os.fork()
        if child == 0:
            try:
                dispose(site)
            finally:
                os._exit(0)
        clock.sleep_us(int(chance.uniform(0.01, LONGEST_LIFE_S) * 1e6))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        was_killed = os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        done += was_killed
        violations += broken_laws(site, finished=not was_killed)
        if not was_killed:
            site.renew()
        if was_killed and done % 50 == 0:
            tell(f"{done} of {kills} random kills, {len(violations)} violations")
    dispose(site)
    return done, violations + broken_laws(site, finished=True)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py soak disposal_kills", description=__doc__)
    parser.add_argument("--files", type=int, default=10, help="files that are killed at every system call")
    parser.add_argument("--rounds", type=int, help="so many of those kills, from everywhere (default: all)")
    parser.add_argument("--random", type=int, default=200, help="kills after a random while")
    parser.add_argument("--random-files", type=int, default=1000, help="files for the random kills")
    chosen = parser.parse_args(words)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory(prefix="soak-disposal-") as name:
        few, many = Path(name) / "few", Path(name) / "many"
        for folder in (few, many):
            folder.mkdir()
        at_calls, violations = kill_at_calls(build(few, chosen.files), chosen.rounds, progress)
        progress(f"laying {chosen.random_files} files")
        at_random, more = kill_at_random(build(many, chosen.random_files), chosen.random, progress)
    violations += more
    print(
        f"{at_calls} kills at system calls over {chosen.files} files, {at_random} random kills over"
        f" {chosen.random_files} files, {len(violations)} violations"
    )
    print("\n".join(violations))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
