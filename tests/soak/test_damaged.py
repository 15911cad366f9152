"""A few of the codes of `run.py soak damaged`, and that its question does tell a wrong candidate."""

import pytest

from tests.soak.damaged import ROSTER, SYMBOLOGIES, Shown, main, trials


def test_no_damaged_code_selects_another_candidate(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--codes", "8", "--seed", "1"]) == 0
    assert "24 damaged codes, 0 wrong candidates selected" in capsys.readouterr().out


def test_some_of_the_codes_are_read_and_some_are_not() -> None:
    assert {shown.fate for shown in trials(SYMBOLOGIES[0], 12, 2)} >= {"right", "unread"}


@pytest.mark.parametrize(
    ("taken", "fate"),
    [
        (None, "unread"),
        (ROSTER[0], "right"),
        (ROSTER[1], "WRONG CANDIDATE"),
        ("202611229999", "not on roster"),
    ],
)
def test_the_fates_are_told_apart(taken: str | None, fate: str) -> None:
    assert Shown("ITF", ROSTER[0], taken, {}).fate == fate
