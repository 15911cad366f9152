from pathlib import Path

import pytest

from config.footage_words import FootageWordsError, load_footage_words, read_footage_words
from evidence.coverage import PartKind
from evidence.fixity_rows import Soundness
from evidence.footage import Cause


def test_every_cause_of_a_gap_has_words_and_no_words_are_left_over() -> None:
    assert set(load_footage_words().causes) == set(Cause)


def test_every_part_without_picture_and_cause_has_words() -> None:
    assert set(load_footage_words().parts) == set(PartKind) - {PartKind.FOOTAGE, PartKind.GAP} | {
        Soundness.DAMAGED,
        Soundness.MISSING,
    }


def test_every_fault_is_named(tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    path.write_text('reasons = []\n[causes]\nstalled = ""\n', encoding="utf-8")
    with pytest.raises(FootageWordsError, match=r"3 fault\(s\)") as refused:
        read_footage_words(path)
    assert all(key in str(refused.value) for key in ("reasons", "causes.stalled", "parts"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FootageWordsError, match=r"nowhere\.toml: cannot be read"):
        read_footage_words(tmp_path / "nowhere.toml")
