"""The words by which browsers know a codec."""

import pytest

from evidence.boxes import BoxError, inner_boxes
from evidence.codecs import codec_string, is_browser_playable
from tests.evidence.recorded import avc_entry, box


def words_of(entry: bytes) -> str:
    return codec_string(entry, next(inner_boxes(entry)))


def hevc(name: str, parameters: bytes) -> bytes:
    return box(name, b"\0" * 78, box("btrt"), box("hvcC", parameters))


def test_h264_is_named_by_profile_and_level() -> None:
    assert words_of(avc_entry()) == "avc1.64001f"


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("hev1", "01016000000090000000000078", "hev1.1.6.L120.90"),
        ("hvc1", "0102200000009000000000005d", "hvc1.2.4.L93.90"),
        ("hvc1", "016160000000b0000100000099", "hvc1.A1.6.H153.B0.0.1"),
        ("hvc1", "0101600000000000000000005d", "hvc1.1.6.L93"),
    ],
)
def test_h265_is_named_by_profile_tier_level_and_constraints(name: str, parameters: str, words: str) -> None:
    assert words_of(hevc(name, bytes.fromhex(parameters))) == words


def test_h265_with_half_its_parameters_is_refused() -> None:
    with pytest.raises(BoxError, match="too early"):
        words_of(hevc("hvc1", b"\1\1"))
    with pytest.raises(BoxError, match="hvcC"):
        words_of(box("hvc1", b"\0" * 78))


def test_browsers_play_h264_and_nothing_else_is_promised() -> None:
    assert [is_browser_playable(codec) for codec in ("avc1.64001f", "avc3.64001f", "hev1.1.6.L93")] == [
        True,
        True,
        False,
    ]
