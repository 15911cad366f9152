"""Second copies are verified by read-back, catch up, and never hold anything up."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.check_facts import FOOTAGE_FACTS, check_facts
from evidence.day_manifest import read_digests
from evidence.fixity import StoppedError, unpaced
from evidence.ingest import Store
from evidence.mirror import (
    MirrorError,
    Wanted,
    copies_of,
    copy_files,
    files_behind,
    forget_mirror_state,
    mirror_state,
    unmirrored,
    write_mirror_state,
)
from evidence.mirror_look import MirrorLook, MirrorTrouble
from evidence.volumes import LocalDisk
from tests.evidence.fixed import Archive, flip, open_fixed
from tests.evidence.store import Crash, CrashingDisk
from tests.evidence.test_fixity import dispose


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_fixed(tmp_path) as made:
        yield made


def behind(archive: Archive, mirror_id: int) -> int:
    with archive.footage.database.read() as connection:
        return files_behind(connection, mirror_id)


def test_copies_have_the_same_bytes_path_time_and_protection(archive: Archive) -> None:
    mirror = archive.copy_all()
    for file in archive.files():
        copy = archive.copy(file.segment_id)
        assert copy.read_bytes() == file.file.read_bytes()
        assert copy.stat().st_mode & 0o777 == 0o444
        assert copy.stat().st_mtime_ns == file.file.stat().st_mtime_ns
        assert read_digests(copy.parent)[copy.name] == file.sha256
    assert list((archive.mirror_folder / "copying").iterdir()) == []
    assert archive.wanted(mirror) == []
    assert behind(archive, mirror.id) == 0
    assert archive.leaves("mirror_copies") == ["mirror_copies"]
    with archive.footage.database.read() as connection:
        assert list(check_facts(connection, FOOTAGE_FACTS)) == []


def test_what_is_disposed_of_or_damaged_is_not_copied(archive: Archive) -> None:
    mirror = archive.mirror()
    files = archive.files()
    dispose(archive, archive.ids[0])
    flip(files[1].file)
    assert copy_files(archive.footage.store, mirror, files, unpaced) == 2
    assert [row["found_by"] for row in archive.damages()] == ["mirror"]
    assert archive.wanted(mirror) == []
    assert not (archive.mirror_folder / files[0].path).exists()


def test_an_original_that_is_gone_is_no_fault_of_the_mirror(archive: Archive) -> None:
    mirror = archive.mirror()
    files = archive.files()
    files[0].file.rename(files[0].file.with_name("away"))
    assert copy_files(archive.footage.store, mirror, files, unpaced) == 3
    assert [row["kind"] for row in archive.damages()] == ["missing"]


def test_a_volume_that_is_away_is_no_fault_of_anybody(archive: Archive) -> None:
    mirror, files = archive.mirror(), archive.files()
    archive.footage.volume.path.rename(archive.folder / "unplugged")
    assert copy_files(archive.footage.store, mirror, files, unpaced) == 0
    assert archive.damages() == []


class FullDisk:
    """Takes one copy and no more."""

    def __init__(self) -> None:
        self.copies = 0

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(LocalDisk(), name)

    def copy(self, source: Path, target: Path) -> None:
        self.copies += 1
        if self.copies > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        LocalDisk().copy(source, target)


def test_a_full_mirror_keeps_what_it_has_and_catches_up_later(archive: Archive) -> None:
    mirror = archive.mirror()
    with pytest.raises(MirrorError, match="full: No space"):
        copy_files(archive.footage.with_disk(FullDisk()), mirror, archive.files(), unpaced)  # type: ignore[arg-type]
    assert behind(archive, mirror.id) == 3
    assert archive.damages() == []
    assert copy_files(archive.footage.store, mirror, archive.wanted(mirror), unpaced) == 3
    assert behind(archive, mirror.id) == 0


class LyingDisk:
    """Says that it wrote what it was given."""

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(LocalDisk(), name)

    def copy(self, source: Path, target: Path) -> None:
        target.write_bytes(bytes(source.stat().st_size))


def test_a_mirror_that_does_not_keep_what_it_was_given_is_found_by_the_read_back(archive: Archive) -> None:
    mirror = archive.mirror()
    with pytest.raises(MirrorError) as caught:
        copy_files(archive.footage.with_disk(LyingDisk()), mirror, archive.files(), unpaced)  # type: ignore[arg-type]
    assert caught.value.trouble is MirrorTrouble.BAD_COPIES
    assert not archive.copy(archive.ids[0]).exists()
    assert behind(archive, mirror.id) == 4


def test_a_copy_is_read_again_after_the_period_and_a_rotten_one_is_made_anew(archive: Archive) -> None:
    mirror = archive.copy_all()
    flip(archive.copy(archive.ids[1]))
    later_us = archive.footage.store.clock.wall_us() + 1
    archive.footage.store.clock.sleep_us(10)
    again = archive.wanted(mirror, later_us)
    assert len(again) == 4
    assert copy_files(archive.footage.store, mirror, again, unpaced) == 4
    assert archive.copy(archive.ids[1]).read_bytes() == archive.files()[1].file.read_bytes()
    (aside,) = (archive.mirror_folder / "quarantine").iterdir()
    assert aside.name.startswith(archive.copy(archive.ids[1]).name)
    assert archive.wanted(mirror, later_us) == []


def test_a_stop_keeps_what_was_copied(archive: Archive) -> None:
    def pace(_size_bytes: int) -> None:
        raise StoppedError

    mirror = archive.mirror()
    assert copy_files(archive.footage.store, mirror, archive.files(), pace) == 1
    assert behind(archive, mirror.id) == 3


def test_a_crash_at_any_step_is_made_good_by_the_next_try(tmp_path: Path) -> None:
    counted = CrashingDisk()
    with open_fixed(tmp_path / "counted", files=1) as archive:
        copy_files(_store(archive, counted), archive.mirror(), archive.files(), unpaced)
    for step in range(len(counted.steps)):
        for disk in (CrashingDisk(before=step), CrashingDisk(after=step)):
            with open_fixed(tmp_path / f"{step}-{disk.after}", files=1) as archive:
                mirror = archive.mirror()
                with pytest.raises(Crash):
                    copy_files(_store(archive, disk), mirror, archive.files(), unpaced)
                copy_files(archive.footage.store, mirror, archive.wanted(mirror), unpaced)
                copy = archive.copy(archive.ids[0])
                assert copy.read_bytes() == archive.files()[0].file.read_bytes()
                assert read_digests(copy.parent)[copy.name] == archive.files()[0].sha256
                assert behind(archive, mirror.id) == 0


def _store(archive: Archive, disk: CrashingDisk) -> Store:
    return archive.footage.with_disk(disk)  # type: ignore[arg-type]


def test_files_are_wanted_in_order_after_an_id(archive: Archive) -> None:
    mirror = archive.mirror()
    with archive.footage.database.read() as connection:
        wanted = Wanted([archive.footage.volume.id], 1, archive.ids[0], 2)
        assert [each.segment_id for each in unmirrored(connection, mirror.id, wanted)] == archive.ids[1:3]
        assert unmirrored(connection, mirror.id, Wanted([], 1)) == []
        assert copies_of(connection, archive.ids[0]) == []


def test_the_state_keeps_since_when_a_trouble_lasts(archive: Archive) -> None:
    look, path = archive.look(), archive.mirror_folder
    assert look.trouble is MirrorTrouble.ABSENT
    for at_us in (5, 6):
        with archive.footage.database.write() as connection:
            write_mirror_state(connection, path, look, at_us)
            state = mirror_state(connection)
        assert state is not None
        assert (state.trouble, state.since_us, state.updated_at_us) == (MirrorTrouble.ABSENT, 5, at_us)
    mirror = archive.mirror()
    with archive.footage.database.write() as connection:
        write_mirror_state(connection, path, MirrorLook(mirror, free_bytes=7), 8)
        state = mirror_state(connection)
        assert state is not None
        assert (state.trouble, state.since_us, state.free_bytes, state.behind_files) == (None, 8, 7, 4)
        forget_mirror_state(connection)
        assert mirror_state(connection) is None
