import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.adoption import adopt
from evidence.footage import Cause, ClockSource, Origin, gaps_between
from evidence.footage_rows import end_absence, end_run, note_absence
from evidence.ingest import INDEXED_ALREADY, NO_LENGTH, TOO_LONG, TORN_TAIL, enter, ingest, seal
from evidence.protection import is_immutable, make_immutable, make_mutable
from evidence.volumes import LocalDisk
from tests.evidence.recorded import CAMERA, fragment, growing_name, init, recording
from tests.evidence.store import EVER, FIRST_US, Crash, CrashingDisk, Footage, open_footage

TORN = b"\0\0\0\x40moofhalf"


@pytest.fixture
def footage(tmp_path: Path) -> Iterator[Footage]:
    with open_footage(tmp_path) as opened:
        yield opened


def quarantined(footage: Footage) -> list[tuple[str, str]]:
    with footage.database.read() as connection:
        rows = connection.execute("select path, reason from quarantined_file order by id").fetchall()
    assert all((footage.volume.path / row["path"]).exists() for row in rows)
    return [(row["path"], row["reason"]) for row in rows]


def test_a_closed_file_becomes_a_durable_hashed_and_indexed_segment(footage: Footage) -> None:
    closed = footage.grow()
    content = closed.path.read_bytes()

    segment_id = ingest(footage.store, closed)

    (segment,) = footage.segments()
    assert segment.id == segment_id
    assert segment.file.read_bytes() == content
    assert segment.sha256 == hashlib.sha256(content).digest()
    assert segment.size_bytes == len(content)
    assert (segment.started_at_us, segment.ended_at_us) == (FIRST_US, FIRST_US + 4_000_000)
    assert segment.clock_source is ClockSource.ARRIVAL
    assert segment.origin is Origin.LIVE
    assert [f.wall_us for f in segment.fragments] == [FIRST_US, FIRST_US + 2_000_000]
    assert stat.S_IMODE(segment.file.stat().st_mode) == 0o444
    assert not closed.path.exists()


def test_the_row_comes_last_and_each_step_in_its_order(footage: Footage) -> None:
    disk = CrashingDisk()
    ingest(footage.with_disk(disk), footage.grow())
    move = ["make_folder", "move", "sync_folder", "sync_folder"]
    assert disk.steps == ["sync_file", "digest", *move, "protect", "note_digest"]


def step_names(end: bytes | None, tmp_path: Path) -> list[str]:
    disk = CrashingDisk()
    with open_footage(tmp_path / "dry") as footage:
        ingest(footage.with_disk(disk), footage.grow(end=end))
    return disk.steps


@pytest.mark.parametrize("end", [None, TORN], ids=["whole file", "torn file"])
def test_a_crash_at_any_step_loses_nothing_and_the_next_start_completes_it(
    tmp_path: Path, end: bytes | None
) -> None:
    steps = step_names(end, tmp_path)
    for number, moment in [(n, m) for n in range(len(steps)) for m in ("before", "after")]:
        with open_footage(tmp_path / f"{number}-{moment}") as footage:
            closed = footage.grow(end=end)
            with pytest.raises(Crash):
                ingest(footage.with_disk(CrashingDisk(**{moment: number})), closed)
            assert footage.count("segment") == 0, "a row stands only for a finished file"

            adopt(footage.store, footage.volume)
            (segment,) = footage.segments()
            assert (segment.started_at_us, segment.origin) == (FIRST_US, Origin.ADOPTED)
            assert hashlib.sha256(segment.file.read_bytes()).digest() == segment.sha256
            assert not list(footage.volume.growing.iterdir())
            assert [reason for _, reason in quarantined(footage)] == ([] if end is None else [TORN_TAIL])

            assert adopt(footage.store, footage.volume).adopted == 0, "a second start finds nothing to do"
            assert len(footage.segments()) == 1


def test_a_torn_tail_is_cut_off_and_kept_in_quarantine(footage: Footage) -> None:
    ingest(footage.store, footage.grow(end=TORN))
    (segment,) = footage.segments()
    assert segment.file.stat().st_size == segment.size_bytes
    ((path, reason),) = quarantined(footage)
    assert reason == TORN_TAIL
    assert (footage.volume.path / path).read_bytes() == TORN


@pytest.mark.parametrize("content", [b"", init(), b"noise" * 100], ids=["empty", "no fragment", "noise"])
def test_a_file_without_footage_goes_to_quarantine_with_a_row(footage: Footage, content: bytes) -> None:
    closed = footage.put(growing_name(), content)
    assert ingest(footage.store, closed) is None
    assert len(quarantined(footage)) == 1
    assert footage.count("segment") == 0
    assert not closed.path.exists()


