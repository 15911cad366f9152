"""Two people decide together, each with a badge, and nobody twice."""

import pytest

from exam.disposal_approval import STAFF, Act
from exam.joint_decisions import JointError, Step, Taken, is_decided, is_open, require_possible


def by(account_id: int, person: str | None = None) -> Act:
    return Act(account_id, f"{STAFF}{account_id}" if person is None else person, frozenset(), "")


PROPOSED = Taken(Step.PROPOSED, by(1))


@pytest.mark.parametrize("step", [Step.CONFIRMED, Step.WITHDRAWN])
def test_another_person_confirms_or_withdraws_what_one_proposed(step: Step) -> None:
    require_possible([], PROPOSED)
    require_possible([PROPOSED], Taken(step, by(2)))


def test_who_proposed_may_withdraw_and_not_confirm() -> None:
    require_possible([PROPOSED], Taken(Step.WITHDRAWN, by(1)))
    for same in (by(1), by(2, f"{STAFF}1")):
        with pytest.raises(JointError, match="另一人"):
            require_possible([PROPOSED], Taken(Step.CONFIRMED, same))


def test_nobody_without_a_badge_takes_part() -> None:
    with pytest.raises(JointError, match="证卡号"):
        require_possible([], Taken(Step.PROPOSED, by(1, "account:1")))


@pytest.mark.parametrize(
    ("taken", "step"),
    [
        ([], Step.CONFIRMED),
        ([], Step.WITHDRAWN),
        ([Step.PROPOSED], Step.PROPOSED),
        ([Step.PROPOSED, Step.CONFIRMED], Step.CONFIRMED),
        ([Step.PROPOSED, Step.CONFIRMED], Step.WITHDRAWN),
        ([Step.PROPOSED, Step.WITHDRAWN], Step.CONFIRMED),
    ],
)
def test_steps_come_in_their_order_and_what_is_decided_stays(taken: list[Step], step: Step) -> None:
    earlier = [Taken(each, by(at)) for at, each in enumerate(taken)]
    with pytest.raises(JointError, match="情况已变化"):
        require_possible(earlier, Taken(step, by(9)))


def test_it_waits_after_the_first_and_is_decided_by_the_second() -> None:
    assert is_open([Step.PROPOSED])
    assert not is_open([])
    assert not is_open([Step.PROPOSED, Step.WITHDRAWN])
    assert is_decided([Step.PROPOSED, Step.CONFIRMED])
    assert not is_decided([Step.PROPOSED, Step.WITHDRAWN])
