"""Which devices this kiosk has and how each is, for the screen, the heartbeat and the self-test."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Final

import structlog

from exam.clock import Clock

_log: Final = structlog.get_logger("kiosk")


class Role(StrEnum):
    """What a device is for."""

    CAMERA = "camera"
    TICKET = "ticket"
    ID = "id"


class DeviceLostError(Exception):
    """The device is not there or does not answer; the message says why, for staff."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device and how it is."""

    # As the settings name it.
    name: str
    role: Role
    works: bool = False
    # Why it does not work, and what to do; for staff.
    reason: str = "not looked for yet"
    since_us: int = 0
    # When it last read something; None: not since the start. What it read is kept nowhere.
    read_at_us: int | None = None


class DeviceBoard:
    """The present state of every device. Safe for several threads."""

    def __init__(self, clock: Clock, changed: Callable[[], None] = lambda: None) -> None:
        """`changed` is called after each change of what works, without any lock held."""
        self._clock, self._changed = clock, changed
        self._mutex = threading.Lock()
        self._devices: dict[tuple[str, Role], Device] = {}

    def fit(self, name: str, role: Role) -> None:
        """This kiosk is meant to have the device."""
        with self._mutex:
            self._devices[name, role] = Device(name, role, since_us=self._clock.wall_us())

    def works(self, name: str, role: Role) -> None:
        """The device is there and answers."""
        self._set(name, role, works=True, reason="")

    def lost(self, name: str, role: Role, reason: str) -> None:
        """The device is not there or does not answer."""
        self._set(name, role, works=False, reason=reason)

    def has_read(self, name: str, role: Role) -> None:
        """The device read something."""
        with self._mutex:
            known = self._devices[name, role]
            self._devices[name, role] = replace(known, read_at_us=self._clock.wall_us())

    def devices(self) -> tuple[Device, ...]:
        """All devices, in the order of the settings."""
        with self._mutex:
            return tuple(self._devices.values())

    def told(self) -> list[dict[str, object]]:
        """All devices as plain values, for pages and heartbeats."""
        return [asdict(device) for device in self.devices()]

    def has_working(self, role: Role) -> bool:
        """Whether any device of the role works."""
        return any(device.works for device in self.devices() if device.role is role)

    def _set(self, name: str, role: Role, *, works: bool, reason: str) -> None:
        with self._mutex:
            known = self._devices[name, role]
            if (known.works, known.reason) == (works, reason):
                return
            fresh = replace(known, works=works, reason=reason, since_us=self._clock.wall_us())
            self._devices[name, role] = fresh
        _log.info("device", name=name, role=role, works=works, reason=reason)
        self._changed()
