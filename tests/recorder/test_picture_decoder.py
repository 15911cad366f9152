"""Keyframes become small pictures, whatever codec; garbage becomes an error and nothing worse."""

from pathlib import Path

import numpy as np
import pytest

from evidence.keyframes import CodecSetup, GrowingFile
from recorder.picture_decoder import KeyframeDecoder, UndecodableError
from tests.recorder.pictures import film, glance, noisy, room


@pytest.mark.parametrize(
    ("codec", "pixels"), [("libx264", "yuv420p"), ("libx264", "yuv422p"), ("libx265", "yuv420p")]
)
def test_a_keyframe_shows_what_was_filmed(tmp_path: Path, codec: str, pixels: str) -> None:
    film(tmp_path / "film.mp4", [noisy(room(), 1), np.zeros_like(room())], codec=codec, pixels=pixels)
    with GrowingFile(tmp_path / "film.mp4") as file:
        lit, dark = file.advance(9)
        assert file.setup is not None
        decoder = KeyframeDecoder(file.setup)
    shown = decoder.glance(lit.sample)
    assert np.abs(shown.grey.astype(int) - glance(room()).grey).mean() < 6
    assert shown.points.shape == shown.grey.shape
    assert decoder.glance(dark.sample).points.mean() < 20


def test_garbage_is_refused_and_the_next_picture_is_shown(tmp_path: Path) -> None:
    film(tmp_path / "film.mp4", [room()])
    with GrowingFile(tmp_path / "film.mp4") as file:
        (keyframe,) = file.advance(9)
        assert file.setup is not None
        decoder = KeyframeDecoder(file.setup)
    for garbage in (b"", b"\0" * 64, keyframe.sample[:4] + b"\xaa" * 400):
        with pytest.raises(UndecodableError):
            decoder.glance(garbage)
    assert decoder.glance(keyframe.sample).grey.mean() > 60


def test_a_stream_with_a_damaged_description_is_refused() -> None:
    with pytest.raises(UndecodableError):
        KeyframeDecoder(CodecSetup("h264", b"\xff\xff")).glance(b"\0\0\0\1\x65")
