from dataclasses import replace

import pytest

from exam.clock import MINUTE_US
from exam.own_recordings import (
    FETCHING_US,
    LONGEST_US,
    SHORTEST_US,
    RecordingRefusal,
    armed_with,
    confirm_refusal,
    length_refusal,
    take_back_refusal,
)
from exam.signers import NOBODY, Signer
from tests.exam.day_with_cues import HOUR_US, SESSION, START_US, THEORY, WARNING, course, emitted

WORDS = "考试开始。"
NOW_US = START_US - 30 * MINUTE_US
OVER_US = START_US + 3 * HOUR_US
ARMED = course()
LI = Signer(1, 11, frozenset({"site_lead"}))
WANG = Signer(2, 12, frozenset({"proctor"}))


@pytest.mark.parametrize(
    ("length_us", "refusal"),
    [
        (SHORTEST_US - 1, RecordingRefusal.TOO_SHORT),
        (SHORTEST_US, None),
        (LONGEST_US, None),
        (LONGEST_US + 1, RecordingRefusal.TOO_LONG),
    ],
)
def test_a_recording_has_the_length_of_an_announcement(
    length_us: int, refusal: RecordingRefusal | None
) -> None:
    assert length_refusal(length_us) is refusal


def test_nothing_is_confirmed_for_a_session_that_is_armed_until_it_is_over() -> None:
    unarmed = course(session=replace(SESSION, armed_at_us=None))
    cancelled = course(session=replace(SESSION, cancelled_at_us=NOW_US))
    assert armed_with([ARMED, unarmed, cancelled], WORDS, NOW_US) == [ARMED]
    assert armed_with([ARMED], WORDS, START_US + MINUTE_US) == [ARMED]
    assert armed_with([ARMED], WORDS, OVER_US) == []
    assert armed_with([ARMED], "别的话。", NOW_US) == []
    assert confirm_refusal([ARMED], LI, WANG) is RecordingRefusal.ARMED
    assert confirm_refusal([], LI, WANG) is None


@pytest.mark.parametrize("listener", [LI, replace(LI, account_id=7), replace(WANG, staff_id=None), NOBODY])
def test_whoever_uploaded_a_recording_is_no_second_pair_of_ears(listener: Signer) -> None:
    assert confirm_refusal([], LI, listener) is RecordingRefusal.SAME_PERSON
    assert confirm_refusal([ARMED], LI, listener) is RecordingRefusal.SAME_PERSON, "and is told that first"


def test_words_that_are_only_shown_are_nobodys_to_record() -> None:
    shown = replace(THEORY, cues=tuple(cue for cue in THEORY.cues if not cue.is_audible))
    assert armed_with([course(procedure=shown)], WARNING.text, NOW_US) == []


def test_a_recording_is_taken_back_until_players_could_not_fetch_the_other_any_more() -> None:
    waiting = course(emitted("C2", START_US - 15 * MINUTE_US), emitted("C2", START_US - 15 * MINUTE_US, 2))
    assert take_back_refusal([waiting], WORDS, START_US - FETCHING_US - 1) is None
    assert take_back_refusal([waiting], WORDS, START_US - FETCHING_US) is RecordingRefusal.SOUNDS_SOON
    assert take_back_refusal([waiting], "别的话。", START_US - FETCHING_US) is None
    assert take_back_refusal([], WORDS, START_US - FETCHING_US) is None
