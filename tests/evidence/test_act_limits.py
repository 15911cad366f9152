"""What an act of staff may not be taken for, when nothing is taken back any more, and who hears of a bar."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evidence.act_facts import NewAct, WalkIn
from evidence.announcements import Confirmation, confirm
from evidence.check_in_rows import Lane
from exam.admission_authority import UNTICKED_US, Act, Refusal
from exam.clock import MINUTE_US
from exam.identity import DocumentType
from exam.outcomes import Outcome
from exam.upload_rules import AlarmKind
from tests.evidence.check_ins import Desk
from tests.evidence.office import START_CUE, STOP_CUE, Office
from tests.world import CLOCK_US, DURATION_US, START_US, World, announce, invented_number

CLOSING = "C9"
OVER_US = START_US + DURATION_US


def close_room(world: World, at_us: int) -> None:
    tick = Confirmation(world.session_id, world.room_1, CLOSING, world.proctor_account_id, at_us)
    with world.exam.write() as connection:
        confirm(connection, tick)


@pytest.mark.parametrize(
    "changed",
    [
        {"act": Act.UNBLOCK},
        {"reason": "另一个原因"},
        {"candidate_id": 0},
        {"room_id": 1},
        {"place_id": 1},
        {"approval_no": "渝8号"},
        {"lane": Lane.TABLET},
        {"subject_nonce": "nonce-000000000009"},
    ],
)
def test_a_nonce_that_was_used_is_not_taken_for_another_act(
    desk: Desk, world: World, office: Office, changed: dict[str, Any]
) -> None:
    barred = office.about(Act.BLOCK, world.on_time)
    first = office.send(barred, office.lead())
    assert office.refusal(replace(barred, **changed), office.lead()) is Refusal.OTHER_ACT
    assert office.send(barred, office.lead()).body == first.body
    assert len(desk.rows("select * from check_in_act")) == 1


def test_a_nonce_names_its_attempt_too(desk: Desk, world: World, office: Office) -> None:
    for person in (world.on_time, world.late):
        desk.ask(person)
    undo = office.new(Act.UNDO, subject_attempt_id=1)
    office.send(undo, office.lead())
    assert office.send(undo, office.lead()).is_replay
    other = replace(undo, subject_attempt_id=2)
    assert office.refusal(other, office.lead()) is Refusal.OTHER_ACT
    assert len(desk.standing()) == 1


def test_a_walk_in_under_a_used_nonce_is_only_the_same_person(world: World, office: Office) -> None:
    def comes(number: int) -> WalkIn:
        return WalkIn("孙补", DocumentType.ID_CARD, invented_number(number), "202611229901")

    here = {"session_id": world.session_id, "place_id": world.late.place_id + 5}
    plain = office.new(Act.WALK_IN, walk_in=comes(55), **here)
    office.send(plain, office.lead())
    assert office.send(plain, office.lead()).is_replay
    assert office.refusal(replace(plain, walk_in=comes(56)), office.lead()) is Refusal.OTHER_ACT


def test_what_was_signed_at_a_kiosk_is_compared_as_it_was_signed(world: World, office: Office) -> None:
    signed = office.about(
        Act.REDIRECT,
        world.on_time,
        lane=Lane.STAFF_AT_KIOSK,
        kiosk_id=world.kiosk_id,
        is_offline=True,
        signed_subject={"candidate_id": world.on_time.id},
    )
    office.send(signed, office.lead())
    assert office.send(signed, office.lead()).is_replay
    other = replace(signed, candidate_id=world.late.id, signed_subject={"candidate_id": world.late.id})
    assert office.refusal(other, office.lead()) is Refusal.OTHER_ACT


def test_an_entry_is_taken_back_until_its_room_is_closed(desk: Desk, world: World, office: Office) -> None:
    desk.ask(world.on_time)
    announce(world, START_CUE, START_US)
    announce(world, STOP_CUE, OVER_US)
    closed_us = OVER_US + 10 * MINUTE_US
    close_room(world, closed_us)
    late = office.new(Act.UNDO, closed_us, subject_attempt_id=1)
    assert office.refusal(late, office.lead()) is Refusal.ROOM_CLOSED
    assert len(desk.standing()) == 1
    before = office.new(Act.UNDO, closed_us - 1, subject_attempt_id=1)
    office.send(before, office.lead())
    assert desk.standing() == []


def long_after_the_stop(world: World) -> int:
    announce(world, START_CUE, START_US)
    announce(world, STOP_CUE, OVER_US)
    return OVER_US + UNTICKED_US


def on_another_day(_: World) -> int:
    return CLOCK_US + 24 * 60 * MINUTE_US


@pytest.mark.parametrize("when", [long_after_the_stop, on_another_day])
def test_a_room_whose_closing_nobody_ticked_is_closed_all_the_same(
    desk: Desk, world: World, office: Office, when: Callable[[World], int]
) -> None:
    desk.ask(world.on_time)
    at_us = when(world)
    late = office.new(Act.UNDO, at_us, subject_attempt_id=1)
    assert office.refusal(late, office.lead()) is Refusal.ROOM_CLOSED


def barring(office: Office, now_us: int = CLOCK_US) -> NewAct:
    return office.about(Act.BLOCK, office.world.on_time, now_us)


def test_barring_somebody_who_is_inside_is_told_to_his_room(desk: Desk, world: World, office: Office) -> None:
    desk.ask(world.on_time)
    answer = office.send(barring(office), office.lead())
    assert answer.rooms == {world.room_1}
    [alarm] = desk.alarms()
    assert (alarm.kind, alarm.room_label, alarm.candidate_name) == (
        AlarmKind.BARRED_INSIDE,
        "第1考场",
        "陈一诺",
    )
    assert len(desk.standing()) == 1
    assert desk.findings() == []


def test_barring_somebody_who_is_not_inside_troubles_no_room(desk: Desk, office: Office) -> None:
    assert office.send(barring(office), office.lead()).rooms == frozenset()
    assert desk.alarms() == []


def test_whoever_has_left_is_not_inside(desk: Desk, world: World, office: Office) -> None:
    desk.ask(world.on_time)
    announce(world, START_CUE, START_US)
    office.send(office.about(Act.EXIT, world.on_time, START_US + 40 * MINUTE_US), office.lead())
    office.send(barring(office, START_US + 41 * MINUTE_US), office.lead())
    assert desk.alarms() == []


def test_whoever_was_let_in_meanwhile_is_not_looked_for_outside(desk: Desk, world: World) -> None:
    desk.ask(world.on_time)
    refused = desk.upload(world.on_time, CLOCK_US - MINUTE_US, outcome=Outcome.NOT_ON_ROSTER)
    assert refused.outcome is Outcome.NOT_ON_ROSTER
    assert desk.alarms() == []
