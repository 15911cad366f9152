"""A few simulated signal days with every test run; thousands with `run.py soak signal_days`."""

import pytest

from tests.soak import signal_days
from tests.soak.signals import site
from tests.soak.signals.run import run_day


@pytest.fixture(autouse=True, scope="module")
def memory() -> object:
    yield
    site.leave()


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_no_signal_is_early_stale_double_or_lost_whatever_goes_wrong(first: int) -> None:
    for seed in range(first, first + 10):
        run_day(seed)


def test_a_day_without_troubles_gives_every_signal() -> None:
    counts = run_day(1, troubles=0)
    assert counts["emitted_schedule"] > 25
    assert counts.get("missed_schedule", 0) == 0


def test_the_same_seed_makes_the_same_day() -> None:
    assert run_day(5) == run_day(5)


def test_the_trial_tells_what_it_did_and_goes_on_where_it_stopped(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--days", "3", "--seed", "7", "--processes", "1", "--state", f"{tmp_path}/state"]
    assert signal_days.main(words) == 0
    assert "3 days (0 more were done before), 0 broke a law" in capsys.readouterr().out
    assert signal_days.main(words) == 0
    assert "0 days (50 more were done before)" in capsys.readouterr().out
