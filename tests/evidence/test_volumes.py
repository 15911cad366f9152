import hashlib
import stat
from pathlib import Path

import pytest

from evidence.protection import is_immutable, make_immutable, make_mutable
from evidence.volumes import LocalDisk
from tests.evidence.fake_flags import IMMUTABLE, SET, FakeFlags


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
    assert not is_immutable(path)


def test_a_protected_file_is_immutable_where_that_is_possible_and_stays_so(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"pictures")
    is_possible = make_immutable(path) and make_mutable(path)
    disk = LocalDisk(immutable=True)
    disk.protect(path)
    try:
        disk.protect(path)
        assert is_immutable(path) == is_possible
    finally:
        disk.unprotect(path)
    path.unlink()


def test_a_flag_that_cannot_be_cleared_is_said(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"pictures")
    flags = FakeFlags(refuses={SET})
    LocalDisk(ioctl=flags).unprotect(path)
    flags.value = IMMUTABLE
    with pytest.raises(PermissionError, match="may not clear the flag"):
        LocalDisk(ioctl=flags).unprotect(path)


def test_a_growing_file_that_has_just_been_moved_needs_no_sync(tmp_path: Path) -> None:
    LocalDisk().sync_growing(tmp_path / "moved")
    (tmp_path / "growing").write_bytes(b"1")
    LocalDisk().sync_growing(tmp_path / "growing")


def test_what_memory_forgot_is_read_from_the_disk_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"pictures")
    before = LocalDisk().digest(path)
    LocalDisk().forget(path)
    assert LocalDisk().digest(path) == before
