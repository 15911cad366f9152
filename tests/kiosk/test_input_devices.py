"""Grabbed keyboards: found in sysfs, read as structs from their nodes, lost and found again.

There is no input device here. Sysfs is a folder, a node is a pipe, and the grab is written down instead of
done: what this leaves untried is the kernel's own part (EVIOCGRAB, hotplug, a real scanner).
"""

import errno
import os
from itertools import pairwise
from pathlib import Path

import pytest

from exam.clock import SECOND_US, SimulatedClock, SystemClock
from kiosk.device_board import DeviceLostError
from kiosk.input_devices import (
    KIND_KEY,
    KIND_SYNC,
    LINUX,
    READ_BYTES,
    RECORD,
    SYNC_DROPPED,
    SYNC_REPORT,
    GrabbedKeyboard,
    Identity,
)
from kiosk.keystrokes import GRABBED_GUN, GRABBED_READER
from tests.kiosk.device_stage import GUN, FakeKernel, records
from tests.kiosk.stage import ID_NUMBER, TICKET
from tests.kiosk.typing_devices import Keyboard, Mode, modes

CLOCK = SystemClock()


def opened(kernel: FakeKernel, identity: Identity = GUN, framing: object = GRABBED_GUN) -> GrabbedKeyboard:
    return GrabbedKeyboard(identity, framing, SimulatedClock(0), kernel.system)  # type: ignore[arg-type]


def read_all(keyboard: GrabbedKeyboard) -> list[list[str]]:
    """Everything that waits in the pipe."""
    scans = []
    for _ in range(400):
        scans += keyboard.next_texts(0)
    keyboard._clock.sleep_us(SECOND_US)  # type: ignore[attr-defined]
    return [list(texts) for texts in scans + keyboard.next_texts(0)]


def spaced(mode: Mode) -> bool:
    """Pauses inside a mode are the clock's matter, and here nothing waits."""
    strokes = mode.keys.strokes
    return all(later.at_us - one.at_us < 90_000 for one, later in pairwise(strokes))


@pytest.mark.parametrize("mode", [one for one in modes() if spaced(one)], ids=lambda mode: mode.name)
def test_every_mode_arrives_through_the_device_node(kernel: FakeKernel, mode: Mode) -> None:
    kernel.plug("event3", GUN)
    keyboard = opened(kernel)
    scans: list[list[str]] = []
    told = records(mode.keys.strokes)
    for start in range(0, len(told), 200):
        kernel.tell("event3", b"".join(told[start : start + 200]))
        scans += [list(texts) for _ in range(12) for texts in keyboard.next_texts(0)]
    assert scans + read_all(keyboard) == (mode.by_line or mode.scans)
    keyboard.close()


def test_a_device_is_grabbed_with_every_node_that_has_keys(kernel: FakeKernel) -> None:
    kernel.plug("event1", GUN)
    kernel.plug("event2", GUN, has_keys=False)
    kernel.plug("event5", GUN)
    kernel.plug("event6", Identity("046d", "c31c"))
    assert [node.name for node in kernel.system.nodes_of(GUN)] == ["event1", "event5"]
    keyboard = opened(kernel)
    assert len(kernel.grabbed) == 2
    kernel.type("event5", Keyboard().text(TICKET + "\r").strokes)
    assert read_all(keyboard) == [[TICKET]]
    keyboard.close()


def test_two_devices_of_one_make_are_told_apart_by_their_port(kernel: FakeKernel) -> None:
    left, right = Identity("05e0", "1200", "1.2"), Identity("05E0", "1200", "1.3")
    kernel.plug("event1", left)
    kernel.plug("event2", Identity("05e0", "1200", "1.3"))
    gun, reader = opened(kernel, left), opened(kernel, right, GRABBED_READER)
    kernel.type("event1", Keyboard().text(TICKET + "\r").strokes)
    kernel.type("event2", Keyboard().text(ID_NUMBER + "\r").strokes)
    assert (read_all(gun), read_all(reader)) == ([[TICKET]], [[ID_NUMBER]])
    gun.close()
    reader.close()


