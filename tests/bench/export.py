"""Exporting four cameras against `cp` and `openssl dgst -sha256` of the same files.

`--minutes 10 --cameras 4 --mbps 4`: files of a minute of noise, so that nothing compresses. Ours makes a
whole bag: digests, proofs, lists, signature, everything flushed to the disk. The baseline is flushed in one
row and not in the others. Page caches are warm for both, in turns.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

from evidence.checkpoints import Checkpoints
from evidence.delivery_paper import print_in_child
from evidence.export import ExportTools, carry_out
from evidence.export_plan import AskedCamera, Asker, CopyOptions, ExportWish
from evidence.footage import ClockSource, Origin
from evidence.footage_rows import NewRun, NewSegment, add_run, add_segment
from evidence.fragments import Fragment, ParsedFile, ParsedFragment
from evidence.naming import SegmentName
from evidence.picture_time import Placement
from evidence.proofs import Authority
from evidence.timeline import Interval
from exam.clock import MINUTE_US
from tests.bench.bench_report import Row, print_report, progress
from tests.evidence.store import FIRST_US, Footage, open_footage


@dataclass(frozen=True)
class Size:
    minutes: int
    cameras: int
    mbps: float

    @property
    def file_bytes(self) -> int:
        return int(self.mbps * 1_000_000 / 8 * 60)


def lay(footage: Footage, camera: str, run: str, minute: int, content: bytes) -> None:
    """One file of a minute, as ingest leaves it."""
    start_us = FIRST_US + minute * MINUTE_US
    name = SegmentName(camera, run, minute, start_us)
    file = footage.volume.path / name.path()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    part = ParsedFragment(100, len(content) - 100, 0, MINUTE_US, None)
    parsed = ParsedFile(100, "avc1.64001f", 1280, 720, (part,), len(content), False, 40_000)
    placed = Placement([Fragment(100, len(content) - 100, 0, MINUTE_US, start_us)], ClockSource.ARRIVAL, None)
    with footage.database.write() as connection:
        run_id = add_run(connection, NewRun(run, camera, "boot", start_us, 0))
        digest = hashlib.sha256(content).digest()
        new = NewSegment(
            run_id, minute, camera, footage.volume.id, name.path(), len(content), digest, Origin.LIVE
        )
        add_segment(connection, new, parsed, placed, start_us + MINUTE_US)


def timed(act: Callable[[], object]) -> float:
    os.sync()
    began = perf_counter()
    act()
    return perf_counter() - began


def copy_and_hash(files: list[Path], target: Path, *, flushed: bool) -> None:
    target.mkdir()
    subprocess.run(["cp", *map(str, files), str(target)], check=True)
    subprocess.run(["openssl", "dgst", "-sha256", *map(str, files)], check=True, capture_output=True)
    if flushed:
        subprocess.run(["sync", *(str(each) for each in target.iterdir())], check=True)


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench export")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--mbps", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(words)
    size = Size(asked.minutes, asked.cameras, asked.mbps)
    with tempfile.TemporaryDirectory(dir=Path.cwd() / "var" if Path("var").is_dir() else None) as folder:
        rows = _measure(Path(folder), size, asked.rounds)
    print_report("export", rows)
    return 0


def _measure(folder: Path, size: Size, rounds: int) -> list[Row]:
    with open_footage(folder) as footage:
        checkpoints = Checkpoints(footage.database, folder / "keys", "footage")
        cameras = [str(UUID(int=0xC1 + number)) for number in range(size.cameras)]
        for number, camera in enumerate(cameras):
            for minute in range(size.minutes):
                lay(footage, camera, str(UUID(int=0xA1 + number)), minute, os.urandom(size.file_bytes))
        checkpoints.sign(FIRST_US)
        checkpoints.close()
        files = [each.file for camera in cameras for each in footage.segments(camera)]
        progress(f"{len(files)} files of {size.file_bytes / 1e6:.0f} MB")
        authority = Authority.open(folder / "keys", folder, footage.store.clock)
        tools = ExportTools(footage.database, authority, {}, lambda _page: b"%PDF")
        wish = ExportWish(
            1,
            1,
            "bench",
            Asker("a", "b", "", "bench"),
            tuple(AskedCamera(uuid, "R", uuid[-2:]) for uuid in cameras),
            Interval(FIRST_US, FIRST_US + size.minutes * MINUTE_US),
            CopyOptions(with_play=False, read_back=False),
            folder / "medium",
        )
        return _rows(folder, files, rounds, tools, wish)


def _rows(folder: Path, files: list[Path], rounds: int, tools: ExportTools, wish: ExportWish) -> list[Row]:
    names = ("ours", "with_list", "read_back", "plain", "flushed")
    measured: dict[str, list[float]] = {name: [] for name in names}
    reading_back = replace(wish, options=replace(wish.options, read_back=True))
    acts: dict[str, Callable[[Path], object]] = {
        "plain": lambda target: copy_and_hash(files, target, flushed=False),
        "ours": lambda target: _export(tools, wish, target),
        "flushed": lambda target: copy_and_hash(files, target, flushed=True),
        "read_back": lambda target: _export(tools, reading_back, target),
        "with_list": lambda target: _export(replace(tools, print_page=print_in_child), wish, target),
    }
    for number in range(rounds):
        for name, act in acts.items():
            target = folder / f"{name}-{number}"
            measured[name].append(timed(lambda act=act, target=target: act(target)))  # type: ignore[misc]
            shutil.rmtree(target)
        progress(
            f"round {number + 1}: " + ", ".join(f"{name} {each[-1]:.2f} s" for name, each in measured.items())
        )
    return [
        _row("export_4_cameras", measured["ours"], measured["plain"], "cp + openssl dgst -sha256"),
        _row(
            "export_4_cameras_flushed", measured["ours"], measured["flushed"], "the same + sync of the copies"
        ),
        _row("export_read_back", measured["read_back"], measured["plain"], "cp + openssl dgst -sha256"),
        _row(
            "export_with_printed_list", measured["with_list"], measured["plain"], "cp + openssl dgst -sha256"
        ),
    ]


def _export(tools: ExportTools, wish: ExportWish, target: Path) -> None:
    target.mkdir()
    made = carry_out(tools, replace(wish, target=target), lambda _done, _total, _words: None)
    assert all(bag.is_complete for bag in made)


def _row(metric: str, ours: list[float], baseline: list[float], name: str) -> Row:
    ratio = median(own / other for own, other in zip(ours, baseline, strict=True))
    return Row(
        metric, round(median(ours), 2), "s", len(ours), round(median(baseline), 2), name, round(ratio, 2)
    )
