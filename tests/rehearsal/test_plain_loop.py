"""Loops the simulator only repeats: H.265, and pictures that are sent out of order."""

from pathlib import Path

import pytest

from rehearsal.camera_picture import PictureState
from rehearsal.camera_plan import Codec
from rehearsal.h264_loop import Loop
from rehearsal.plain_loop import PlainLoop, PlainSource
from rehearsal.rtp import payloads_of_hevc_nal
from rehearsal.scene_loops import any_loop_for
from tests.rehearsal.camera_world import small_plan

pytestmark = pytest.mark.media


def plain(codec: Codec, folder: Path, gop_seconds: float = 1) -> PlainLoop:
    loop = any_loop_for(small_plan("x", codec=codec, gop_seconds=gop_seconds), 2, folder)
    assert not isinstance(loop, Loop)
    return loop


@pytest.mark.parametrize("gop_seconds", [1, 1.04, 1.08])
def test_every_picture_is_shown_once_although_some_are_sent_early(tmp_path: Path, gop_seconds: float) -> None:
    loop = plain(Codec.H264_B_FRAMES, tmp_path, gop_seconds)
    shown = [number + frame.shown_later for number, frame in enumerate(loop.frames)]
    assert sorted(shown) == list(range(2 * loop.gop_frames))
    assert shown != sorted(shown)
    keyframes = [number for number, frame in enumerate(loop.frames) if frame.is_keyframe]
    assert keyframes == [0, loop.gop_frames]


def test_h265_is_announced_with_its_three_parameter_sets_and_goes_on_for_ever(tmp_path: Path) -> None:
    loop = plain(Codec.H265, tmp_path)
    assert plain(Codec.H265, tmp_path) == loop
    (format_line,) = [line for line in loop.description() if "fmtp" in line]
    assert all(name in format_line for name in ("sprop-vps=", "sprop-sps=", "sprop-pps="))
    source = PlainSource(loop)
    source.forget()
    first, later = (source.picture(number, PictureState(number, 0)) for number in (0, 50))
    assert first.is_keyframe
    assert first.payloads == later.payloads
    assert later.counter == 50


def test_a_large_h265_unit_is_fragmented_and_tells_where_it_begins_and_ends() -> None:
    nal = bytes([19 << 1, 1]) + bytes(range(256)) * 12
    payloads = payloads_of_hevc_nal(nal)
    assert all(payload[0] >> 1 == 49 for payload in payloads)
    assert [payload[2] >> 6 for payload in payloads] == [2, 0, 1]
    assert b"".join(payload[3:] for payload in payloads) == nal[2:]
    assert {payload[2] & 63 for payload in payloads} == {19}
    assert payloads_of_hevc_nal(nal[:100]) == [nal[:100]]
