"""The machine's clock against the one it is set by: chrony (time servers, satellites) or systemd-timesyncd.

Their own words are read; nothing is asked over the network from here. A machine that neither of them
serves has no reference of its own: then a person reads one (`web.clock_check_page`).
"""

import os
import re
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from exam.clock import MINUTE_US, SECOND_US, Clock, SteadyClock
from exam.clock_check import ClockKind, ClockReading, ClockSource

CHRONY: Final = ("chronyc", "-n", "tracking")
TIMESYNC: Final = ("timedatectl", "timesync-status")
PATIENCE_S: Final = 2
ASKED_EVERY_US: Final = MINUTE_US
# Names that chrony gives to satellite receivers.
RECEIVERS: Final = frozenset({"GPS", "GNSS", "PPS", "NMEA", "SHM", "BDS", "GLO", "GAL", "KPPS"})

_UNITS: Final = {"us": 1, "ms": 1000, "s": SECOND_US, "min": MINUTE_US, "h": 60 * MINUTE_US}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(us|ms|min|s|h)")

Ask = Callable[[Sequence[str]], str | None]


@dataclass(frozen=True, slots=True)
class Synchronised:
    """The machine's clock minus its reference, how wrong that may be, and where the time comes from."""

    source: ClockSource
    name: str
    offset_us: int
    error_us: int


@dataclass(slots=True)
class ReferenceWatch:
    """Asks at most once a minute, whoever looks. `ask` None: no program is asked."""

    ask: Ask | None = None
    _found: Synchronised | None = None
    _asked_us: int | None = None
    _mutex: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def reading(self, clock: Clock) -> ClockReading | None:
        """The console's clock by the machine's reference; None: the machine is set by none."""
        if self.ask is None:
            return None
        with self._mutex:
            now_us = clock.monotonic_us()
            if self._asked_us is None or now_us - self._asked_us >= ASKED_EVERY_US:
                self._found, self._asked_us = look(self.ask), now_us
            found = self._found
        if found is None:
            return None
        # The console goes on by its own time when the machine's is set (ADR 18).
        apart_us = clock.apart_us() if isinstance(clock, SteadyClock) else 0
        return ClockReading(
            ClockKind.CONSOLE,
            found.name,
            "",
            found.source,
            found.offset_us - apart_us,
            found.error_us,
            clock.wall_us(),
        )


def look(ask: Ask) -> Synchronised | None:
    """What the programs that set the machine's clock say about it, the first that does so."""
    return from_chrony(ask(CHRONY) or "") or from_timesync(ask(TIMESYNC) or "")


def ask_program(command: Sequence[str]) -> str | None:
    """What the program prints; None where there is none, or it has nothing to say."""
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout


def from_chrony(told: str) -> Synchronised | None:
    """`chronyc -n tracking`. A clock that it does not hold in step has no reference."""
    facts = _facts(told)
    moved = re.match(r"(\d+\.\d+) seconds (slow|fast) of NTP time", facts.get("System time", ""))
    if moved is None or facts.get("Leap status") == "Not synchronised":
        return None
    named = re.search(r"\((.*)\)", facts.get("Reference ID", ""))
    name = named[1] if named else ""
    offset_us = round(float(moved[1]) * SECOND_US) * (1 if moved[2] == "fast" else -1)
    error_us = _seconds_us(facts, "Root delay") // 2 + _seconds_us(facts, "Root dispersion")
    source = ClockSource.GNSS if name.rstrip("0123456789") in RECEIVERS else ClockSource.NTP
    return Synchronised(source, name, offset_us, error_us)


def from_timesync(told: str) -> Synchronised | None:
    """`timedatectl timesync-status`: how far the clock was off when the server last answered."""
    facts = _facts(told)
    offset = re.match(r"([+-]?)(.+)", facts.get("Offset", ""))
    if offset is None or facts.get("Packet count", "0") == "0":
        return None
    # The server minus the machine.
    offset_us = -_length_us(offset[2]) if offset[1] != "-" else _length_us(offset[2])
    error_us = _length_us(facts.get("Delay", "")) // 2 + _length_us(facts.get("Root distance", ""))
    return Synchronised(ClockSource.NTP, facts.get("Server", "").split(" ")[0], offset_us, error_us)


def _facts(told: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in told.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def _seconds_us(facts: dict[str, str], name: str) -> int:
    found = re.match(r"\d+(?:\.\d+)?", facts.get(name, ""))
    return round(float(found[0]) * SECOND_US) if found else 0


def _length_us(written: str) -> int:
    """1min 2.5s, 34ms; what stands in brackets is a limit and not counted."""
    parts = _PART.findall(written.split("(", maxsplit=1)[0])
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts))
