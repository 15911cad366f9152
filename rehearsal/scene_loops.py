"""Encodes scenes into loops that cost next to nothing to send, and keeps them in a folder.

A loop's file name is the digest of everything that shaped it (the scene's own source included), so a
second start finds it and a changed drawing is encoded anew. The bar's place is left dark: it is a slice of
its own, replaced in every frame that is sent.
"""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rehearsal.camera_plan import CameraPlan, Codec
from rehearsal.h264_loop import Loop, read_loop
from rehearsal.lens_faults import seen_through
from rehearsal.picture_counter import DARK_LUMA, MACROBLOCK, BarGeometry
from rehearsal.plain_loop import PlainLoop, encode_plain, read_plain
from rehearsal.scenes import Scene

ROOT: Final = Path(__file__).resolve().parent.parent
DEFAULT_CACHE: Final = ROOT / "var" / "camera-loops"
_SOURCES: Final = sorted(Path(__file__).parent.glob("scene*.py"))
_NOISE_FIELDS: Final = 5
_NOISE_LUMA: Final = 1.6


class EncodingFailedError(Exception):
    """ffmpeg is missing or could not encode a loop."""


def any_loop_for(plan: CameraPlan, loop_seconds: int, cache: Path) -> Loop | PlainLoop:
    """The camera's loop in its codec, encoded now if the folder does not have it."""
    return loop_for(plan, loop_seconds, cache) if plan.codec is Codec.H264 else _plain_loop(plan, cache)


def loop_for(plan: CameraPlan, loop_seconds: int, cache: Path) -> Loop:
    """The camera's usual loop, encoded now if the folder does not have it. Raises EncodingFailedError."""
    path = cache / f"{plan.scene}-{_digest(plan, loop_seconds)}.h264"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _encode(plan, loop_seconds, path)
    return read_loop(path, plan.geometry, plan.fps)


def _plain_loop(plan: CameraPlan, cache: Path) -> PlainLoop:
    path = cache / f"plain-{plan.codec}-{plan.resolution}-{plan.fps}-{plan.gop_frames}.bits"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
        encode_plain(plan.codec, plan.resolution, plan.fps, plan.gop_frames, unfinished)
        unfinished.replace(path)
    return read_plain(plan.codec, plan.fps, plan.gop_frames, path)


def _digest(plan: CameraPlan, loop_seconds: int) -> str:
    shaped_by = plan.model_dump(
        mode="json", include={"scene", "lens", "view", "resolution", "fps", "bitrate_kbps", "gop_seconds"}
    )
    digest = hashlib.sha256(json.dumps([shaped_by, loop_seconds], sort_keys=True).encode())
    for source in _SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:20]


def _encode(plan: CameraPlan, loop_seconds: int, path: Path) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}.unfinished")
    command = _encoder_command(plan, unfinished)
    try:
        encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    except OSError as error:
        raise EncodingFailedError(f"ffmpeg cannot be started ({error.strerror}); install it") from error
    assert encoder.stdin is not None
    try:
        _feed(encoder, _pictures(plan, loop_seconds * plan.fps))
    finally:
        _, complaints = encoder.communicate()
    if encoder.returncode:
        raise EncodingFailedError(
            f"ffmpeg could not encode the scene: {complaints.decode(errors='replace').strip()}"
        )
    unfinished.replace(path)


def _feed(encoder: subprocess.Popen[bytes], pictures: Iterable[NDArray[np.uint8]]) -> None:
    assert encoder.stdin is not None
    try:
        for picture in pictures:
            encoder.stdin.write(picture.tobytes())
    except BrokenPipeError:
        return  # ffmpeg gave up; its exit code and words say why


def _encoder_command(plan: CameraPlan, output: Path) -> list[str]:
    geometry = plan.geometry
    slices = f"slice-max-mbs={geometry.first_bar_row * geometry.columns}"
    group = f"keyint={plan.gop_frames}:min-keyint={plan.gop_frames}"
    rate = f"{plan.bitrate_kbps}k"
    return [
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", plan.resolution,
        "-r", str(plan.fps), "-i", "pipe:0",
        "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "baseline",
        "-b:v", rate, "-maxrate", rate, "-bufsize", rate,
        "-x264-params", f"{group}:scenecut=0:bframes=0:ref=1:weightp=0:{slices}",
        "-f", "h264", str(output),
    ]  # fmt: skip


def _pictures(plan: CameraPlan, frames: int) -> Iterator[NDArray[np.uint8]]:
    """Planar YUV pictures with sensor noise and a dark bar."""
    geometry = plan.geometry
    scene = Scene(plan.scene, plan.view, geometry)
    noise = _noise_fields(geometry)
    bar_top = geometry.first_bar_row * MACROBLOCK
    for frame in range(frames):
        seen = seen_through(plan.lens, scene.picture(frame / frames))
        planes = cv2.cvtColor(seen, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False)
        luma = planes[: geometry.height]
        cv2.add(luma, noise[frame * 3 % _NOISE_FIELDS], dst=luma, dtype=cv2.CV_8U)
        luma[bar_top:] = DARK_LUMA
        _neutralise_bar_chroma(planes, geometry)
        yield planes


def _neutralise_bar_chroma(planes: NDArray[np.uint8], geometry: BarGeometry) -> None:
    samples = geometry.width // 2 * geometry.height // 2
    bar = geometry.width // 2 * (geometry.first_bar_row * MACROBLOCK // 2)
    for plane in range(2):
        start = geometry.width * geometry.height + plane * samples
        planes.reshape(-1)[start + bar : start + samples] = 128


def _noise_fields(geometry: BarGeometry) -> list[NDArray[np.int8]]:
    """A few fields of sensor noise, so that loops have the entropy of a real sensor."""
    generator = np.random.default_rng(20261122)
    shape = (geometry.height, geometry.width)
    return [
        (generator.standard_normal(shape, np.float32) * _NOISE_LUMA).round().astype(np.int8)
        for _ in range(_NOISE_FIELDS)
    ]
