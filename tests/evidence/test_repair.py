"""A damaged file is made whole from its second copy, whatever happens in between, and is kept itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.adoption import adopt
from evidence.coverage import PartKind, coverage, playable_segments
from evidence.day_manifest import read_digests
from evidence.fixity import check_files, unpaced
from evidence.naming import DAY_MANIFEST
from evidence.repair import Mending, repair
from evidence.timeline import Interval
from tests.evidence.fixed import FILE_US, Archive, flip, open_fixed
from tests.evidence.recorded import CAMERA
from tests.evidence.store import FIRST_US, Crash, CrashingDisk
from tests.evidence.test_fixity import dispose

WHOLE = Interval(FIRST_US, FIRST_US + 4 * FILE_US)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_fixed(tmp_path) as made:
        yield made


def damage(archive: Archive, number: int = 1) -> int:
    """Rot one file and let a reading find it."""
    file = archive.files()[number]
    flip(file.file)
    check_files(archive.footage.store, [file], unpaced)
    return file.segment_id


def mend(archive: Archive, segment_id: int) -> Mending:
    return repair(archive.footage.store, segment_id)


def kinds(archive: Archive) -> list[tuple[PartKind, str]]:
    with archive.footage.database.read() as connection:
        parts = coverage(connection, CAMERA, WHOLE, WHOLE.until_us)
    return [(part.kind, part.damage) for part in parts]


def test_a_damaged_file_is_unreadable_time_until_it_is_repaired(archive: Archive) -> None:
    archive.copy_all()
    segment_id = damage(archive)
    footage = (PartKind.FOOTAGE, "")
    assert kinds(archive) == [footage, (PartKind.UNREADABLE, "damaged"), footage]
    with archive.footage.database.read() as connection:
        assert len(playable_segments(connection, CAMERA, WHOLE)) == 3
    assert mend(archive, segment_id) is Mending.WHOLE
    assert kinds(archive) == [footage]


def test_the_damaged_file_goes_to_quarantine_with_its_row_and_is_never_lost(archive: Archive) -> None:
    archive.copy_all()
    segment_id = damage(archive)
    file = archive.file(segment_id)
    rotten = file.file.read_bytes()
    assert mend(archive, segment_id) is Mending.WHOLE
    (kept,) = archive.footage.volume.quarantine.iterdir()
    assert kept.read_bytes() == rotten
    assert file.file.read_bytes() == archive.copy(segment_id).read_bytes()
    assert file.file.stat().st_mode & 0o777 == 0o444
    with archive.footage.database.read() as connection:
        (row,) = connection.execute("select * from quarantined_file").fetchall()
    assert (row["found_path"], row["path"]) == (file.path, f"quarantine/{kept.name}")
    assert adopt(archive.footage.store, archive.footage.volume).quarantined == 0
    assert archive.leaves("damage_found", "quarantined_file", "damage_repaired") == [
        "damage_found",
        "quarantined_file",
        "damage_repaired",
    ]


def test_a_missing_file_and_its_whole_folder_come_back(archive: Archive) -> None:
    archive.copy_all()
    file = archive.files()[0]
    file.file.parent.rename(archive.folder / "stolen")
    check_files(archive.footage.store, archive.files(), unpaced)
    assert [mend(archive, each) for each in archive.ids] == [Mending.WHOLE] * 4
    assert set(read_digests(file.file.parent).values()) == {each.sha256 for each in archive.files()}
    assert (file.file.parent / DAY_MANIFEST).exists()


def test_without_a_copy_nothing_is_touched(archive: Archive) -> None:
    segment_id = damage(archive)
    before = archive.file(segment_id).file.read_bytes()
    assert mend(archive, segment_id) is Mending.NO_COPY
    assert archive.file(segment_id).file.read_bytes() == before


def test_a_mirror_that_is_away_is_no_copy(archive: Archive) -> None:
    archive.copy_all()
    segment_id = damage(archive)
    archive.mirror_folder.rename(archive.folder / "unplugged")
    assert mend(archive, segment_id) is Mending.NO_COPY


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_bad_copy_is_never_used_and_no_longer_trusted(archive: Archive, is_gone: bool) -> None:
    archive.copy_all()
    segment_id = damage(archive)
    copy = archive.copy(segment_id)
    before = archive.file(segment_id).file.read_bytes()
    if is_gone:
        copy.rename(copy.with_name("away"))
    else:
        flip(copy, 99)
    assert mend(archive, segment_id) is Mending.BAD_COPY
    assert archive.file(segment_id).file.read_bytes() == before
    assert mend(archive, segment_id) is Mending.NO_COPY


class ForgetfulDisk(CrashingDisk):
    """What is copied to the volume does not stay what it was."""

    def digest(self, _path: Path) -> bytes:
        return bytes(32)


def test_a_volume_that_does_not_keep_the_copy_is_not_given_it(archive: Archive) -> None:
    archive.copy_all()
    segment_id = damage(archive)
    before = archive.file(segment_id).file.read_bytes()
    store = archive.footage.with_disk(ForgetfulDisk())  # type: ignore[arg-type]
    assert repair(store, segment_id) is Mending.BAD_COPY
    assert archive.file(segment_id).file.read_bytes() == before


def test_a_file_that_came_back_by_itself_ends_its_damage(archive: Archive) -> None:
    file = archive.files()[0].file
    file.rename(file.with_name("away"))
    check_files(archive.footage.store, archive.files(), unpaced)
    file.with_name("away").rename(file)
    assert mend(archive, archive.ids[0]) is Mending.WHOLE
    assert archive.damages()[0]["repaired_by"] == "came_back"


def test_what_is_disposed_of_or_on_an_absent_volume_is_left_alone(archive: Archive) -> None:
    archive.copy_all()
    first, second = damage(archive, 0), damage(archive, 1)
    dispose(archive, first)
    assert mend(archive, first) is Mending.ABSENT
    archive.footage.volume.path.rename(archive.folder / "unplugged")
    assert mend(archive, second) is Mending.ABSENT


def test_a_crash_at_any_step_leaves_every_byte_and_the_next_try_makes_it_whole(tmp_path: Path) -> None:
    counted = CrashingDisk()
    with open_fixed(tmp_path / "counted", files=1) as archive:
        archive.copy_all()
        repair(archive.footage.with_disk(counted), damage(archive, 0))  # type: ignore[arg-type]
    assert len(counted.steps) > 12
    for step in range(len(counted.steps)):
        for disk in (CrashingDisk(before=step), CrashingDisk(after=step)):
            with open_fixed(tmp_path / f"{step}-{disk.after}", files=1) as archive:
                archive.copy_all()
                good = archive.files()[0].file.read_bytes()
                segment_id = damage(archive, 0)
                rotten = archive.files()[0].file.read_bytes()
                with pytest.raises(Crash):
                    repair(archive.footage.with_disk(disk), segment_id)  # type: ignore[arg-type]
                # The next start adopts; what is half restored must not confuse it.
                found = adopt(archive.footage.store, archive.footage.volume)
                assert (found.adopted, found.left) == (0, [])
                assert mend(archive, segment_id) is Mending.WHOLE
                assert archive.files()[0].file.read_bytes() == good
                assert archive.files()[0].file.stat().st_mode & 0o777 == 0o444
                (kept,) = archive.footage.volume.quarantine.iterdir()
                assert kept.read_bytes() == rotten
                assert archive.footage.count("quarantined_file") == 1
                assert archive.damages()[0]["repaired_by"] == "mirror"
                assert archive.leaves("damage_found", "damage_repaired") == [
                    "damage_found",
                    "damage_repaired",
                ]
