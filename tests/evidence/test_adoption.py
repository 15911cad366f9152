import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.adoption import FOREIGN_NAME, ROW_WAS_MISSING, adopt, settle_broken_runs
from evidence.footage import Cause, Gap, Origin, gaps_between
from evidence.footage_rows import NewRun, add_run, end_absence, end_run, note_absence
from evidence.ingest import ingest
from evidence.volume_look import open_volume
from evidence.volumes import LocalDisk
from tests.evidence.recorded import CAMERA, RUN, RUN_2, flush_stamped, growing_name, init, put, recording
from tests.evidence.store import EVER, FIRST_US, Footage, open_footage


@pytest.fixture
def footage(tmp_path: Path) -> Iterator[Footage]:
    with open_footage(tmp_path) as opened:
        yield opened


def settle(footage: Footage, boot_id: str = "boot") -> list[Gap]:
    with footage.database.write() as connection:
        settle_broken_runs(connection, boot_id, FIRST_US)
        return gaps_between(connection, CAMERA, 0, EVER)


def ends(footage: Footage) -> list[tuple[int, str]]:
    with footage.database.read() as connection:
        rows = connection.execute("select ended_at_us, end_cause from run order by id").fetchall()
    return [(row[0], row[1]) for row in rows]


def test_files_a_killed_recorder_left_are_adopted_in_their_order(footage: Footage) -> None:
    ingest(footage.store, footage.grow(0))
    footage.grow(2, FIRST_US + 8_000_000, end=b"\0\0\0\x40moofhalf")
    footage.grow(1, FIRST_US + 4_000_000)
    found = adopt(footage.store, footage.volume)
    assert (found.adopted, found.quarantined) == (2, 0)
    assert [(s.sequence, s.origin) for s in footage.segments()] == [
        (0, Origin.LIVE),
        (1, Origin.ADOPTED),
        (2, Origin.ADOPTED),
    ]


def test_what_is_foreign_or_unplayable_is_quarantined_and_never_removed(footage: Footage) -> None:
    put(footage.volume.path, "growing/notes.txt", b"keep me")
    put(footage.volume.path, "footage/stray.mp4", b"me too")
    footage.put(growing_name(3), init())
    found = adopt(footage.store, footage.volume)
    assert (found.adopted, found.quarantined) == (0, 3)
    with footage.database.read() as connection:
        rows = connection.execute("select found_path, path, reason from quarantined_file").fetchall()
    reasons = {row["found_path"]: row["reason"] for row in rows}
    assert reasons["growing/notes.txt"] == FOREIGN_NAME
    assert reasons["footage/stray.mp4"] == FOREIGN_NAME
    assert (footage.volume.quarantine / "notes.txt").read_bytes() == b"keep me"
    assert len(list(footage.volume.quarantine.iterdir())) == 3


def test_a_file_in_quarantine_without_a_row_gets_one(footage: Footage) -> None:
    put(footage.volume.path, "quarantine/old.mp4", b"?")
    assert adopt(footage.store, footage.volume).quarantined == 1
    assert adopt(footage.store, footage.volume).quarantined == 0
    with footage.database.read() as connection:
        assert connection.execute("select reason from quarantined_file").fetchone()[0] == ROW_WAS_MISSING


def test_the_index_can_be_rebuilt_from_the_files_alone(footage: Footage, tmp_path: Path) -> None:
    for sequence in range(3):
        ingest(footage.store, footage.grow(sequence, FIRST_US + sequence * 4_000_000))
    lost = footage.segments()
    shutil.copytree(footage.volume.path, tmp_path / "copy" / "disk", copy_function=shutil.copy2)
    with open_footage(tmp_path / "copy") as rebuilt:
        assert adopt(rebuilt.store, rebuilt.volume).adopted == 3
        found = rebuilt.segments()
        for old, new in zip(lost, found, strict=True):
            assert (new.camera_uuid, new.sequence, new.path) == (old.camera_uuid, old.sequence, old.path)
            assert (new.sha256, new.started_at_us, new.fragments) == (
                old.sha256,
                old.started_at_us,
                old.fragments,
            )


def test_after_a_crash_the_gap_begins_where_the_footage_ends(footage: Footage) -> None:
    footage.grow()
    adopt(footage.store, footage.volume)
    (gap,) = settle(footage)
    assert (gap.started_at_us, gap.ended_at_us, gap.cause) == (
        FIRST_US + 4_000_000,
        None,
        Cause.RECORDER_CRASH,
    )
    assert ends(footage) == [(FIRST_US + 4_000_000, Cause.RECORDER_CRASH)]
    assert settle(footage) == [gap]


def test_a_machine_that_went_down_is_told_from_a_recorder_that_crashed(footage: Footage) -> None:
    footage.grow()
    adopt(footage.store, footage.volume)
    assert [gap.cause for gap in settle(footage, "another boot")] == [Cause.POWER_LOSS]


def test_a_run_without_footage_ends_where_it_began(footage: Footage) -> None:
    with footage.database.write() as connection:
        add_run(connection, NewRun(RUN, CAMERA, "boot", FIRST_US, 0))
    (gap,) = settle(footage)
    assert (gap.started_at_us, gap.cause) == (FIRST_US, Cause.RECORDER_CRASH)
    assert ends(footage) == [(FIRST_US, Cause.RECORDER_CRASH)]


