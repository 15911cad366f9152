import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.adoption import adopt
from evidence.database import WriterDatabase
from evidence.day_manifest import add_digest
from evidence.footage import Cause, Gap, Segment, gaps_between, segments_between
from evidence.footage_rows import end_run
from evidence.ingest import ingest
from evidence.ledger import recompute, tree_head
from evidence.naming import DAY_MANIFEST, FOOTAGE_FOLDER, VOLUME_MARK, SegmentName
from evidence.rebuild import Rebuild, RebuildError, Rebuilt, find_volume
from exam.clock import SECOND_US
from tests.evidence.recorded import CAMERA, RUN, RUN_2, flush_stamped, growing_name, put, recording
from tests.evidence.store import EVER, FIRST_US, Footage, open_footage

LENGTH_US = 4 * SECOND_US


@pytest.fixture
def footage(tmp_path: Path) -> Iterator[Footage]:
    with open_footage(tmp_path) as opened:
        yield opened


@pytest.fixture
def anew(tmp_path: Path) -> Iterator[WriterDatabase]:
    database = WriterDatabase(tmp_path / "anew" / "footage.db", "footage")
    yield database
    database.close()


def rebuild(footage: Footage, anew: WriterDatabase, *, is_thorough: bool = False) -> Rebuilt:
    (*_, found) = Rebuild(anew, FIRST_US + 100 * SECOND_US, is_thorough=is_thorough).fill(
        [find_volume(footage.volume.path)]
    )
    return found


def segments(database: WriterDatabase) -> list[Segment]:
    with database.read() as connection:
        return segments_between(connection, CAMERA, 0, EVER)


def gaps(database: WriterDatabase) -> list[Gap]:
    with database.read() as connection:
        return gaps_between(connection, CAMERA, 0, EVER)


def told(segment: Segment) -> tuple[object, ...]:
    """Everything about a segment that does not depend on which index it stands in."""
    return (
        segment.sequence,
        segment.path,
        segment.started_at_us,
        segment.ended_at_us,
        segment.sha256,
        segment.size_bytes,
        segment.stream,
        tuple(segment.fragments),
    )


def lay_two_runs(footage: Footage) -> None:
    """Three files of one run, then eight seconds of nothing, then two of another."""
    for number in range(3):
        ingest(footage.store, footage.grow(number, FIRST_US + number * LENGTH_US))
    for number in range(2):
        start_us = FIRST_US + (5 + number) * LENGTH_US
        content = recording(*flush_stamped(start_us, [2000, 2000]))
        closed = footage.put(growing_name(number, run=RUN_2), content, start_us + LENGTH_US + 40_000)
        ingest(footage.store, closed)


def test_a_rebuilt_index_says_of_every_file_what_the_lost_one_said(
    footage: Footage, anew: WriterDatabase
) -> None:
    lay_two_runs(footage)
    found = rebuild(footage, anew)
    assert (found.segments, found.hashed, found.absent, found.left) == (5, 0, 0, [])
    assert [told(each) for each in segments(anew)] == [told(each) for each in footage.segments()]
    with anew.read() as connection:
        assert recompute(connection) == tree_head(connection)
        ends = connection.execute("select uuid, end_cause, ended_at_us from run order by started_at_us")
        last_us = FIRST_US + 7 * LENGTH_US
        assert [tuple(row) for row in ends] == [
            (RUN, Cause.INDEX_LOST, FIRST_US + 3 * LENGTH_US),
            (RUN_2, Cause.INDEX_LOST, last_us),
        ]
    assert [(gap.started_at_us, gap.ended_at_us, gap.cause) for gap in gaps(anew)] == [
        (FIRST_US + 3 * LENGTH_US, FIRST_US + 5 * LENGTH_US, Cause.INDEX_LOST),
        (last_us, None, Cause.INDEX_LOST),
    ]


def test_the_next_start_finds_nothing_left_to_adopt(footage: Footage, anew: WriterDatabase) -> None:
    lay_two_runs(footage)
    rebuild(footage, anew)
    store = type(footage.store)(anew, footage.store.disk, footage.store.clock)
    assert adopt(store, footage.volume).adopted == 0


def test_digests_come_from_the_days_list_unless_every_file_is_to_be_read(
    footage: Footage, anew: WriterDatabase
) -> None:
    ingest(footage.store, footage.grow())
    (segment,) = footage.segments()
    segment.file.chmod(0o644)
    segment.file.write_bytes(segment.file.read_bytes()[:-1] + b"?")
    rebuild(footage, anew)
    assert segments(anew)[0].sha256 == segment.sha256, "the lost index's own, so that the damage shows"


def test_a_thorough_rebuild_reads_every_file(footage: Footage, anew: WriterDatabase) -> None:
    ingest(footage.store, footage.grow())
    (segment,) = footage.segments()
    (segment.file.parent / DAY_MANIFEST).write_text(f"{'0' * 64}  {segment.file.name}\n")
    assert rebuild(footage, anew, is_thorough=True).hashed == 1
    assert segments(anew)[0].sha256 == hashlib.sha256(segment.file.read_bytes()).digest()


def test_a_file_no_list_knows_is_read(footage: Footage, anew: WriterDatabase) -> None:
    ingest(footage.store, footage.grow())
    (segment,) = footage.segments()
    (segment.file.parent / DAY_MANIFEST).unlink()
    assert rebuild(footage, anew).hashed == 1
    assert segments(anew)[0].sha256 == segment.sha256


