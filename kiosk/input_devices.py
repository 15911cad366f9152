"""Scanners and ID readers that type, taken away from the desktop: Linux input devices, grabbed.

A grabbed device types nowhere else, whatever has the focus and whichever input method is on, and two
devices can be told apart. What a device is, sysfs says; what it types comes as structs from its node.
The standard library does both (see docs/adr/0017).
"""

import errno
import fcntl
import os
import select
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exam.clock import Clock
from kiosk.device_board import DeviceLostError
from kiosk.keystrokes import Framing, Stroke, Wedge

# struct input_event of linux/input.h: seconds, microseconds, kind, code, value.
RECORD: Final = struct.Struct("@llHHi")
KIND_SYNC: Final = 0
KIND_KEY: Final = 1
SYNC_REPORT: Final = 0
SYNC_DROPPED: Final = 3
KEY_REPEATED: Final = 2
GRAB: Final = 0x40044590  # EVIOCGRAB
READ_BYTES: Final = 64 * RECORD.size

SYSFS: Final = Path("/sys/class/input")
NODES: Final = Path("/dev/input")

# Numbers of linux/input-event-codes.h -> the names of keyboard places that browsers use.
_ROWS: Final = {
    2: "Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal",
    15: "Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter ControlLeft",
    30: "KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote ShiftLeft Backslash",
    44: "KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight NumpadMultiply AltLeft",
    57: "Space CapsLock",
    69: "NumLock",
    71: "Numpad7 Numpad8 Numpad9 NumpadSubtract Numpad4 Numpad5 Numpad6 NumpadAdd",
    79: "Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal",
    86: "IntlBackslash",
    96: "NumpadEnter ControlRight NumpadDivide",
    100: "AltRight",
    117: "NumpadEqual",
    121: "NumpadComma",
    125: "MetaLeft MetaRight",
}
KEY_NAMES: Final = {
    first + step: name for first, row in _ROWS.items() for step, name in enumerate(row.split())
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Which device: vendor and product in hexadecimal, and the USB port where two are alike."""

    vendor: str
    product: str
    port: str = ""


def _grab(node: int) -> None:
    fcntl.ioctl(node, GRAB, 1)


@dataclass(frozen=True, slots=True)
class InputSystem:
    """Where the kernel tells about input devices; replaceable, because it must be tested without any."""

    sysfs: Path = SYSFS
    nodes: Path = NODES
    grab: Callable[[int], None] = _grab

    def nodes_of(self, wanted: Identity) -> list[Path]:
        """The nodes of a device, in order; a scanner may have several. Those without keys are left out."""
        return [self.nodes / found.name for found in sorted(self.sysfs.glob("event*")) if _is(found, wanted)]


def _is(found: Path, wanted: Identity) -> bool:
    device = found / "device"
    try:
        vendor, product = ((device / "id" / name).read_text().strip() for name in ("vendor", "product"))
        keys, place = (device / "capabilities" / "key").read_text(), (device / "phys").read_text()
    except OSError:  # unplugged while we look
        return False
    is_wanted = (vendor, product) == (wanted.vendor.lower(), wanted.product.lower())
    return is_wanted and keys.strip(" 0\n") != "" and _is_at(place, wanted.port)


def _is_at(place: str, port: str) -> bool:
    # "usb-0000:00:14.0-1.2/input0": the port follows the last minus sign of the controller's address.
    return not port or place.split("/", maxsplit=1)[0].endswith(f"-{port}")


LINUX: Final = InputSystem()


class GrabbedKeyboard:
    """One device that types, ours alone. Raises DeviceLostError when it is not there, or not ours to take."""

    def __init__(self, wanted: Identity, framing: Framing, clock: Clock, system: InputSystem) -> None:
        """Find, open and grab every node of the device."""
        self._clock, self._framing = clock, framing
        self._poll = select.poll()
        self._wedges: dict[int, Wedge] = {}
        self._is_dropping: set[int] = set()
        try:
            for node in system.nodes_of(wanted):
                self._open(node, system)
        except OSError as error:
            self.close()
            raise DeviceLostError(_why(error)) from error
        if not self._wedges:
            raise DeviceLostError(f"no device {wanted.vendor}:{wanted.product} is plugged in")

    def next_texts(self, timeout_s: float) -> list[tuple[str, ...]]:
        """The scans that were completed within the time. Raises DeviceLostError."""
        scans: list[tuple[str, ...]] = []
        for node, _ in self._poll.poll(timeout_s * 1000):
            scans += [scan for stroke in self._strokes(node) for scan in self._wedges[node].stroke(stroke)]
        now_us = self._clock.monotonic_us()
        return scans + [scan for wedge in self._wedges.values() for scan in wedge.silence(now_us)]

    def close(self) -> None:
        """Give the device back to the desktop."""
        for node in self._wedges:
            os.close(node)
        self._wedges = {}

    def _open(self, path: Path, system: InputSystem) -> None:
        node = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._wedges[node] = Wedge(self._framing)
        system.grab(node)
        self._poll.register(node, select.POLLIN)

    def _strokes(self, node: int) -> Iterator[Stroke]:
        try:
            raw = os.read(node, READ_BYTES)
        except OSError as error:
            raise DeviceLostError(_why(error)) from error
        if not raw:
            raise DeviceLostError("unplugged")
        now_us = self._clock.monotonic_us()
        for _, _, kind, code, value in RECORD.iter_unpack(raw[: len(raw) // RECORD.size * RECORD.size]):
            if kind == KIND_SYNC:
                self._synchronised(node, code)
            elif kind == KIND_KEY and code in KEY_NAMES and node not in self._is_dropping:
                yield Stroke(KEY_NAMES[code], value != 0, now_us, is_repeat=value == KEY_REPEATED)

    def _synchronised(self, node: int, code: int) -> None:
        # The kernel's buffer overflowed: what was typed has holes, and a number with a hole is no number.
        if code == SYNC_DROPPED:
            self._is_dropping.add(node)
            self._wedges[node].drop(self._clock.monotonic_us())
        elif code == SYNC_REPORT:
            self._is_dropping.discard(node)


def _why(error: OSError) -> str:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return "no permission to read the device: add the udev rule of the guide"
        case errno.EBUSY:
            return "another program has grabbed the device"
        case errno.ENODEV | errno.ENOENT:
            return "unplugged"
        case _:
            return f"cannot be read ({error.strerror})"
