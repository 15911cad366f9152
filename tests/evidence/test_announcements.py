from dataclasses import replace
from sqlite3 import Connection

from evidence.announcements import (
    Confirmation,
    PlayedReport,
    add_report,
    confirm,
    last_heard,
    load_confirmed,
    load_reports,
    record_by_hand,
    record_emitted,
    record_missed,
    record_press,
    record_room_signal,
)
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.courses import load_course
from evidence.day import load_announced, load_sessions
from exam.clock import MINUTE_US, SECOND_US
from exam.cues import RoomCue, room_cues
from exam.day import Session, Source
from exam.hand_records import HandRecord
from exam.presses import Press
from exam.room_times import room_times
from tests.exam.day_with_cues import THEORY
from tests.world import CLOCK_US, START_US, World


def session(world: World) -> Session:
    with world.exam.read() as connection:
        [found] = load_sessions(connection)
    return found


def start_cue(world: World) -> RoomCue:
    with world.exam.read() as connection:
        course = load_course(connection, session(world), {"theory": THEORY})
    return next(one for one in room_cues(course, world.room_1) if one.cue.code == "C5")


def sources(world: World) -> list[tuple[int, str, str]]:
    with world.exam.read() as connection:
        rows = connection.execute("select occurrence, outcome, source from announcement order by id")
        return [tuple(row) for row in rows]


def report(world: World, **changed: object) -> PlayedReport:
    usual = PlayedReport(
        session_id=world.session_id,
        room_id=world.room_1,
        cue_code="C5",
        occurrence=1,
        player="player-0001",
        started_at_us=START_US,
        ended_at_us=None,
        offset_us=-120,
        uncertainty_us=900,
    )
    return replace(usual, **changed)  # type: ignore[arg-type]


def started_at_us(connection: Connection, room_id: int) -> int | None:
    [session] = load_sessions(connection)
    return room_times(load_course(connection, session, {"theory": THEORY}), room_id).started_at_us


def test_a_cue_is_emitted_once_whoever_else_tries(world: World) -> None:
    cue = start_cue(world)
    with world.exam.write() as connection:
        assert record_emitted(connection, cue, START_US)
        assert not record_emitted(connection, cue, START_US + 1)
        assert not record_missed(connection, cue, START_US + 1)
        assert started_at_us(connection, world.room_1) == START_US
        assert started_at_us(connection, world.room_2) is None
    assert sources(world) == [(1, "emitted", "schedule")]


def test_a_missed_cue_stays_missed_and_is_made_good_by_a_new_row(world: World) -> None:
    pressed_us = START_US + 30 * SECOND_US
    with world.exam.write() as connection:
        assert record_missed(connection, start_cue(world), START_US + 9 * SECOND_US)
        assert started_at_us(connection, world.room_1) is None
        press = Press(world.session_id, world.room_1, "C5", 2, START_US)
        assert record_press(connection, press, pressed_us, world.site_lead_account_id)
        assert not record_press(connection, press, pressed_us + 1, world.site_lead_account_id)
        assert started_at_us(connection, world.room_1) == pressed_us
    assert sources(world) == [(1, "missed", "schedule"), (2, "emitted", "press")]


def test_the_moment_of_a_room_that_rang_alone_is_the_signals(world: World) -> None:
    with world.exam.write() as connection:
        assert record_room_signal(connection, start_cue(world), START_US + 40, START_US + MINUTE_US)
        assert started_at_us(connection, world.room_1) == START_US + 40
    assert sources(world) == [(1, "emitted", "room_report")]


def test_a_room_signal_after_a_miss_is_the_next_occurrence_and_never_before_the_plan(world: World) -> None:
    with world.exam.write() as connection:
        record_missed(connection, start_cue(world), START_US + 9 * SECOND_US)
    cue = start_cue(world)
    with world.exam.write() as connection:
        assert record_room_signal(connection, cue, START_US - 300, START_US + MINUTE_US)
        assert started_at_us(connection, world.room_1) == START_US
    assert sources(world) == [(1, "missed", "schedule"), (2, "emitted", "room_report")]


def test_a_report_may_arrive_any_number_of_times_and_its_end_is_filled_in_once(world: World) -> None:
    with world.exam.write() as connection:
        assert add_report(connection, report(world), START_US)
        assert not add_report(connection, report(world), START_US)
        assert add_report(connection, report(world, ended_at_us=START_US + 5), START_US)
        assert not add_report(connection, report(world, ended_at_us=START_US + 9), START_US)
        assert load_reports(connection, world.session_id) == [report(world, ended_at_us=START_US + 5)]


def test_the_first_word_about_a_start_counts_for_row_and_ledger_alike(world: World) -> None:
    with world.exam.write() as connection:
        add_report(connection, report(world), START_US)
        later = report(world, started_at_us=START_US + 7, ended_at_us=START_US + 9, offset_us=3)
        assert add_report(connection, later, START_US)
        [kept] = load_reports(connection, world.session_id)
        first = report(world)
        assert (kept.started_at_us, kept.ended_at_us) == (first.started_at_us, START_US + 9)
        found = list(check_facts(connection, EXAM_FACTS))
    assert [one for one in found if "announcement_report" in one.where] == []


def test_a_report_of_silence_keeps_its_reason(world: World) -> None:
    silent = report(world, started_at_us=None, error="autoplay_refused")
    with world.exam.write() as connection:
        assert add_report(connection, silent, START_US)
        assert load_reports(connection, world.session_id) == [silent]


def test_the_first_tick_of_a_step_stands(world: World) -> None:
    tick = Confirmation(world.session_id, world.room_1, "C2", world.proctor_account_id, CLOCK_US)
    with world.exam.write() as connection:
        assert confirm(connection, tick)
        assert not confirm(connection, replace(tick, confirmed_at_us=CLOCK_US + 5))
        assert load_confirmed(connection, world.session_id, world.room_1) == {"C2": CLOCK_US}
        assert load_confirmed(connection, world.session_id, world.room_2) == {}


def test_what_was_heard_last_in_a_room_is_neither_a_miss_nor_another_rooms(world: World) -> None:
    cue = start_cue(world)
    with world.exam.write() as connection:
        record_emitted(connection, cue, START_US)
        record_missed(connection, replace(cue, cue=replace(cue.cue, code="C7")), START_US)
        announced = load_announced(connection, world.session_id)
    heard = last_heard(announced, world.room_1)
    assert heard is not None
    assert heard.cue_code == "C5"
    assert last_heard(announced, world.room_2) is None


def test_what_a_person_recorded_of_a_hand_bell_counts_and_names_who(world: World) -> None:
    rung_us = START_US + 40 * SECOND_US
    record = HandRecord(world.session_id, world.room_1, "C5", 2, START_US, rung_us)
    with world.exam.write() as connection:
        record_emitted(connection, start_cue(world), START_US)
        assert record_by_hand(connection, record, world.proctor_account_id, rung_us + SECOND_US)
        assert not record_by_hand(connection, record, world.proctor_account_id, rung_us + SECOND_US)
        assert started_at_us(connection, world.room_1) == rung_us
        last = load_announced(connection, world.session_id)[-1]
    assert (last.source, last.account_id) == (Source.BY_HAND, world.proctor_account_id)
