"""Doubts and alarms of live check-ins: what opens them, what they do to the next scan, who has seen them."""

from datetime import date

import pytest

from evidence.check_in_alarms import Subject, acknowledge, load_alarms, raise_alarms, standing_places
from evidence.doubt_cases import NewCase, load_cases, open_case, open_cases_in, open_places, take_step
from exam.admission_facts import Provided, ReadDocument, TicketProof
from exam.clock import MINUTE_US
from exam.doubt_cases import CaseStep, Finding, NewStep
from exam.outcomes import Outcome
from exam.signers import Signer
from exam.upload_rules import AlarmKind
from tests.evidence.check_ins import Desk, second_kiosk
from tests.world import CLOCK_US, World

PHOTO = "ab" * 32
EXPIRED = ReadDocument(valid_until=date(2020, 1, 1))


def decide_case(world: World, case_id: int, finding: Finding, reason: str = "已核对") -> None:
    lead = Signer(world.site_lead_account_id, world.site_lead_staff_id, frozenset({"site_lead"}))
    with world.exam.write() as connection:
        take_step(connection, case_id, NewStep(CaseStep.DECIDED, finding, lead, reason), CLOCK_US)


def test_a_mismatch_is_an_alarm_and_a_case_about_the_tickets_holder(desk: Desk, world: World) -> None:
    answer = desk.ask(world.wrong_ticket, ticket_no=world.on_time.ticket_no, provided=Provided(PHOTO))
    assert answer.outcome is Outcome.ID_TICKET_MISMATCH
    [alarm] = desk.alarms()
    assert (alarm.kind, alarm.candidate_name, alarm.room_label, alarm.session_code) == (
        AlarmKind.MISMATCH,
        "陈一诺",
        "第1考场",
        "T1",
    )
    assert (alarm.place_label, alarm.kiosk_label, alarm.photos) == ("1", "一号签到机", (PHOTO,))
    [case] = desk.cases()
    assert (case.candidate_id, case.facts.reason, case.photos) == (
        world.on_time.id,
        Outcome.ID_TICKET_MISMATCH,
        (PHOTO,),
    )
    assert answer.rooms == {world.room_1}


def test_whoever_comes_back_with_the_right_documents_gets_in_and_the_case_stays(
    desk: Desk, world: World
) -> None:
    desk.ask(world.wrong_ticket, ticket_no=world.on_time.ticket_no)
    assert desk.ask(world.on_time).outcome is Outcome.OK_ADMITTED
    [case] = desk.cases()
    assert (case.facts.is_open, case.facts.is_inside) == (True, False)


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({"read": EXPIRED}, Outcome.ID_EXPIRED),
        ({"read": ReadDocument(name="陈一喏")}, Outcome.NAME_MISMATCH),
        ({"declared": frozenset({Outcome.FACE_DOUBT})}, Outcome.FACE_DOUBT),
        ({"ticket_proof": TicketProof.FAILED}, Outcome.TICKET_FORGED),
    ],
)
def test_a_doubt_holds_him_at_every_kiosk_until_people_have_settled_it(
    desk: Desk, world: World, changed: dict[str, object], outcome: Outcome
) -> None:
    assert desk.ask(world.on_time, **changed).outcome is outcome
    assert desk.ask(world.on_time, kiosk_id=second_kiosk(world)).outcome is outcome
    [case] = desk.cases()
    decide_case(world, case.id, Finding.CONFIRMED)
    assert desk.ask(world.on_time).outcome is Outcome.OK_ADMITTED


def test_what_people_settled_is_not_raised_again(desk: Desk, world: World) -> None:
    misread = {"read": ReadDocument(name="陈一喏")}
    desk.ask(world.on_time, **misread)
    decide_case(world, 1, Finding.CONFIRMED)
    assert desk.ask(world.on_time, **misread).outcome is Outcome.OK_ADMITTED
    [first, _] = desk.attempts()
    assert first["read_name"] == "陈一喏"


def test_whose_entry_was_taken_back_is_sent_to_people(desk: Desk, world: World) -> None:
    desk.ask(world.on_time, declared=frozenset({Outcome.FACE_DOUBT}))
    decide_case(world, 1, Finding.WITHDRAWN)
    assert desk.ask(world.on_time).outcome is Outcome.CANDIDATE_BLOCKED


def test_a_doubt_without_a_session_holds_nobody(desk: Desk, world: World) -> None:
    with world.exam.write() as connection:
        case = NewCase(Outcome.FACE_DOUBT, world.on_time.id, None, None)
        assert open_case(connection, case, CLOCK_US) == open_case(connection, case, CLOCK_US)
    assert desk.ask(world.on_time).outcome is Outcome.OK_ADMITTED


def test_a_conflict_outweighs_every_other_doubt(desk: Desk, world: World) -> None:
    with world.exam.write() as connection:
        for reason in (Outcome.DUP_CONFLICT, Outcome.FACE_DOUBT):
            case = NewCase(reason, world.on_time.id, world.session_id, world.room_1)
            open_case(connection, case, CLOCK_US)
    assert desk.ask(world.on_time).outcome is Outcome.DUP_CONFLICT


