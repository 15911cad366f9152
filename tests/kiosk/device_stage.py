"""Devices for the tests on a machine that has none: pipes for input devices, pseudo-terminals for ports."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from exam.clock import SECOND_US
from kiosk.input_devices import KEY_NAMES, KIND_KEY, KIND_SYNC, RECORD, SYNC_REPORT, Identity, InputSystem
from kiosk.keystrokes import Stroke

GUN = Identity("05e0", "1200")
NUMBERS = {name: number for number, name in KEY_NAMES.items()}


def records(strokes: list[Stroke]) -> list[bytes]:
    """As the kernel writes them: the key, then the report."""
    told = []
    for stroke in strokes:
        value = 2 if stroke.is_repeat else int(stroke.is_down)
        seconds, micros = divmod(stroke.at_us, SECOND_US)
        key = RECORD.pack(seconds, micros, KIND_KEY, NUMBERS[stroke.code], value)
        scan_code = RECORD.pack(seconds, micros, 4, 4, 0x70027)
        told.append(scan_code + key + RECORD.pack(seconds, micros, KIND_SYNC, SYNC_REPORT, 0))
    return told


@dataclass
class FakeKernel:
    """Sysfs and device nodes of a machine without any; what is plugged in is a pipe."""

    folder: Path
    grabbed: list[int] = field(default_factory=list)
    refuses: int = 0
    _pipes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("sys", "dev"):
            (self.folder / name).mkdir()

    @property
    def system(self) -> InputSystem:
        return InputSystem(self.folder / "sys", self.folder / "dev", self._grab)

    def plug(self, name: str, identity: Identity, *, has_keys: bool = True) -> None:
        device = self.folder / "sys" / name / "device"
        for part in ("id", "capabilities"):
            (device / part).mkdir(parents=True)
        (device / "id" / "vendor").write_text(identity.vendor + "\n")
        (device / "id" / "product").write_text(identity.product + "\n")
        (device / "capabilities" / "key").write_text("1000 7ff ffffffff\n" if has_keys else "0\n")
        (device / "phys").write_text(f"usb-0000:00:14.0-{identity.port or '1'}/input0\n")
        os.mkfifo(self.folder / "dev" / name)
        # Open both ways, so that neither side waits for the other.
        self._pipes[name] = os.open(self.folder / "dev" / name, os.O_RDWR | os.O_NONBLOCK)

    def type(self, name: str, strokes: list[Stroke]) -> None:
        self.tell(name, b"".join(records(strokes)))

    def tell(self, name: str, raw: bytes) -> None:
        os.write(self._pipes[name], raw)

    def unplug(self, name: str) -> None:
        os.close(self._pipes.pop(name))

    def plug_back(self, name: str) -> None:
        self._pipes[name] = os.open(self.folder / "dev" / name, os.O_RDWR | os.O_NONBLOCK)

    def close(self) -> None:
        for pipe in self._pipes.values():
            os.close(pipe)

    def _grab(self, node: int) -> None:
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses))
        self.grabbed.append(node)


@dataclass
class SerialDevice:
    """The far end of a pseudo-terminal."""

    path: str
    end: int
    kept: int

    def sends(self, raw: bytes) -> None:
        os.write(self.end, raw)

    def is_unplugged(self) -> None:
        os.close(self.kept)
        os.close(self.end)
