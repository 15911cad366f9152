"""The camera preflight's rule: every measurement gets its grade, the worst decides."""

from dataclasses import replace

import pytest

from exam.clock import SECOND_US
from exam.preflight import (
    Grade,
    Limits,
    Measured,
    Reach,
    Topic,
    codes,
    from_code,
    judge,
    overall,
)

LIMITS = Limits(
    smallest_height_px=720,
    keyframe_warn_us=2_200_000,
    keyframe_fail_us=4_200_000,
    fewest_fps=10,
    least_bitrate_bps=300_000,
    most_bitrate_bps=8_000_000,
    clock_warn_us=2 * SECOND_US,
    copied_sound=frozenset({"aac"}),
)
SOUND_CAMERA = Measured(
    codec="h264",
    profile="High",
    level_tenths=31,
    has_b_frames=False,
    width_px=1280,
    height_px=720,
    keyframe_us=2_000_000,
    keyframe_is_at_least=False,
    frame_us=40_000,
    bitrate_bps=4_000_000,
    clock_offset_us=150_000,
    sound_codec="",
    plays_in_browsers=True,
)


def finding(topic: Topic, **changed: object) -> tuple[Grade, str]:
    measured = replace(SOUND_CAMERA, **changed)  # type: ignore[arg-type]
    found = {one.topic: one for one in judge(Reach.ANSWERED, measured, LIMITS, has_picture=True)}
    return found[topic].grade, found[topic].code


def test_a_camera_as_it_should_be_is_good_in_every_point() -> None:
    findings = judge(Reach.ANSWERED, SOUND_CAMERA, LIMITS, has_picture=True)
    assert [one.topic for one in findings] == list(Topic)
    assert {one.grade for one in findings} == {Grade.GOOD}
    assert overall(findings) is Grade.GOOD


@pytest.mark.parametrize("reach", [reach for reach in Reach if reach is not Reach.ANSWERED])
def test_a_camera_without_a_picture_fails_with_its_own_cause_and_nothing_else_is_said(reach: Reach) -> None:
    findings = judge(reach, None, LIMITS, has_picture=False)
    assert [(one.grade, one.code) for one in findings] == [(Grade.FAIL, reach.value)]
    assert overall(findings) is Grade.FAIL


def test_a_picture_that_nobody_can_decode_fails() -> None:
    findings = judge(Reach.ANSWERED, SOUND_CAMERA, LIMITS, has_picture=False)
    assert findings[1].code == "undecoded"
    assert overall(findings) is Grade.FAIL


@pytest.mark.parametrize(
    ("codec", "plays", "expected"),
    [
        ("h264", True, (Grade.WARN, "b_frames")),
        ("hevc", False, (Grade.WARN, "hevc")),
        ("mpeg4", False, (Grade.FAIL, "unknown")),
    ],
)
def test_what_browsers_cannot_play_well_is_said(codec: str, plays: bool, expected: tuple[Grade, str]) -> None:
    assert finding(Topic.CODEC, codec=codec, plays_in_browsers=plays, has_b_frames=True) == expected


def test_fewer_than_720_lines_fail_also_on_the_side() -> None:
    assert finding(Topic.RESOLUTION, height_px=719) == (Grade.FAIL, "too_small")
    assert finding(Topic.RESOLUTION, width_px=720, height_px=1280) == (Grade.GOOD, "sharp_enough")


@pytest.mark.parametrize(
    ("keyframe_us", "at_least", "expected"),
    [
        (2_200_000, False, (Grade.GOOD, "close")),
        (2_200_001, False, (Grade.WARN, "far_apart")),
        (4_200_001, False, (Grade.FAIL, "too_far_apart")),
        (1_000_000, True, (Grade.WARN, "not_measured")),
        (5_000_000, True, (Grade.FAIL, "too_far_apart")),
    ],
)
def test_keyframes_too_far_apart_warn_and_then_fail(
    keyframe_us: int, at_least: bool, expected: tuple[Grade, str]
) -> None:
    assert finding(Topic.KEYFRAMES, keyframe_us=keyframe_us, keyframe_is_at_least=at_least) == expected


def test_few_pictures_warn_and_no_duration_counts_as_none() -> None:
    assert finding(Topic.FRAME_RATE, frame_us=125_000) == (Grade.WARN, "few")
    assert finding(Topic.FRAME_RATE, frame_us=0) == (Grade.WARN, "few")


def test_unusual_bit_rates_warn() -> None:
    assert finding(Topic.BIT_RATE, bitrate_bps=100_000) == (Grade.WARN, "low")
    assert finding(Topic.BIT_RATE, bitrate_bps=9_000_000) == (Grade.WARN, "high")


def test_a_clock_far_off_or_untold_warns() -> None:
    assert finding(Topic.CLOCK, clock_offset_us=-2_000_001) == (Grade.WARN, "wrong")
    assert finding(Topic.CLOCK, clock_offset_us=None) == (Grade.WARN, "unknown")


def test_sound_never_spoils_a_camera() -> None:
    assert finding(Topic.SOUND, sound_codec="aac") == (Grade.GOOD, "copied")
    assert finding(Topic.SOUND, sound_codec="pcm_alaw") == (Grade.GOOD, "other")
    assert finding(Topic.SOUND, sound_codec=None) == (Grade.GOOD, "not_looked_at")


def test_nothing_found_is_not_fit() -> None:
    assert overall([]) is Grade.FAIL


def test_findings_survive_being_written_down() -> None:
    findings = judge(
        Reach.ANSWERED, replace(SOUND_CAMERA, codec="hevc", plays_in_browsers=False), LIMITS, has_picture=True
    )
    assert [from_code(word) for word in codes(findings)] == findings
