"""Uploads: every conflict rule over the real database, nothing dropped, everything seen by a person."""

from dataclasses import replace

import pytest

from evidence.check_in_facts import UNKNOWN_US
from evidence.check_in_rows import KioskSaid
from evidence.checkins import KioskDecision
from exam.admission_facts import Provided
from exam.clock import MINUTE_US, SECOND_US
from exam.outcomes import Outcome
from exam.upload_rules import AlarmKind
from rehearsal.people_names import RosterLine, invent_people
from tests.evidence.check_ins import BOOT, Desk, body, second_kiosk
from tests.evidence.test_roster import take_in
from tests.world import CLOCK_US, DURATION_US, START_US, World, announce

START_CUE, STOP_CUE = "C5", "C8"
LATER_US = CLOCK_US + 60 * MINUTE_US


def test_an_entry_made_offline_is_admitted_at_the_moment_it_happened(desk: Desk, world: World) -> None:
    answer = desk.upload(world.on_time, CLOCK_US + MINUTE_US)
    assert (answer.outcome, body(answer)["admitted"]) == (Outcome.OK_OFFLINE, True)
    [row] = desk.attempts()
    assert (row["decided_by"], row["shown_outcome"], row["is_late"]) == ("kiosk", "OK_OFFLINE", 0)
    assert (row["corrected_at_us"], row["received_at_us"]) == (CLOCK_US + MINUTE_US, LATER_US)
    assert (row["boot_id"], row["sequence"]) == (BOOT, 0)
    [admitted] = desk.rows("select admitted_at_us from admission")
    assert admitted["admitted_at_us"] == CLOCK_US + MINUTE_US
    assert desk.alarms() == []
    assert answer.rooms == {world.room_1}


def test_the_moment_is_corrected_by_the_kiosks_offset_and_a_fast_clock_raises_an_alarm(
    desk: Desk, world: World
) -> None:
    fast = KioskSaid(clock_offset_us=7 * SECOND_US, clock_uncertainty_us=1000)
    desk.upload(world.on_time, CLOCK_US + 7 * SECOND_US, said=fast)
    desk.upload(world.late, CLOCK_US + 8 * SECOND_US, said=fast)
    assert [row["corrected_at_us"] for row in desk.attempts()] == [CLOCK_US, CLOCK_US + SECOND_US]
    assert [one.kind for one in desk.alarms()] == [AlarmKind.CLOCK_SKEW]
    assert desk.alarms()[0].kiosk_label == "一号签到机"


def test_no_upload_comes_from_the_future(desk: Desk, world: World) -> None:
    desk.upload(world.on_time, CLOCK_US + 90 * MINUTE_US)
    assert desk.attempts()[0]["corrected_at_us"] == LATER_US


def test_rule_same_nonce_the_stored_bytes_whatever_the_upload_says(desk: Desk, world: World) -> None:
    request = desk.offline(world.on_time)
    first = desk.send(request, LATER_US)
    again = desk.send(replace(request, id_number=None), LATER_US + 1)
    assert (again.body, again.is_replay) == (first.body, True)
    assert len(desk.attempts()) == 1


def test_rule_same_kiosk_the_first_entry_stands(desk: Desk, world: World) -> None:
    desk.upload(world.on_time)
    second = desk.upload(world.on_time, CLOCK_US + 5 * MINUTE_US)
    assert second.outcome is Outcome.OK_ALREADY_HERE
    assert [row[0] for row in desk.standing()] == [1]
    assert desk.alarms() == []


@pytest.mark.parametrize("first_is_earlier", [True, False])
def test_rule_two_kiosks_the_earlier_moment_keeps_the_admission(
    desk: Desk, world: World, first_is_earlier: bool
) -> None:
    other = second_kiosk(world)
    early, late = CLOCK_US, CLOCK_US + MINUTE_US
    first, second = (early, late) if first_is_earlier else (late, early)
    desk.upload(world.on_time, first, provided=Provided(photo_sha256="aa" * 32))
    answer = desk.upload(world.on_time, second, kiosk_id=other, provided=Provided(photo_sha256="bb" * 32))
    assert answer.outcome is (Outcome.DUP_CONFLICT if first_is_earlier else Outcome.OK_OFFLINE)
    assert [row[0] for row in desk.standing()] == [1 if first_is_earlier else 2]
    assert desk.rows("select admitted_at_us from admission where voided_at_us is null")[0][0] == early
    [alarm] = desk.alarms()
    assert (alarm.kind, alarm.room_label, alarm.candidate_name) == (
        AlarmKind.DUP_CONFLICT,
        "第1考场",
        "陈一诺",
    )
    assert set(alarm.photos) == {"aa" * 32, "bb" * 32}
    [case] = desk.cases()
    assert (case.facts.reason, case.facts.is_inside, case.candidate_id) == (
        Outcome.DUP_CONFLICT,
        True,
        world.on_time.id,
    )
    assert len(desk.attempts()) == 2


