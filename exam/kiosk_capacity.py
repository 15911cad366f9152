"""Are there enough kiosks (签到机够不够)? Candidates times seconds each, while check-in is open.

Pure. Thirty people a room and fifteen minutes are what the procedure leaves (13(2)); how many machines
that takes is arithmetic that nobody should have to do on the morning of the exam.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from exam.admission_facts import Step
from exam.clock import SECOND_US

# Two documents and a look at the answer, nobody hurried: what a kiosk does in the usual case.
CYCLE_US: Final = 10 * SECOND_US
# What each further step adds; estimates until a site has measured its own.
STEP_US: Final[Mapping[Step, int]] = {
    Step.NOTICE: 6 * SECOND_US,
    Step.PHOTO: 3 * SECOND_US,
    Step.BAG: 6 * SECOND_US,
    Step.SIGNATURE: 12 * SECOND_US,
}


@dataclass(frozen=True, slots=True)
class Wave:
    """Everybody who comes for one start. Rooms by id, each with its candidates."""

    start_us: int
    window_us: int
    rooms: Mapping[int, int]

    @property
    def candidates(self) -> int:
        """How many people come."""
        return sum(self.rooms.values())


@dataclass(frozen=True, slots=True)
class Need:
    """What one wave needs, and what it has. `unserved`: rooms whose candidates no kiosk takes."""

    wave: Wave
    cycle_us: int
    needed: int
    available: int
    unserved: tuple[int, ...]

    @property
    def is_short(self) -> bool:
        """Whether not everybody gets in on time."""
        return self.available < self.needed or bool(self.unserved)


def cycle_us(steps: Iterable[Step]) -> int:
    """How long one candidate takes at a kiosk that asks for these steps."""
    return CYCLE_US + sum(STEP_US[step] for step in set(steps))


def needed(candidates: int, each_us: int, window_us: int) -> int:
    """How many kiosks check so many people in within the window."""
    return ceil(candidates * each_us / window_us)


def need(wave: Wave, kiosks: Collection[frozenset[int]], steps: Iterable[Step]) -> Need:
    """What the wave needs of these kiosks, each by the rooms it serves; an empty set serves them all."""
    each_us = cycle_us(steps)
    serving = [rooms for rooms in kiosks if not rooms or rooms & set(wave.rooms)]
    unserved = [
        room for room in wave.rooms if wave.rooms[room] and not any(not own or room in own for own in serving)
    ]
    wanted = needed(wave.candidates, each_us, wave.window_us)
    return Need(wave, each_us, wanted, len(serving), tuple(sorted(unserved)))
