"""Five years of footage in one index: how fast a day is drawn and a moment found; and how fast it is rebuilt.

The 4.3 million rows are written straight into SQLite, once, and kept below var/. The rebuilding reads real
files of thirty fragments each, as a minute of footage has, with nothing in their pictures.
"""

import argparse
import hashlib
import random
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from uuid import UUID

from evidence.database import ReaderDatabase, WriterDatabase, migrations
from evidence.day_manifest import DAY_MANIFEST
from evidence.footage import gaps_between, seek, spans_between
from evidence.fragments import Fragment, pack
from evidence.naming import VOLUME_MARK, SegmentName
from evidence.rebuild import Rebuild, find_volume
from exam.clock import MINUTE_US, SECOND_US
from recorder.rebuild_command import CHUNK
from tests.bench.bench_report import Row, print_report, progress
from tests.evidence.recorded import flush_stamped, recording
from tests.recorder.live import ROOT

FIRST_US = 1_795_305_600_000_000
DAY_US = 24 * 60 * MINUTE_US
CAMERAS, DAYS, MINUTES = 30, 300, 480
FRAGMENTS = 30
INIT_BYTES, FRAGMENT_BYTES = 800, 1_000_000


def uuid_of(number: int) -> str:
    return str(UUID(int=number))


def p95(values: Sequence[float]) -> float:
    return round(quantiles(values, n=20)[-1], 3)


def maps() -> Iterator[bytes]:
    """Never ends: send a start, get the packed map of the minute that begins there."""
    fragments = [
        Fragment(INIT_BYTES + number * FRAGMENT_BYTES, FRAGMENT_BYTES, number * 2_000_000, 2_000_000, 0)
        for number in range(FRAGMENTS)
    ]
    first = fragments[0]
    whole = [each._replace(wall_us=FIRST_US + each.media_us) for each in fragments]
    tail = pack(whole)[len(pack(whole[:1])) :]
    head = bytes([pack(whole)[0], FRAGMENTS])
    packed = b""
    while True:
        start_us = yield packed
        # Only the first fragment stands at an absolute moment; the others follow it.
        packed = head + pack([first._replace(wall_us=start_us)])[2:] + tail


def fill_day(connection: sqlite3.Connection, day: int, packer: Iterator[bytes]) -> None:
    """One day of all cameras: a run each, eight hours of files, and a gap in the middle."""
    segments, fragment_maps = [], []
    start_us = FIRST_US + day * DAY_US
    for camera in range(CAMERAS):
        run_id = day * CAMERAS + camera + 1
        names = uuid_of(0xC000 + camera), uuid_of(0xA0000000 + run_id)
        connection.execute(
            "insert into run values (?, ?, ?, 'boot', ?, 1, ?, 'operator_stop')",
            (run_id, names[1], names[0], start_us, start_us + 10 * 60 * MINUTE_US),
        )
        for sequence in range(MINUTES):
            late_us = 30 * SECOND_US if sequence >= MINUTES // 2 else 0
            at_us = start_us + sequence * MINUTE_US + late_us
            id_ = (run_id - 1) * MINUTES + sequence + 1
            path = SegmentName(*names, sequence, at_us).path()
            digest = id_.to_bytes(32)
            segments.append((id_, run_id, sequence, names[0], path, at_us, at_us + MINUTE_US, digest, at_us))
            fragment_maps.append((id_, packer.send(at_us)))
        gap_us = start_us + MINUTES // 2 * MINUTE_US
        connection.execute(
            "insert into gap (camera_uuid, started_at_us, ended_at_us, cause) values (?, ?, ?, 'stalled')",
            (names[0], gap_us, gap_us + 30 * SECOND_US),
        )
    connection.executemany(
        "insert into segment (id, run_id, sequence, camera_uuid, volume_id, path, started_at_us, ended_at_us,"
        " media_us, clock_source, size_bytes, sha256, origin, ingested_at_us)"
        " values (?, ?, ?, ?, 1, ?, ?, ?, 60000000, 'arrival', 30000800, ?, 'live', ?)",
        segments,
    )
    connection.executemany(
        "insert into fragment_map (segment_id, init_bytes, codec, width_px, height_px, fragments)"
        f" values (?, {INIT_BYTES}, 'avc1.64001f', 1920, 1080, ?)",
        fragment_maps,
    )


