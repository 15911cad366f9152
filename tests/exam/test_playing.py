"""What a player lets sound: never early, never stale, never twice, and for several rooms only together."""

from dataclasses import replace
from typing import Any

import pytest

from exam.clock import SECOND_US
from exam.playing import (
    TELLING_US,
    Due,
    PlayerCue,
    Silence,
    claim_name,
    due,
    moment_us,
    read_schedule,
    still_wanted,
)

START_US = 1_000 * SECOND_US
AHEAD_US = SECOND_US // 2


def cue(code: str = "C5", room: str = "R01", **changed: Any) -> PlayerCue:
    usual = PlayerCue(
        room=room,
        key=f"1@0:{code}:1",
        session_id=1,
        cue=code,
        occurrence=1,
        sounds_at_us=START_US,
        tolerance_us=2 * SECOND_US,
        may_sound=True,
        after=None,
        audio="bell.wav",
    )
    return replace(usual, **changed)


def found(*cues: PlayerCue, now_us: int, claimed: set[str] | None = None) -> list[Due]:
    return due(cues, claimed or set(), {}, now_us, AHEAD_US)


def test_a_cue_is_handed_over_shortly_before_its_moment_and_no_earlier() -> None:
    assert found(cue(), now_us=START_US - AHEAD_US - 1) == []
    [one] = found(cue(), now_us=START_US - AHEAD_US)
    assert (one.turn.moment_us, one.silence, one.turn.audio) == (START_US, None, "bell.wav")


def test_it_may_still_begin_until_its_tolerance_is_over() -> None:
    [one] = found(cue(), now_us=START_US + 2 * SECOND_US)
    assert one.silence is None
    assert one.turn.closes_at_us == START_US + 2 * SECOND_US


def test_after_that_it_is_never_played_but_told_for_a_while() -> None:
    [one] = found(cue(), now_us=START_US + 2 * SECOND_US + 1)
    assert one.silence is Silence.TOO_LATE
    assert found(cue(), now_us=START_US + 2 * SECOND_US + TELLING_US + 1) == []


def test_a_claimed_cue_never_comes_again() -> None:
    assert found(cue(), now_us=START_US, claimed={"R01/1@0:C5:1"}) == []


@pytest.mark.parametrize("changed", [{"may_sound": False}, {"sounds_at_us": None}])
def test_what_may_not_sound_is_left_alone(changed: dict[str, Any]) -> None:
    assert found(cue(**changed), now_us=START_US) == []


def test_the_earlier_of_two_comes_first() -> None:
    later = cue("C6", sounds_at_us=START_US + 1)
    assert [one.turn.cues[0].cue for one in found(later, cue(), now_us=START_US)] == ["C5", "C6"]


def test_a_cue_that_hangs_on_the_start_follows_the_start_this_player_played() -> None:
    start = cue()
    stop = cue("C8", sounds_at_us=START_US + 60 * SECOND_US, after=start.key)
    both = {start.key: start, stop.key: stop}
    assert moment_us(stop, both, {}) is None
    played = {claim_name(start): START_US + 300}
    assert moment_us(stop, both, played) == START_US + 60 * SECOND_US + 300
    assert moment_us(stop, {stop.key: stop}, played) is None
    assert due([start, stop], {claim_name(start)}, played, START_US + 60 * SECOND_US, AHEAD_US)


def test_rooms_that_agree_hear_one_sound() -> None:
    [one] = found(cue(), cue(room="R02", sounds_at_us=START_US + 1000), now_us=START_US)
    assert one.turn.keys == {"R01/1@0:C5:1", "R02/1@0:C5:1"}
    assert one.turn.moment_us == START_US + 1000  # nowhere early


def test_a_room_whose_time_was_extended_silences_the_shared_loudspeaker() -> None:
    extended = cue(room="R02", sounds_at_us=START_US + 600 * SECOND_US)
    assert found(cue(), extended, now_us=START_US) == []
    [told] = found(cue(), extended, now_us=START_US + 3 * SECOND_US)
    assert (told.silence, told.turn.cues[0].room) == (Silence.ROOMS_DIFFER, "R01")


def test_a_signal_for_one_room_only_is_not_broadcast_to_all() -> None:
    other = cue("C2", room="R02", sounds_at_us=START_US - 900 * SECOND_US)
    assert found(cue("X1"), other, now_us=START_US) == []


def test_what_one_room_has_heard_of_a_shared_sound_the_others_have_heard_too() -> None:
    assert found(cue(), cue(room="R02"), now_us=START_US, claimed={"R02/1@0:C5:1"}) == []


def test_rooms_of_different_sessions_do_not_wait_for_each_other() -> None:
    other = cue(room="R02", session_id=2, key="2@0:C5:1", sounds_at_us=START_US + 60 * SECOND_US)
    assert len(found(cue(), other, now_us=START_US)) == 1


def test_a_waiting_turn_is_unwanted_once_it_moved_or_was_withdrawn() -> None:
    [one] = found(cue(), now_us=START_US - 1000)
    assert still_wanted(one.turn, [cue()], {})
    assert not still_wanted(one.turn, [cue(sounds_at_us=START_US + SECOND_US)], {})
    assert not still_wanted(one.turn, [cue(may_sound=False)], {})
    assert not still_wanted(one.turn, [], {})


def test_a_schedule_is_read_with_its_test_tone() -> None:
    told: dict[str, Any] = {
        "room": {"code": "R01"},
        "cues": [
            {
                "key": "k",
                "session_id": 1,
                "cue": "C5",
                "occurrence": 1,
                "sounds_at_us": 5,
                "tolerance_us": 2,
                "may_sound": True,
                "after": None,
                "audio": None,
                "duration_us": None,
                "title": "开考信号",
            }
        ],
        "test": {
            "key": "test:1@9",
            "sounds_at_us": 9,
            "tolerance_us": 5,
            "audio": "/a.wav",
            "duration_us": 7,
        },
    }
    signal, tone = read_schedule(told)
    assert (signal.room, signal.cue, signal.duration_us) == ("R01", "C5", 0)
    assert (tone.session_id, tone.key, tone.sounds_at_us) == (None, "test:1@9", 9)
    assert len(read_schedule(told | {"test": None})) == 1


def test_a_test_tone_for_one_of_several_rooms_sounds_alone() -> None:
    tone = cue(room="R02", session_id=None, key="test:1@9")
    [one] = found(tone, now_us=START_US)
    assert one.silence is None