def test_a_file_brought_to_another_volume_is_not_missed_on_the_first(
    footage: Footage, anew: WriterDatabase, tmp_path: Path
) -> None:
    lay_two_runs(footage)
    file = footage.segments()[0].file
    home = tmp_path / "home"
    (home / FOOTAGE_FOLDER / file.parent.name).mkdir(parents=True)
    (home / VOLUME_MARK).write_text(RUN)
    file.rename(home / FOOTAGE_FOLDER / file.parent.name / file.name)
    for listed in ("brought.mp4", file.name):
        add_digest(home / FOOTAGE_FOLDER / file.parent.name / listed, footage.segments()[0].sha256)
    work = Rebuild(anew, FIRST_US + 100 * SECOND_US, is_thorough=False)
    (*_, found) = work.fill([find_volume(footage.volume.path), find_volume(home)])
    assert (found.segments, found.absent) == (5, 1), "only the one that is nowhere"


def test_what_cannot_be_indexed_is_named_and_left_where_it_is(footage: Footage, anew: WriterDatabase) -> None:
    lay_two_runs(footage)
    day = footage.segments()[0].file.parent
    gone, damaged, *_ = [segment.file for segment in footage.segments()]
    gone.unlink()
    damaged.chmod(0o644)
    damaged.write_bytes(b"noise" * 100)
    (day / "holiday.mp4").write_bytes(b"noise")
    (footage.volume.footage / "readme").write_text("no folder")
    (day / SegmentName(CAMERA, RUN_2, 9).file_name()).write_bytes(recording(*flush_stamped(FIRST_US, [2000])))
    twin = SegmentName(CAMERA, RUN_2, 0, FIRST_US + 9 * LENGTH_US)
    put(footage.volume.path, twin.path(), recording(*flush_stamped(FIRST_US, [2000])))
    found = rebuild(footage, anew)
    assert (found.segments, found.absent) == (3, 1)
    assert sorted(path.name for path, _ in found.left) == sorted(
        [damaged.name, "holiday.mp4", SegmentName(CAMERA, RUN_2, 9).file_name(), twin.file_name()]
    )


def test_a_damaged_file_with_a_known_digest_keeps_it_and_plays_as_far_as_it_goes(
    footage: Footage, anew: WriterDatabase
) -> None:
    ingest(footage.store, footage.grow())
    (segment,) = footage.segments()
    segment.file.chmod(0o644)
    segment.file.write_bytes(segment.file.read_bytes()[:-30])
    rebuild(footage, anew)
    (kept,) = segments(anew)
    assert kept.sha256 == segment.sha256
    assert len(kept.fragments) == 1


def test_footage_that_overlaps_makes_no_gap(footage: Footage, anew: WriterDatabase) -> None:
    ingest(footage.store, footage.grow())
    inside = recording(*flush_stamped(FIRST_US + SECOND_US, [2000]))
    name = SegmentName(CAMERA, RUN_2, 0, FIRST_US + SECOND_US)
    put(footage.volume.path, name.path(), inside, closed_at_us=FIRST_US + 3 * SECOND_US)
    found = rebuild(footage, anew)
    assert (found.segments, found.gaps) == (2, 1)
    (gap,) = gaps(anew)
    assert (gap.started_at_us, gap.ended_at_us) == (FIRST_US + LENGTH_US, None)


def test_an_empty_volume_makes_an_empty_index(footage: Footage, anew: WriterDatabase) -> None:
    footage.volume.footage.rmdir()
    assert rebuild(footage, anew) == Rebuilt()


def test_a_day_that_one_volume_does_not_have_is_read_from_the_other(
    footage: Footage, anew: WriterDatabase, tmp_path: Path
) -> None:
    lay_two_runs(footage)
    with open_footage(tmp_path / "second") as second:
        volumes = [find_volume(second.volume.path), find_volume(footage.volume.path)]
        (*_, found) = Rebuild(anew, FIRST_US, is_thorough=False).fill(volumes)
    assert found.segments == 5


@pytest.mark.parametrize("mark", [None, "not a uuid"])
def test_a_folder_that_does_not_say_which_disk_it_is_is_refused(tmp_path: Path, mark: str | None) -> None:
    if mark is not None:
        (tmp_path / "volume.uuid").write_text(mark)
    with pytest.raises(RebuildError, match="mount the right disk"):
        find_volume(tmp_path)


def test_recording_goes_on_after_a_rebuild_and_ends_the_gap(footage: Footage, anew: WriterDatabase) -> None:
    lay_two_runs(footage)
    with footage.database.read() as connection:
        (run_id,) = connection.execute("select id from run where uuid = ?", (RUN_2,)).fetchone()
    with footage.database.write() as connection:
        end_run(connection, run_id, FIRST_US, Cause.STALLED)
    rebuild(footage, anew)
    later_us = FIRST_US + 20 * LENGTH_US
    store = type(footage.store)(anew, footage.store.disk, footage.store.clock)
    name = growing_name(0, run=RUN.replace("a1", "a7"))
    put(
        footage.volume.path,
        name,
        recording(*flush_stamped(later_us, [2000])),
        closed_at_us=later_us + 2_040_000,
    )
    assert adopt(store, footage.volume).adopted == 1
    assert gaps(anew)[-1].ended_at_us == later_us