def five_years(folder: Path, days: int) -> Path:
    """The big index; made unless there is one of this schema already."""
    steps = hashlib.sha256(",".join(step.name for step in migrations("footage").pending(_nothing())).encode())
    path = folder / f"index-{days}-{steps.hexdigest()[:8]}.db"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    for old in folder.glob("index-*"):
        old.unlink()
    WriterDatabase(draft, "footage").close()
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = delete")
        connection.execute("pragma synchronous = off")
        connection.execute("pragma cache_size = -1000000")
        connection.execute("insert into volume values (1, ?, '/volume', 1)", (uuid_of(0xD1),))
        packer = maps()
        next(packer)
        for day in range(days):
            connection.execute("begin")
            fill_day(connection, day, packer)
            connection.execute("commit")
            if day % 25 == 24:
                progress(f"{day + 1} of {days} days written")
        connection.execute("pragma journal_mode = wal")
    draft.rename(path)
    return path


def _nothing():  # type: ignore[no-untyped-def]
    from sqlite_utils import Database

    return Database(memory=True)


def timed(act) -> float:  # type: ignore[no-untyped-def]
    """Milliseconds."""
    started = perf_counter()
    act()
    return (perf_counter() - started) * 1000


def questions(path: Path, days: int, rounds: int) -> list[Row]:
    chance = random.Random(5)
    reader = ReaderDatabase(path)
    with reader.read() as connection:
        (count,) = connection.execute("select count(*) from segment").fetchone()

        def timeline() -> None:
            camera, day = uuid_of(0xC000 + chance.randrange(CAMERAS)), chance.randrange(days)
            interval = (FIRST_US + day * DAY_US, FIRST_US + (day + 1) * DAY_US)
            assert len(spans_between(connection, camera, *interval)) == 2
            assert len(gaps_between(connection, camera, *interval)) == 1

        def find() -> None:
            camera, day = uuid_of(0xC000 + chance.randrange(CAMERAS)), chance.randrange(days)
            minute = chance.randrange(MINUTES // 2)
            found = seek(connection, camera, FIRST_US + day * DAY_US + minute * MINUTE_US + 31 * SECOND_US)
            assert found is not None
            assert (found[0].sequence, found[2]) == (minute, SECOND_US)

        timelines = [timed(timeline) for _ in range(rounds)]
        seeks = [timed(find) for _ in range(rounds)]
    reader.close()
    return [
        Row("segments", count, "count", 1),
        Row("index_size", round(path.stat().st_size / 2**30, 2), "GiB", 1),
        Row("day_timeline_p95", p95(timelines), "ms", rounds),
        Row("seek_p95", p95(seeks), "ms", rounds),
    ]


def lay_files(folder: Path, count: int) -> None:
    """Files of one minute each, with their days' lists of digests, as ingest leaves them."""
    (folder / "growing").mkdir(parents=True)
    (folder / VOLUME_MARK).write_text(uuid_of(0xD1) + "\n")
    content = recording(*flush_stamped(FIRST_US, [2000] * FRAGMENTS))
    digest = hashlib.sha256(content).hexdigest()
    lines: dict[Path, list[str]] = {}
    for number in range(count):
        sequence, camera = divmod(number, CAMERAS)
        start_us = FIRST_US + sequence * MINUTE_US
        name = SegmentName(uuid_of(0xC000 + camera), uuid_of(0xA000 + camera), sequence, start_us)
        path = folder / name.path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        lines.setdefault(path.parent, []).append(f"{digest}  {path.name}\n")
    for day, listed in lines.items():
        (day / DAY_MANIFEST).write_text("".join(listed))


def rebuild(folder: Path, count: int) -> list[Row]:
    lay_files(folder / "disk", count)
    progress(f"rebuilding the index of {count} files")
    with (
        closing(WriterDatabase(folder / "footage.db", "footage")) as database,
        ProcessPoolExecutor(mp_context=get_context("fork")) as workers,
    ):
        started = perf_counter()
        each = partial(workers.map, chunksize=CHUNK)
        work = Rebuild(database, FIRST_US, is_thorough=False, each=each)
        (*_, found) = work.fill([find_volume(folder / "disk")])
        seconds = perf_counter() - started
    assert (found.segments, found.hashed, found.left) == (count, 0, [])
    return [Row("rebuild_segments_per_s", round(count / seconds), "1/s", count)]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py bench index", description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS, help="days of eight hours, 30 cameras each")
    parser.add_argument("--rounds", type=int, default=500, help="questions of each kind")
    parser.add_argument("--files", type=int, default=20_000, help="files of the rebuilding")
    arguments = parser.parse_args(argv)
    rows = questions(five_years(ROOT / "var" / "bench", arguments.days), arguments.days, arguments.rounds)
    with tempfile.TemporaryDirectory(prefix="bench-index-") as name:
        rows += rebuild(Path(name), arguments.files)
    print_report("index", rows)
    return 0
