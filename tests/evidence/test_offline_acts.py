"""Acts that staff did at a kiosk that worked alone: none is refused, what they lack is told."""

from dataclasses import replace
from typing import Any

from evidence.act_facts import NewAct
from evidence.check_in_rows import Lane
from exam.admission_authority import Act, Refusal, Signed
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from exam.signers import Signer
from exam.upload_rules import AlarmKind
from tests.evidence.check_ins import Desk
from tests.evidence.office import START_CUE, STOP_CUE, Office, late_scan, told
from tests.world import CLOCK_US, DURATION_US, START_US, Person, World, announce


def offline(office: Office, act: Act, person: Person, at_us: int, **changed: Any) -> NewAct:
    kiosk = {"lane": Lane.STAFF_AT_KIOSK, "kiosk_id": office.world.kiosk_id, "is_offline": True}
    return office.about(act, person, at_us, **{**kiosk, **changed})


def test_rule_an_override_made_offline_without_a_second_person_stands_provisionally(
    desk: Desk, world: World, office: Office
) -> None:
    late_scan(desk, world)
    made = offline(office, Act.OVERRIDE, world.late, START_US + 32 * MINUTE_US, subject_attempt_id=1)
    answer = office.send(made, office.lead(), START_US + 90 * MINUTE_US)
    assert (told(answer)["outcome"], told(answer)["lacks"]) == ("OK_PROVISIONAL", "needs_second")
    assert [row[1] for row in desk.standing()] == [world.late.id]
    assert desk.alarm_kinds() == {AlarmKind.UNSIGNED_OVERRIDE}
    assert [case.facts.is_inside for case in desk.cases()] == [True]
    [act] = desk.rows("select * from check_in_act")
    assert (act["lacks"], act["happened_at_us"]) == ("needs_second", START_US + 32 * MINUTE_US)
    assert desk.findings() == []


def test_an_override_made_offline_with_both_signatures_is_one(
    desk: Desk, world: World, office: Office
) -> None:
    late_scan(desk, world)
    made = offline(office, Act.OVERRIDE, world.late, START_US + 32 * MINUTE_US, subject_attempt_id=1)
    answer = office.send(made, office.lead(alone=False), START_US + 90 * MINUTE_US)
    assert (told(answer)["outcome"], told(answer)["lacks"]) == ("OK_OVERRIDE", "")
    assert desk.alarms() == []


def test_an_act_that_nobody_signed_is_kept_and_told(desk: Desk, world: World, office: Office) -> None:
    nobody = Signed(Signer(0, None, frozenset()), reason="")
    made = offline(office, Act.PROVISIONAL, world.on_time, CLOCK_US, doubt=Outcome.NO_ID, reason="")
    answer = office.send(made, nobody, CLOCK_US + 60 * MINUTE_US)
    assert told(answer)["lacks"] == "not_allowed"
    [act] = desk.rows("select * from check_in_act")
    assert (act["account_id"], act["reason"]) == (None, "")
    assert desk.cases()[0].facts.reason is Outcome.NO_ID
    assert desk.findings() == []


def test_one_person_who_signed_twice_is_one_person(desk: Desk, world: World, office: Office) -> None:
    late_scan(desk, world)
    lead = office.lead()
    made = offline(office, Act.OVERRIDE, world.late, START_US + 32 * MINUTE_US, subject_attempt_id=1)
    answer = office.send(made, replace(lead, second=lead.signer), START_US + 90 * MINUTE_US)
    assert told(answer)["lacks"] == "same_person"
    assert desk.rows("select second_account_id from check_in_act")[0][0] is None


def test_somebody_let_in_offline_against_the_facts_is_inside_and_told(
    desk: Desk, world: World, office: Office
) -> None:
    announce(world, START_CUE, START_US)
    announce(world, STOP_CUE, START_US + DURATION_US)
    at_us = START_US + DURATION_US + MINUTE_US
    made = offline(office, Act.PROVISIONAL, world.on_time, at_us, doubt=Outcome.NO_ID)
    answer = office.send(made, office.lead(), at_us + MINUTE_US)
    assert (told(answer)["outcome"], told(answer)["lacks"]) == (None, "over")
    assert desk.standing() == []
    assert desk.alarm_kinds() == {AlarmKind.INSIDE_THOUGH_REFUSED}
    assert [case.facts.reason for case in desk.cases()] == [Outcome.NOT_JUDGED]


def test_an_exit_noted_offline_by_the_wrong_person_is_an_exit_and_told(
    desk: Desk, world: World, office: Office
) -> None:
    desk.ask(world.other_room)
    announce(world, START_CUE, START_US)
    made = offline(office, Act.EXIT, world.other_room, START_US + 31 * MINUTE_US)
    answer = office.send(made, office.proctor(), START_US + 50 * MINUTE_US)
    assert (told(answer)["outcome"], told(answer)["lacks"]) == ("OK_EXIT", "no_duty")
    assert desk.alarm_kinds() == {AlarmKind.RULES_DIFFER}
    assert desk.ask(world.other_room, START_US + 51 * MINUTE_US).outcome is Outcome.LEFT_NO_RETURN


def test_an_undo_made_offline_that_nobody_may_changes_nothing_and_is_told(
    desk: Desk, world: World, office: Office
) -> None:
    desk.ask(world.other_room)
    made = offline(office, Act.UNDO, world.other_room, CLOCK_US + 1, subject_attempt_id=1)
    answer = office.send(made, office.proctor(), CLOCK_US + MINUTE_US)
    assert told(answer)["lacks"] == "no_duty"
    assert len(desk.standing()) == 1
    assert desk.alarm_kinds() == {AlarmKind.RULES_DIFFER}


def test_whom_nobody_knows_cannot_be_acted_upon(world: World, office: Office) -> None:
    for candidate_id, session_id in ((9999, world.session_id), (world.on_time.id, 9999)):
        act = office.new(Act.EXIT, candidate_id=candidate_id, session_id=session_id)
        assert office.refusal(act, office.lead()) is Refusal.NOBODY
