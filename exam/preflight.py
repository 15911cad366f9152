"""Camera preflight (摄像机检查): is what a camera sends fit to be evidence?

Pure (Art. 11(2)): measurements and limits go in, findings come out, each with its grade. Measuring is
the recorder's work, words are the pages'. A finding never stops anything: people decide.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import SECOND_US


class Grade(StrEnum):
    """How good a finding is: fit, fit with a reservation, unfit."""

    GOOD = "good"
    WARN = "warn"
    FAIL = "fail"


class Reach(StrEnum):
    """What came of asking the camera for its picture."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    UNAUTHORIZED = "unauthorized"
    REFUSED = "refused"
    NO_PICTURE = "no_picture"
    # It sends something that cannot be kept as footage.
    UNPLAYABLE = "unplayable"
    # The check itself could not be made on this machine.
    NOT_CHECKED = "not_checked"


class Topic(StrEnum):
    """What a finding is about, in the order in which people read it."""

    CONNECTION = "connection"
    PICTURE = "picture"
    CODEC = "codec"
    RESOLUTION = "resolution"
    KEYFRAMES = "keyframes"
    FRAME_RATE = "frame_rate"
    BIT_RATE = "bit_rate"
    CLOCK = "clock"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a camera was seen to send for some seconds. Durations by the camera's clock."""

    # As ffmpeg names it: h264, hevc, mjpeg.
    codec: str
    # As ffmpeg names it: High, Main, Baseline; empty when not told.
    profile: str
    # H.264: ten times the level (31 for 3.1); 0 when not told.
    level_tenths: int
    has_b_frames: bool
    width_px: int
    height_px: int
    # The longest time from one keyframe to the next; `is_at_least`: only one keyframe was seen in that time.
    keyframe_us: int
    keyframe_is_at_least: bool
    # Usual time from one picture to the next.
    frame_us: int
    bitrate_bps: int
    # Camera clock minus ours, transport included; None when the camera does not tell its clock.
    clock_offset_us: int | None
    # As ffmpeg names it; empty: none; None: not looked at.
    sound_codec: str | None
    # Whether browsers show it, by the one rule for that (evidence.codecs).
    plays_in_browsers: bool = False
    # Who told the offset, rtcp (with the pictures) or onvif (asked for the time); how long before the check.
    clock_source: str = "rtcp"
    clock_age_us: int = 0

    @property
    def fps_hundredths(self) -> int:
        """Pictures per 100 seconds."""
        return 100 * SECOND_US // self.frame_us if self.frame_us else 0


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is worth a warning, and from where on it is unfit."""

    smallest_height_px: int
    keyframe_warn_us: int
    keyframe_fail_us: int
    fewest_fps: int
    least_bitrate_bps: int
    most_bitrate_bps: int
    clock_warn_us: int
    # Sound that MP4 holds as it is; other sound is turned into AAC or left out.
    copied_sound: frozenset[str]


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One statement about a camera. `code` names the sentence that people read."""

    topic: Topic
    grade: Grade
    code: str


def judge(
    reach: Reach, measured: Measured | None, limits: Limits, *, has_picture: bool
) -> list[CheckFinding]:
    """Every finding about one camera, in reading order."""
    findings = [CheckFinding(Topic.CONNECTION, _reach_grade(reach), reach.value)]
    if measured is None:
        return findings
    picture = ("kept", Grade.GOOD) if has_picture else ("undecoded", Grade.FAIL)
    findings.append(CheckFinding(Topic.PICTURE, picture[1], picture[0]))
    return findings + [rule(measured, limits) for rule in _RULES]


def overall(findings: Iterable[CheckFinding]) -> Grade:
    """The worst grade among them; without any finding nothing is fit."""
    grades = {finding.grade for finding in findings}
    return next((grade for grade in (Grade.FAIL, Grade.WARN, Grade.GOOD) if grade in grades), Grade.FAIL)


def _reach_grade(reach: Reach) -> Grade:
    return Grade.GOOD if reach is Reach.ANSWERED else Grade.FAIL


