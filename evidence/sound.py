"""What became of a camera's sound (invariant 6): copied, derived, left out, or none was sent.

A file tells by itself: sound that is not the camera's own bytes, and sound that was left out, are
noted in the names of the file's tracks, which its digest covers. So an index rebuilt from the files
says the same.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence.boxes import Box, BoxError, child, inner_boxes

_NOTE: Final = re.compile(r"(derived|left_out):(\w*)")
_ENTRY_BYTES: Final = 28
# Object types (ISO/IEC 14496-1) that are MP3 and not AAC.
_MP3: Final = (0x69, 0x6B)


class SoundKind(StrEnum):
    """What became of the sound."""

    NONE = "none"
    COPIED = "copied"
    DERIVED = "derived"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of one file, and the codec in which the camera sent it; empty: not known."""

    kind: SoundKind = SoundKind.NONE
    codec: str = ""

    def note(self) -> str:
        """What the file says about itself in the name of a track; empty: nothing needs saying."""
        return f"{self.kind}:{self.codec}" if self.kind in (SoundKind.DERIVED, SoundKind.LEFT_OUT) else ""


NO_SOUND: Final = Sound()


def sound_of(moov: bytes, *, has_samples: bool) -> Sound:
    """The sound that a file's description tells of. A track in which nothing ever came counts as none.

    A damaged description of the sound must not cost the pictures: it counts as an unknown codec.
    """
    try:
        return _sound_of(moov, has_samples=has_samples)
    except BoxError:
        return Sound(SoundKind.COPIED if has_samples else SoundKind.NONE, "unknown")


def _sound_of(moov: bytes, *, has_samples: bool) -> Sound:
    whole = next(inner_boxes(moov))
    codec, notes = "", [NO_SOUND]
    for trak in inner_boxes(moov, whole.content, whole.end):
        if trak.name == "trak":
            kind, name = _handler(moov, trak)
            codec = _codec(moov, trak) if kind == b"soun" else codec
            notes += [Sound(SoundKind(found[1]), found[2]) for found in [_NOTE.fullmatch(name)] if found]
    if codec and not has_samples:
        return Sound(SoundKind.NONE, codec)
    return Sound(SoundKind.COPIED, codec) if codec and not notes[1:] else notes[-1]


def _handler(moov: bytes, trak: Box) -> tuple[bytes, str]:
    hdlr = child(moov, child(moov, trak, "mdia"), "hdlr")
    name = moov[hdlr.content + 24 : hdlr.end].split(b"\0")[0]
    return moov[hdlr.content + 8 : hdlr.content + 12], name.decode("ascii", "replace")


def _codec(moov: bytes, trak: Box) -> str:
    stbl = child(moov, child(moov, child(moov, trak, "mdia"), "minf"), "stbl")
    stsd = child(moov, stbl, "stsd")
    entry = next(inner_boxes(moov, stsd.content + 8, stsd.end), None)
    if entry is None:
        return "unknown"
    if entry.name != "mp4a":
        return entry.name
    esds = moov[entry.content + _ENTRY_BYTES : entry.end]
    # The decoder's description: tag 4, a length of four bytes, then the object type.
    kind = re.search(rb"\x04\x80\x80\x80.(.)", esds, re.DOTALL)
    return "mp3" if kind is not None and kind[1][0] in _MP3 else "aac"
