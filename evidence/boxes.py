"""Reading MP4 boxes (ISO/IEC 14496-12) from a file without loading the pictures.

Only what a recorder's fragmented files contain is understood; a damaged or half-written box ends
the walk instead of raising, because a torn tail is what a crash leaves behind.
"""

import os
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

HEADER_BYTES: Final = 8
LARGE_HEADER_BYTES: Final = 16
# Box names are four printable ASCII characters; zeroes or noise mean the end of what was written.
_PRINTABLE: Final = frozenset(range(0x20, 0x7F))
_header: Final = struct.Struct(">I4s").unpack_from
# How much a window reads at once: the description of a usual fragment and the first bytes of its pictures.
AHEAD_BYTES: Final = 4096

# Answers with the bytes at a position, so many or fewer.
Read = Callable[[int, int], bytes]


class BoxError(Exception):
    """The bytes are not the MP4 structure this recorder writes."""


class Box(NamedTuple):
    """Where one box lies: `offset` of its header, `content` of its first byte after it."""

    name: str
    offset: int
    content: int
    end: int

    @property
    def size_bytes(self) -> int:
        """Header and content together."""
        return self.end - self.offset


def file_boxes(descriptor: int, start: int, end: int) -> Iterator[Box]:
    """The complete boxes between two positions of a file, ending at the first torn one."""
    return boxes_between(lambda position, count: os.pread(descriptor, count, position), start, end)


def boxes_between(read: Read, start: int, end: int) -> Iterator[Box]:
    """The same of whatever answers with the bytes at a position."""
    position = start
    while position + HEADER_BYTES <= end:
        box = _box_at(read(position, LARGE_HEADER_BYTES), 0, position)
        if box is None or box.end > end:
            return
        yield box
        position = box.end


class FileWindow:
    """The bytes of a file, read some way ahead: what lies close together costs one question to the system."""

    __slots__ = ("_descriptor", "_seen", "_start")

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._start, self._seen = descriptor, 0, b""

    def read(self, position: int, count: int) -> bytes:
        """The bytes there; fewer at the end of the file."""
        at = position - self._start
        if at < 0 or at + count > len(self._seen):
            self._seen = os.pread(self._descriptor, max(count, AHEAD_BYTES), position)
            self._start, at = position, 0
        return self._seen[at : at + count]


def inner_boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes inside a box already read. Raises BoxError where they do not fit."""
    limit = len(content) if end is None else end
    position = start
    while position < limit:
        box = _box_at(content, position, position)
        if box is None or box.end > limit:
            raise BoxError(f"a box at byte {position} does not fit into its parent")
        yield box
        position = box.end


def child(content: bytes, parent: Box, name: str) -> Box:
    """The first box of that name inside the parent. Raises BoxError when there is none."""
    for box in inner_boxes(content, parent.content, parent.end):
        if box.name == name:
            return box
    raise BoxError(f"no '{name}' inside '{parent.name}'")


def unpack(layout: str, content: bytes, at: int) -> tuple[int, ...]:
    """Big-endian integers at a position. Raises BoxError when the bytes end too early."""
    try:
        return struct.unpack_from(">" + layout, content, at)
    except struct.error as error:
        raise BoxError(f"the box ends too early at byte {at}") from error


def _box_at(content: bytes, at: int, offset: int) -> Box | None:
    """The box whose header stands at `at` of the content, which lies at that offset of the whole."""
    ahead = len(content) - at
    if ahead < HEADER_BYTES:
        return None
    size, raw = _header(content, at)
    name, header_bytes = _name(raw), HEADER_BYTES
    if size == 1 and ahead >= LARGE_HEADER_BYTES:
        size, header_bytes = int.from_bytes(content[at + 8 : at + 16], "big"), LARGE_HEADER_BYTES
    if size < header_bytes or name is None:
        return None
    return Box(name, offset, offset + header_bytes, offset + size)


@lru_cache(maxsize=256)
def _name(raw: bytes) -> str | None:
    # Few names, read hundreds of times in every file.
    return raw.decode("ascii") if _PRINTABLE.issuperset(raw) else None
