"""Watches the footage folders: each is looked at every two seconds, in a thread of its own.

The recorder's loop asks only what was found last, so a disk that hangs holds up nobody. A volume that
was away is used again once it is itself, nobody writes there, and what lies on it was adopted.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from evidence.footage import Cause
from evidence.volume_look import Look, Place, Trouble
from evidence.volumes import Volume
from exam.clock import SECOND_US, Clock

LOOK_S: Final = 2.0
CLOSE_PATIENCE_S: Final = 1.0
# A look that takes longer means a disk that hangs: no new file is begun there, and the cameras that
# write there are not blamed for their silence.
SLOW_US: Final = 1 * SECOND_US
NO_ANSWER_US: Final = 3 * SECOND_US
# So long may it hang before the cameras are moved to another volume.
PATIENCE_US: Final = 15 * SECOND_US
# How long a volume that failed under a camera is left alone though looks find nothing; doubled each time.
BACK_OFF_US: Final = 10 * SECOND_US
LONGEST_BACK_OFF_US: Final = 160 * SECOND_US
# A fault this long after the last one is a new story.
FORGIVEN_US: Final = 600 * SECOND_US
# Adoption is asked for again when it was not done after this time.
ADOPTION_PATIENCE_US: Final = 10 * SECOND_US

_log: Final = structlog.get_logger("recorder")


class Looks(Protocol):
    """Looks at a place; what is wrong with it is part of the answer."""

    def look(self, place: Place, now_us: int) -> Look:
        """Everything about one place."""
        ...


@dataclass(slots=True)
class Watched:
    """One place, what was found there last, and what it is owed. Moments are monotonic."""

    place: Place
    look: Look | None = None
    # When the look that is going on began.
    asked_at_us: int | None = None
    is_admitted: bool = False
    adoption_asked_at_us: int | None = None
    faults: int = 0
    blamed_at_us: int | None = None
    # Wall clock.
    since_us: int = 0

    def silence_us(self, now_us: int) -> int:
        """How long the disk has owed an answer."""
        return 0 if self.asked_at_us is None else now_us - self.asked_at_us

    def is_barred(self, now_us: int) -> bool:
        """Whether it failed under a camera a short while ago."""
        if self.blamed_at_us is None:
            return False
        back_off_us = min(BACK_OFF_US << (self.faults - 1), LONGEST_BACK_OFF_US)
        return now_us - self.blamed_at_us < back_off_us

    def trouble(self, now_us: int) -> Trouble | None:
        """Why no file is begun there now."""
        if self.silence_us(now_us) >= NO_ANSWER_US or self.look is None:
            return Trouble.NO_ANSWER
        if self.look.trouble is None and self.is_barred(now_us):
            return Trouble.FAULT
        return self.look.trouble


@dataclass(frozen=True, slots=True)
class Found:
    """What a place is like now. `since_us` by the wall clock."""

    look: Look
    trouble: Trouble | None
    since_us: int


class VolumeWatch:
    """The footage folders in the order of the settings, the reserve last. Safe for many threads."""

    def __init__(self, looker: Looks, places: Sequence[Place], clock: Clock) -> None:
        self._looker, self._clock = looker, clock
        self._mutex = threading.Lock()
        self._is_over = threading.Event()
        self._watched = [Watched(place) for place in places]
        self._threads = [
            threading.Thread(target=self._keep_looking, args=(one,), name="volume", daemon=True)
            for one in self._watched
        ]

    def start(self, patience_s: float) -> None:
        """Begin to look; return once every place has answered or patience ends."""
        for thread in self._threads:
            thread.start()
        until_us = self._clock.monotonic_us() + round(patience_s * SECOND_US)
        while any(one.look is None for one in self._watched) and self._clock.monotonic_us() < until_us:
            self._is_over.wait(0.02)

    def close(self) -> None:
        """End the looking; a thread that hangs in a disk is left behind."""
        self._is_over.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(CLOSE_PATIENCE_S)

    def choose(self) -> Volume | Cause:
        """Where to begin a file; or why nowhere."""
        now_us = self._clock.monotonic_us()
        with self._mutex:
            causes: list[Cause] = []
            for one in self._watched:
                trouble = one.trouble(now_us)
                if trouble is None and one.is_admitted and one.look and one.look.volume:
                    return one.look.volume
                causes.append(trouble.cause if trouble else Cause.DISK_MISSING)
        return next((cause for cause in causes if cause is not Cause.DISK_FULL), Cause.DISK_FULL)

    def cause_to_leave(self, volume: Volume) -> Cause | None:
        """Why a camera must not go on writing there; None when it may."""
        now_us = self._clock.monotonic_us()
        with self._mutex:
            one = self._of(volume)
            if one is None or one.look is None:
                return Cause.DISK_MISSING
            if one.silence_us(now_us) > 0:
                return Cause.DISK_FAULT if one.silence_us(now_us) >= PATIENCE_US else None
            if one.look.trouble is not None:
                return one.look.trouble.cause
            return None if one.look.volume == volume else Cause.DISK_MISSING

    def is_slow(self, volume: Volume) -> bool:
        """Whether the disk hangs at this moment."""
        now_us = self._clock.monotonic_us()
        with self._mutex:
            one = self._of(volume)
            return one is not None and one.silence_us(now_us) >= SLOW_US

    def blame(self, volume: Volume) -> None:
        """A file could not be written there: leave it alone for a while, each time longer."""
        now_us = self._clock.monotonic_us()
        with self._mutex:
            one = self._of(volume)
            if one is None or one.is_barred(now_us):  # the other cameras of the same fault
                return
            is_new = one.blamed_at_us is None or now_us - one.blamed_at_us > FORGIVEN_US
            one.faults = 1 if is_new else one.faults + 1
            one.blamed_at_us = now_us
        _log.warning("volume_blamed", volume=str(volume.path), faults=one.faults)

    def to_adopt(self) -> list[Volume]:
        """Volumes that could be used once what lies on them is adopted; each is named again after a while."""
        now_us = self._clock.monotonic_us()
        found: list[Volume] = []
        with self._mutex:
            for one in self._watched:
                asked_us = one.adoption_asked_at_us
                is_asked = asked_us is not None and now_us - asked_us < ADOPTION_PATIENCE_US
                if one.look and one.look.volume and not one.is_admitted and not is_asked:
                    found.append(one.look.volume)
        return found

    def to_be_admitted(self) -> list[Volume]:
        """Volumes on which there may be something to adopt still."""
        with self._mutex:
            return [
                one.look.volume
                for one in self._watched
                if one.look and one.look.volume and not one.is_admitted
            ]

    def adoption_asked(self, volume: Volume) -> None:
        """Somebody adopts what lies there now."""
        with self._mutex:
            one = self._of(volume)
            if one is not None:
                one.adoption_asked_at_us = self._clock.monotonic_us()

    def admit(self, volume: Volume) -> None:
        """What lies there was adopted: it may be written to."""
        with self._mutex:
            one = self._of(volume)
            if one is not None and one.look is not None and one.look.volume == volume:
                one.is_admitted = True
        _log.info("volume_admitted", volume=str(volume.path), uuid=volume.uuid)

    def found(self) -> list[Found]:
        """Every place as it is now; those that have never answered included."""
        now_us, wall_us = self._clock.monotonic_us(), self._clock.wall_us()
        with self._mutex:
            return [
                Found(one.look or Look(one.place), one.trouble(now_us), one.since_us or wall_us)
                for one in self._watched
            ]

    def _of(self, volume: Volume) -> Watched | None:
        return next((one for one in self._watched if one.place.path == volume.path), None)

    def _keep_looking(self, one: Watched) -> None:
        while not self._is_over.is_set():
            self.look_once(one)
            self._is_over.wait(LOOK_S)

    def look_once(self, one: Watched) -> None:
        """Look at one place and remember what was found there."""
        with self._mutex:
            one.asked_at_us = self._clock.monotonic_us()
        self._take(one, self._look(one))

    def _look(self, one: Watched) -> Look:
        try:
            return self._looker.look(one.place, self._clock.wall_us())
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: a fault of ours must not take a disk from the cameras
            _log.exception("look_failed", volume=str(one.place.path))
            return one.look or Look(one.place, None, Trouble.FAULT, "an answer", str(error))

    def _take(self, one: Watched, look: Look) -> None:
        before = one.look
        with self._mutex:
            one.look, one.asked_at_us = look, None
            if look.volume is None or (before is not None and before.volume != look.volume):
                one.is_admitted, one.adoption_asked_at_us = False, None
            if before is None or before.trouble is not look.trouble:
                one.since_us = self._clock.wall_us()
        if before is None or before.trouble is not look.trouble:
            tell = _log.info if look.trouble is None else _log.error
            tell(
                "volume_looked_at",
                volume=str(look.place.path),
                trouble=look.trouble or "none",
                expected=look.expected,
                found=look.found,
            )
