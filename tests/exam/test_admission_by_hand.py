"""Check-in by hand (no kiosk works): the rule of the door answers, and who may ask it."""

from dataclasses import replace

import pytest

from exam.admission import Seat, judge, judge_by_hand
from exam.admission_authority import Act, ActFacts, Refusal, Signed, judge_act, needs_second
from exam.admission_facts import Facts
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from exam.signers import Signer
from tests.exam.admission_cases import ASK, BARRED, POLICY, PRACTICAL, STARTED, THEORY, facts, in_at
from tests.exam.test_admission_authority import ASSESSOR, AUDITOR, ELSEWHERE, LEAD, OFFICER, PROCTOR
from tests.world import START_US

DESK = 9
SEAT = facts(THEORY).seats[0]


def with_seat(seat: Seat) -> Facts:
    return replace(facts(THEORY), seats=(seat,))


@pytest.mark.parametrize(
    ("known", "minute"),
    [
        (facts(THEORY), -10),
        (facts(THEORY), -60),
        (facts(STARTED), 10),
        (facts(STARTED), 30),
        (facts(STARTED), 24 * 60),
        (replace(facts(PRACTICAL), sittings_here=(THEORY, PRACTICAL)), -10),
        (with_seat(replace(SEAT, is_taken=True)), -10),
        (with_seat(replace(SEAT, is_withdrawn=True)), -10),
        (with_seat(replace(SEAT, held_for=Outcome.FACE_DOUBT)), -10),
        (with_seat(replace(SEAT, admission=in_at(-20))), -10),
        (facts(THEORY, known=BARRED), -10),
    ],
)
def test_by_hand_gives_the_reasons_of_a_kiosk(known: Facts, minute: int) -> None:
    now_us = START_US + minute * MINUTE_US
    by_hand = judge_by_hand(known.seats[0], DESK, known, POLICY, now_us)
    assert by_hand == judge(ASK, known, POLICY, now_us)


def test_a_second_look_at_the_desk_is_no_second_person() -> None:
    known = with_seat(replace(SEAT, admission=in_at(-10, DESK)))
    again_us = START_US - 10 * MINUTE_US + 1
    assert judge_by_hand(known.seats[0], DESK, known, POLICY, again_us).outcome is Outcome.OK_ALREADY_HERE


def asked(known: Facts | None = None, minute: int = -10, *, was_doubted: bool = False) -> ActFacts:
    known = known or facts(THEORY)
    seat = known.seats[0]
    answer = judge_by_hand(seat, DESK, known, POLICY, START_US + minute * MINUTE_US)
    return ActFacts(seat=seat, by_hand=answer, was_doubted=was_doubted)


@pytest.mark.parametrize(
    ("signer", "second", "known", "refusal"),
    [
        (PROCTOR, None, asked(), None),
        (OFFICER, None, asked(), None),
        (LEAD, None, asked(), None),
        (ELSEWHERE, None, asked(), Refusal.NO_DUTY),
        (AUDITOR, None, asked(), Refusal.NOT_ALLOWED),
        (PROCTOR, None, ActFacts(seat=SEAT), Refusal.NOBODY),
        # Alone nobody says when a latecomer came, or overrules what was doubted.
        (PROCTOR, None, asked(facts(STARTED), 10), Refusal.NEEDS_SECOND),
        (PROCTOR, ASSESSOR, asked(facts(STARTED), 10), None),
        (PROCTOR, None, asked(was_doubted=True), Refusal.NEEDS_SECOND),
        (PROCTOR, LEAD, asked(was_doubted=True), None),
        # Whom the rule turns away is on record by one signature.
        (PROCTOR, None, asked(facts(STARTED), 30), None),
        (PROCTOR, None, asked(facts(THEORY, known=BARRED), was_doubted=True), None),
    ],
)
def test_who_may_check_somebody_in_by_hand(
    signer: Signer, second: Signer | None, known: ActFacts, refusal: Refusal | None
) -> None:
    signed = Signed(signer, second, "签到机断电")
    assert judge_act(Act.BY_HAND, signed, known, START_US).refusal is refusal


def test_no_second_person_is_asked_for_where_nobody_is_found() -> None:
    assert not needs_second(Act.BY_HAND, ActFacts())
