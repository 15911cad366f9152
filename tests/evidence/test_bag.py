"""What was written is read back from the medium; what must not be handed out is emptied."""

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from evidence.bag import BagWriter
from evidence.volumes import LocalDisk

LARGE = 3 * (1 << 20) + 7


@pytest.fixture
def bag(tmp_path: Path) -> BagWriter:
    source = tmp_path / "film.mp4"
    source.write_bytes(os.urandom(LARGE))
    bag = BagWriter.begin(tmp_path, "bag")
    assert bag.copy(source, "data/camera-1/film.mp4", lambda _count: None)
    bag.put("delivery.json", b"{}\n")
    return bag


def test_what_lies_on_the_medium_is_read_again_whole(bag: BagWriter) -> None:
    counted: list[int] = []
    assert bag.differing(counted.append) is None
    assert sum(counted) == LARGE + 3


@pytest.mark.parametrize("path", ["data/camera-1/film.mp4", "delivery.json"])
def test_a_medium_that_keeps_another_bit_is_named(bag: BagWriter, path: str) -> None:
    kept = bag.folder / path
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    assert bag.differing(lambda _count: None) == path


def test_reading_back_asks_the_medium_and_not_the_memory(
    bag: BagWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel is told to let go of every file before it is read: its pages are not in memory then."""
    asked: list[int] = []
    real = os.posix_fadvise

    def advise(descriptor: int, offset: int, length: int, advice: int) -> None:
        asked.append(advice)
        real(descriptor, offset, length, advice)

    monkeypatch.setattr(os, "posix_fadvise", advise)
    assert bag.differing(lambda _count: None) is None
    assert asked == [os.POSIX_FADV_DONTNEED] * 2


def test_an_emptied_bag_keeps_its_names_and_no_content(bag: BagWriter, tmp_path: Path) -> None:
    archive = tmp_path / "archive.mp4"
    archive.write_bytes(b"kept")
    (bag.folder / "data" / "link.mp4").symlink_to(archive)
    os.link(archive, bag.folder / "data" / "second_name.mp4")
    bag.empty()
    assert (bag.folder / "data" / "camera-1" / "film.mp4").read_bytes() == b""
    assert (bag.folder / "delivery.json").read_bytes() == b"{}\n"
    assert archive.read_bytes() == b"kept"


def test_digests_are_of_what_was_read_from_the_archive(bag: BagWriter, tmp_path: Path) -> None:
    made = hashlib.sha256((tmp_path / "film.mp4").read_bytes()).hexdigest()
    assert bag.digest_of("data/camera-1/film.mp4") == made


@dataclass(frozen=True)
class ForgetfulDisk(LocalDisk):
    """A medium that loses the first file it is to make durable, and tells of it once, as the system does."""

    told: list[Path] = field(default_factory=list)

    def sync_file(self, path: Path) -> None:
        if not self.told:
            self.told.append(path)
            raise OSError(errno.EIO, "Input/output error")
        LocalDisk.sync_file(self, path)


def finish(bag: BagWriter, _source: Path) -> object:
    return bag.release(b"signature")


def read_back(bag: BagWriter, _source: Path) -> object:
    return bag.differing(lambda _count: None)


def copy_once_more(bag: BagWriter, source: Path) -> object:
    return bag.copy(source, "data/camera-1/second.mp4", lambda _count: None)


@pytest.mark.parametrize("then", [finish, read_back, copy_once_more])
def test_a_medium_that_loses_a_copy_makes_no_bag(
    tmp_path: Path, then: Callable[[BagWriter, Path], object]
) -> None:
    source = tmp_path / "film.mp4"
    source.write_bytes(b"film")
    bag = BagWriter.begin(tmp_path, "bag")
    bag.disk = ForgetfulDisk()
    assert bag.copy(source, "data/camera-1/film.mp4", lambda _count: None)
    for _again in range(2):
        with pytest.raises(OSError, match="Input/output error"):
            then(bag, source)
        (bag.folder / "data/camera-1/second.mp4").unlink(missing_ok=True)
    assert not (bag.folder / "bagit.txt").exists()
