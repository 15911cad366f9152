"""The admission rule where something is wrong with documents, person, seat or the steps at the kiosk."""

from dataclasses import replace
from datetime import date

import pytest

from exam.admission import (
    AdmissionRequest,
    Conditional,
    IdentityRule,
    Known,
    OtherSite,
    Outcome,
    Policy,
    Provided,
    ReadDocument,
    Step,
    TicketProof,
    judge,
    judged_alone,
)
from exam.clock import MINUTE_US
from exam.identity import DocumentType
from tests.exam.admission_cases import (
    ASK,
    AT_OTHER_ROOM,
    BAD_NUMBER,
    BARRED,
    EMPTY,
    OTHER_ROOM,
    POLICY,
    PRACTICAL,
    STARTED,
    THEORY,
    WHO,
    Case,
    facts,
    in_at,
    judged,
)
from tests.world import START_US

TODAY = date(2026, 11, 22)
CHEN = replace(WHO, name="陈一诺")
ALL_STEPS = Policy(steps=frozenset(Step), notice_version="2026-1")
PHOTO = replace(POLICY, steps=frozenset({Step.PHOTO}))
NOTICE = replace(POLICY, steps=frozenset({Step.NOTICE}), notice_version="2")
ELSEWHERE = replace(POLICY, other_sites=(OtherSite("青山第二考点", "9927[0-9]{8}"),))
THEORY_FIRST = replace(POLICY, theory_first=True)
EVERYTHING = Provided("aa" * 32, "bb" * 32, "07", "2026-1")


def asked(**changed: object) -> AdmissionRequest:
    return replace(ASK, **changed)


def declared(*outcomes: Outcome, **changed: object) -> AdmissionRequest:
    return asked(declared=frozenset(outcomes), **changed)


def read(**said: object) -> AdmissionRequest:
    return asked(read=ReadDocument(**said))


def seated(**changed: object) -> object:
    one = facts(THEORY)
    return replace(one, seats=(replace(one.seats[0], **changed),))