def test_a_gap_that_was_open_before_the_crash_keeps_its_cause(footage: Footage) -> None:
    with footage.database.write() as connection:
        add_run(connection, NewRun(RUN, CAMERA, "boot", FIRST_US, 0))
        note_absence(connection, CAMERA, FIRST_US - 9, Cause.UNREACHABLE, FIRST_US - 9)
    assert [gap.cause for gap in settle(footage)] == [Cause.UNREACHABLE]


def test_a_run_that_was_ended_is_left_alone(footage: Footage) -> None:
    with footage.database.write() as connection:
        run_id = add_run(connection, NewRun(RUN_2, CAMERA, "boot", FIRST_US, 0))
        end_run(connection, run_id, FIRST_US + 5, Cause.OPERATOR_STOP)
        end_run(connection, run_id, FIRST_US + 9, Cause.STALLED)
        assert not end_absence(connection, CAMERA, FIRST_US, FIRST_US)
    assert settle(footage) == []
    assert ends(footage) == [(FIRST_US + 5, Cause.OPERATOR_STOP)]


class FullDisk(LocalDisk):
    """Has no room for a single further byte."""

    def copy_tail(self, source: Path, offset: int, target: Path) -> None:
        raise OSError(errno.ENOSPC, f"no room behind {offset}", str(source), None, str(target))


def causes(footage: Footage) -> list[Cause]:
    with footage.database.read() as connection:
        return [gap.cause for gap in gaps_between(connection, CAMERA, 0, EVER)]


def test_a_file_the_disk_does_not_give_away_is_left_for_the_next_start(footage: Footage) -> None:
    ingest(footage.store, footage.grow(0))
    torn = footage.grow(1, FIRST_US + 4_000_000, end=b"\0\0\0\x40moofhalf")
    footage.grow(2, FIRST_US + 8_000_000)
    content = torn.path.read_bytes()
    found = adopt(footage.with_disk(FullDisk()), footage.volume)
    assert (found.adopted, found.quarantined) == (1, 0)
    assert [(path, getattr(error, "errno", None)) for path, error in found.left] == [
        (torn.path, errno.ENOSPC)
    ]
    assert torn.path.read_bytes() == content
    assert causes(footage) == [Cause.DISK_FULL]

    again = adopt(footage.store, footage.volume)
    assert (again.adopted, again.left) == (1, [])
    assert [segment.sequence for segment in footage.segments()] == [0, 1, 2]
    assert causes(footage) == []


def test_files_on_several_volumes_are_adopted_by_their_time(footage: Footage, tmp_path: Path) -> None:
    other = open_volume(footage.database, tmp_path / "other", FIRST_US)
    footage.grow(0, FIRST_US + 4_000_000)
    earlier = recording(*flush_stamped(FIRST_US, [4000]))
    put(other.path, growing_name(0, run=RUN_2), earlier, closed_at_us=FIRST_US + 4_040_000)
    later = recording(*flush_stamped(FIRST_US + 8_000_000, [4000]))
    put(other.path, growing_name(1, run=RUN_2), later, closed_at_us=FIRST_US + 12_040_000)
    assert adopt(footage.store, footage.volume, other).adopted == 3
    assert [segment.id for segment in footage.segments()] == [1, 2, 3]
    assert footage.count("gap") == 0, "no hole, not even for a moment"


def test_a_file_that_cannot_even_be_looked_at_is_left(footage: Footage) -> None:
    circle = footage.volume.path / growing_name(1)
    circle.symlink_to(circle.name)
    footage.grow(0)
    found = adopt(footage.store, footage.volume)
    assert found.adopted == 1
    assert [path for path, _ in found.left] == [circle]


def test_a_folder_that_cannot_be_listed_is_left_and_the_others_are_adopted(footage: Footage) -> None:
    footage.grow(0)
    damaged = footage.volume.footage / "2020-01-01"
    damaged.symlink_to(damaged.name)
    found = adopt(footage.store, footage.volume)
    assert found.adopted == 1
    assert [path for path, _ in found.left] == [damaged]


def test_a_file_that_the_index_refuses_is_left_and_the_others_are_adopted(footage: Footage) -> None:
    refused = footage.grow(0)
    put(footage.volume.path, growing_name(0, run=RUN_2), recording(*flush_stamped(FIRST_US, [2000])))
    refusal = f"when new.uuid = '{RUN_2}' begin select raise(abort, 'no'); end"
    with footage.database.write() as connection:
        connection.execute(f"create trigger refusal before insert on run {refusal}")
    found = adopt(footage.store, footage.volume)
    assert found.adopted == 1
    assert not refused.path.exists()
    assert [(path.name, str(error)) for path, error in found.left] == [
        (Path(growing_name(0, run=RUN_2)).name, "no")
    ]


def test_a_file_in_quarantine_whose_row_is_refused_is_left(footage: Footage) -> None:
    stray = put(footage.volume.path, "quarantine/stray", b"x")
    with footage.database.write() as connection:
        connection.execute(
            "create trigger refusal before insert on quarantined_file begin select raise(abort, 'no'); end"
        )
    found = adopt(footage.store, footage.volume)
    assert (found.quarantined, [path for path, _ in found.left]) == (0, [stray])
