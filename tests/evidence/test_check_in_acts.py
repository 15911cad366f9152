"""Acts of staff over the real database: late entry, doubts, undo, leaving."""

import json
from dataclasses import replace

from evidence.check_in_rows import Lane
from evidence.console_kiosk import CONSOLE_LABEL
from evidence.doubt_cases import take_step
from exam.admission import ReEntry
from exam.admission_authority import Act, Refusal
from exam.admission_facts import Conditional, IdentityRule, Policy, Provided
from exam.clock import MINUTE_US
from exam.doubt_cases import CaseStep, Finding, NewStep
from exam.outcomes import Outcome
from exam.upload_rules import AlarmKind
from tests.evidence.check_ins import RULES, Desk
from tests.evidence.office import START_CUE, Office, late_scan, told
from tests.world import CLOCK_US, START_US, World, announce

PHOTO = "ab" * 32


def test_late_entry_is_the_site_leads_with_a_second_person_and_on_record(
    desk: Desk, world: World, office: Office
) -> None:
    assert late_scan(desk, world).outcome is Outcome.LATE_CUTOFF
    override = office.new(Act.OVERRIDE, START_US + 32 * MINUTE_US, subject_attempt_id=1)
    assert office.refusal(override, office.lead()) is Refusal.NEEDS_SECOND
    answer = office.send(override, office.lead(alone=False))
    assert (told(answer)["outcome"], told(answer)["told"]["title"]) == ("OK_OVERRIDE", "签到成功")
    assert desk.standing() == [(2, world.late.id, world.late.place_id)]
    [_, attempt] = desk.attempts()
    assert (attempt["outcome"], json.loads(attempt["reasons"])) == (
        "OK_OVERRIDE",
        ["OK_OVERRIDE", "LATE_CUTOFF"],
    )
    assert (attempt["decided_by"], attempt["lane"]) == ("people", "console")
    [act] = desk.rows("select * from check_in_act")
    assert (act["account_id"], act["second_account_id"], act["reason"], act["lacks"]) == (
        world.site_lead_account_id,
        world.proctor_account_id,
        "已核对",
        "",
    )
    assert desk.rows("select label from kiosk where revoked_at_us is not null")[0][0] == CONSOLE_LABEL
    assert desk.findings() == []


def test_a_repeated_act_gets_the_stored_answer_and_changes_nothing(
    desk: Desk, world: World, office: Office
) -> None:
    late_scan(desk, world)
    override = office.new(Act.OVERRIDE, START_US + 32 * MINUTE_US, subject_attempt_id=1)
    first = office.send(override, office.lead(alone=False))
    again = office.send(override, office.proctor())
    assert (again.body, again.is_replay) == (first.body, True)
    assert len(desk.standing()) == 1


def test_whom_documents_did_not_name_is_not_let_in_by_an_override(
    desk: Desk, world: World, office: Office
) -> None:
    desk.ask(world.wrong_ticket, ticket_no=world.on_time.ticket_no)
    override = office.about(Act.OVERRIDE, world.on_time, subject_attempt_id=1)
    assert office.refusal(override, office.lead(alone=False)) is Refusal.IN_DOUBT
    nothing = office.about(Act.OVERRIDE, world.on_time)
    assert office.refusal(nothing, office.lead()) is Refusal.NOTHING_THERE
    desk.ask(world.late)
    somebody_else = office.about(Act.OVERRIDE, world.on_time, subject_attempt_id=2)
    assert office.refusal(somebody_else, office.lead()) is Refusal.NOTHING_THERE


def test_a_provisional_entry_opens_a_case_that_people_close(desk: Desk, world: World, office: Office) -> None:
    desk.ask(world.on_time, id_number=None, declared=frozenset({Outcome.NO_ID}))
    let_in = office.about(
        Act.PROVISIONAL,
        world.on_time,
        subject_attempt_id=1,
        documents_held=True,
        provided=Provided(PHOTO),
    )
    assert office.refusal(let_in, office.proctor()) is Refusal.NOT_ALLOWED
    answer = office.send(let_in, office.lead())
    assert (told(answer)["outcome"], answer.rooms) == ("OK_PROVISIONAL", {world.room_1})
    assert "请先入场考试" in answer.body
    [case] = desk.cases()
    assert (case.facts.reason, case.facts.is_inside, case.documents_held, case.photos) == (
        Outcome.NO_ID,
        True,
        True,
        (PHOTO,),
    )
    assert (case.facts.room_id, case.deadline_at_us) == (world.room_1, None)
    assert desk.ask(world.on_time).outcome is Outcome.ALREADY_IN
    assert desk.findings() == []


