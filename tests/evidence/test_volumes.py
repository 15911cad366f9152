import hashlib
import stat
from pathlib import Path

import pytest

from evidence.database import WriterDatabase
from evidence.volumes import LocalDisk, VolumeError, open_volume

NOW_US = 1_795_309_200_000_000


@pytest.fixture
def database(tmp_path: Path):  # type: ignore[no-untyped-def]
    opened = WriterDatabase(tmp_path / "footage.db", "footage")
    yield opened
    opened.close()


def test_a_new_folder_is_marked_and_gets_its_three_places(database: WriterDatabase, tmp_path: Path) -> None:
    volume = open_volume(database, tmp_path / "disk", NOW_US)
    assert (volume.path / "volume.uuid").read_text().strip() == volume.uuid
    assert volume.growing.is_dir()
    assert volume.footage.is_dir()
    assert volume.quarantine.is_dir()
    assert open_volume(database, tmp_path / "disk", NOW_US) == volume


def test_a_marked_disk_keeps_its_identity_at_another_place(database: WriterDatabase, tmp_path: Path) -> None:
    volume = open_volume(database, tmp_path / "disk", NOW_US)
    moved = tmp_path / "elsewhere"
    volume.path.rename(moved)
    assert open_volume(database, moved, NOW_US).id == volume.id


def test_an_unmounted_disk_is_refused_and_nothing_is_written(
    database: WriterDatabase, tmp_path: Path
) -> None:
    volume = open_volume(database, tmp_path / "disk", NOW_US)
    volume.path.rename(tmp_path / "elsewhere")
    with pytest.raises(VolumeError, match="carries no mark: mount the right disk"):
        open_volume(database, tmp_path / "disk", NOW_US)
    assert list((tmp_path / "disk").iterdir()) == []


def test_the_wrong_disk_is_refused(database: WriterDatabase, tmp_path: Path) -> None:
    open_volume(database, tmp_path / "disk", NOW_US)
    mark = tmp_path / "disk" / "volume.uuid"
    mark.chmod(0o644)
    mark.write_text("00000000-0000-0000-0000-00000000000a\n")
    with pytest.raises(VolumeError, match="another disk"):
        open_volume(database, tmp_path / "disk", NOW_US)
    mark.write_text("scratched\n")
    with pytest.raises(VolumeError, match="damaged"):
        open_volume(database, tmp_path / "disk", NOW_US)


def test_a_folder_that_cannot_be_made_is_refused_in_one_sentence(
    database: WriterDatabase, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VolumeError, match="cannot be used: Not a directory"):
        open_volume(database, tmp_path / "file" / "disk", NOW_US)


def test_cutting_a_file_keeps_the_time_of_its_last_byte(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345678")
    before = path.stat().st_mtime_ns
    LocalDisk().cut(path, 5)
    assert path.read_bytes() == b"12345"
    assert path.stat().st_mtime_ns == before


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "new").write_text("new")
    with pytest.raises(FileExistsError):
        LocalDisk().move(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "old"


def test_the_digest_is_sha256_and_a_protected_file_is_read_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"pictures" * 10_000)
    assert LocalDisk().digest(path) == hashlib.sha256(path.read_bytes()).digest()
    LocalDisk().protect(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_a_growing_file_that_has_just_been_moved_needs_no_sync(tmp_path: Path) -> None:
    LocalDisk().sync_growing(tmp_path / "moved")
    (tmp_path / "growing").write_bytes(b"1")
    LocalDisk().sync_growing(tmp_path / "growing")
