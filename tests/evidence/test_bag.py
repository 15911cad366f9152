"""What was written is read back from the medium; what must not be handed out is emptied."""

import hashlib
import os
from pathlib import Path

import pytest

from evidence.bag import BagWriter

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
