"""The summary of a day names every planned fact that is missing, and nothing else."""

from collections import Counter

import pytest

from config.procedures import load_procedures
from evidence.day_summary import CameraFootage, SignalRow
from rehearsal.cast import candidates, visits
from rehearsal.day_check import DayFacts, summary
from rehearsal.demo_site import SESSIONS
from rehearsal.footage_check import MarkCheck, pieces
from rehearsal.kiosk_queue import Visited

PROCEDURES = load_procedures()


def good_day() -> DayFacts:
    """Everything as planned."""
    planned = [
        (session, procedure, room, cue)
        for session, _, _, procedure, rooms, _ in SESSIONS
        for room in rooms
        for cue in PROCEDURES[procedure].cues
        if cue.is_scheduled
    ]
    visited = [Visited(visit, visit.outcome, 1, 1) for visit in visits()]
    return DayFacts(
        outcomes=Counter(one.outcome for one in visited),
        visited=visited,
        signals=[
            SignalRow(
                session,
                procedure,
                room,
                cue.code,
                1_000_000,
                1_080_000,
                1_012_000 if cue.is_audible else None,
            )
            for session, procedure, room, cue in planned
        ],
        confirmed={(session, room, cue.code) for session, _, room, cue in planned if cue.confirmation},
        log_kinds=Counter(absent=2),
        footage=[CameraFootage(1, "R01", "u", "前方", "rtsp://h/R01-1", 200.0, 30, (("starting", 4.0),))],
        marks=[MarkCheck("R01", 10, 10, 10)],
        troubles=[],
    )


def missing(facts: DayFacts) -> list[str]:
    return list(summary(facts, PROCEDURES, 2)["missing"])


def changed(**fields: object) -> DayFacts:
    facts = good_day()
    values = {name: getattr(facts, name) for name in facts.__slots__}
    return DayFacts(**(values | fields))  # type: ignore[arg-type]


def test_a_good_day_misses_nothing_and_tells_its_onset_errors() -> None:
    found = summary(good_day(), PROCEDURES, 2)
    assert found["missing"] == []
    assert found["signals"]["missed"] == 0
    assert found["signals"]["onset_error_ms_median"] == 12.0
    assert found["signals"]["onset_error_ms_max"] == 68.0, "pressed signals count from the press"


def test_a_wrong_answer_at_the_kiosk_is_named() -> None:
    facts = good_day()
    first, *others = facts.visited
    wrong = changed(visited=[Visited(first.visit, "", 1, 1), *others])
    assert missing(wrong) == [
        f"check-in of ticket {first.visit.candidate.ticket_no}: no answer instead of TOO_EARLY"
    ]


def test_whom_a_kiosk_let_in_alone_is_in() -> None:
    facts = good_day()
    alone = next(one for one in facts.visited if one.outcome == "OK_ADMITTED")
    visited = [Visited(one.visit, "OK_OFFLINE", 1, 1) if one is alone else one for one in facts.visited]
    outcomes = Counter(one.outcome for one in visited)
    assert missing(changed(visited=visited, outcomes=outcomes)) == []


def test_an_attempt_that_was_not_recorded_is_named() -> None:
    lost = Counter(good_day().outcomes)
    lost["OK_LATE"] -= 1
    assert missing(changed(outcomes=lost)) == ["check-in attempts with OK_LATE: 1 recorded, 2 made"]


def test_a_signal_nobody_gave_or_heard_and_a_step_nobody_ticked_are_named() -> None:
    facts = good_day()
    signals = [row for row in facts.signals if (row.room_code, row.cue_code) != ("R01", "C7")]
    signals = [
        SignalRow(*(getattr(row, name) for name in row.__slots__[:-1]), None)
        if (row.room_code, row.cue_code) == ("R02", "C8")
        else row
        for row in signals
    ]
    found = missing(changed(signals=signals, confirmed=facts.confirmed - {("T1", "R02", "C9")}))
    assert found == [
        "signal T1 R01 C7 was not emitted",
        "signal T1 R02 C8 was heard by nobody",
        "step T1 R02 C9 was confirmed by nobody",
    ]


@pytest.mark.parametrize(
    ("gaps", "segments"), [((("stalled", 3.0),), 30), ((), 0)], ids=["a hole", "nothing recorded"]
)
def test_lost_footage_is_named(gaps: tuple[tuple[str, float], ...], segments: int) -> None:
    camera = CameraFootage(1, "R01", "u", "前方", "rtsp://h/R01-1", 200.0, segments, gaps)
    assert missing(changed(footage=[camera])) == [
        f"footage of R01 前方: {sum(length for _, length in gaps):.1f} s lost"
    ]


def test_marks_and_log_entries_that_are_not_there_are_named() -> None:
    found = missing(changed(marks=[MarkCheck("R01", 10, 9, 9)], log_kinds=Counter(absent=1)))
    assert found == [
        "log entries: 1 recorded, 2 written",
        "marks of R01: 9 of 10 can be watched, 9 recorded",
    ]


def test_a_playlist_is_read_piece_by_piece() -> None:
    text = "\n".join(
        [
            "#EXTM3U",
            '#EXT-X-MAP:URI="../segments/4.mp4",BYTERANGE="800@0"',
            "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:00:00.000Z",
            "#EXTINF:2.000000,",
            "#EXT-X-BYTERANGE:500@800",
            "../segments/4.mp4",
            "#EXTINF:2.000000,",
            "#EXT-X-BYTERANGE:600@1300",
            "../segments/4.mp4",
        ]
    )
    first, second = pieces(text, "/playback/1/cameras/u.m3u8")
    assert first.address == "/playback/1/segments/4.mp4"
    assert (first.init, first.part, second.part) == ((800, 0), (500, 800), (600, 1300))
    assert second.starts_at_us - first.starts_at_us == 2_000_000


def test_the_cast_is_invented_and_complete() -> None:
    people = candidates()
    assert len({one.id_number for one in people}) == len(people)
    assert all(one.id_number.startswith("990101") for one in people)
    assert [visit.at_s for visit in visits()] == sorted(visit.at_s for visit in visits())


def test_a_doubt_that_nobody_decided_is_missing() -> None:
    assert missing(changed(open_doubts=2)) == ["doubts without a decision: 2"]
