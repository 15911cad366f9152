from dataclasses import replace

import pytest

from exam.clock import MINUTE_US, SECOND_US
from exam.course import SessionCourse
from exam.day import Announced
from exam.hand_records import AT_ONCE_US, HandRecord, RecordRefusal, Told, judge_record
from tests.exam.day_with_cues import HOUR_US, PRESSED, SESSION, START_US, course, emitted, missed

LOST = missed("C5", START_US)


def told(
    made: SessionCourse, code: str, at_us: int, now_us: int | None = None, *, is_lead: bool = False
) -> HandRecord | RecordRefusal:
    return judge_record(made, Told(1, code, at_us, is_lead), at_us if now_us is None else now_us)


def test_a_hand_bell_after_a_miss_is_recorded_as_the_next_occurrence() -> None:
    rung_us = START_US + 40 * SECOND_US
    assert told(course(LOST), "C5", rung_us) == HandRecord(SESSION.id, 1, "C5", 2, START_US, rung_us)


def test_what_was_given_but_not_heard_is_corrected_just_after() -> None:
    silent = emitted("C5", START_US)
    rung_us = START_US + 40 * SECOND_US
    assert isinstance(told(course(silent), "C5", rung_us), HandRecord)
    late_us = START_US + AT_ONCE_US + SECOND_US
    assert told(course(silent), "C5", late_us) is RecordRefusal.TOO_OLD
    assert isinstance(told(course(silent), "C5", late_us, is_lead=True), HandRecord)
    assert told(course(silent), "C5", START_US, rung_us) is RecordRefusal.ALREADY


@pytest.mark.parametrize(
    ("code", "at_us", "now_us", "refusal"),
    [
        ("C2", START_US, START_US, RecordRefusal.NO_SIGNAL),
        ("Z9", START_US, START_US, RecordRefusal.NO_SIGNAL),
        ("C5", START_US + MINUTE_US, START_US, RecordRefusal.FUTURE),
        ("C5", START_US + MINUTE_US, START_US + HOUR_US, RecordRefusal.TOO_OLD),
        ("C8", START_US + HOUR_US, START_US + HOUR_US, RecordRefusal.NOT_STARTED),
        ("C5", START_US - MINUTE_US, START_US - MINUTE_US, RecordRefusal.BEFORE_PLAN),
    ],
)
def test_what_cannot_have_been_is_refused(code: str, at_us: int, now_us: int, refusal: RecordRefusal) -> None:
    assert told(course(LOST), code, at_us, now_us) is refusal


def test_the_lead_may_record_an_early_start_but_none_before_the_room_opened() -> None:
    early_us = START_US - MINUTE_US
    assert isinstance(told(course(), "C5", early_us, is_lead=True), HandRecord)
    opens_us = START_US - 15 * MINUTE_US
    assert told(course(), "C5", opens_us - 1, is_lead=True) is RecordRefusal.BEFORE_OPENING


def test_while_it_may_sound_by_itself_nobody_records_anything() -> None:
    assert told(course(), "C5", START_US + SECOND_US) is RecordRefusal.AUTOMATIC
    assert told(course(), "C5", START_US - 5 * SECOND_US, is_lead=True) is RecordRefusal.AUTOMATIC
    unarmed = replace(course(), session=replace(SESSION, armed_at_us=None))
    assert isinstance(told(unarmed, "C5", START_US + SECOND_US), HandRecord)
    assert isinstance(told(course(procedure=PRESSED), "C5", START_US + SECOND_US), HandRecord)


def test_a_stop_comes_after_the_start_and_not_in_a_cancelled_session() -> None:
    started: Announced = emitted("C5", START_US)
    early = told(course(started), "C8", START_US, START_US + SECOND_US, is_lead=True)
    assert early is RecordRefusal.BEFORE_START
    end_us = START_US + HOUR_US + 30 * SECOND_US
    assert isinstance(told(course(started, missed("C8", START_US + HOUR_US)), "C8", end_us), HandRecord)
    gone = course(LOST, session=replace(SESSION, cancelled_at_us=START_US))
    assert told(gone, "C5", START_US) is RecordRefusal.CANCELLED
