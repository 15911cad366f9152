"""Check-ins on record: every scan once, the same answer again, and nobody admitted twice."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from config.outcomes import load_outcome_texts
from config.procedures import load_procedures
from config.roster_columns import load_roster_columns
from evidence.check_in_alarms import CheckInAlarm, load_alarms
from evidence.check_in_facts import CheckInRules
from evidence.checkins import CheckInRequest, StoredAnswer, decide
from evidence.recording_orders import Who
from evidence.roster import RosterRequest, import_roster
from evidence.ticket_reissues import reissue
from exam.admission import Outcome
from exam.answers import OutcomeText
from exam.clock import MINUTE_US
from exam.procedure import Procedure
from exam.upload_rules import AlarmKind
from rehearsal.people_names import RosterBlock, write_roster
from tests.bench.checkin_race import (
    UploadResult,
    race_processes,
    race_threads,
    race_uploads,
    replayed,
)
from tests.world import CLOCK_US, DURATION_US, START_US, Person, World, announce, invented_number

RULES = CheckInRules(load_procedures(), load_outcome_texts())
START_CUE, STOP_CUE = "C5", "C8"


def scan_of(world: World, person: Person, nonce: str = "nonce-0000000001") -> CheckInRequest:
    return CheckInRequest(world.kiosk_id, nonce, CLOCK_US, person.ticket_no, person.id_number)


def ask(
    world: World, request: CheckInRequest, now_us: int = CLOCK_US, rules: CheckInRules = RULES
) -> StoredAnswer:
    with world.exam.write() as connection:
        return decide(connection, world.vault, request, rules, now_us)


def attempts(world: World) -> list[sqlite3.Row]:
    with world.exam.read() as connection:
        return connection.execute("select * from checkin_attempt order by id").fetchall()


def admissions(world: World) -> list[tuple[int, int, int]]:
    with world.exam.read() as connection:
        rows = connection.execute("select candidate_id, place_id, admitted_at_us from admission order by id")
        return [tuple(row) for row in rows]


def alarms(world: World) -> list[CheckInAlarm]:
    with world.exam.read() as connection:
        return load_alarms(connection)


def test_a_candidate_on_time_is_admitted_to_his_place(world: World) -> None:
    answer = ask(world, scan_of(world, world.on_time))
    assert answer.outcome is Outcome.OK_ADMITTED
    assert not answer.is_replay
    shown = json.loads(answer.body)
    assert (shown["room_label"], shown["place_label"], shown["masked_name"]) == ("第1考场", "1", "陈*诺")
    assert admissions(world) == [(world.on_time.id, world.on_time.place_id, CLOCK_US)]


def test_numbers_are_found_however_the_scanner_writes_them(world: World) -> None:
    request = scan_of(world, world.on_time)
    written = replace(
        request, ticket_no=f" {request.ticket_no}\n", id_number=str(request.id_number).lower() + " "
    )
    assert ask(world, written).outcome is Outcome.OK_ADMITTED


def test_the_attempt_says_everything_staff_will_ask(world: World) -> None:
    answer = ask(world, scan_of(world, world.on_time), CLOCK_US + 5)
    [row] = attempts(world)
    assert (row["scanned_at_us"], row["received_at_us"]) == (CLOCK_US, CLOCK_US + 5)
    assert (row["candidate_id"], row["session_id"]) == (world.on_time.id, world.session_id)
    assert (row["ticket_candidate_id"], row["id_number_candidate_id"]) == (world.on_time.id, world.on_time.id)
    assert json.loads(row["reasons"]) == ["OK_ADMITTED"]
    assert row["answer"] == answer.body


def test_every_refusal_is_recorded_with_its_reasons(world: World) -> None:
    answer = ask(world, scan_of(world, world.on_time), START_US - 60 * MINUTE_US)
    assert answer.outcome is Outcome.TOO_EARLY
    [row] = attempts(world)
    assert json.loads(row["reasons"]) == ["TOO_EARLY"]
    assert admissions(world) == []


def test_late_counts_from_the_rooms_own_start_signal(world: World) -> None:
    announce(world, START_CUE, START_US + MINUTE_US, world.room_1)
    now_us = START_US + MINUTE_US + 30 * MINUTE_US
    assert ask(world, scan_of(world, world.late), now_us - 1).outcome is Outcome.OK_LATE
    at_cut_off = scan_of(world, world.on_time, "nonce-0000000002")
    assert ask(world, at_cut_off, now_us).outcome is Outcome.LATE_CUTOFF
    # The other room never got its signal, so nobody is late there.
    other = scan_of(world, world.other_room, "nonce-0000000003")
    assert ask(world, other, now_us).outcome is Outcome.OK_ADMITTED


def test_a_stopped_room_lets_nobody_in(world: World) -> None:
    announce(world, START_CUE, START_US)
    announce(world, STOP_CUE, START_US + DURATION_US)
    answer = ask(world, scan_of(world, world.late), START_US + DURATION_US + 1)
    assert answer.outcome is Outcome.SESSION_CLOSED


def test_documents_of_two_people_are_recorded_with_both(world: World) -> None:
    request = replace(scan_of(world, world.wrong_ticket), ticket_no=world.on_time.ticket_no)
    assert ask(world, request).outcome is Outcome.ID_TICKET_MISMATCH
    [row] = attempts(world)
    assert row["candidate_id"] is None
    assert (row["ticket_candidate_id"], row["id_number_candidate_id"]) == (
        world.on_time.id,
        world.wrong_ticket.id,
    )


def test_one_document_is_not_enough_and_tells_nothing(world: World) -> None:
    answer = ask(world, replace(scan_of(world, world.on_time), id_number=" "))
    assert answer.outcome is Outcome.NEED_SECOND_DOC
    assert world.on_time.name[0] not in answer.body
    assert attempts(world)[0]["session_id"] is None


def test_a_short_read_is_told_from_an_unknown_ticket(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set ticket_form = '2026112200[0-9]{2}'")
    short = replace(scan_of(world, world.on_time), ticket_no="6112200")
    assert ask(world, short).outcome is Outcome.SCAN_BAD_FORM
    unknown = replace(scan_of(world, world.on_time, "nonce-0000000002"), ticket_no="202611220099")
    assert ask(world, unknown).outcome is Outcome.NOT_ON_ROSTER


def test_a_closed_batch_is_on_no_roster(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update batch set closed_at_us = 1")
    assert ask(world, scan_of(world, world.on_time)).outcome is Outcome.NOT_ON_ROSTER


def test_a_barred_candidate_is_not_told_why(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update candidate set blocked_reason = '上次替考'")
    answer = ask(world, scan_of(world, world.on_time))
    assert answer.outcome is Outcome.CANDIDATE_BLOCKED
    assert "替考" not in answer.body


def test_a_kiosk_at_another_door_sends_him_on(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update kiosk set room_id = ?", (world.room_2,))
    answer = ask(world, scan_of(world, world.on_time))
    assert answer.outcome is Outcome.WRONG_ROOM
    assert "第1考场（一楼东侧）" in answer.body


def test_an_afternoon_candidate_is_told_when_while_the_morning_checks_in(world: World) -> None:
    with world.exam.write() as connection:
        connection.execute(
            "insert into session (id, batch_id, code, kind, subject, procedure_code, planned_start_us,"
            " duration_us) values (90, ?, 'T2', 'theory', '理论知识', 'theory', ?, 60000000)",
            (world.batch_id, START_US + 300 * MINUTE_US),
        )
        connection.execute("insert into session_room values (90, ?)", (world.room_1,))
        connection.execute("update seating set session_id = 90 where candidate_id = ?", (world.late.id,))
    answer = ask(world, scan_of(world, world.late))
    assert answer.outcome is Outcome.WRONG_SESSION
    assert "14:00" in answer.body


def test_a_repeated_request_gets_the_stored_bytes_even_after_the_cut_off(world: World) -> None:
    first = ask(world, scan_of(world, world.on_time))
    announce(world, START_CUE, START_US)
    again = ask(world, scan_of(world, world.on_time), START_US + 45 * MINUTE_US)
    assert (again.body, again.outcome, again.is_replay) == (first.body, first.outcome, True)
    assert len(attempts(world)) == 1


def test_a_repeat_is_known_by_its_nonce_whatever_else_it_says(world: World) -> None:
    first = ask(world, scan_of(world, world.on_time))
    assert ask(world, scan_of(world, world.late)).body == first.body


def test_a_second_scan_soon_after_says_he_is_known_and_later_that_he_is_in(world: World) -> None:
    ask(world, scan_of(world, world.on_time))
    soon = ask(world, scan_of(world, world.on_time, "nonce-0000000002"), CLOCK_US + MINUTE_US - 1)
    later = ask(world, scan_of(world, world.on_time, "nonce-0000000003"), CLOCK_US + MINUTE_US)
    assert (soon.outcome, later.outcome) == (Outcome.OK_ALREADY_HERE, Outcome.ALREADY_IN)
    assert "08:50" in later.body
    assert len(admissions(world)) == 1


def test_a_voided_admission_does_not_stand_in_the_way(world: World) -> None:
    ask(world, scan_of(world, world.on_time))
    with world.exam.write() as connection:
        connection.execute("update admission set voided_at_us = 1")
    answer = ask(world, scan_of(world, world.on_time, "nonce-0000000002"))
    assert answer.outcome is Outcome.OK_ADMITTED


def test_what_cannot_be_judged_is_a_referral_on_record_and_an_alarm(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """A session whose procedure file is gone stops no kiosk: a person looks."""
    answer = ask(world, scan_of(world, world.on_time), rules=replace(RULES, procedures={}))
    assert answer.outcome is Outcome.NOT_JUDGED
    assert json.loads(answer.body)["title"] == "请到人工窗口"
    assert [row["outcome"] for row in attempts(world)] == ["NOT_JUDGED"]
    assert [one.kind for one in alarms(world)] == [AlarmKind.NOT_JUDGED]
    logged = capsys.readouterr().out
    assert "UnknownProcedureError" in logged
    assert world.on_time.id_number not in logged


def test_no_number_is_stored_in_the_open(world: World) -> None:
    ask(world, scan_of(world, world.on_time))
    ask(world, replace(scan_of(world, world.late, "nonce-0000000002"), id_number=invented_number(77)))
    with world.exam.read() as connection:
        everything = "\n".join(connection.iterdump())
    assert world.on_time.id_number not in everything
    assert invented_number(77) not in everything


def test_an_admitted_candidate_stays_on_the_roster(world: World) -> None:
    ask(world, scan_of(world, world.on_time))
    path = world.folder / "roster.xlsx"
    write_roster(path, [RosterBlock("T1", "R02", 1)], seed=1)
    with world.exam.write() as connection:
        request = RosterRequest(path, "B2026-1", load_roster_columns())
        report = import_roster(connection, world.vault, request, CLOCK_US)
    assert [fault.reason for fault in report.faults] == [
        f"陈*诺（{world.on_time.ticket_no}） 第1考场 1号：考生已签到，不能从花名册中去掉"
    ]


class RivalTexts(Mapping[Outcome, OutcomeText]):
    """Texts that let another kiosk admit the same candidate while they are being looked up."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rival = sqlite3.connect(world.exam.path, isolation_level=None)
        self.rival.row_factory = sqlite3.Row
        self.asked: list[Outcome] = []

    def __getitem__(self, outcome: Outcome) -> OutcomeText:
        if not self.asked:
            rival = replace(scan_of(self.world, self.world.on_time), nonce="nonce-of-the-rival")
            decide(self.rival, self.world.vault, rival, RULES, CLOCK_US)
        self.asked.append(outcome)
        return RULES.texts[outcome]

    def __iter__(self) -> Iterator[Outcome]:
        return iter(RULES.texts)

    def __len__(self) -> int:
        return len(RULES.texts)


