"""Noticing, in a growing file, that the camera now sends another kind of picture.

A file has one description of its stream, written before its first picture. A camera that changes its
resolution goes on in the same connection and announces the new parameters between the pictures: from
there on the file's description is wrong, and only a new connection gets a right one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence.boxes import Box, file_boxes

# Parameters and other small units stand before the picture, well within this.
_READ_BYTES: Final = 4096
_H265_PARAMETERS_BOX: Final = b"hvcC"


@dataclass(frozen=True, slots=True)
class _Units:
    """How a codec numbers its units: where the type stands in the first byte, and what the types mean."""

    shift: int
    mask: int
    pictures: range
    sequence_parameters: int

    def type_of(self, first: int) -> int:
        return first >> self.shift & self.mask


_H264: Final = _Units(0, 0x1F, range(1, 6), 7)
_H265: Final = _Units(1, 0x3F, range(32), 33)


def look_for_other_format(path: Path, offset: int) -> tuple[bool, int]:
    """Whether a fragment from this offset on has other parameters, and where to look on next time.

    Begin with offset 0. Does nothing when the file has just been moved.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False, offset
    try:
        size_bytes = os.fstat(descriptor).st_size
        if size_bytes <= offset:  # often asked, rarely grown
            return False, offset
        boxes = list(file_boxes(descriptor, offset, size_bytes))
        mdats = [box for box in boxes if box.name == "mdat"]
        if not mdats:
            return False, offset
        described = _description(descriptor, mdats[-1].end)
        units = _H265 if _H265_PARAMETERS_BOX in described else _H264
        announced = [unit for mdat in mdats for unit in _sequence_parameters(descriptor, mdat, units)]
        return any(unit not in described for unit in announced), mdats[-1].end
    finally:
        os.close(descriptor)


def _description(descriptor: int, size_bytes: int) -> bytes:
    for box in file_boxes(descriptor, 0, size_bytes):
        if box.name == "moov":
            return os.pread(descriptor, box.size_bytes, box.offset)
    return b""


def _sequence_parameters(descriptor: int, mdat: Box, units: _Units) -> Iterator[bytes]:
    start = os.pread(descriptor, _READ_BYTES, mdat.content)
    at = 0
    while at + 5 <= len(start):
        length, kind = int.from_bytes(start[at : at + 4], "big"), units.type_of(start[at + 4])
        if kind in units.pictures:
            return
        if kind == units.sequence_parameters:
            yield start[at + 4 : at + 4 + length]
        at += 4 + length
