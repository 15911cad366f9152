"""Noticing, in a growing file, that the camera now sends another kind of picture.

A file has one description of its stream, written before its first picture. A camera that changes its
resolution goes on in the same connection and announces the new parameters between the pictures: from
there on the file's description is wrong, and only a new connection gets a right one.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from evidence.boxes import Box, file_boxes

# Parameters and other small units stand before the picture, well within this.
_READ_BYTES: Final = 4096
_UNIT_TYPE: Final = 0x1F
_FIRST_PICTURE_TYPE, _LAST_PICTURE_TYPE, _SEQUENCE_PARAMETERS = 1, 5, 7


def look_for_other_format(path: Path, offset: int) -> tuple[bool, int]:
    """Whether a fragment from this offset on has other H.264 parameters, and where to look on next time.

    Begin with offset 0. Does nothing when the file has just been moved.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False, offset
    try:
        boxes = list(file_boxes(descriptor, offset, os.fstat(descriptor).st_size))
        mdats = [box for box in boxes if box.name == "mdat"]
        if not mdats:
            return False, offset
        described = _description(descriptor, mdats[-1].end)
        announced = [unit for mdat in mdats for unit in _sequence_parameters(descriptor, mdat)]
        return any(unit not in described for unit in announced), mdats[-1].end
    finally:
        os.close(descriptor)


def _description(descriptor: int, size_bytes: int) -> bytes:
    for box in file_boxes(descriptor, 0, size_bytes):
        if box.name == "moov":
            return os.pread(descriptor, box.size_bytes, box.offset)
    return b""


def _sequence_parameters(descriptor: int, mdat: Box) -> Iterator[bytes]:
    start = os.pread(descriptor, _READ_BYTES, mdat.content)
    at = 0
    while at + 5 <= len(start):
        length, kind = int.from_bytes(start[at : at + 4], "big"), start[at + 4] & _UNIT_TYPE
        if _FIRST_PICTURE_TYPE <= kind <= _LAST_PICTURE_TYPE:
            return
        if kind == _SEQUENCE_PARAMETERS:
            yield start[at + 4 : at + 4 + length]
        at += 4 + length
