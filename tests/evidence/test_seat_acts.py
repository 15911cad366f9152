"""Acts of staff about seats: walk-ins, changes of seat, the emergency room, redirects, tickets, conflicts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evidence.act_facts import WalkIn
from evidence.roster import ID_NUMBER
from exam.admission_authority import Act, Refusal
from exam.clock import MINUTE_US
from exam.identity import DocumentType
from exam.outcomes import Outcome
from exam.upload_rules import AlarmKind
from rehearsal.people_names import RosterLine, invent_people
from tests.evidence.check_ins import Desk, second_kiosk
from tests.evidence.office import START_CUE, Office, told
from tests.evidence.test_roster import take_in
from tests.world import CLOCK_US, START_US, World, announce, invented_number

WALK_IN = WalkIn("吴增补", DocumentType.ID_CARD, invented_number(55), "W-0001")


def test_a_walk_in_comes_with_an_approval_and_is_on_the_roster(
    desk: Desk, world: World, office: Office
) -> None:
    place_id = world.late.place_id + 5
    walk_in = office.new(Act.WALK_IN, session_id=world.session_id, place_id=place_id, walk_in=WALK_IN)
    assert office.refusal(walk_in, replace(office.lead(), approval_no=" ")) is Refusal.NO_APPROVAL
    answer = office.send(walk_in, office.lead())
    assert told(answer)["outcome"] == "OK_WALK_IN"
    candidate_id = told(answer)["candidate_id"]
    assert desk.standing() == [(1, candidate_id, place_id)]
    [row] = desk.rows("select * from candidate where id = ?", candidate_id)
    assert (row["name"], row["ticket_no"], row["batch_id"]) == ("吴增补", "W-0001", world.batch_id)
    assert world.vault.decrypt(row["id_number_cipher"], ID_NUMBER) == WALK_IN.id_number
    again = replace(walk_in, nonce="act-nonce-of-the-next", place_id=place_id + 1)
    assert office.refusal(again, office.lead()) is Refusal.KNOWN
    namesake = replace(again, walk_in=replace(WALK_IN, id_number=invented_number(56)))
    assert office.refusal(namesake, office.lead()) is Refusal.KNOWN
    taken = replace(
        namesake, walk_in=replace(WALK_IN, id_number=invented_number(57), ticket_no="W-2"), place_id=place_id
    )
    assert office.refusal(taken, office.lead()) is Refusal.PLACE_TAKEN
    assert desk.findings() == []


def test_somebody_of_the_batch_without_a_seat_here_walks_in_as_himself(
    desk: Desk, world: World, office: Office
) -> None:
    desk.set("delete from seating where candidate_id = ?", world.late.id)
    himself = replace(WALK_IN, id_number=world.late.id_number)
    walk_in = office.new(
        Act.WALK_IN, session_id=world.session_id, place_id=world.late.place_id, walk_in=himself
    )
    assert told(office.send(walk_in, office.lead()))["candidate_id"] == world.late.id


@pytest.mark.parametrize(
    "changed",
    [{"place_id": 9999}, {"session_id": 9999}, {"session_id": None}, {"walk_in": None}],
)
def test_a_walk_in_to_no_place_of_the_session_is_refused(
    world: World, office: Office, changed: dict[str, Any]
) -> None:
    plain = {"session_id": world.session_id, "place_id": world.late.place_id + 5, "walk_in": WALK_IN}
    assert (
        office.refusal(office.new(Act.WALK_IN, **{**plain, **changed}), office.lead()) is Refusal.WRONG_PLACE
    )


def emergency_place(desk: Desk, kind: str = "contingency_hall") -> int:
    desk.set("insert into room (code, label, kind) values ('E01', '应急考场', ?)", kind)
    desk.set(
        "insert into place (room_id, kind, label, grid_row, grid_col)"
        " select id, 'seat', '1', 1, 1 from room where code = 'E01'"
    )
    return int(desk.rows("select max(id) from place")[0][0])


def test_the_emergency_room_keeps_his_moment_tells_both_rooms_and_is_recorded(
    desk: Desk, world: World, office: Office
) -> None:
    desk.ask(world.on_time)
    announce(world, START_CUE, START_US)
    place_id = emergency_place(desk)
    moved_us = START_US + 40 * MINUTE_US
    answer = office.send(
        office.about(Act.EMERGENCY_ROOM, world.on_time, moved_us, place_id=place_id), office.lead()
    )
    assert (told(answer)["outcome"], told(answer)["told"]["room_label"]) == ("OK_EMERGENCY_ROOM", "应急考场")
    assert desk.standing() == [(2, world.on_time.id, place_id)]
    [row] = desk.rows("select admitted_at_us from admission where voided_at_us is null")
    assert row["admitted_at_us"] == CLOCK_US
    assert [(one.kind, one.room_label) for one in desk.alarms()] == [
        (AlarmKind.MOVED_ROOM, "应急考场"),
        (AlarmKind.MOVED_ROOM, "第1考场"),
    ]
    [order] = desk.rows("select act, room.code from recording_order join room on room.id = room_id")
    assert tuple(order) == ("start", "E01")
    [act] = desk.rows("select place_id, from_place_id from check_in_act")
    assert tuple(act) == (place_id, world.on_time.place_id)
    # The signals of the room he came from hold for him.
    assert desk.ask(world.on_time, moved_us + 1).outcome is Outcome.ALREADY_IN
    left = office.about(Act.EXIT, world.on_time, moved_us + MINUTE_US)
    assert told(office.send(left, office.lead()))["outcome"] == "OK_EXIT"
    assert desk.findings() == []


def test_a_seat_changes_within_the_session_before_he_comes(desk: Desk, world: World, office: Office) -> None:
    place_id = world.other_room.place_id + 3
    answer = office.send(office.about(Act.SEAT_CHANGE, world.on_time, place_id=place_id), office.lead())
    assert told(answer)["outcome"] == "OK_EMERGENCY_ROOM"
    assert desk.attempts() == []
    assert desk.ask(world.on_time).outcome is Outcome.OK_ADMITTED
    assert desk.standing() == [(1, world.on_time.id, place_id)]
    assert desk.rows("select * from recording_order") == []


@pytest.mark.parametrize(
    ("act", "place", "refusal"),
    [
        (Act.SEAT_CHANGE, "emergency", Refusal.WRONG_PLACE),
        (Act.EMERGENCY_ROOM, "office", Refusal.WRONG_PLACE),
        (Act.SEAT_CHANGE, "own", Refusal.WRONG_PLACE),
        (Act.SEAT_CHANGE, "none", Refusal.WRONG_PLACE),
        (Act.SEAT_CHANGE, "taken", Refusal.PLACE_TAKEN),
    ],
)
def test_a_seat_changes_to_a_free_place_of_the_right_kind_only(
    desk: Desk, world: World, office: Office, act: Act, place: str, refusal: Refusal
) -> None:
    places: dict[str, Callable[[], int]] = {
        "emergency": lambda: emergency_place(desk),
        "office": lambda: emergency_place(desk, "exam_office"),
        "own": lambda: world.on_time.place_id,
        "none": lambda: 9999,
        "taken": lambda: world.late.place_id,
    }
    change = office.about(act, world.on_time, place_id=places[place]())
    assert office.refusal(change, office.lead()) is refusal


def test_a_redirect_is_kept_and_changes_nothing(desk: Desk, world: World, office: Office) -> None:
    answer = office.send(office.about(Act.REDIRECT, world.on_time, room_id=world.room_2), office.proctor())
    assert told(answer) == {
        "act": "redirect",
        "outcome": None,
        "lacks": "",
        "candidate_id": world.on_time.id,
        "told": None,
    }
    assert desk.attempts() == []
    assert desk.rows("select room_id from check_in_act")[0][0] == world.room_2
    assert desk.findings() == []


def test_a_voided_ticket_counts_no_more(desk: Desk, world: World, office: Office) -> None:
    office.send(office.about(Act.VOID_TICKET, world.on_time), office.lead())
    assert desk.ask(world.on_time).outcome is Outcome.TICKET_VOID
    assert office.refusal(office.about(Act.VOID_TICKET, world.on_time), office.lead()) is Refusal.KNOWN
    nobody = office.new(Act.VOID_TICKET, candidate_id=9999)
    assert office.refusal(nobody, office.lead()) is Refusal.NOBODY
    assert desk.findings() == []


def test_whoever_is_barred_goes_to_people_until_two_have_lifted_it(
    desk: Desk, world: World, office: Office
) -> None:
    bar = office.new(Act.BLOCK, candidate_id=world.on_time.id, reason=" 冒名顶替 ")
    office.send(bar, office.lead())
    assert (
        desk.rows("select blocked_reason from candidate where id = ?", world.on_time.id)[0][0] == "冒名顶替"
    )
    assert desk.ask(world.on_time).outcome is Outcome.CANDIDATE_BLOCKED
    again = office.new(Act.BLOCK, candidate_id=world.on_time.id)
    assert office.refusal(again, office.lead()) is Refusal.BLOCKED
    lift = office.new(Act.UNBLOCK, candidate_id=world.on_time.id)
    assert office.refusal(lift, office.lead()) is Refusal.NEEDS_SECOND
    office.send(lift, office.lead(alone=False))
    assert desk.ask(world.on_time).outcome is Outcome.OK_ADMITTED
    nobody = office.new(Act.BLOCK, candidate_id=None)
    assert office.refusal(nobody, office.lead()) is Refusal.NOBODY
    assert desk.findings() == []


def test_of_two_entries_the_site_lead_says_which_counts(desk: Desk, world: World, office: Office) -> None:
    other = second_kiosk(world)
    desk.upload(world.on_time, CLOCK_US)
    desk.upload(world.on_time, CLOCK_US + 1, kiosk_id=other)
    assert desk.standing() == []
    choose = office.new(Act.SETTLE_CONFLICT, CLOCK_US + MINUTE_US, subject_attempt_id=2)
    office.send(choose, office.lead())
    [row] = desk.rows("select candidate_id, admitted_at_us from admission where voided_at_us is null")
    assert tuple(row) == (world.on_time.id, CLOCK_US + 1)
    assert office.refusal(replace(choose, nonce="act-nonce-of-the-next"), office.lead()) is Refusal.ALREADY_IN
    assert desk.findings() == []


def test_a_refused_scan_is_no_entry_to_choose(desk: Desk, world: World, office: Office) -> None:
    desk.upload(world.on_time, CLOCK_US)
    desk.upload(world.on_time, CLOCK_US + 1, kiosk_id=second_kiosk(world))
    desk.ask(world.on_time)
    choose = office.new(Act.SETTLE_CONFLICT, subject_attempt_id=3)
    assert office.refusal(choose, office.lead()) is Refusal.NOTHING_THERE


def test_a_later_roster_neither_moves_nor_removes_whom_people_seated(
    desk: Desk, world: World, office: Office
) -> None:
    desk.set("delete from seating")
    desk.set("delete from candidate")
    first, second, third = (RosterLine(one, "T1", "第1考场", "") for one in invent_people(3, seed=11))
    take_in(world, [first, second])
    candidate_id = desk.rows("select id from candidate where ticket_no = ?", first.person.ticket_no)[0][0]
    places = [row[0] for row in desk.rows("select id from place where room_id = ? order by id", world.room_1)]
    whom = {"session_id": world.session_id, "candidate_id": candidate_id}
    office.send(office.new(Act.SEAT_CHANGE, place_id=places[5], **whom), office.lead())
    office.send(
        office.new(Act.WALK_IN, session_id=world.session_id, place_id=places[2], walk_in=WALK_IN),
        office.lead(),
    )
    report = take_in(world, [replace(first, place="1"), second, third])
    assert report.faults == ()
    seats = dict(
        tuple(row)
        for row in desk.rows(
            "select ticket_no, place_id from seating join candidate on candidate.id = candidate_id"
        )
    )
    assert seats == {
        first.person.ticket_no: places[5],
        second.person.ticket_no: places[1],
        third.person.ticket_no: places[0],
        "W-0001": places[2],
    }
    claimed = take_in(world, [first, second, replace(third, place="3")])
    assert [fault.reason for fault in claimed.faults] == ["座位已在考试当天由现场负责人安排给其他考生"]
