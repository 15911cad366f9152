"""The latest look at the index, kept beside it."""

from pathlib import Path

import pytest

from evidence.index_look import IndexLook, keep_look, look_path, read_look

NOON_US = 1_795_309_200_000_000


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "footage.db"


def test_before_the_first_look_nothing_is_known(index: Path) -> None:
    assert read_look(index) is None


def test_damage_lasts_since_it_was_first_found_until_a_look_finds_none(index: Path) -> None:
    keep_look(index, "page 7 is never used", NOON_US)
    keep_look(index, "page 8 is never used", NOON_US + 5)
    assert read_look(index) == IndexLook("page 8 is never used", NOON_US)
    keep_look(index, "", NOON_US + 9)
    assert read_look(index) == IndexLook("", NOON_US + 9)
    keep_look(index, "page 7 is never used", NOON_US + 10)
    assert read_look(index) == IndexLook("page 7 is never used", NOON_US + 10)


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b'{"damage": "x"}', b'{"damage": "", "since_us": "x"}']
)
def test_a_file_that_says_nothing_is_as_good_as_none(index: Path, content: bytes) -> None:
    look_path(index).write_bytes(content)
    assert read_look(index) is None
    keep_look(index, "", NOON_US)
    assert read_look(index) == IndexLook("", NOON_US)
