"""A few of the attempts of `run.py soak early_deletion`: some of the ways, once each."""

from tests.soak.early_deletion import WAYS, run


def test_no_way_deletes_early_and_every_attempt_is_on_record() -> None:
    tallies = run(1, WAYS[::8], 12)
    assert [tally.lost for tally in tallies] == [0] * len(tallies)
    assert [tally.allowed for tally in tallies] == [[]] * len(tallies)
    assert all(tally.logged >= tally.attempts > 0 for tally in tallies)