def test_the_admission_that_gave_way_is_kept_with_its_cause(desk: Desk, world: World) -> None:
    desk.upload(world.on_time, CLOCK_US + MINUTE_US)
    desk.upload(world.on_time, CLOCK_US, kiosk_id=second_kiosk(world))
    [voiding] = desk.rows("select * from admission_voiding")
    assert (voiding["cause"], voiding["attempt_id"]) == ("conflict", 2)
    assert len(desk.rows("select * from admission")) == 2
    assert desk.findings() == []


@pytest.mark.parametrize("uncertainty_us", [30 * SECOND_US, None])
def test_rule_within_the_uncertainty_nobody_wins_and_nobody_gets_in_before_people_chose(
    desk: Desk, world: World, uncertainty_us: int | None
) -> None:
    other = second_kiosk(world)
    desk.upload(world.on_time, CLOCK_US, uncertainty_us=uncertainty_us)
    answer = desk.upload(
        world.on_time, CLOCK_US + 10 * SECOND_US, kiosk_id=other, uncertainty_us=uncertainty_us
    )
    assert answer.outcome is Outcome.DUP_CONFLICT
    assert desk.standing() == []
    assert desk.alarm_kinds() == {AlarmKind.DUP_CONFLICT}
    third = desk.ask(world.on_time)
    fourth = desk.upload(world.on_time, CLOCK_US + 20 * SECOND_US)
    assert (third.outcome, fourth.outcome) == (Outcome.DUP_CONFLICT, Outcome.DUP_CONFLICT)
    assert len(desk.cases()) == 1


def test_a_clock_that_was_never_compared_could_be_a_day_wrong(desk: Desk, world: World) -> None:
    said = KioskSaid(clock_offset_us=None)
    request = desk.offline(world.on_time, said=said)
    assert request.corrected(LATER_US) == (CLOCK_US, UNKNOWN_US)


def test_a_live_entry_and_an_earlier_one_made_offline_are_a_conflict_too(desk: Desk, world: World) -> None:
    desk.ask(world.on_time)
    answer = desk.upload(world.on_time, CLOCK_US - 5 * MINUTE_US, kiosk_id=second_kiosk(world))
    assert answer.outcome is Outcome.OK_OFFLINE
    assert [row[0] for row in desk.standing()] == [2]
    assert desk.alarm_kinds() == {AlarmKind.DUP_CONFLICT}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update candidate set blocked_reason = '上次替考' where id = ?", "CANDIDATE_BLOCKED"),
        (
            "insert into ticket_voiding (candidate_id, ticket_no, reason, account_id, voided_at_us)"
            " select id, ticket_no, '遗失', 1, 1 from candidate where id = ?",
            "TICKET_VOID",
        ),
    ],
)
def test_rule_voided_or_barred_meanwhile_stays_provisionally_with_a_case(
    desk: Desk, world: World, change: str, reason: str
) -> None:
    request = desk.offline(world.on_time)
    desk.set(change, world.on_time.id)
    answer = desk.send(request, LATER_US)
    assert answer.outcome is Outcome.OK_PROVISIONAL
    assert "替考" not in answer.body
    assert [row[1] for row in desk.standing()] == [world.on_time.id]
    assert desk.alarm_kinds() == {AlarmKind.VOID_MEANWHILE}
    [case] = desk.cases()
    assert (case.facts.reason, case.facts.room_id, case.facts.is_inside) == (reason, world.room_1, True)


def test_rule_a_seat_that_moved_is_the_new_seat_and_told(desk: Desk, world: World) -> None:
    request = desk.offline(world.on_time)
    new_place = world.late.place_id + 5
    desk.set("update seating set place_id = ? where candidate_id = ?", new_place, world.on_time.id)
    answer = desk.send(request, LATER_US)
    assert answer.outcome is Outcome.OK_OFFLINE
    assert desk.standing() == [(1, world.on_time.id, new_place)]
    assert desk.alarm_kinds() == {AlarmKind.SEAT_MOVED}


