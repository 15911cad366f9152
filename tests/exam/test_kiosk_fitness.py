"""Whether a kiosk may be used: the machine's own troubles, the most serious first."""

from dataclasses import replace

import pytest

from exam.admission_facts import Policy
from exam.clock import SECOND_US
from exam.kiosk_fitness import Machine, unfit
from exam.outcomes import Outcome
from tests.world import START_US

POLICY = Policy()
FIT = Machine(roster_made_at_us=START_US - SECOND_US, clock_offset_us=SECOND_US, free_bytes=10**12)
TROUBLES = [
    (replace(FIT, is_revoked=True), Outcome.SYS_REVOKED),
    (replace(FIT, is_out_of_service=True), Outcome.SYS_OUT),
    (replace(FIT, clock_offset_us=5 * SECOND_US + 1), Outcome.SYS_CLOCK),
    (replace(FIT, clock_offset_us=-5 * SECOND_US - 1), Outcome.SYS_CLOCK),
    (replace(FIT, clock_offset_us=None), Outcome.SYS_CLOCK),
    (replace(FIT, roster_made_at_us=START_US + POLICY.clock_skew_us + 1), Outcome.SYS_CLOCK),
    (replace(FIT, roster_made_at_us=None), Outcome.SYS_STALE_ROSTER),
    (
        replace(FIT, roster_made_at_us=START_US - POLICY.roster_age_us - 1, can_judge_tickets=True),
        Outcome.SYS_STALE_ROSTER,
    ),
    (replace(FIT, roster_made_at_us=START_US - POLICY.roster_age_us - 1), Outcome.SYS_STALE_ROSTER),
    (replace(FIT, free_bytes=POLICY.free_bytes - 1), Outcome.SYS_DISK),
]


def test_a_sound_machine_has_no_trouble() -> None:
    assert unfit(FIT, POLICY, START_US) == ()
    edge = Machine(
        roster_made_at_us=START_US - POLICY.roster_age_us,
        clock_offset_us=-5 * SECOND_US,
        free_bytes=POLICY.free_bytes,
    )
    assert unfit(edge, POLICY, START_US) == ()
    assert unfit(replace(FIT, roster_made_at_us=START_US + POLICY.clock_skew_us), POLICY, START_US) == ()
    assert unfit(replace(FIT, free_bytes=None), POLICY, START_US) == ()


@pytest.mark.parametrize(("machine", "outcome"), TROUBLES)
def test_each_trouble_has_its_code(machine: Machine, outcome: Outcome) -> None:
    assert unfit(machine, POLICY, START_US) == (outcome,)


def test_several_troubles_are_told_most_serious_first() -> None:
    wreck = Machine(is_revoked=True, is_out_of_service=True, free_bytes=0)
    assert unfit(wreck, POLICY, START_US) == (
        Outcome.SYS_REVOKED,
        Outcome.SYS_OUT,
        Outcome.SYS_CLOCK,
        Outcome.SYS_STALE_ROSTER,
        Outcome.SYS_DISK,
    )
