"""Small pictures for tests of picture health: a drawn room, and what can happen to it."""

import os
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from recorder.picture_measures import HEIGHT, WIDTH, Glance
from rehearsal.camera_plan import SceneKind
from rehearsal.picture_counter import BarGeometry
from rehearsal.scenes import Scene

Image = Any


@cache
def room() -> Image:
    return Scene(SceneKind.VIVA_ROOM, 0, BarGeometry(640, 360)).picture(0.0)


def noisy(picture: Image, seed: int, sigma: float = 2.0) -> Image:
    grain = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def glance(picture: Image, seed: int | None = None) -> Glance:
    seen = picture if seed is None else noisy(picture, seed)
    small = cv2.resize(seen, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    points = cv2.cvtColor(seen, cv2.COLOR_BGR2GRAY)[::2, ::2]
    return Glance(np.ascontiguousarray(points), small)


def film(path: Path, pictures: list[Image], *, codec: str = "libx264", pixels: str = "yuv420p") -> None:
    """A fragmented MP4 as the recorder writes it: every picture a keyframe two seconds after the last."""
    options = {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream(codec, rate=Fraction(1, 2))
        stream.width, stream.height, stream.pix_fmt = 640, 360, pixels
        stream.codec_context.gop_size = 1
        stream.codec_context.thread_count = 1
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none:pools=1:keyint=1", "preset": "ultrafast"}
        else:
            stream.options = {"preset": "ultrafast", "tune": "zerolatency"}
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=pixels)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def flushed_at(path: Path, moment_us: int) -> None:
    os.utime(path, ns=(moment_us * 1000, moment_us * 1000))
