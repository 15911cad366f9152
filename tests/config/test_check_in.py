"""What staff read about check-in: words for every code, and every fault named."""

from pathlib import Path

import pytest

from config.check_in import CHOSEN, FILE, CheckInWordsError, load_check_in_words
from exam.admission_authority import Act, Refusal
from exam.doubt_cases import Finding
from exam.upload_rules import AlarmKind


def test_every_code_has_words() -> None:
    words = load_check_in_words()
    assert set(words.alarms) == set(AlarmKind)
    assert set(words.acts) == set(Act)
    assert set(words.refusals) == set(Refusal)
    assert set(words.reasons) == CHOSEN
    assert words.findings[Finding.WITHDRAWN] == "撤销入场"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[alarms.undone]", "[alarms.done]", "alarms.done"),
        ('undo = "撤销签到"', "", r"no words for acts\.undo"),
        ('no_reason = "请写明原因。"', "", r"refusals\.no_reason"),
        ('no_reason = "请写明理由。"', 'no_reason = ""', r"case_refusals\.no_reason"),
        ('same = "是同一人"', "", r"findings\.same"),
        ("undo = [", "exit = [", r"no words for reasons\.undo"),
        (
            'override = ["交通延误"',
            'override = ["交通延误交通延误交通延误交通延误交通延误交通延误一二"',
            "at most 24",
        ),
        ("[findings]", "[findings", "cannot be read"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / "check_in.toml"
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CheckInWordsError, match=complaint):
        load_check_in_words(path)
