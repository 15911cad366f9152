"""The retention policy as data: never under five years, never without a legal ground."""

from pathlib import Path

import pytest

from config.retention import RetentionPolicyError, load_retention_policy, read_retention_policy

WHOLE = '[footage]\nname = "考场录像"\nyears = {years}\nlegal_basis = "{basis}"\nnote = "说明"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "retention.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_policy_names_years_and_articles() -> None:
    footage = load_retention_policy().footage
    assert footage.years == 5
    assert "第十一条（二）、第二十三条（二）" in footage.legal_basis


@pytest.mark.parametrize("years", [0, 4, -5])
def test_less_than_the_law_is_refused(tmp_path: Path, years: int) -> None:
    with pytest.raises(RetentionPolicyError, match=r"footage\.years"):
        read_retention_policy(written(tmp_path, WHOLE.format(years=years, basis="规程")))


def test_more_years_are_taken(tmp_path: Path) -> None:
    policy = read_retention_policy(written(tmp_path, WHOLE.format(years=10, basis="规程")))
    assert policy.footage.years == 10


def test_a_legal_ground_is_mandatory(tmp_path: Path) -> None:
    for text in (WHOLE.format(years=5, basis=""), '[footage]\nname = "a"\nyears = 5\nnote = "b"\n'):
        with pytest.raises(RetentionPolicyError, match=r"footage\.legal_basis"):
            read_retention_policy(written(tmp_path, text))


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(RetentionPolicyError, match="cannot be read"):
        read_retention_policy(tmp_path / "nowhere.toml")
