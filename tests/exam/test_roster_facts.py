"""The rule beside the server: facts as plain values and back, and a kiosk's own entries laid over them."""

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from exam.admission import Known, Outcome, Policy, ReadDocument, Seat, judge
from exam.admission_facts import AdmissionRequest, Conditional, IdentityRule, OtherSite, Provided, Step
from exam.clock import MINUTE_US
from exam.day import SessionKind
from exam.identity import DocumentType
from exam.plain import PlainError, from_plain, to_plain
from exam.roster_facts import (
    LocalEntry,
    RosterDay,
    RosterRecord,
    facts_of,
    read_day,
    read_record,
    rules_version,
)
from tests.exam.admission_cases import (
    ASK,
    KIOSK,
    OTHER_KIOSK,
    OTHER_ROOM,
    POLICY,
    PRACTICAL,
    THEORY,
    WHO,
    facts,
    in_at,
)
from tests.exam.test_admission import any_facts, requests
from tests.world import START_US

DAY = RosterDay(("9926[0-9]{8}",), (THEORY, PRACTICAL), POLICY)
SEAT = Seat(7, 100, THEORY)
RECORD = RosterRecord(WHO, (SEAT,))
NOW_US = START_US - 10 * MINUTE_US
RICH_POLICY = Policy(
    late_entry_us={SessionKind.THEORY: 15 * MINUTE_US, SessionKind.REVIEW: None},
    steps=frozenset(Step),
    notice_version="7",
    without_document=Conditional(IdentityRule.DEADLINE, 60 * MINUTE_US),
    other_sites=(OtherSite("青山第二考点", "9927[0-9]{8}"),),
)


@given(any_facts, requests)
def test_facts_and_requests_survive_the_way_through_json(known: object, asked: object) -> None:
    for value in (known, asked):
        sent = json.dumps(to_plain(value), ensure_ascii=False)
        assert from_plain(type(value), json.loads(sent)) == value


def test_day_record_and_policy_survive_too() -> None:
    day = replace(DAY, policy=RICH_POLICY)
    assert read_day(json.loads(json.dumps(to_plain(day)))) == day
    record = RosterRecord(
        replace(WHO, name="陈一诺"),
        (replace(SEAT, admission=in_at(-3), settled=frozenset({Outcome.NAME_MISMATCH})),),
    )
    assert read_record(json.loads(json.dumps(to_plain(record)))) == record
    request = replace(
        ASK, read=ReadDocument(DocumentType.ID_CARD, "陈一诺", date(2030, 1, 2)), provided=Provided("aa" * 32)
    )
    assert from_plain(AdmissionRequest, to_plain(request)) == request


@pytest.mark.parametrize(
    ("plain", "complaint"),
    [
        (7, "RosterRecord: a dictionary is wanted"),
        ({"seats": []}, "RosterRecord: known is missing"),
        ({"known": {}, "seats": [], "more": 1}, "RosterRecord: nobody knows more"),
        ({"known": to_plain(WHO), "seats": "none"}, r"RosterRecord\.seats: a list is wanted"),
        ({"known": to_plain(WHO), "seats": [3]}, r"RosterRecord\.seats\[0\]: a dictionary is wanted"),
        ({"known": {**to_plain(WHO), "is_blocked": 1}, "seats": []}, r"known\.is_blocked: bool is wanted"),
        (
            {"known": {**to_plain(WHO), "candidate_id": True}, "seats": []},
            r"known\.candidate_id: int is wanted",
        ),
        (
            {"known": {**to_plain(WHO), "document_type": "library_card"}, "seats": []},
            "'library_card' is no DocumentType",
        ),
    ],
)
def test_what_is_no_record_is_named_and_read_by_nobody(plain: object, complaint: str) -> None:
    with pytest.raises(PlainError, match=complaint):
        read_record(plain)


def test_a_mapping_and_a_date_of_another_shape_are_named() -> None:
    with pytest.raises(PlainError, match=r"Policy\.late_entry_us: a dictionary is wanted"):
        from_plain(Policy, {"late_entry_us": []})
    with pytest.raises(PlainError, match="5 is no date"):
        from_plain(ReadDocument, {"valid_until": 5})


def test_a_kiosk_judges_as_the_server_does() -> None:
    alone = facts_of(DAY, [RECORD], [RECORD])
    server = replace(facts(THEORY), sittings_here=DAY.sittings)
    assert alone == server
    assert judge(ASK, alone, POLICY, NOW_US).outcome is Outcome.OK_ADMITTED


def test_records_that_name_different_people_give_no_seat() -> None:
    somebody = RosterRecord(
        Known(8, DocumentType.ID_CARD, is_blocked=False), (replace(SEAT, candidate_id=8),)
    )
    apart = facts_of(DAY, [RECORD], [somebody])
    assert apart.seats == ()
    assert judge(ASK, apart, POLICY, NOW_US).outcome is Outcome.ID_TICKET_MISMATCH


def test_a_voided_number_opens_a_record_that_says_so() -> None:
    void = facts_of(DAY, [replace(RECORD, is_void_ticket=True)], [RECORD])
    assert judge(ASK, void, POLICY, NOW_US).outcome is Outcome.TICKET_VOID


def test_only_the_sittings_behind_the_door_count_as_here() -> None:
    assert facts_of(DAY, [], [], rooms=frozenset({OTHER_ROOM})).sittings_here == ()
    assert facts_of(DAY, [], [], rooms=frozenset({THEORY.room_id})).sittings_here == (THEORY, PRACTICAL)


@pytest.mark.parametrize(
    ("entry", "outcome"),
    [
        (LocalEntry(7, 1, 100, NOW_US - 1, KIOSK), Outcome.OK_ALREADY_HERE),
        (LocalEntry(7, 1, 100, NOW_US - 1, OTHER_KIOSK), Outcome.ALREADY_IN),
        (LocalEntry(8, 1, 100, NOW_US - 1, KIOSK), Outcome.SEAT_TAKEN),
        (LocalEntry(8, 1, 101, NOW_US - 1, KIOSK), Outcome.OK_ADMITTED),
        (LocalEntry(7, 2, 100, NOW_US - 1, KIOSK), Outcome.OK_ADMITTED),
    ],
)
def test_what_happened_here_since_the_package_counts(entry: LocalEntry, outcome: Outcome) -> None:
    known = facts_of(DAY, [RECORD], [RECORD], [entry])
    assert judge(ASK, known, POLICY, NOW_US).outcome is outcome


def test_whoever_left_through_this_kiosk_does_not_come_back() -> None:
    entries = [
        LocalEntry(7, 1, 100, NOW_US - 9, KIOSK),
        LocalEntry(7, 1, 100, NOW_US - 5, KIOSK),
        LocalEntry(7, 1, 100, NOW_US - 1, KIOSK, has_left=True),
    ]
    known = facts_of(DAY, [RECORD], [RECORD], entries)
    assert known.seats[0].admission is not None
    assert known.seats[0].admission.admitted_at_us == NOW_US - 9
    assert judge(ASK, known, POLICY, NOW_US).outcome is Outcome.LEFT_NO_RETURN


def test_the_version_names_rule_and_policy() -> None:
    assert rules_version(POLICY) == rules_version(Policy())
    assert rules_version(POLICY) != rules_version(RICH_POLICY)
    assert rules_version(POLICY).startswith("2-")
