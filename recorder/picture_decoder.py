"""Turning one keyframe into a small picture. The only place of the recorder that knows PyAV.

Each camera has a decoder of its own, given single keyframes: decode, drain, forget. Runs in the process
that looks at pictures and nowhere else, so that a picture which crashes the decoder costs no footage.
"""

from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from evidence.keyframes import CodecSetup
from recorder.picture_measures import HEIGHT, WIDTH, Bytes, Glance

_COLOUR: Final = "bgr24"
_GREY: Final = "gray"


class UndecodableError(Exception):
    """The bytes are no picture; the message says what the decoder said."""


@dataclass(slots=True)
class KeyframeDecoder:
    """Decodes keyframes of one stream; a changed description makes a new decoder."""

    setup: CodecSetup
    _context: VideoCodecContext | None = None

    def glance(self, sample: bytes) -> Glance:
        """The keyframe, small. Raises UndecodableError."""
        try:
            frame = self._decode(sample)
            return Glance(_points(frame), _scaled(frame, _COLOUR, "AREA"))
        except (av.FFmpegError, ValueError, IndexError) as error:
            self._context = None
            raise UndecodableError(str(error)) from error

    def _decode(self, sample: bytes) -> VideoFrame:
        if self._context is None:
            context = av.CodecContext.create(self.setup.codec, "r")
            assert isinstance(context, VideoCodecContext)
            context.extradata = self.setup.parameters
            context.thread_count = 1  # one picture at a time: threads would only cost memory
            self._context = context
        frames = [*self._context.decode(av.Packet(sample)), *self._context.decode(None)]
        self._context.flush_buffers()
        return frames[0]


def _points(frame: VideoFrame) -> Bytes:
    """Single pixels of the brightness, unscaled: averaging would take the sensor's noise away."""
    plane = frame.planes[0]
    if frame.format.name not in ("yuv420p", "yuvj420p", "nv12"):
        return _scaled(frame, _GREY, "POINT")
    luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    rows = np.arange(HEIGHT) * frame.height // HEIGHT
    columns = np.arange(WIDTH) * frame.width // WIDTH
    points: Bytes = luma[np.ix_(rows, columns)]
    return points


def _scaled(frame: VideoFrame, pixels: str, interpolation: str) -> Bytes:
    small = frame.reformat(WIDTH, HEIGHT, format=pixels, interpolation=interpolation)
    return small.to_ndarray().astype(np.uint8, copy=False)
