"""Check-in by hand over the real database: one admission, one leaf, and the answers of a kiosk."""

from dataclasses import replace

from evidence.act_facts import NewAct
from evidence.check_in_rows import Lane
from evidence.console_kiosk import CONSOLE_LABEL
from exam.admission_authority import Act, Refusal
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from exam.upload_rules import AlarmKind
from tests.evidence.check_ins import Desk, body
from tests.evidence.office import START_CUE, Office, told
from tests.world import CLOCK_US, START_US, Person, World, announce


def by_hand(office: Office, person: Person, now_us: int = CLOCK_US) -> NewAct:
    return office.about(Act.BY_HAND, person, now_us)


def test_somebody_is_let_in_once_with_the_words_of_a_kiosk(desk: Desk, world: World, office: Office) -> None:
    at_a_kiosk = body(desk.ask(world.other_room))
    act = by_hand(office, world.on_time)
    answer = office.send(act, office.proctor())
    assert told(answer)["outcome"] == "OK_ADMITTED"
    assert told(answer)["told"]["title"] == at_a_kiosk["title"]
    assert (told(answer)["told"]["admitted"], told(answer)["told"]["masked_name"]) == (True, "陈*诺")
    assert answer.rooms == {world.room_1}
    assert office.send(act, office.proctor()).is_replay
    [_, attempt] = desk.attempts()
    assert (attempt["decided_by"], attempt["lane"], attempt["outcome"]) == (
        "people",
        "console",
        "OK_ADMITTED",
    )
    assert desk.rows("select act, reason from check_in_act")[0][:] == ("by_hand", "已核对")
    assert desk.rows("select label from kiosk where revoked_at_us is not null")[0][0] == CONSOLE_LABEL
    assert [row[1] for row in desk.standing()] == [world.other_room.id, world.on_time.id]
    assert desk.findings() == []


def test_nobody_is_let_in_twice_by_hand_and_kiosk(desk: Desk, world: World, office: Office) -> None:
    desk.ask(world.on_time)
    later_us = CLOCK_US + 2 * MINUTE_US
    answer = office.send(by_hand(office, world.on_time, later_us), office.proctor())
    assert told(answer)["outcome"] == "ALREADY_IN"
    assert desk.alarm_kinds() == {AlarmKind.ALREADY_IN}
    [case] = desk.cases()
    assert (case.facts.reason, case.deadline_at_us) == (Outcome.ALREADY_IN, None)
    office.send(by_hand(office, world.late), office.proctor())
    assert desk.ask(world.late, later_us).outcome is Outcome.ALREADY_IN
    twice = office.send(by_hand(office, world.late, CLOCK_US + 1), office.proctor())
    assert told(twice)["outcome"] == "OK_ALREADY_HERE"
    assert len(desk.standing()) == 2
    assert desk.findings() == []


def test_whom_people_let_in_no_later_upload_displaces(desk: Desk, world: World, office: Office) -> None:
    office.send(by_hand(office, world.on_time), office.proctor())
    desk.upload(world.on_time, CLOCK_US - MINUTE_US)
    assert [row[0] for row in desk.standing()] == [1]
    assert AlarmKind.DUP_CONFLICT in desk.alarm_kinds()


def test_the_latecomer_turned_away_is_on_record_and_the_lead_can_let_him_in(
    desk: Desk, world: World, office: Office
) -> None:
    announce(world, START_CUE, START_US)
    turned_away = office.send(by_hand(office, world.late, START_US + 31 * MINUTE_US), office.proctor())
    assert (told(turned_away)["outcome"], told(turned_away)["told"]["admitted"]) == ("LATE_CUTOFF", False)
    assert desk.standing() == []
    override = office.about(Act.OVERRIDE, world.late, START_US + 32 * MINUTE_US, subject_attempt_id=1)
    office.send(override, office.lead(alone=False))
    assert len(desk.standing()) == 1
    assert desk.findings() == []


def test_a_doubt_that_nobody_settled_asks_for_a_second_person(
    desk: Desk, world: World, office: Office
) -> None:
    desk.ask(world.on_time, id_number=world.late.id_number)
    assert [one.facts.reason for one in desk.cases()] == [Outcome.ID_TICKET_MISMATCH]
    act = by_hand(office, world.on_time)
    assert office.refusal(act, office.proctor()) is Refusal.NEEDS_SECOND
    office.send(act, office.lead(alone=False))
    assert len(desk.standing()) == 1


def test_whoever_was_let_in_by_hand_at_a_kiosk_alone_is_looked_for(
    desk: Desk, world: World, office: Office
) -> None:
    early = by_hand(office, world.on_time, CLOCK_US - 60 * MINUTE_US)
    offline = replace(early, lane=Lane.STAFF_AT_KIOSK, kiosk_id=world.kiosk_id, is_offline=True)
    answer = office.send(offline, office.proctor(), CLOCK_US)
    assert told(answer)["outcome"] == "TOO_EARLY"
    assert desk.alarm_kinds() == {AlarmKind.INSIDE_THOUGH_REFUSED}
