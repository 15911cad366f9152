"""Reads and writes the bits of H.264 (ITU-T H.264, 7.2 and 9.1): fixed fields and Exp-Golomb codes."""

import re
from typing import Final

_NEEDS_ESCAPE: Final = re.compile(rb"\x00\x00(?=[\x00-\x03])")


class BitWriter:
    """Collects bits, most significant first."""

    __slots__ = ("_bits", "_held", "_whole")

    def __init__(self) -> None:
        self._whole = bytearray()
        self._held = 0
        self._bits = 0

    def put(self, value: int, bits: int) -> None:
        """Append a fixed-length field, u(n)."""
        self._held = self._held << bits | value
        self._bits += bits

    def put_ue(self, value: int) -> None:
        """Append an unsigned Exp-Golomb code."""
        length = (value + 1).bit_length()
        self.put(value + 1, 2 * length - 1)

    def put_se(self, value: int) -> None:
        """Append a signed Exp-Golomb code."""
        self.put_ue(2 * value - 1 if value > 0 else -2 * value)

    def put_aligned(self, raw: bytes) -> None:
        """Fill up with zero bits to a whole byte, then append raw bytes (PCM samples)."""
        self._flush(padding=-self._bits % 8)
        self._whole += raw

    def finished_payload(self) -> bytes:
        """Append the stop bit and zero bits to a whole byte; return everything."""
        self.put(1, 1)
        self._flush(padding=-self._bits % 8)
        return bytes(self._whole)

    def _flush(self, padding: int) -> None:
        self.put(0, padding)
        self._whole += self._held.to_bytes(self._bits // 8, "big")
        self._held = self._bits = 0


class BitReader:
    """Reads the fields of a payload from which emulation prevention was already removed."""

    __slots__ = ("_at", "_length", "_value")

    def __init__(self, payload: bytes) -> None:
        self._value = int.from_bytes(payload, "big")
        self._length = len(payload) * 8
        self._at = 0

    def take(self, bits: int) -> int:
        """Read a fixed-length field, u(n)."""
        self._at += bits
        return self._value >> (self._length - self._at) & ((1 << bits) - 1)

    def take_ue(self) -> int:
        """Read an unsigned Exp-Golomb code."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros | self.take(zeros)) - 1

    def take_se(self) -> int:
        """Read a signed Exp-Golomb code."""
        code = self.take_ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def escaped(payload: bytes) -> bytes:
    """Insert emulation prevention bytes, so that no start code appears inside a NAL unit."""
    return _NEEDS_ESCAPE.sub(b"\x00\x00\x03", payload)


def unescaped(payload: bytes) -> bytes:
    """Remove emulation prevention bytes."""
    return payload.replace(b"\x00\x00\x03", b"\x00\x00")
