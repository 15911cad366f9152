"""What a camera preflight says to people: verdicts, and every finding as a sentence with its figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from config.camera_preflight import load_camera_preflight
from evidence.preflight import CameraPreflight
from exam.clock import MINUTE_US, SECOND_US
from exam.preflight import CheckFinding, Grade, Measured

# Colour, shape and word.
GRADE_WORDS: Final[Mapping[Grade, tuple[str, str, str]]] = {
    Grade.GOOD: ("good", "good", "合格"),
    Grade.WARN: ("wait", "wait", "注意"),
    Grade.FAIL: ("bad", "bad", "不合格"),
}
CODEC_WORDS: Final = {"h264": "H.264", "hevc": "H.265"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One finding as people read it; `advice` is empty when nothing needs doing."""

    kind: str
    shape: str
    grade_word: str
    found: str
    advice: str


def sentences(result: CameraPreflight) -> list[Sentence]:
    """Every finding, those that need doing first."""
    ordered = sorted(result.findings, key=lambda one: [Grade.FAIL, Grade.WARN, Grade.GOOD].index(one.grade))
    return [_sentence(finding, result.measured) for finding in ordered]


def _sentence(finding: CheckFinding, measured: Measured | None) -> Sentence:
    found, advice = load_camera_preflight().words[finding.topic][finding.code]
    kind, shape, word = GRADE_WORDS[finding.grade]
    return Sentence(kind, shape, word, found.format(**_figures(measured)), advice)


def _figures(measured: Measured | None) -> dict[str, str]:
    if measured is None:
        return {}
    level = f"@{measured.level_tenths / 10:.1f}" if measured.level_tenths else ""
    return {
        "codec": CODEC_WORDS.get(measured.codec, measured.codec),
        "profile": f"{measured.profile}{level}",
        "width": str(measured.width_px),
        "height": str(measured.height_px),
        "keyframe": f"{measured.keyframe_us / SECOND_US:.1f}",
        "fps": f"{measured.fps_hundredths / 100:.4g}",
        "bitrate": f"{measured.bitrate_bps / 1_000_000:.1f}",
        "offset": f"{(measured.clock_offset_us or 0) / SECOND_US:+.1f}",
        "clock_source": _clock_source(measured),
        "sound": (measured.sound_codec or "").upper(),
    }


def _clock_source(measured: Measured) -> str:
    """Who told the camera's clock, and how fresh that is."""
    if measured.clock_source == "rtcp":
        return "按视频流"
    minutes = measured.clock_age_us // MINUTE_US
    return f"按 ONVIF，{minutes} 分钟前读取" if minutes else "按 ONVIF，检查时读取"
