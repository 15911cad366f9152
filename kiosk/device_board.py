"""Which devices this kiosk has and how each is, for the screen, the heartbeat and the self-test."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Final

import structlog

from exam.clock import Clock
from exam.kiosk_health import Part, PartState

KEPT_HERE: Final = (Part.CAMERA, Part.FACE_CAMERA, Part.SCANNER, Part.ID_READER)
BEST_FIRST: Final = (PartState.OK, PartState.COVERED, PartState.LOST)

_log: Final = structlog.get_logger("kiosk")


class DeviceLostError(Exception):
    """The device is not there or does not answer; the message says why, for staff."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device and how it is."""

    # As the settings name it.
    name: str
    part: Part
    state: PartState = PartState.LOST
    # Why it does not work, and what to do; for staff.
    reason: str = "not looked for yet"
    since_us: int = 0
    # When it last read something; None: not since the start. What it read is kept nowhere.
    read_at_us: int | None = None

    @property
    def works(self) -> bool:
        """Whether it is there and answers."""
        return self.state is PartState.OK


class DeviceBoard:
    """The present state of every device. Safe for several threads."""

    def __init__(self, clock: Clock, changed: Callable[[], None] = lambda: None) -> None:
        """`changed` is called after each change of what works, without any lock held."""
        self._clock, self._changed = clock, changed
        self._mutex = threading.Lock()
        self._devices: dict[tuple[str, Part], Device] = {}

    def fit(self, name: str, part: Part) -> None:
        """This kiosk is meant to have the device."""
        with self._mutex:
            self._devices[name, part] = Device(name, part, since_us=self._clock.wall_us())

    def works(self, name: str, part: Part) -> None:
        """The device is there and answers."""
        self._set(name, part, PartState.OK, "")

    def lost(self, name: str, part: Part, reason: str, *, is_covered: bool = False) -> None:
        """The device is not there, does not answer, or (a camera) sees nothing."""
        self._set(name, part, PartState.COVERED if is_covered else PartState.LOST, reason)

    def has_read(self, name: str, part: Part) -> None:
        """The device read something."""
        with self._mutex:
            known = self._devices[name, part]
            self._devices[name, part] = replace(known, read_at_us=self._clock.wall_us())

    def devices(self) -> tuple[Device, ...]:
        """All devices, in the order of the settings."""
        with self._mutex:
            return tuple(self._devices.values())

    def told(self) -> list[dict[str, object]]:
        """All devices as plain values, for pages and heartbeats."""
        return [asdict(device) for device in self.devices()]

    def parts(self) -> dict[Part, PartState]:
        """How cameras, scanners and ID readers are, as a heartbeat tells it: the best of each counts."""
        return {part: self._best(part) for part in KEPT_HERE}

    def has_working(self, part: Part) -> bool:
        """Whether any device of the part works."""
        return self._best(part) is PartState.OK

    def _best(self, part: Part) -> PartState:
        states = {device.state for device in self.devices() if device.part is part}
        return next((state for state in BEST_FIRST if state in states), PartState.ABSENT)

    def _set(self, name: str, part: Part, state: PartState, reason: str) -> None:
        with self._mutex:
            known = self._devices[name, part]
            if (known.state, known.reason) == (state, reason):
                return
            fresh = replace(known, state=state, reason=reason, since_us=self._clock.wall_us())
            self._devices[name, part] = fresh
        _log.info("device", name=name, part=part, state=state, reason=reason)
        self._changed()
