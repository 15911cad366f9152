import os
from pathlib import Path

import pytest

from evidence.boxes import BoxError, child, file_boxes, inner_boxes, unpack
from tests.evidence.recorded import box


def names(tmp_path: Path, content: bytes) -> list[str]:
    path = tmp_path / "boxes"
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return [found.name for found in file_boxes(descriptor, 0, len(content))]
    finally:
        os.close(descriptor)


def test_the_boxes_of_a_file_come_in_their_order(tmp_path: Path) -> None:
    assert names(tmp_path, box("ftyp", b"iso5") + box("moov") + box("free", b"123")) == [
        "ftyp",
        "moov",
        "free",
    ]


def test_a_box_may_tell_its_size_in_eight_bytes(tmp_path: Path) -> None:
    large = b"\0\0\0\x01mdat" + (24).to_bytes(8, "big") + b"12345678"
    assert names(tmp_path, large + box("free")) == ["mdat", "free"]


@pytest.mark.parametrize(
    "tail",
    [
        b"\0" * 64,
        b"\xff" * 64,
        box("mdat", b"12345678")[:-3],
        b"\0\0\0\x04free",
        b"\0\0\0\x01mdat" + (3).to_bytes(8, "big"),
        b"\0\0\0",
    ],
    ids=["zeroes", "noise", "cut short", "smaller than its header", "large but small", "half a header"],
)
def test_a_torn_tail_ends_the_walk_without_an_error(tmp_path: Path, tail: bytes) -> None:
    assert names(tmp_path, box("ftyp", b"iso5") + tail) == ["ftyp"]


def test_a_box_that_does_not_fit_into_its_parent_is_an_error() -> None:
    with pytest.raises(BoxError, match="does not fit"):
        list(inner_boxes(box("free", b"1234")[:-1]))
    with pytest.raises(BoxError, match="does not fit"):
        list(inner_boxes(b"\0\0\0\0"))


def test_a_missing_child_is_named() -> None:
    content = box("moov", box("free"))
    parent = next(inner_boxes(content))
    assert child(content, parent, "free").size_bytes == 8
    with pytest.raises(BoxError, match="no 'trak' inside 'moov'"):
        child(content, parent, "trak")


def test_numbers_beyond_the_end_are_an_error() -> None:
    assert unpack("H", b"\0\x07", 0) == (7,)
    with pytest.raises(BoxError, match="ends too early"):
        unpack("I", b"\0\x07", 0)