def test_quarantine_never_overwrites_what_lies_there(footage: Footage) -> None:
    for content in (b"first", b"second", b"third"):
        ingest(footage.store, footage.put(growing_name(), content))
    kept = [(footage.volume.path / path).read_bytes() for path, _ in quarantined(footage)]
    assert kept == [b"first", b"second", b"third"]


def test_a_file_longer_than_an_hour_is_kept_but_not_indexed(footage: Footage) -> None:
    long = recording(*[fragment(9_000, FIRST_US, frames=1)] * 401)
    assert ingest(footage.store, footage.put(growing_name(), long)) is None
    assert [reason for _, reason in quarantined(footage)] == [TOO_LONG]


def test_a_single_picture_without_length_is_kept_and_no_start_fails_on_it(footage: Footage) -> None:
    footage.put(growing_name(), recording(fragment(0, FIRST_US, frames=1)))
    found = adopt(footage.store, footage.volume)
    assert (found.adopted, found.quarantined) == (0, 1)
    assert [reason for _, reason in quarantined(footage)] == [NO_LENGTH]


def test_a_second_file_for_the_same_place_in_a_run_is_kept_and_no_start_fails_on_it(footage: Footage) -> None:
    ingest(footage.store, footage.grow(0))
    other = footage.grow(0, FIRST_US + 1_000_000)
    content = other.path.read_bytes()
    found = adopt(footage.store, footage.volume)
    assert (found.adopted, found.quarantined) == (0, 1)
    ((path, reason),) = quarantined(footage)
    assert reason == INDEXED_ALREADY
    assert (footage.volume.path / path).read_bytes() == content
    assert len(footage.segments()) == 1


def test_the_second_file_of_a_run_learns_the_time_from_the_first(footage: Footage) -> None:
    ingest(footage.store, footage.grow(0))
    late = footage.grow(1, FIRST_US + 4_000_000 + 700_000)
    ingest(footage.store, late)
    first, second = footage.segments()
    assert second.started_at_us - first.ended_at_us == 2_000  # what a clock may drift, not the delay


def test_footage_ends_the_gap_before_it(footage: Footage) -> None:
    with footage.database.write() as connection:
        note_absence(connection, CAMERA, FIRST_US - 5_000_000, Cause.STALLED, FIRST_US - 5_000_000)
    ingest(footage.store, footage.grow())
    with footage.database.read() as connection:
        (gap,) = gaps_between(connection, CAMERA, 0, EVER)
    assert (gap.started_at_us, gap.ended_at_us, gap.cause) == (FIRST_US - 5_000_000, FIRST_US, Cause.STALLED)


def gaps_after_a_late_file(footage: Footage, from_us: int) -> list[tuple[int, int | None]]:
    """Two files of a run that is over, the second not ingested yet, and the gap that begins there."""
    ingest(footage.store, footage.grow(0))
    late = footage.grow(1, FIRST_US + 4_000_000)
    with footage.database.write() as connection:
        end_run(connection, late.run_id, FIRST_US + 8_000_000, Cause.OPERATOR_STOP)
        note_absence(connection, CAMERA, from_us, Cause.OPERATOR_STOP, from_us)
    ingest(footage.store, late)
    with footage.database.read() as connection:
        gaps = gaps_between(connection, CAMERA, 0, EVER)
    assert {gap.cause for gap in gaps} == {Cause.OPERATOR_STOP}
    return [(gap.started_at_us, gap.ended_at_us) for gap in gaps]


@pytest.mark.parametrize("seconds", [4, 8], ids=["where the known footage ended", "where the run ended"])
def test_footage_that_comes_late_leaves_the_gap_after_it_open(footage: Footage, seconds: int) -> None:
    assert gaps_after_a_late_file(footage, FIRST_US + seconds * 1_000_000) == [(FIRST_US + 8_000_000, None)]


def test_footage_that_comes_late_without_a_gap_after_it_opens_none(footage: Footage) -> None:
    late = footage.grow()
    with footage.database.write() as connection:
        end_run(connection, late.run_id, FIRST_US + 4_000_000, Cause.CAMERA_RETIRED)
    ingest(footage.store, late)
    assert footage.count("gap") == 0


