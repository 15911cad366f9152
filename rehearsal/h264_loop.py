"""An encoded loop of pictures, cut into what RTP sends: one entry per frame, the bar left out."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rehearsal.h264_slices import (
    NAL_IDR,
    NAL_PPS,
    NAL_SLICE,
    NAL_SPS,
    ParameterSets,
    SliceHeader,
    UnsupportedStreamError,
    first_macroblock,
    read_parameter_sets,
    read_slice_header,
)
from rehearsal.picture_counter import BarGeometry
from rehearsal.rtp import payloads_of_nal
from rehearsal.rtsp_messages import h264_lines

_START_CODE: Final = re.compile(rb"\x00\x00\x01")


@dataclass(frozen=True, slots=True)
class LoopFrame:
    """One frame of a loop: its header, and the RTP payloads of everything above the bar."""

    header: SliceHeader
    payloads: tuple[bytes, ...]

    @property
    def is_keyframe(self) -> bool:
        return self.header.is_idr


@dataclass(frozen=True, slots=True)
class Loop:
    """A whole loop, beginning with a keyframe."""

    geometry: BarGeometry
    fps: int
    sets: ParameterSets
    frames: tuple[LoopFrame, ...]
    gop_frames: int

    def description(self) -> tuple[str, ...]:
        """The lines of the session description that name the codec."""
        return h264_lines(self.sets, self.fps)


def read_loop(path: Path, geometry: BarGeometry, fps: int) -> Loop:
    """Read an annex-B file made by `rehearsal.scene_loops`. Raises UnsupportedStreamError for any other."""
    nals = _nal_units(path.read_bytes())
    sets = read_parameter_sets(_first_of_kind(nals, NAL_SPS), _first_of_kind(nals, NAL_PPS))
    frames = tuple(_frame(slices, sets) for slices in _pictures(nals, geometry, path))
    return Loop(geometry, fps, sets, frames, _evenly_spaced_gop(frames, path))


def _pictures(nals: list[bytes], geometry: BarGeometry, path: Path) -> list[list[bytes]]:
    """The slices of every picture without its bar."""
    bar_address = geometry.first_bar_row * geometry.columns
    pictures: list[list[bytes]] = []
    slices: list[bytes] = []
    for nal in nals:
        if nal[0] & 31 not in (NAL_SLICE, NAL_IDR):
            continue
        address = first_macroblock(nal)
        if address > bar_address or bool(address) != bool(slices):
            raise UnsupportedStreamError(f"{path}: the bar is not one slice of its own")
        if address < bar_address:
            slices.append(nal)
        else:
            pictures.append(slices)
            slices = []
    return pictures


def _evenly_spaced_gop(frames: tuple[LoopFrame, ...], path: Path) -> int:
    keyframes = [index for index, frame in enumerate(frames) if frame.is_keyframe]
    gop_frames = keyframes[1] if len(keyframes) > 1 else len(frames)
    if not frames or keyframes != list(range(0, len(frames), gop_frames)) or len(frames) % gop_frames:
        raise UnsupportedStreamError(f"{path}: keyframes are not evenly spaced")
    return gop_frames


def _frame(slices: list[bytes], sets: ParameterSets) -> LoopFrame:
    payloads = [payload for nal in slices for payload in payloads_of_nal(nal)]
    return LoopFrame(read_slice_header(slices[0], sets), tuple(payloads))


def _nal_units(stream: bytes) -> list[bytes]:
    starts = [match.start() for match in _START_CODE.finditer(stream)]
    ends = [*starts[1:], len(stream)][: len(starts)]
    return [stream[start + 3 : end].rstrip(b"\0") for start, end in zip(starts, ends, strict=True)]


def _first_of_kind(nals: list[bytes], kind: int) -> bytes:
    for nal in nals:
        if nal[0] & 31 == kind:
            return nal
    raise UnsupportedStreamError(f"no NAL unit of type {kind}")