def test_a_device_that_is_not_there_is_named(kernel: FakeKernel) -> None:
    (kernel.folder / "sys" / "event9").mkdir()  # half gone already
    with pytest.raises(DeviceLostError, match="no device 05e0:1200 is plugged in"):
        opened(kernel)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "udev rule"),
        (errno.EBUSY, "another program"),
        (errno.ENODEV, "unplugged"),
        (errno.EIO, "cannot be read"),
    ],
)
def test_what_stands_in_the_way_is_said_with_what_to_do(kernel: FakeKernel, number: int, words: str) -> None:
    kernel.plug("event1", GUN)
    kernel.refuses = number
    with pytest.raises(DeviceLostError, match=words):
        opened(kernel)


def test_a_device_pulled_out_is_lost(kernel: FakeKernel) -> None:
    kernel.plug("event1", GUN)
    keyboard = opened(kernel)
    kernel.type("event1", Keyboard().text(TICKET[:6]).strokes)
    assert keyboard.next_texts(0) == []
    kernel.unplug("event1")
    with pytest.raises(DeviceLostError, match="unplugged"):
        keyboard.next_texts(0.5)
    keyboard.close()


def test_a_node_that_the_kernel_has_taken_away_is_lost(kernel: FakeKernel) -> None:
    kernel.plug("event1", GUN)
    keyboard = opened(kernel)
    node = next(iter(keyboard._wedges))
    kernel.tell("event1", RECORD.pack(0, 0, KIND_SYNC, SYNC_REPORT, 0))
    flags = os.open("/", os.O_RDONLY)  # reading a folder fails, as reading a dead device does
    os.dup2(flags, node)
    os.close(flags)
    with pytest.raises(DeviceLostError, match="cannot be read"):
        list(keyboard._strokes(node))
    keyboard.close()


def test_when_the_kernel_drops_keys_that_scan_is_dropped_whole(kernel: FakeKernel) -> None:
    kernel.plug("event1", GUN)
    keyboard = opened(kernel)
    dropped = RECORD.pack(0, 0, KIND_SYNC, SYNC_DROPPED, 0)
    rest = records(Keyboard().text(TICKET[-4:]).strokes)
    kernel.tell("event1", b"".join(records(Keyboard().text(TICKET[:4]).strokes)) + dropped + rest[0])
    assert keyboard.next_texts(0) == []
    kernel.tell("event1", b"".join(rest[1:]))
    kernel.type("event1", Keyboard().text("\r" + TICKET + "\r").strokes)
    assert read_all(keyboard) == [[TICKET]]
    keyboard.close()


def test_mouse_wheels_and_unknown_keys_are_passed_over(kernel: FakeKernel) -> None:
    kernel.plug("event1", GUN)
    keyboard = opened(kernel)
    kernel.tell("event1", RECORD.pack(0, 0, 2, 8, -1) + RECORD.pack(0, 0, KIND_KEY, 272, 1))
    kernel.type("event1", Keyboard().text(TICKET + "\r").strokes)
    assert read_all(keyboard) == [[TICKET]]
    keyboard.close()


def test_the_real_system_is_linux_and_here_it_has_no_scanner() -> None:
    assert LINUX.nodes_of(Identity("ffff", "ffff")) == []
    with pytest.raises(DeviceLostError):
        GrabbedKeyboard(Identity("ffff", "ffff"), GRABBED_GUN, CLOCK, LINUX)
    with Path("/dev/null").open("rb") as node, pytest.raises(OSError, match="Inappropriate"):
        LINUX.grab(node.fileno())


def test_a_record_has_the_size_that_the_kernel_uses_here() -> None:
    assert RECORD.size == 24
    assert READ_BYTES % RECORD.size == 0