def test_rule_a_seat_clash_admits_nobody_and_is_told(desk: Desk, world: World) -> None:
    request = desk.offline(world.on_time)
    desk.ask(world.late)
    desk.set("delete from seating where candidate_id = ?", world.late.id)
    desk.set("update seating set place_id = ? where candidate_id = ?", world.late.place_id, world.on_time.id)
    answer = desk.send(request, LATER_US)
    assert answer.outcome is Outcome.SEAT_TAKEN
    assert [row[1] for row in desk.standing()] == [world.late.id]
    assert desk.alarm_kinds() == {AlarmKind.SEAT_TAKEN, AlarmKind.SEAT_MOVED}


def test_rule_after_the_cut_off_by_the_corrected_clock_stands_and_is_reviewed(
    desk: Desk, world: World
) -> None:
    announce(world, START_CUE, START_US)
    answer = desk.upload(world.late, START_US + 31 * MINUTE_US, outcome=Outcome.OK_LATE)
    assert answer.outcome is Outcome.LATE_CUTOFF_REVIEW
    assert [row[1] for row in desk.standing()] == [world.late.id]
    assert desk.alarm_kinds() == {AlarmKind.LATE_CUTOFF_REVIEW}
    assert desk.cases() == []


def test_a_late_entry_in_time_is_late(desk: Desk, world: World) -> None:
    announce(world, START_CUE, START_US)
    answer = desk.upload(world.late, START_US + 29 * MINUTE_US, outcome=Outcome.OK_LATE)
    assert answer.outcome is Outcome.OK_LATE
    assert desk.alarms() == []


def test_rule_refused_offline_though_he_would_have_been_let_in_may_be_outside(
    desk: Desk, world: World
) -> None:
    answer = desk.upload(world.on_time, outcome=Outcome.NOT_ON_ROSTER)
    assert answer.outcome is Outcome.NOT_ON_ROSTER
    assert desk.standing() == []
    [alarm] = desk.alarms()
    assert (alarm.kind, alarm.room_label) == (AlarmKind.MAYBE_OUTSIDE, "第1考场")


def test_a_refusal_that_was_right_troubles_nobody(desk: Desk, world: World) -> None:
    desk.upload(world.on_time, START_US - 60 * MINUTE_US, outcome=Outcome.TOO_EARLY)
    assert (desk.outcomes(), desk.alarms()) == (["TOO_EARLY"], [])


def test_rule_admitted_here_but_sent_away_by_the_kiosk_is_an_alarm(desk: Desk, world: World) -> None:
    request = desk.request(world.on_time)
    admitted = desk.send(request)
    shown = replace(request, decided=KioskDecision(Outcome.NOT_ON_ROSTER))
    again = desk.send(shown, LATER_US)
    assert (again.body, again.is_replay, again.rooms) == (admitted.body, True, {world.room_1})
    [alarm] = desk.alarms()
    assert (alarm.kind, alarm.candidate_name, alarm.room_label) == (AlarmKind.SENT_AWAY, "陈一诺", "第1考场")
    desk.send(shown, LATER_US + 1)
    assert len(desk.rows("select * from shown_answer")) == len(desk.alarms()) == 1


def test_let_in_by_the_kiosk_though_refused_here_is_an_alarm_and_a_case(desk: Desk, world: World) -> None:
    announce(world, START_CUE, START_US)
    request = desk.request(world.late)
    refused = desk.send(request, START_US + 31 * MINUTE_US)
    desk.send(replace(request, decided=KioskDecision(Outcome.OK_LATE)), LATER_US)
    assert refused.outcome is Outcome.LATE_CUTOFF
    assert desk.alarm_kinds() == {AlarmKind.INSIDE_THOUGH_REFUSED}
    [case] = desk.cases()
    assert (case.facts.reason, case.candidate_id) == (Outcome.LATE_CUTOFF, world.late.id)


def test_a_kiosk_that_told_the_same_in_other_words_is_noted_and_no_alarm(desk: Desk, world: World) -> None:
    request = desk.request(world.on_time)
    desk.send(request)
    desk.send(replace(request, decided=KioskDecision(Outcome.OK_OFFLINE)), LATER_US)
    assert [row["outcome"] for row in desk.rows("select outcome from shown_answer")] == ["OK_OFFLINE"]
    desk.send(replace(request, decided=KioskDecision(Outcome.OK_ADMITTED)), LATER_US)
    assert (len(desk.rows("select * from shown_answer")), desk.alarms()) == (1, [])


