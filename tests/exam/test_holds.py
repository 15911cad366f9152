"""Two people make a hold, two people lift it; one is enough to stop a disposal."""

import pytest

from exam.holds import HoldError, HoldKind, HoldState, HoldStep, Taken, closes_to_viewers, keeps, state_after

ASKED, SURE, OFF = HoldStep.PROPOSED, HoldStep.CONFIRMED, HoldStep.LIFT_PROPOSED


def after(*steps: tuple[HoldStep, int]) -> HoldState:
    return state_after([Taken(step, account) for step, account in steps])


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([(ASKED, 1)], HoldState.PROPOSED),
        ([(ASKED, 1), (SURE, 2)], HoldState.IN_FORCE),
        ([(ASKED, 1), (HoldStep.WITHDRAWN, 2)], HoldState.WITHDRAWN),
        ([(ASKED, 1), (SURE, 2), (OFF, 1)], HoldState.LIFT_PROPOSED),
        ([(ASKED, 1), (SURE, 2), (OFF, 2), (HoldStep.LIFTED, 1)], HoldState.LIFTED),
        ([(ASKED, 1), (SURE, 2), (OFF, 1), (HoldStep.LIFT_REFUSED, 1)], HoldState.IN_FORCE),
    ],
)
def test_a_hold_goes_from_hand_to_hand(steps: list[tuple[HoldStep, int]], state: HoldState) -> None:
    assert after(*steps) is state


@pytest.mark.parametrize("last", [SURE, HoldStep.WITHDRAWN])
def test_nobody_confirms_or_withdraws_his_own_proposal(last: HoldStep) -> None:
    with pytest.raises(HoldError, match="另一人"):
        after((ASKED, 1), (last, 1))


def test_nobody_lifts_alone() -> None:
    with pytest.raises(HoldError, match="另一人"):
        after((ASKED, 1), (SURE, 2), (OFF, 1), (HoldStep.LIFTED, 1))


@pytest.mark.parametrize(
    "steps",
    [
        [(SURE, 1)],
        [(ASKED, 1), (OFF, 2)],
        [(ASKED, 1), (SURE, 2), (HoldStep.LIFTED, 1)],
        [(ASKED, 1), (ASKED, 2)],
    ],
)
def test_a_step_out_of_turn_is_refused(steps: list[tuple[HoldStep, int]]) -> None:
    with pytest.raises(HoldError, match="情况已变化"):
        after(*steps)


def test_there_is_no_hold_without_a_proposal() -> None:
    with pytest.raises(HoldError, match="没有这项"):
        after()


def test_a_mere_proposal_keeps_footage_and_only_two_people_end_that() -> None:
    assert {state for state in HoldState if not keeps(state)} == {HoldState.WITHDRAWN, HoldState.LIFTED}


def test_a_restriction_closes_footage_once_confirmed_and_a_legal_hold_never_does() -> None:
    closed = {state for state in HoldState if closes_to_viewers(HoldKind.RESTRICTION, state)}
    assert closed == {HoldState.IN_FORCE, HoldState.LIFT_PROPOSED}
    assert not any(closes_to_viewers(HoldKind.LEGAL_HOLD, state) for state in HoldState)