CASES = [
    # Documents and what a reader says of them.
    Case(
        "the reader's name agrees",
        facts(THEORY, known=CHEN),
        (Outcome.OK_ADMITTED,),
        asked=read(name="陈 一诺"),
    ),
    Case("another name", facts(THEORY, known=CHEN), (Outcome.NAME_MISMATCH,), asked=read(name="陈一喏")),
    Case("nothing to compare with", facts(THEORY), (Outcome.OK_ADMITTED,), asked=read(name="陈一喏")),
    Case(
        "valid today for the last time", facts(THEORY), (Outcome.OK_ADMITTED,), asked=read(valid_until=TODAY)
    ),
    Case("expired", facts(THEORY), (Outcome.ID_EXPIRED,), asked=read(valid_until=date(2026, 11, 21))),
    Case(
        "a reader of passports",
        facts(THEORY),
        (Outcome.ID_FORMAT_OTHER,),
        asked=read(document_type=DocumentType.PASSPORT),
    ),
    Case(
        "a reader of ID cards",
        facts(THEORY),
        (Outcome.OK_ADMITTED,),
        asked=read(document_type=DocumentType.ID_CARD),
    ),
    Case(
        "another name, expired, barred and at the wrong door",
        facts(THEORY, known=replace(BARRED, name="陈一诺")),
        (Outcome.CANDIDATE_BLOCKED, Outcome.NAME_MISMATCH, Outcome.ID_EXPIRED, Outcome.WRONG_ROOM),
        asked=replace(AT_OTHER_ROOM, read=ReadDocument(name="王五", valid_until=date(2020, 1, 1))),
    ),
    # What the kiosk saw, or the candidate said.
    Case("no ID card", facts(THEORY), (Outcome.NO_ID,), asked=declared(Outcome.NO_ID, id_number=None)),
    Case("no ticket", facts(THEORY), (Outcome.NO_TICKET,), asked=declared(Outcome.NO_TICKET, ticket_no=None)),
    Case(
        "neither",
        EMPTY,
        (Outcome.NO_ID, Outcome.NO_TICKET),
        asked=declared(Outcome.NO_ID, Outcome.NO_TICKET, ticket_no=None, id_number=None),
    ),
    Case(
        "no ID card, the ticket still to come",
        EMPTY,
        (Outcome.NO_ID, Outcome.NEED_SECOND_DOC),
        asked=declared(Outcome.NO_ID, ticket_no=None, id_number=None),
    ),
    Case(
        "an ID card that cannot be read",
        facts(THEORY),
        (Outcome.ID_UNREADABLE,),
        asked=declared(Outcome.ID_UNREADABLE, id_number=None),
    ),
    Case(
        "nothing read, several codes, a payment code and a phone's ID",
        EMPTY,
        (
            Outcome.SCAN_MANY,
            Outcome.SCAN_DYNAMIC_ID,
            Outcome.SCAN_FOREIGN,
            Outcome.SCAN_NONE,
            Outcome.NEED_SECOND_DOC,
        ),
        asked=declared(
            Outcome.SCAN_NONE,
            Outcome.SCAN_FOREIGN,
            Outcome.SCAN_DYNAMIC_ID,
            Outcome.SCAN_MANY,
            ticket_no=None,
            id_number=None,
        ),
    ),
    *(
        Case(
            f"the scanner says {seen}",
            facts(THEORY),
            (seen, Outcome.NEED_SECOND_DOC),
            asked=declared(seen, ticket_no=None),
        )
        for seen in (Outcome.SCAN_NONE, Outcome.SCAN_FOREIGN, Outcome.SCAN_DYNAMIC_ID)
    ),
    Case("a face that differs", facts(THEORY), (Outcome.FACE_DOUBT,), asked=declared(Outcome.FACE_DOUBT)),
    Case(
        "a face that differs, without a seat",
        facts(),
        (Outcome.NOT_ON_ROSTER, Outcome.FACE_DOUBT),
        asked=declared(Outcome.FACE_DOUBT),
    ),
    # The ticket itself.
    Case(
        "a forged ticket, before the ID card is asked for",
        facts(THEORY),
        (Outcome.TICKET_FORGED, Outcome.NEED_SECOND_DOC),
        asked=asked(ticket_proof=TicketProof.FAILED, id_number=None),
    ),
    Case(
        "a signed ticket", facts(THEORY), (Outcome.OK_ADMITTED,), asked=asked(ticket_proof=TicketProof.SIGNED)
    ),
    Case(
        "a withdrawn ticket",
        replace(facts(THEORY), by_void_ticket=(WHO,)),
        (Outcome.TICKET_VOID,),
    ),
    Case(
        "a replaced ticket, and a wrong ID number",
        replace(EMPTY, by_void_ticket=(WHO,)),
        (Outcome.TICKET_VOID, Outcome.ID_CHECKSUM),
        asked=asked(id_number=BAD_NUMBER),
    ),
    Case(
        "a signed ticket of another site",
        EMPTY,
        (Outcome.WRONG_SITE,),
        asked=asked(ticket_site="青山第二考点"),
    ),
    Case(
        "a plain number of another site",
        EMPTY,
        (Outcome.WRONG_SITE,),
        asked=asked(ticket_no="992700000001"),
        policy=ELSEWHERE,
    ),
    Case("a number of ours", facts(THEORY), (Outcome.OK_ADMITTED,), policy=ELSEWHERE),
    # The seat and what is on record about it.
    Case("somebody sits there", seated(is_taken=True), (Outcome.SEAT_TAKEN,)),
    Case(
        "somebody sits there, at the wrong door, too early",
        seated(is_taken=True),
        (Outcome.WRONG_ROOM, Outcome.TOO_EARLY, Outcome.SEAT_TAKEN),
        -30,
        asked=AT_OTHER_ROOM,
    ),
    Case("two kiosks let two people in", seated(held_for=Outcome.DUP_CONFLICT), (Outcome.DUP_CONFLICT,)),
    Case(
        "people let him in provisionally",
        seated(held_for=Outcome.FACE_DOUBT, admission=in_at(-10.5)),
        (Outcome.OK_ALREADY_HERE,),
    ),
    Case(
        "people settled the name",
        replace(
            facts(THEORY, known=CHEN),
            seats=(replace(facts(THEORY).seats[0], settled=frozenset({Outcome.NAME_MISMATCH})),),
        ),
        (Outcome.OK_ADMITTED,),
        asked=read(name="陈一喏"),
    ),
    Case("his entry was taken back", seated(is_withdrawn=True), (Outcome.CANDIDATE_BLOCKED,)),
    Case(
        "handed in and left",
        replace(facts(STARTED), seats=(replace(facts(STARTED, admission=in_at(-5)).seats[0], left_at_us=1),)),
        (Outcome.LEFT_NO_RETURN,),
        35,
    ),
    # Theory before the rest, where the site asks for it.
    Case("missed the theory", facts(THEORY, PRACTICAL), (Outcome.WRONG_STAGE,), 230, policy=THEORY_FIRST),
    Case(
        "came to the theory",
        replace(facts(PRACTICAL), seats=(*facts(THEORY, admission=in_at(-5)).seats, *facts(PRACTICAL).seats)),
        (Outcome.OK_ADMITTED,),
        230,
        policy=THEORY_FIRST,
    ),
    Case(
        "the theory was cancelled",
        facts(replace(THEORY, is_cancelled=True), PRACTICAL),
        (Outcome.OK_ADMITTED,),
        230,
        policy=THEORY_FIRST,
    ),
    Case(
        "the theory comes later",
        facts(PRACTICAL, replace(THEORY, planned_start_us=PRACTICAL.planned_start_us + 9 * MINUTE_US)),
        (Outcome.AMBIGUOUS,),
        240,
        policy=THEORY_FIRST,
    ),
    Case("sits the practical only", facts(PRACTICAL), (Outcome.OK_ADMITTED,), 230, policy=THEORY_FIRST),
    Case("the theory itself", facts(THEORY), (Outcome.OK_ADMITTED,), policy=THEORY_FIRST),
    # Steps at the kiosk.
    Case(
        "everything is asked for",
        facts(THEORY),
        (Outcome.NEED_NOTICE, Outcome.NEED_PHOTO, Outcome.NEED_BAG, Outcome.NEED_SIGNATURE),
        policy=ALL_STEPS,
    ),
    Case(
        "everything was given",
        facts(THEORY),
        (Outcome.OK_ADMITTED,),
        asked=asked(provided=EVERYTHING),
        policy=ALL_STEPS,
    ),
    Case(
        "nothing is asked at the wrong door",
        facts(THEORY),
        (Outcome.WRONG_ROOM,),
        asked=AT_OTHER_ROOM,
        policy=ALL_STEPS,
    ),
    Case(
        "an older notice was accepted",
        facts(THEORY),
        (Outcome.NEED_NOTICE,),
        asked=asked(provided=Provided(notice_version="1")),
        policy=NOTICE,
    ),
    Case(
        "the notice was declined",
        facts(THEORY),
        (Outcome.NOTICE_DECLINED,),
        asked=declared(Outcome.NOTICE_DECLINED),
        policy=NOTICE,
    ),
    Case(
        "no photo, please",
        facts(THEORY),
        (Outcome.PHOTO_REFUSED,),
        asked=declared(Outcome.PHOTO_REFUSED),
        policy=PHOTO,
    ),
    Case(
        "a camera that is dead",
        facts(THEORY),
        (Outcome.CAPTURE_FAILED,),
        asked=declared(Outcome.CAPTURE_FAILED),
        policy=PHOTO,
    ),
    Case(
        "nobody asked for a photo",
        facts(THEORY),
        (Outcome.OK_ADMITTED,),
        asked=declared(Outcome.PHOTO_REFUSED),
    ),
    Case(
        "nothing to compare the face with",
        facts(THEORY),
        (Outcome.NO_FILE_PHOTO,),
        asked=declared(Outcome.NO_FILE_PHOTO),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_verdict_names_every_true_reason_most_helpful_first(case: Case) -> None:
    assert judged(case).reasons == case.reasons


@pytest.mark.parametrize(
    ("failing", "helper"),
    [
        (asked(id_number=BAD_NUMBER), Outcome.ID_UNREADABLE),
        (declared(Outcome.SCAN_NONE, ticket_no=None), Outcome.NO_TICKET),
        (declared(Outcome.SCAN_DYNAMIC_ID, id_number=None), Outcome.ID_UNREADABLE),
    ],
)
def test_the_third_failure_leads_to_a_person(failing: AdmissionRequest, helper: Outcome) -> None:
    first = judge(failing, facts(THEORY), POLICY, START_US)
    second = judge(replace(failing, tries=1), facts(THEORY), POLICY, START_US)
    third = judge(replace(failing, tries=2), facts(THEORY), POLICY, START_US)
    assert first == second
    assert third.reasons == (helper, *first.reasons)
    patient = replace(POLICY, tries=9)
    assert judge(replace(failing, tries=2), facts(THEORY), patient, START_US) == first


def test_a_photo_that_fails_three_times_is_a_camera_that_failed() -> None:
    verdict = judge(asked(tries=2), facts(THEORY), PHOTO, START_US)
    assert verdict.reasons == (Outcome.CAPTURE_FAILED, Outcome.NEED_PHOTO)


def test_whoever_is_slow_but_makes_no_mistake_is_not_sent_away() -> None:
    verdict = judge(asked(tries=8, id_number=None), facts(THEORY), POLICY, START_US)
    assert verdict.outcome is Outcome.NEED_SECOND_DOC
    assert judge(asked(tries=8), facts(THEORY), POLICY, START_US).outcome is Outcome.OK_ADMITTED


def test_the_name_of_the_other_site_comes_with_the_verdict() -> None:
    elsewhere = judge(asked(ticket_no="992700000001"), EMPTY, ELSEWHERE, START_US)
    assert elsewhere.site == "青山第二考点"
    assert judge(ASK, facts(THEORY), ELSEWHERE, START_US).site == ""


def test_a_kiosk_that_decides_alone_says_so() -> None:
    admitted = judge(ASK, facts(THEORY), POLICY, START_US)
    assert judged_alone(admitted).outcome is Outcome.OK_OFFLINE
    assert judged_alone(admitted).seat == admitted.seat
    late = judge(ASK, facts(STARTED), POLICY, START_US + MINUTE_US)
    assert judged_alone(late) == late


def test_a_doubt_that_people_settled_for_one_person_says_nothing_about_another() -> None:
    two = replace(
        facts(THEORY, known=CHEN),
        by_ticket=(CHEN, Known(8, DocumentType.ID_CARD, is_blocked=False, name="王五")),
    )
    verdict = judge(read(name="陈一诺"), two, POLICY, START_US)
    assert verdict.outcome is Outcome.OK_ADMITTED


def test_a_rule_for_doubts_is_plain_data() -> None:
    assert Conditional() == Conditional(IdentityRule.CONDITIONAL, None)
    assert THEORY.room_id != OTHER_ROOM