def test_the_third_failure_is_a_case(desk: Desk, world: World) -> None:
    for tries in range(3):
        wrong = desk.ask(world.on_time, id_number="990101199003070000", tries=tries)
    assert wrong.outcome is Outcome.ID_UNREADABLE
    assert desk.outcomes() == ["ID_CHECKSUM", "ID_CHECKSUM", "ID_UNREADABLE"]
    [case] = desk.cases()
    assert (case.facts.reason, case.candidate_id, case.facts.room_id) == (
        Outcome.ID_UNREADABLE,
        world.on_time.id,
        world.room_1,
    )
    assert desk.alarms() == []


def test_a_stranger_s_forged_ticket_is_an_alarm_without_a_room(desk: Desk, world: World) -> None:
    desk.ask(world.on_time, ticket_no="X-1", id_number=None, ticket_proof=TicketProof.FAILED)
    desk.ask(world.on_time, ticket_no="X-2", id_number=None, ticket_proof=TicketProof.FAILED)
    assert [(one.kind, one.room_label, one.candidate_name) for one in desk.alarms()] == [
        (AlarmKind.TICKET_FORGED, "", "")
    ] * 2
    assert [case.facts.room_id for case in desk.cases()] == [None, None]


def test_whoever_is_known_by_the_number_alone_is_the_one_concerned(desk: Desk, world: World) -> None:
    desk.ask(world.on_time, ticket_no="X-1", ticket_proof=TicketProof.FAILED)
    assert [case.candidate_id for case in desk.cases()] == [world.on_time.id]


def test_the_same_alarm_is_raised_once_until_somebody_has_seen_it(desk: Desk, world: World) -> None:
    desk.set("update candidate set blocked_reason = '上次替考' where id = ?", world.on_time.id)
    desk.ask(world.on_time)
    desk.ask(world.on_time)
    [alarm] = desk.alarms()
    with world.exam.write() as connection:
        assert acknowledge(connection, alarm.id, world.site_lead_account_id, " 已处理 ", CLOCK_US + 1)
        assert not acknowledge(connection, alarm.id, world.proctor_account_id, "", CLOCK_US + 2)
        assert not acknowledge(connection, 999, world.proctor_account_id, "", CLOCK_US + 2)
    assert desk.alarms() == []
    [seen] = desk.alarms(seen=True)
    assert seen.seen is not None
    assert (seen.seen.display_name, seen.seen.note, seen.seen.at_us) == ("李强", "已处理", CLOCK_US + 1)
    desk.ask(world.on_time)
    assert len(desk.alarms()) == 1
    assert len(desk.alarms(seen=None)) == 2
    assert desk.findings() == []


def test_alarms_are_asked_for_by_room(world: World) -> None:
    with world.exam.write() as connection:
        for room_id in (world.room_1, world.room_2):
            raise_alarms(
                connection, [AlarmKind.MOVED_ROOM], Subject(room_id=room_id, attempt_id=None), CLOCK_US
            )
    with world.exam.read() as connection:
        assert [one.room_label for one in load_alarms(connection, room_id=world.room_2)] == ["第2考场"]
        assert standing_places(connection) == [(None, world.room_1), (None, world.room_2)]
    with world.exam.write() as connection:
        acknowledge(connection, 1, world.proctor_account_id, "已核对", CLOCK_US)
    with world.exam.read() as connection:
        assert standing_places(connection) == [(None, world.room_2)]


def test_open_cases_of_a_room_are_found_and_closed_ones_are_not(desk: Desk, world: World) -> None:
    desk.ask(world.on_time, declared=frozenset({Outcome.FACE_DOUBT}))
    desk.ask(world.other_room, declared=frozenset({Outcome.FACE_DOUBT}))
    with world.exam.read() as connection:
        assert [case.id for case in open_cases_in(connection, world.session_id, world.room_1)] == [1]
    decide_case(world, 1, Finding.NOT_CONFIRMED)
    with world.exam.read() as connection:
        assert open_cases_in(connection, world.session_id, world.room_1) == []
        assert open_cases_in(connection, world.session_id, 999) == []
        assert len(load_cases(connection)) == 2
        assert open_places(connection) == [(world.session_id, world.room_2)]


def test_a_case_shows_every_step_with_its_name_and_its_leaf(desk: Desk, world: World) -> None:
    desk.ask(world.on_time, declared=frozenset({Outcome.FACE_DOUBT}))
    wang = Signer(world.proctor_account_id, world.proctor_staff_id, frozenset({"proctor"}))
    with world.exam.write() as connection:
        look = NewStep(CaseStep.LOOKED, Finding.UNSURE, wang, "光线暗")
        take_step(connection, 1, look, CLOCK_US + MINUTE_US)
    decide_case(world, 1, Finding.CONFIRMED)
    [case] = desk.cases()
    assert [(one.step, one.finding, one.name, one.reason) for one in case.steps] == [
        (CaseStep.LOOKED, Finding.UNSURE, "王芳", "光线暗"),
        (CaseStep.DECIDED, Finding.CONFIRMED, "李强", "已核对"),
    ]
    assert (case.facts.decision, case.documents_held, case.deadline_at_us) == (Finding.CONFIRMED, None, None)
    assert desk.findings() == []
