"""The words of the candidate screen are checked whole."""

from pathlib import Path

import pytest

from config.kiosk_screen import FILE, KioskWordsError, load_kiosk_words


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[screens.idle]", "[screens.sleeping]", "no words for screens.idle"),
        ("[hints.many]", "[hints.few]", "no words for hints.many"),
        ('title_en = "Checking"', "", "screens.asking.title_en"),
        ("[hints.many]", "[hints.many", "cannot be read"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / "kiosk_screen.toml"
    path.write_text(FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KioskWordsError, match=complaint):
        load_kiosk_words(path)


def test_the_words_that_come_with_the_product_are_whole() -> None:
    assert load_kiosk_words().screens["idle"].title == "请放准考证"