def test_the_site_says_whether_and_until_when_proof_is_owed(desk: Desk, world: World, office: Office) -> None:
    owed = Policy(without_document=Conditional(IdentityRule.DEADLINE, 60 * MINUTE_US))
    desk.rules = replace(RULES, policy=owed)
    office.send(office.about(Act.PROVISIONAL, world.on_time, doubt=Outcome.NO_ID), office.lead())
    assert desk.cases()[0].deadline_at_us == CLOCK_US + 60 * MINUTE_US
    desk.rules = replace(RULES, policy=Policy(without_document=Conditional(IdentityRule.REFUSE)))
    refused = office.about(Act.PROVISIONAL, world.late, doubt=Outcome.NO_ID)
    assert office.refusal(refused, office.lead()) is Refusal.POLICY


def test_an_entry_taken_back_no_longer_stands_and_he_is_sent_to_people(
    desk: Desk, world: World, office: Office
) -> None:
    office.send(office.about(Act.PROVISIONAL, world.on_time, doubt=Outcome.FACE_DOUBT), office.lead())
    lead = office.lead().signer
    with world.exam.write() as connection:
        take_step(connection, 1, NewStep(CaseStep.DECIDED, Finding.WITHDRAWN, lead, "非本人"), CLOCK_US)
    assert desk.standing() == []
    assert [row["cause"] for row in desk.rows("select cause from admission_voiding")] == ["withdrawn"]
    assert desk.ask(world.on_time).outcome is Outcome.CANDIDATE_BLOCKED
    assert desk.findings() == []


def test_an_undone_entry_leaves_its_row_and_he_can_come_in_again(
    desk: Desk, world: World, office: Office
) -> None:
    desk.ask(world.on_time)
    undo = office.new(Act.UNDO, subject_attempt_id=1)
    answer = office.send(undo, office.proctor())
    assert (told(answer)["outcome"], answer.rooms) == (None, {world.room_1})
    assert desk.standing() == []
    assert [row["cause"] for row in desk.rows("select cause from admission_voiding")] == ["undo"]
    assert desk.ask(world.on_time).outcome is Outcome.OK_ADMITTED
    assert office.refusal(office.new(Act.UNDO, subject_attempt_id=1), office.lead()) is Refusal.NOTHING_THERE
    assert desk.alarms() == []
    assert desk.findings() == []


def test_an_entry_undone_after_the_start_is_told_to_the_room(
    desk: Desk, world: World, office: Office
) -> None:
    desk.ask(world.on_time)
    announce(world, START_CUE, START_US)
    office.send(office.new(Act.UNDO, START_US + MINUTE_US, subject_attempt_id=1), office.lead())
    [alarm] = desk.alarms()
    assert (alarm.kind, alarm.room_label, alarm.candidate_name) == (AlarmKind.UNDONE, "第1考场", "陈一诺")


def test_rule_undo_by_sequence_an_undo_that_overtakes_its_entry_waits_for_it(
    desk: Desk, world: World, office: Office
) -> None:
    entry = desk.offline(world.on_time)
    undo = office.new(
        Act.UNDO,
        CLOCK_US + MINUTE_US,
        lane=Lane.STAFF_AT_KIOSK,
        kiosk_id=world.kiosk_id,
        is_offline=True,
        subject_nonce=entry.nonce,
    )
    office.send(undo, office.lead(), CLOCK_US + 60 * MINUTE_US)
    desk.send(entry, CLOCK_US + 61 * MINUTE_US)
    assert desk.standing() == []
    assert desk.outcomes() == ["OK_OFFLINE"]
    assert desk.findings() == []