def _codec(measured: Measured, _limits: Limits) -> CheckFinding:
    # H.265 is recorded as it is, but people cannot watch it in the console: that is said before the exam.
    if not measured.plays_in_browsers:
        code = measured.codec if measured.codec == "hevc" else "unknown"
        return CheckFinding(Topic.CODEC, Grade.WARN if code == "hevc" else Grade.FAIL, code)
    if measured.has_b_frames:
        return CheckFinding(Topic.CODEC, Grade.WARN, "b_frames")
    return CheckFinding(Topic.CODEC, Grade.GOOD, "playable")


def _resolution(measured: Measured, limits: Limits) -> CheckFinding:
    # A camera on its side is as sharp as one that stands.
    if min(measured.width_px, measured.height_px) < limits.smallest_height_px:
        return CheckFinding(Topic.RESOLUTION, Grade.FAIL, "too_small")
    return CheckFinding(Topic.RESOLUTION, Grade.GOOD, "sharp_enough")


def _keyframes(measured: Measured, limits: Limits) -> CheckFinding:
    if measured.keyframe_us > limits.keyframe_fail_us:
        return CheckFinding(Topic.KEYFRAMES, Grade.FAIL, "too_far_apart")
    if measured.keyframe_us > limits.keyframe_warn_us:
        return CheckFinding(Topic.KEYFRAMES, Grade.WARN, "far_apart")
    if measured.keyframe_is_at_least:
        return CheckFinding(Topic.KEYFRAMES, Grade.WARN, "not_measured")
    return CheckFinding(Topic.KEYFRAMES, Grade.GOOD, "close")


def _frame_rate(measured: Measured, limits: Limits) -> CheckFinding:
    if measured.fps_hundredths < 100 * limits.fewest_fps:
        return CheckFinding(Topic.FRAME_RATE, Grade.WARN, "few")
    return CheckFinding(Topic.FRAME_RATE, Grade.GOOD, "enough")


def _bit_rate(measured: Measured, limits: Limits) -> CheckFinding:
    if measured.bitrate_bps < limits.least_bitrate_bps:
        return CheckFinding(Topic.BIT_RATE, Grade.WARN, "low")
    if measured.bitrate_bps > limits.most_bitrate_bps:
        return CheckFinding(Topic.BIT_RATE, Grade.WARN, "high")
    return CheckFinding(Topic.BIT_RATE, Grade.GOOD, "usual")


def _clock(measured: Measured, limits: Limits) -> CheckFinding:
    if measured.clock_offset_us is None:
        return CheckFinding(Topic.CLOCK, Grade.WARN, "unknown")
    if abs(measured.clock_offset_us) > limits.clock_warn_us:
        return CheckFinding(Topic.CLOCK, Grade.WARN, "wrong")
    return CheckFinding(Topic.CLOCK, Grade.GOOD, "right")


def _sound(measured: Measured, limits: Limits) -> CheckFinding:
    if measured.sound_codec is None:
        return CheckFinding(Topic.SOUND, Grade.GOOD, "not_looked_at")
    if not measured.sound_codec:
        return CheckFinding(Topic.SOUND, Grade.GOOD, "none")
    code = "copied" if measured.sound_codec in limits.copied_sound else "other"
    return CheckFinding(Topic.SOUND, Grade.GOOD, code)


_RULES: Final[tuple[Callable[[Measured, Limits], CheckFinding], ...]] = (
    _codec,
    _resolution,
    _keyframes,
    _frame_rate,
    _bit_rate,
    _clock,
    _sound,
)


def codes(findings: Iterable[CheckFinding]) -> Iterator[str]:
    """Each finding as one word for the index and the ledger: topic:grade:code."""
    return (f"{finding.topic}:{finding.grade}:{finding.code}" for finding in findings)


def from_code(word: str) -> CheckFinding:
    """The finding again."""
    topic, grade, code = word.split(":")
    return CheckFinding(Topic(topic), Grade(grade), code)