def test_who_loses_the_race_is_judged_again(world: World) -> None:
    texts = RivalTexts(world)
    with_rival = CheckInRules(RULES.procedures, texts)
    connection = sqlite3.connect(world.exam.path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    answer = decide(connection, world.vault, scan_of(world, world.on_time), with_rival, CLOCK_US)
    connection.close()
    texts.rival.close()
    assert texts.asked == [Outcome.OK_ADMITTED, Outcome.OK_ALREADY_HERE]
    assert answer.outcome is Outcome.OK_ALREADY_HERE
    assert [row["outcome"] for row in attempts(world)] == ["OK_ADMITTED", "OK_ALREADY_HERE"]
    assert len(admissions(world)) == 1


def test_a_database_that_fails_is_no_answer_and_leaves_no_trace(world: World) -> None:
    """The kiosk keeps the scan: a referral that is on no record would be worse."""

    class Broken(Mapping[str, Procedure]):
        def __getitem__(self, code: str) -> Procedure:
            raise sqlite3.OperationalError(f"disk I/O error at {code}")

        def get(self, code: str, _default: object = None) -> Procedure:  # type: ignore[override]
            return self[code]

        def __iter__(self) -> Iterator[str]:
            return iter(())

        def __len__(self) -> int:
            return 0

    with pytest.raises(sqlite3.OperationalError):
        ask(world, scan_of(world, world.on_time), rules=replace(RULES, procedures=Broken()))
    assert attempts(world) == []


def test_whose_place_is_taken_by_another_person_is_sent_to_people(world: World) -> None:
    ask(world, scan_of(world, world.on_time))
    with world.exam.write() as connection:
        connection.execute("delete from seating where candidate_id = ?", (world.on_time.id,))
        connection.execute(
            "update seating set place_id = ? where candidate_id = ?", (world.on_time.place_id, world.late.id)
        )
    answer = ask(world, scan_of(world, world.late, "nonce-0000000002"))
    assert answer.outcome is Outcome.SEAT_TAKEN
    assert (len(attempts(world)), len(admissions(world))) == (2, 1)
    assert [one.kind for one in alarms(world)] == [AlarmKind.SEAT_TAKEN]


def test_eight_kiosks_through_one_writer_admit_everybody_once(tmp_path: Path) -> None:
    result = race_threads(tmp_path, 8, 20)
    assert (result.attempts, result.admitted) == (160, 20)
    assert (result.double_answers, result.double_admissions) == (0, 0)


def test_eight_processes_that_hold_no_lock_are_stopped_by_the_index(tmp_path: Path) -> None:
    result = race_processes(tmp_path, 8, 10)
    assert (result.attempts, result.admitted) == (80, 10)
    assert (result.double_answers, result.double_admissions) == (0, 0)


def test_uploads_of_kiosks_that_all_let_everybody_in_leave_the_earliest_entry_of_each(tmp_path: Path) -> None:
    assert race_uploads(tmp_path, 4, 12) == UploadResult(lost=0, wrong=0, cases=12)


def test_repeats_of_answered_requests_get_the_stored_bytes(tmp_path: Path) -> None:
    assert replayed(tmp_path, 4, 10, 300) == 0


@pytest.mark.parametrize(
    ("shown", "outcome"), [(None, Outcome.OK_ADMITTED), (1, Outcome.TICKET_VOID), (2, Outcome.OK_ADMITTED)]
)
def test_a_signed_ticket_older_than_its_reissue_is_void(
    world: World, shown: int | None, outcome: Outcome
) -> None:
    with world.exam.write() as connection:
        reissue(connection, world.on_time.id, Who(world.site_lead_account_id, "遗失"), CLOCK_US)
    scan = replace(scan_of(world, world.on_time), ticket_revision=shown)
    assert ask(world, scan).outcome is outcome
