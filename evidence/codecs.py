"""How pictures are encoded, in the words of browsers (RFC 6381), and whether browsers can show them."""

from typing import Final

from evidence.boxes import Box, BoxError, inner_boxes

# From the start of a picture's sample entry to the boxes in it.
_ENTRY_BYTES: Final = 78
_H264: Final = ("avc1", "avc3")
_H265: Final = ("hvc1", "hev1")


def codec_string(moov: bytes, entry: Box) -> str:
    """The codec of one sample entry, such as 'avc1.64001f' or 'hev1.1.6.L93.90'."""
    if entry.name in _H264:
        avcc = _parameters(moov, entry, "avcC")
        return f"{entry.name}.{moov[avcc.content + 1 : avcc.content + 4].hex()}"
    if entry.name in _H265:
        hvcc = _parameters(moov, entry, "hvcC")
        return f"{entry.name}.{_h265_words(moov[hvcc.content : hvcc.end])}"
    return entry.name


def is_browser_playable(codec: str) -> bool:
    """Whether every browser shows it. H.265 (and whatever else) is recorded all the same, as it comes."""
    return codec.startswith(_H264)


def _parameters(moov: bytes, entry: Box, name: str) -> Box:
    for box in inner_boxes(moov, entry.content + _ENTRY_BYTES, entry.end):
        if box.name == name:
            return box
    raise BoxError(f"{entry.name} without its parameters ({name})")


def _h265_words(hvcc: bytes) -> str:
    """ISO/IEC 14496-15, annex E: profile, compatibility (bits reversed), tier and level, constraints."""
    if len(hvcc) < 13:
        raise BoxError("H.265 parameters that end too early")
    space = ("", "A", "B", "C")[hvcc[1] >> 6]
    compatible = int(f"{int.from_bytes(hvcc[2:6], 'big'):032b}"[::-1], 2)
    tier = "H" if hvcc[1] & 0x20 else "L"
    constraints = hvcc[6:12].rstrip(b"\0")
    words = [f"{space}{hvcc[1] & 31}", f"{compatible:X}", f"{tier}{hvcc[12]}"]
    return ".".join([*words, *(f"{byte:X}" for byte in constraints)])