def closed_gaps_after(footage: Footage, from_us: int, until_us: int, sequence: int) -> list[tuple[int, int]]:
    """What is left of a closed gap when a file from FIRST_US + 4 s to + 8 s is ingested after it."""
    with footage.database.write() as connection:
        note_absence(connection, CAMERA, from_us, Cause.STALLED, from_us)
        end_absence(connection, CAMERA, until_us, until_us)
    ingest(footage.store, footage.grow(sequence, FIRST_US + 4_000_000))
    with footage.database.read() as connection:
        gaps = gaps_between(connection, CAMERA, 0, FIRST_US + 60_000_000)
    assert {gap.cause for gap in gaps} <= {Cause.STALLED}
    return [(gap.started_at_us - FIRST_US, (gap.ended_at_us or 0) - FIRST_US) for gap in gaps]


@pytest.mark.parametrize(
    ("from_s", "until_s", "left"),
    [
        (1, 10, [(1, 4), (8, 10)]),
        (1, 6, [(1, 4)]),
        (6, 10, [(8, 10)]),
        (5, 7, []),
        (1, 3, [(1, 3)]),
        (9, 10, [(9, 10)]),
    ],
    ids=["around", "before", "after", "within", "earlier", "later"],
)
def test_footage_that_comes_late_is_taken_out_of_a_closed_gap(
    footage: Footage, from_s: int, until_s: int, left: list[tuple[int, int]]
) -> None:
    found = closed_gaps_after(footage, FIRST_US + from_s * 1_000_000, FIRST_US + until_s * 1_000_000, 0)
    assert found == [(a * 1_000_000, b * 1_000_000) for a, b in left]


def test_what_is_left_of_a_gap_between_files_of_one_run_is_measurement(footage: Footage) -> None:
    for sequence, seconds in [(0, 0), (2, 8)]:
        ingest(footage.store, footage.grow(sequence, FIRST_US + seconds * 1_000_000))
    assert footage.count("gap") == 1  # the hole where the second file belongs
    around_us = (FIRST_US + 3_800_000, FIRST_US + 8_300_000)
    assert closed_gaps_after(footage, *around_us, 1) == []


def test_the_rename_and_the_row_can_be_done_again(footage: Footage) -> None:
    sealed = seal(footage.store, footage.grow())
    assert sealed is not None
    footage.store.disk.make_folder(sealed.path.parent)
    footage.store.disk.move(sealed.closed.path, sealed.path)
    enter(footage.store, sealed)
    assert [segment.file for segment in footage.segments()] == [sealed.path]


def test_a_hole_nobody_noticed_becomes_a_gap(footage: Footage) -> None:
    ingest(footage.store, footage.grow(0))
    ingest(footage.store, footage.grow(2, FIRST_US + 64_000_000))
    with footage.database.read() as connection:
        (gap,) = gaps_between(connection, CAMERA, 0, EVER)
    assert (gap.started_at_us, gap.ended_at_us) == (FIRST_US + 4_000_000, FIRST_US + 64_000_000)
    assert gap.cause is Cause.UNPLAYABLE


def test_a_file_that_already_has_its_final_name_keeps_the_start_it_promises(footage: Footage) -> None:
    closed = footage.grow()
    ingest(footage.store, closed)
    (segment,) = footage.segments()
    with footage.database.write() as connection:
        connection.execute("delete from fragment_map")
        connection.execute("delete from segment")
    found = segment.path.replace(str(FIRST_US), str(FIRST_US + 777))
    again = footage.put(found, segment.file.read_bytes(), FIRST_US + 4_040_000)
    ingest(footage.store, again)
    assert [s.started_at_us for s in footage.segments()] == [FIRST_US + 777]
    assert footage.segments()[0].path == found


@pytest.mark.parametrize("step", ["protect", "note_digest"])
def test_a_file_made_immutable_before_a_crash_is_adopted_as_it_is(tmp_path: Path, step: str) -> None:
    """Where no flag is allowed the steps are the same and the file is only read-only."""
    with open_footage(tmp_path) as footage:
        closed, real = footage.grow(), LocalDisk(immutable=True)
        crashing = CrashingDisk(disk=real, after=step_names(None, tmp_path).index(step))
        with pytest.raises(Crash):
            ingest(footage.with_disk(crashing), closed)
        found = adopt(footage.with_disk(real), footage.volume)
        (segment,) = footage.segments()
        is_locked = is_immutable(segment.file)
        real.unprotect(segment.file)
        assert (found.adopted, found.left) == (1, [])
        assert is_locked == (make_immutable(segment.file) and make_mutable(segment.file))