def test_rule_undo_by_sequence_a_later_entry_stands_when_the_first_is_undone(
    desk: Desk, world: World, office: Office
) -> None:
    first = desk.offline(world.on_time)
    second = desk.offline(world.on_time, CLOCK_US + 2 * MINUTE_US)
    later_us = CLOCK_US + 60 * MINUTE_US
    desk.send(first, later_us)
    desk.send(second, later_us)
    assert desk.outcomes() == ["OK_OFFLINE", "OK_ALREADY_HERE"]
    undo = office.new(Act.UNDO, CLOCK_US + MINUTE_US, subject_nonce=first.nonce, is_offline=True)
    office.send(undo, office.lead(), later_us)
    assert [row[0] for row in desk.standing()] == [2]
    assert desk.findings() == []


def test_a_later_entry_whose_place_was_given_away_is_not_let_in_by_an_undo(
    desk: Desk, world: World, office: Office
) -> None:
    first = desk.offline(world.on_time)
    desk.send(first, CLOCK_US + 60 * MINUTE_US)
    desk.upload(world.on_time, CLOCK_US + 2 * MINUTE_US)
    desk.ask(world.late)
    desk.set("delete from seating where candidate_id = ?", world.late.id)
    desk.set("update seating set place_id = ? where candidate_id = ?", world.late.place_id, world.on_time.id)
    undo = office.new(Act.UNDO, CLOCK_US + MINUTE_US, subject_nonce=first.nonce, is_offline=True)
    office.send(undo, office.lead(), CLOCK_US + 61 * MINUTE_US)
    assert [row[1] for row in desk.standing()] == [world.late.id]


def test_leaving_is_recorded_from_thirty_minutes_on_and_ends_it(
    desk: Desk, world: World, office: Office
) -> None:
    desk.ask(world.on_time)
    announce(world, START_CUE, START_US)
    early = office.about(Act.EXIT, world.on_time, START_US + 29 * MINUTE_US)
    assert office.refusal(early, office.proctor()) is Refusal.TOO_EARLY_TO_LEAVE
    answer = office.send(office.about(Act.EXIT, world.on_time, START_US + 30 * MINUTE_US), office.proctor())
    assert (told(answer)["outcome"], told(answer)["told"]["kind"]) == ("OK_EXIT", "I")
    back = desk.ask(world.on_time, START_US + 40 * MINUTE_US)
    assert back.outcome is Outcome.LEFT_NO_RETURN
    again = office.about(Act.EXIT, world.on_time, START_US + 41 * MINUTE_US)
    assert office.refusal(again, office.proctor()) is Refusal.HAS_LEFT
    assert desk.findings() == []


def test_an_exit_recorded_by_mistake_is_undone(desk: Desk, world: World, office: Office) -> None:
    desk.ask(world.on_time)
    announce(world, START_CUE, START_US)
    office.send(office.about(Act.EXIT, world.on_time, START_US + 30 * MINUTE_US), office.proctor())
    office.send(office.new(Act.UNDO, START_US + 31 * MINUTE_US, subject_attempt_id=2), office.lead())
    assert desk.ask(world.on_time, START_US + 32 * MINUTE_US).outcome is Outcome.ALREADY_IN
    undone = office.new(Act.UNDO, START_US + 33 * MINUTE_US, subject_attempt_id=2)
    assert office.refusal(undone, office.lead()) is Refusal.NOTHING_THERE


def test_coming_back_where_the_site_allows_it_needs_two(desk: Desk, world: World, office: Office) -> None:
    desk.rules = replace(RULES, policy=Policy(re_entry=ReEntry.SITE_LEAD))
    desk.ask(world.on_time)
    announce(world, START_CUE, START_US)
    office.send(office.about(Act.EXIT, world.on_time, START_US + 30 * MINUTE_US), office.proctor())
    desk.ask(world.on_time, START_US + 31 * MINUTE_US)
    back = office.new(Act.OVERRIDE, START_US + 32 * MINUTE_US, subject_attempt_id=3)
    assert office.refusal(back, office.lead()) is Refusal.NEEDS_SECOND
    office.send(back, office.lead(alone=False))
    assert desk.ask(world.on_time, START_US + 33 * MINUTE_US).outcome is Outcome.ALREADY_IN
    assert [row[0] for row in desk.standing()] == [1]