def test_a_repeated_upload_is_nothing_new(desk: Desk, world: World) -> None:
    request = desk.offline(world.on_time)
    desk.send(request, LATER_US)
    desk.send(replace(request, decided=KioskDecision(Outcome.NOT_ON_ROSTER)), LATER_US)
    assert desk.rows("select * from shown_answer") == []


def test_rule_an_upload_after_the_session_is_stored_and_marked_late(desk: Desk, world: World) -> None:
    announce(world, START_CUE, START_US)
    announce(world, STOP_CUE, START_US + DURATION_US)
    answer = desk.upload(
        world.late, START_US + MINUTE_US, outcome=Outcome.OK_LATE, now_us=START_US + 3 * DURATION_US
    )
    assert answer.outcome is Outcome.OK_LATE
    assert [row["is_late"] for row in desk.attempts()] == [1]
    assert desk.alarm_kinds() == {AlarmKind.LATE_UPLOAD}
    after = desk.upload(world.on_time, START_US + DURATION_US + 1, now_us=START_US + 3 * DURATION_US)
    assert after.outcome is Outcome.OK_OFFLINE
    assert desk.alarm_kinds() == {AlarmKind.LATE_UPLOAD, AlarmKind.RULES_DIFFER}


def test_somebody_the_roster_no_longer_knows_is_inside_and_people_hear_of_it(
    desk: Desk, world: World
) -> None:
    request = desk.offline(world.on_time)
    desk.set("update batch set closed_at_us = 1")
    answer = desk.send(request, LATER_US)
    assert answer.outcome is Outcome.NOT_ON_ROSTER
    assert desk.alarm_kinds() == {AlarmKind.UNKNOWN_INSIDE}
    [case] = desk.cases()
    assert (case.candidate_id, case.facts.room_id, case.facts.is_inside) == (None, None, True)


def test_an_entry_through_the_wrong_door_stands_and_is_told(desk: Desk, world: World) -> None:
    desk.set("insert into kiosk_room values (?, ?)", world.kiosk_id, world.room_2)
    answer = desk.upload(world.on_time)
    assert answer.outcome is Outcome.OK_OFFLINE
    assert desk.alarm_kinds() == {AlarmKind.RULES_DIFFER}


def test_what_a_kiosk_saw_offline_opens_the_same_case_as_live(desk: Desk, world: World) -> None:
    desk.upload(world.on_time, outcome=Outcome.FACE_DOUBT, declared=frozenset({Outcome.FACE_DOUBT}))
    assert [case.facts.reason for case in desk.cases()] == [Outcome.FACE_DOUBT]
    assert desk.ask(world.on_time).outcome is Outcome.FACE_DOUBT
    assert len(desk.cases()) == 1


def test_a_ticket_that_a_later_roster_replaced_is_told_so(desk: Desk, world: World) -> None:
    desk.set("delete from seating")
    desk.set("delete from candidate")
    person = invent_people(1, seed=11)[0]
    take_in(world, [RosterLine(person, "T1", "第1考场", "1")])
    take_in(world, [RosterLine(replace(person, ticket_no="NEW-0001"), "T1", "第1考场", "1")])
    old = desk.request(world.on_time, ticket_no=person.ticket_no, id_number=person.id_number)
    assert desk.send(old).outcome is Outcome.TICKET_VOID
    new = replace(old, nonce="nonce-of-the-new-one", ticket_no="NEW-0001")
    assert desk.send(new).outcome is Outcome.OK_ADMITTED
    [voiding] = desk.rows("select * from ticket_voiding")
    assert (voiding["ticket_no"], voiding["account_id"]) == (person.ticket_no, None)
    assert desk.findings() == []
    take_in(world, [RosterLine(person, "T1", "第1考场", "1")])
    again = replace(old, nonce="nonce-of-the-old-one-again")
    assert desk.send(again).outcome is Outcome.OK_ALREADY_HERE


def test_all_facts_agree_with_their_leaves(desk: Desk, world: World) -> None:
    other = second_kiosk(world)
    desk.upload(world.on_time)
    desk.upload(world.on_time, CLOCK_US + MINUTE_US, kiosk_id=other)
    request = desk.request(world.late)
    desk.send(request)
    desk.send(replace(request, decided=KioskDecision(Outcome.TOO_EARLY)), LATER_US)
    assert desk.findings() == []
