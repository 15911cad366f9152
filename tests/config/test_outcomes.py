"""The words for outcomes: one text per code, one code per text, nothing left to fill in."""

from pathlib import Path

import pytest

from config.outcomes import FILE, OutcomeTextError, load_outcome_texts, read_outcome_texts
from exam.admission import KINDS, Kind, Outcome


def changed(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "outcomes.toml"
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_every_code_has_a_text_and_every_text_a_code() -> None:
    assert set(load_outcome_texts()) == set(Outcome)


@pytest.mark.parametrize("outcome", [code for code in Outcome if KINDS[code] is Kind.REFERRED])
def test_whoever_is_referred_hears_where_to_go(outcome: Outcome) -> None:
    assert "人工窗口" in load_outcome_texts()[outcome].voice


def test_a_code_without_text_is_named(tmp_path: Path) -> None:
    path = changed(tmp_path, "[WRONG_DAY]", "[WRONG_DATE]")
    with pytest.raises(OutcomeTextError, match="WRONG_DATE"):
        read_outcome_texts(path)
    text = FILE.read_text(encoding="utf-8")
    start, end = text.index("[WRONG_DAY]"), text.index("[SESSION_CLOSED]")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(OutcomeTextError, match="WRONG_DAY: has no text"):
        read_outcome_texts(path)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    path = changed(tmp_path, 'title = "签到成功"', 'title = ""')
    path.write_text(path.read_text(encoding="utf-8").replace('title = "迟到签到"', "", 1), encoding="utf-8")
    with pytest.raises(OutcomeTextError, match="2 fault") as error:
        read_outcome_texts(path)
    assert "OK_ADMITTED.title" in str(error.value)
    assert "OK_LATE.title" in str(error.value)


def test_a_placeholder_nobody_fills_in_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(OutcomeTextError, match=r"TOO_EARLY: nothing fills in \{opened\}"):
        read_outcome_texts(changed(tmp_path, "签到时间从{opens}开始", "签到时间从{opened}开始"))


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutcomeTextError, match=r"absent\.toml"):
        read_outcome_texts(tmp_path / "absent.toml")
    with pytest.raises(OutcomeTextError, match="cannot be read"):
        read_outcome_texts(changed(tmp_path, "[WRONG_DAY]", "[WRONG_DAY"))
