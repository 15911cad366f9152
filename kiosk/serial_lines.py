"""Scanners and ID readers on serial ports: USB-COM (CDC-ACM), converters, plain RS-232.

A serial device is no keyboard: no focus, no input method, no keys to guess. What it sends ends with
whatever its maker liked (CR, LF, both, Tab, ETX) or with nothing but silence.
"""

import re
from typing import Final, Protocol

import serial

from exam.clock import Clock
from kiosk.device_board import DeviceLostError
from kiosk.encodings import text_of
from kiosk.keystrokes import LONGEST, MILLISECOND_US

USUAL_SPEED: Final = 9600
READ_BYTES: Final = 4096
LINE_END: Final = re.compile(rb"[\r\n\t\x03]+")
# Longer than any device pauses inside one code, at any speed in use.
PAUSE_US: Final = 150 * MILLISECOND_US


class Port(Protocol):
    """An open serial port, as pyserial gives it."""

    timeout: float | None

    def read(self, size: int = 1) -> bytes: ...

    def close(self) -> None: ...


class ByteFraming:
    """Cuts a stream of bytes into readings. Pure."""

    def __init__(self, *, is_grouped: bool) -> None:
        """`is_grouped`: lines that follow each other without a pause are one reading, as of an ID card."""
        self._is_grouped = is_grouped
        self._raw = b""
        self._is_flood = False
        self._last_us = 0

    def taken(self, raw: bytes, now_us: int) -> list[tuple[str, ...]]:
        """The readings that are complete once these bytes have come; none may have."""
        readings = self._after_pause(now_us)
        if not raw:
            return readings
        self._last_us = now_us
        self._raw += raw
        readings += [] if self._is_grouped else self._lines()
        if len(self._raw) > LONGEST:
            self._raw, self._is_flood = b"", True
        return readings

    def _lines(self) -> list[tuple[str, ...]]:
        *complete, self._raw = LINE_END.split(self._raw)
        # The first line is what is left of a flood that went before.
        whole = complete[1:] if self._is_flood else complete
        self._is_flood = self._is_flood and not complete
        return [(text_of(line),) for line in whole if 0 < len(line) <= LONGEST]

    def _after_pause(self, now_us: int) -> list[tuple[str, ...]]:
        if now_us - self._last_us <= PAUSE_US:
            return []
        raw, self._raw = self._raw, b""
        is_flood, self._is_flood = self._is_flood, False
        lines = tuple(text_of(line) for line in LINE_END.split(raw) if line)
        return [lines] if lines and not is_flood else []


class SerialLine:
    """One device on a serial port. Raises DeviceLostError when the port is not there."""

    def __init__(self, path: str, speed: int, framing: ByteFraming, clock: Clock) -> None:
        """Open the port for ourselves alone."""
        self._framing, self._clock = framing, clock
        try:
            self._port: Port = serial.Serial(path, speed, exclusive=True)
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise DeviceLostError(f"port {path} cannot be opened ({_why(error)})") from error

    def next_texts(self, timeout_s: float) -> list[tuple[str, ...]]:
        """The readings that were completed within the time. Raises DeviceLostError."""
        try:
            self._port.timeout = timeout_s
            raw = self._port.read(1)
            if raw:
                self._port.timeout = 0
                raw += self._port.read(READ_BYTES)
        except (OSError, TypeError) as error:  # pyserial's read of a port that is being closed
            raise DeviceLostError(f"unplugged ({_why(error)})") from error
        return self._framing.taken(raw, self._clock.monotonic_us())

    def close(self) -> None:
        """Give the port back."""
        self._port.close()


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
