"""Loops: encoded once, read back, and the slices that are written into them."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from exam.clock import SECOND_US
from rehearsal.camera_picture import EncodedPicture, PictureSource, PictureState
from rehearsal.h264_loop import Loop, read_loop
from rehearsal.h264_slices import UnsupportedStreamError
from rehearsal.picture_counter import read_counter
from rehearsal.scene_loops import EncodingFailedError, loop_for
from tests.rehearsal.camera_world import small_plan

pytestmark = pytest.mark.media

PLAN = small_plan("a", scene="viva_room", fps=10, gop_seconds=1)
SIZE = (640, 360)
NOW_US = 1_795_000_000 * SECOND_US


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loops")


@pytest.fixture(scope="module")
def loop(cache: Path) -> Loop:
    return loop_for(PLAN, 2, cache)


def annex_b(pictures: list[EncodedPicture]) -> bytes:
    """Payloads put together again, as a receiver does."""
    stream = bytearray()
    for payload in (payload for picture in pictures for payload in picture.payloads):
        if payload[0] & 31 != 28:
            stream += b"\0\0\0\1" + payload
            continue
        if payload[1] & 0x80:
            stream += b"\0\0\0\1" + bytes([payload[0] & 0xE0 | payload[1] & 31])
        stream += payload[2:]
    return bytes(stream)


def decoded(pictures: list[EncodedPicture]) -> NDArray[np.uint8]:
    command = ["ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-f", "h264", "-i", "pipe:0"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    answer = subprocess.run(command, input=annex_b(pictures), capture_output=True, check=True)
    assert answer.stderr == b""
    return np.frombuffer(answer.stdout, np.uint8).reshape(-1, SIZE[1], SIZE[0])


def made(source: PictureSource, frames: range, **faults: bool) -> list[EncodedPicture]:
    states = (
        PictureState(1000 + frame, NOW_US + frame * SECOND_US // PLAN.fps, **faults) for frame in frames
    )
    pictures = [source.picture(frame, state) for frame, state in zip(frames, states, strict=True)]
    return [picture for picture in pictures if picture is not None]


def test_a_loop_has_evenly_spaced_keyframes(loop: Loop) -> None:
    assert len(loop.frames) == 20
    assert loop.gop_frames == 10
    assert [number for number, frame in enumerate(loop.frames) if frame.is_keyframe] == [0, 10]


def test_a_second_start_encodes_nothing(cache: Path) -> None:
    loop_for(PLAN, 2, cache)
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    loop_for(PLAN.model_copy(update={"name": "b", "label": "第9考场"}), 2, cache)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before


def test_every_picture_shows_its_own_counter_also_when_the_loop_begins_again(loop: Loop) -> None:
    pictures = made(PictureSource(loop, "第3考场"), range(45))
    counters = [read_counter(frame) for frame in decoded(pictures)]
    assert counters == [picture.counter for picture in pictures] == list(range(1000, 1045))


def test_the_bar_does_not_disturb_the_scene_above_it(loop: Loop) -> None:
    pictures = made(PictureSource(loop, "第3考场"), range(40))
    frames = decoded(pictures)[:, :336].astype(int)
    first, again = frames[:20], frames[20:]
    assert np.array_equal(first, again)


def test_a_source_waits_for_the_first_keyframe(loop: Loop) -> None:
    pictures = made(PictureSource(loop, ""), range(7, 25))
    assert pictures[0].is_keyframe
    assert pictures[0].counter == 1010


def test_a_frozen_camera_repeats_one_picture_from_the_next_keyframe(loop: Loop) -> None:
    source = PictureSource(loop, "第3考场")
    pictures = made(source, range(5)) + made(source, range(5, 35), frozen=True) + made(source, range(35, 50))
    frames = decoded(pictures)
    counters = [read_counter(frame) for frame in frames]
    assert counters == [*range(1000, 1010), *[1010] * 30, *range(1040, 1050)]
    assert all(np.array_equal(frame, frames[10]) for frame in frames[10:40])
    assert [picture.counter for picture in pictures] == counters


def test_a_covered_lens_is_black_above_the_bar(loop: Loop) -> None:
    frames = decoded(made(PictureSource(loop, "第3考场"), range(25), black=True))
    assert frames[:, :330].max() <= 1
    assert [read_counter(frame) for frame in frames] == list(range(1000, 1025))


def test_a_camera_may_be_black_and_frozen(loop: Loop) -> None:
    frames = decoded(made(PictureSource(loop, ""), range(15), black=True, frozen=True))
    assert frames[:, :330].max() <= 1
    assert {read_counter(frame) for frame in frames} == {1000}


def test_another_loop_begins_at_a_keyframe(loop: Loop, cache: Path) -> None:
    source = PictureSource(loop, "第3考场")
    before = made(source, range(15))
    source.wanted_loop = loop_for(PLAN.model_copy(update={"resolution": "848x480"}), 2, cache)
    after = made(source, range(15, 25))
    assert [picture.payloads[0][0] & 31 == 7 for picture in after] == [*[False] * 5, True, *[False] * 4]
    assert len(decoded(before + after[:5])) == 20


def test_ffmpeg_that_cannot_be_started_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EncodingFailedError, match="ffmpeg cannot be started"):
        loop_for(PLAN, 2, tmp_path)


def test_ffmpeg_that_gives_up_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nexec /bin/sh -c 'echo no such encoder >&2; exit 1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(EncodingFailedError, match="no such encoder"):
        loop_for(PLAN, 2, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-profile:v", "main"], "Baseline"),
        (["-profile:v", "baseline"], "slice of its own"),
        (["-profile:v", "baseline", "-x264-params", "slice-max-mbs=200"], "slice of its own"),
    ],
)
def test_a_stream_of_another_kind_is_refused(arguments: list[str], words: str, tmp_path: Path) -> None:
    file = tmp_path / "other.h264"
    source = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=640x360:rate=10:duration=1"]
    subprocess.run([*source, "-c:v", "libx264", "-pix_fmt", "yuv420p", *arguments, str(file)], check=True)
    with pytest.raises(UnsupportedStreamError, match=words):
        read_loop(file, PLAN.geometry, 10)


def test_a_file_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.h264").write_bytes(b"")
    with pytest.raises(UnsupportedStreamError):
        read_loop(tmp_path / "empty.h264", PLAN.geometry, 10)
