"""A mirror is accepted only when it is the right one, on another disk, with room."""

import errno
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.mirror_look import MirrorTrouble, disk_of, trouble_of
from evidence.naming import MIRROR_MARK, VOLUME_MARK
from tests.evidence.fixed import Archive, open_fixed


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_fixed(tmp_path, files=1) as made:
        made.mirror_folder.mkdir()
        yield made


def test_a_new_folder_on_another_disk_becomes_a_mirror_and_stays_the_same(archive: Archive) -> None:
    first = archive.look()
    assert first.trouble is None
    assert first.free_bytes is not None
    assert first.mirror is not None
    assert (archive.mirror_folder / MIRROR_MARK).read_text().strip() == first.mirror.uuid
    assert archive.look().mirror == first.mirror


def test_the_disk_of_a_volume_is_refused(archive: Archive) -> None:
    look = archive.look(disk=lambda _path: "one disk")
    assert (look.mirror, look.trouble) == (None, MirrorTrouble.SAME_DISK)
    assert str(archive.footage.volume.path) in look.found
    assert not (archive.mirror_folder / MIRROR_MARK).exists()


def test_a_volume_that_is_away_does_not_stand_in_the_way(archive: Archive) -> None:
    archive.footage.volume.path.rename(archive.folder / "unplugged")
    assert archive.look(disk=lambda _path: "one disk").trouble is None


def test_a_volume_is_no_mirror(archive: Archive) -> None:
    (archive.mirror_folder / VOLUME_MARK).write_text("uuid")
    assert archive.look().trouble is MirrorTrouble.IS_VOLUME


def test_a_folder_that_is_not_there_is_not_made(archive: Archive) -> None:
    archive.mirror_folder.rmdir()
    assert archive.look().trouble is MirrorTrouble.ABSENT
    assert not archive.mirror_folder.exists()


def test_a_mount_point_of_the_machines_table_with_nothing_mounted_is_refused_also_the_first_time(
    archive: Archive,
) -> None:
    fstab = archive.folder / "fstab"
    fstab.write_text(f"/dev/sda1 / ext4 defaults 0 1\n/dev/sdz1 {archive.folder} ext4 defaults 0 2\n")
    look = archive.look(fstab=fstab)
    assert (look.trouble, look.expected) == (
        MirrorTrouble.ABSENT,
        f"a disk mounted at {archive.folder}",
    )
    assert list(archive.mirror_folder.iterdir()) == []


def test_an_empty_mount_point_is_not_taken_for_the_known_mirror(archive: Archive) -> None:
    archive.mirror()
    archive.mirror_folder.rename(archive.folder / "unplugged")
    archive.mirror_folder.mkdir()
    assert archive.look().trouble is MirrorTrouble.NO_MARK
    assert list(archive.mirror_folder.iterdir()) == []


@pytest.mark.parametrize("mark", [b"another one\n", b"\xff\xfe"])
def test_another_mirror_in_its_place_is_refused(archive: Archive, mark: bytes) -> None:
    archive.mirror()
    file = archive.mirror_folder / MIRROR_MARK
    file.chmod(0o644)
    file.write_bytes(mark)
    look = archive.look()
    assert (look.mirror, look.trouble) == (None, MirrorTrouble.WRONG_MIRROR)


def test_a_mirror_that_is_mounted_elsewhere_is_still_the_same(archive: Archive) -> None:
    before = archive.mirror()
    moved = archive.folder / "moved"
    archive.mirror_folder.rename(moved)
    mirror = replace(archive.looker(), path=moved).look(1).mirror
    assert mirror is not None
    assert (mirror.id, mirror.path) == (before.id, moved)


def test_a_new_disk_takes_the_place_of_a_mirror_that_was_given_up_and_the_old_one_is_refused(
    archive: Archive,
) -> None:
    old = archive.mirror()
    lost = archive.folder / "lost"
    archive.mirror_folder.rename(lost)
    archive.mirror_folder.mkdir()
    assert archive.look().trouble is MirrorTrouble.NO_MARK
    new = archive.look(given_up=lambda: {old.uuid}).mirror
    assert new is not None
    assert new.uuid != old.uuid
    assert archive.look(given_up=lambda: {old.uuid}).mirror == new
    found_again = replace(archive.looker(given_up=lambda: {old.uuid}), path=lost).look(1)
    assert (found_again.mirror, found_again.trouble) == (None, MirrorTrouble.GIVEN_UP)
    assert old.uuid in found_again.found


def test_too_little_room_is_said_and_the_mirror_is_known(archive: Archive) -> None:
    look = archive.look(keep_free_bytes=1 << 60)
    assert look.trouble is MirrorTrouble.FULL
    assert look.mirror is not None


def test_a_folder_that_takes_no_mark_is_a_fault(archive: Archive) -> None:
    def failing(_path: Path) -> str:
        raise OSError(errno.EROFS, "Read-only file system")

    look = archive.look(disk=failing)
    assert (look.trouble, look.found) == (MirrorTrouble.READ_ONLY, "Read-only file system")


def test_errors_tell_what_is_wrong() -> None:
    assert trouble_of(OSError(errno.ENOSPC, "")) is MirrorTrouble.FULL
    assert trouble_of(OSError(errno.EIO, "")) is MirrorTrouble.FAULT


def test_two_partitions_of_one_disk_are_one_disk(tmp_path: Path) -> None:
    number = tmp_path.stat().st_dev
    name = f"{os.major(number)}:{os.minor(number)}"
    devices = tmp_path / "devices"
    devices.mkdir()
    assert disk_of(tmp_path, devices) == name
    whole = tmp_path / "block" / "sda"
    (whole / "sda1").mkdir(parents=True)
    (devices / name).symlink_to(whole / "sda1")
    assert disk_of(tmp_path, devices) == str(whole / "sda1")
    (whole / "sda1" / "partition").write_text("1")
    assert disk_of(tmp_path, devices) == str(whole)
