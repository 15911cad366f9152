"""The words of the candidate screen are checked whole."""

from pathlib import Path

import pytest

from config.admission import load_admission_policy
from config.kiosk_screen import FILE, KioskWordsError, load_kiosk_words
from exam.outcomes import KINDS, Kind, Outcome


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[screens.idle]", "[screens.sleeping]", "no words for screens.idle"),
        ("[hints.many]", "[hints.few]", "no words for hints.many"),
        ('title_en = "Checking"', "", "screens.asking.title_en"),
        ("[hints.many]", "[hints.many", "cannot be read"),
        ('"OK_ADMITTED", ', "", "outcomes.OK_ADMITTED is said 0 times"),
        ('hints = ["foreign"]', 'hints = ["foreign", "many"]', "hints.many is said 2 times"),
        ('screens = ["referred"]', 'screens = ["referred", "idle"]', "screens.idle is never said"),
        ('text = "请入场。"', 'text = "请到3号。"', "clips.come_in.text"),
        ('text = "请入场。"', 'text = "请到{room}。"', "clips.come_in.text"),
        ('outcomes = ["OK_EXIT"]', 'outcomes = ["OK_GONE"]', "clips.left.outcomes"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / "kiosk_screen.toml"
    path.write_text(FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KioskWordsError, match=complaint):
        load_kiosk_words(path)


def test_the_words_that_come_with_the_product_are_whole() -> None:
    words = load_kiosk_words()
    assert words.screens["idle"].title == "请放准考证"
    assert words.clips[words.said_at("outcomes", "OK_ADMITTED")].text == "请入场。"
    assert words.said_at("screens", "idle") == ""


def test_the_notice_that_is_shown_is_the_one_that_the_policy_asks_for() -> None:
    assert load_kiosk_words().notice.version == load_admission_policy(None).notice_version


@pytest.mark.parametrize("outcome", [code for code in Outcome if KINDS[code] is Kind.REFERRED])
def test_others_who_listen_hear_no_reason_why_somebody_is_sent_to_the_desk(outcome: Outcome) -> None:
    assert load_kiosk_words().said_at("outcomes", outcome) == "staff_desk"
