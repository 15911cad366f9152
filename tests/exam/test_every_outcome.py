"""Every code of check-in comes out of the rule, or out of the named function that alone can give it."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from evidence.checkins import StoredAnswer
from exam.admission import Policy, Step, judge, judged_alone
from exam.admission_authority import OUTCOMES
from exam.kiosk_fitness import unfit
from exam.outcomes import AFTER_TRIES, Outcome, outcome_of
from exam.upload_rules import settle
from tests.exam import test_admission, test_admission_doubts
from tests.exam.admission_cases import ASK, POLICY, THEORY, facts, judged
from tests.exam.test_kiosk_fitness import TROUBLES
from tests.exam.test_upload_rules import LET_IN, SEAT, WOULD_ADMIT, would
from tests.world import START_US

BEFORE_US = START_US - 1


def by_the_rule() -> Iterable[Outcome]:
    """Whatever some case of the two tables is answered."""
    for case in (*test_admission.CASES, *test_admission_doubts.CASES):
        yield judged(case).outcome


def by_a_single_step() -> Iterable[Outcome]:
    """A site that asks for one thing only."""
    for step in Step:
        policy = Policy(steps=frozenset({step}), notice_version="1")
        yield judge(ASK, facts(THEORY), policy, BEFORE_US).outcome


def by_failing_too_often() -> Iterable[Outcome]:
    """The third failure."""
    for case in test_admission_doubts.CASES:
        outcome = judged(replace(case, asked=replace(case.asked, tries=POLICY.tries))).outcome
        if outcome in set(AFTER_TRIES.values()):
            yield outcome


def by_the_machine() -> Iterable[Outcome]:
    """A kiosk that must not be used."""
    for machine, _ in TROUBLES:
        yield from unfit(machine, POLICY, START_US)


def by_a_kiosk_alone() -> Iterable[Outcome]:
    """A kiosk that cannot ask."""
    yield judged_alone(WOULD_ADMIT).outcome


def by_uploads() -> Iterable[Outcome]:
    """What becomes of entries that a kiosk decided."""
    yield settle(LET_IN, would(Outcome.LATE_CUTOFF), SEAT).outcome
    yield settle(LET_IN, would(Outcome.TICKET_VOID), SEAT).outcome


def by_people() -> Iterable[Outcome]:
    """Acts of staff."""
    yield from OUTCOMES.values()


def by_a_repeat() -> Iterable[Outcome]:
    """The same nonce again."""
    yield StoredAnswer("{}", Outcome.OK_ADMITTED, is_replay=True).told_as
    yield StoredAnswer("{}", Outcome.OK_ADMITTED).told_as


def by_a_code_nobody_knows() -> Iterable[Outcome]:
    """A newer program, or a broken one."""
    yield outcome_of("FROM_TOMORROW")


WAYS: list[Callable[[], Iterable[Outcome]]] = [
    by_the_rule,
    by_a_single_step,
    by_failing_too_often,
    by_the_machine,
    by_a_kiosk_alone,
    by_uploads,
    by_people,
    by_a_repeat,
    by_a_code_nobody_knows,
]


@pytest.mark.parametrize("outcome", Outcome)
def test_every_code_is_reached(outcome: Outcome) -> None:
    assert any(outcome in set(way()) for way in WAYS)


def test_the_rule_alone_gives_every_code_that_is_not_the_machines_or_peoples() -> None:
    others = {*by_the_machine(), *by_a_kiosk_alone(), *by_uploads(), *by_people(), *by_a_repeat()}
    assert set(Outcome) - {*by_the_rule(), *by_a_single_step()} <= others | {Outcome.NOT_JUDGED}
