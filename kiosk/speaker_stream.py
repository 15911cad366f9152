"""One stream that is always open and carries silence until a sound's moment comes, to the sample.

Opening a device takes an unknown time; writing into one that runs does not. Where a sound begins is
computed from what the device says of its own delay, and what is told afterwards is when the device
says it was heard, not what was planned.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exam.clock import SECOND_US, Clock
from kiosk.speaker_outputs import RATE, Output, OutputError

Samples = NDArray[np.int16]

# Each block wakes this program and the sound server; the onset stands to the sample whatever its length.
BLOCK: Final = RATE // 10
BLOCK_US: Final = SECOND_US // 10
# How much the device holds beforehand: enough for a machine that is busy for a moment.
TARGET_US: Final = 250_000
# A device that holds less than this has run dry, or is about to: nothing begins until it is ahead again.
STARVED_US: Final = 20_000
# A device that took so many blocks and is still not ahead does not play them.
MOST_THIRSTY: Final = 40
REOPEN_US: Final = SECOND_US
# A loop that has not come round for this long hangs in the device.
HUNG_US: Final = 2 * SECOND_US
FADE: Final = RATE // 200


@dataclass(slots=True, eq=False)
class Sound:
    """Something to be heard; moments are monotonic. `began` and `ended` are told once each."""

    samples: Samples
    path: Path
    at_us: int
    closes_at_us: int
    began: Callable[[int], None]
    # When it was over, and why before its time (empty: it was heard whole).
    ended: Callable[[int, str], None]
    # Number of the stream's frame that is its first; None while it waits.
    first: int | None = None
    last: int | None = None
    has_begun: bool = False
    is_cut: bool = False


@dataclass
class Stream:
    """The open stream. `run` belongs to one thread; the rest may be called from others."""

    open_output: Callable[[], Output]
    clock: Clock
    _output: Output | None = field(default=None, init=False)
    _trouble: str = field(default="the sound output is being opened", init=False)
    _sounds: list[Sound] = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _written: int = field(default=0, init=False)
    # When frame 0 of the stream was heard, by the last look at a device that was well fed; None before.
    _zero_us: int | None = field(default=None, init=False)
    _thirst: int = field(default=0, init=False)
    _looked_at_us: int = field(default=0, init=False)

    def begin(self, sound: Sound) -> None:
        """Let it sound at its moment; at once when that has passed, never after it closes."""
        with self._lock:
            self._sounds.append(sound)

    def withdraw(self, sound: Sound) -> bool:
        """Take back a sound that waits. False: its first sample is already with the device."""
        with self._lock:
            if sound.first is not None or sound not in self._sounds:
                return False
            self._sounds.remove(sound)
            return True

    def trouble(self) -> str:
        """Why nothing could be heard now, in words for staff; empty while all is well."""
        if self._output is not None and self.clock.monotonic_us() - self._looked_at_us > HUNG_US:
            return "the sound output does not move"
        return self._trouble

    def run(self, stopping: threading.Event) -> None:
        """Keep the stream open and fed until told to stop; a lost device is opened again for ever."""
        while not stopping.is_set():
            self._turn()
        if self._output is not None:
            self._output.close()

    def _turn(self) -> None:
        self._looked_at_us = self.clock.monotonic_us()
        if self._output is None:
            self._open()
        if self._output is None:
            self._give_up(self.clock.monotonic_us())
            self.clock.sleep_us(REOPEN_US // 4)
            return
        try:
            self._feed(self._output)
        except OutputError as error:
            self._lose(str(error))

    def _open(self) -> None:
        try:
            self._output, self._trouble, self._written = self.open_output(), "", 0
            self._zero_us, self._thirst = None, 0
        except OutputError as error:
            self._trouble = str(error)

    def _feed(self, output: Output) -> None:
        delay_us = self._caught_up(output)
        now_us = self.clock.monotonic_us()
        self._tell(now_us, now_us + delay_us)
        if delay_us > TARGET_US:
            self.clock.sleep_us(min(BLOCK_US, delay_us - TARGET_US))
            return
        with self._lock:
            if delay_us >= STARVED_US:
                self._commit_due(now_us + delay_us)
            block = self._composed()
        output.write(block.tobytes())
        self._written += BLOCK

    def _caught_up(self, output: Output) -> int:
        """The device's delay. One that ran dry goes on at the present; what it missed is a gap."""
        delay_us = output.delay_us()
        now_us = self.clock.monotonic_us()
        if delay_us >= STARVED_US:
            self._zero_us = now_us + delay_us - self._written * SECOND_US // RATE
            self._thirst = 0
            return delay_us
        self._thirst += 1
        if self._thirst > MOST_THIRSTY:
            raise OutputError("the sound output takes everything and plays nothing")
        if self._zero_us is not None:
            output.restart()
            self._written = max(self._written, (now_us - self._zero_us) * RATE // SECOND_US)
            self._zero_us = None
        return delay_us

    def _commit_due(self, heard_at_us: int) -> None:
        """Give what begins in the next block its first frame; its first sample is heard at this moment."""
        for sound in [one for one in self._sounds if one.first is None]:
            ahead = (sound.at_us - heard_at_us) * RATE // SECOND_US
            if ahead < BLOCK and heard_at_us <= sound.closes_at_us:
                self._commit(sound, self._written + max(0, ahead))

    def _composed(self) -> Samples:
        """The next block."""
        block = np.zeros(BLOCK, np.int16)
        for sound in self._sounds:
            _lay(sound, block, self._written)
        return block

    def _commit(self, sound: Sound, first: int) -> None:
        for other in self._sounds:
            if other.last is not None and other.last > first:
                other.last, other.is_cut = first, True  # the newer word counts
        sound.first, sound.last = first, first + sound.samples.size

    def _tell(self, now_us: int, heard_next_us: int) -> None:
        """What the device says has been heard by now."""
        heard = self._written - max(0, heard_next_us - now_us) * RATE // SECOND_US

        def when(frame: int) -> int:
            return heard_next_us - (self._written - frame) * SECOND_US // RATE

        for sound in list(self._sounds):
            if sound.first is None or sound.last is None:
                continue
            if not sound.has_begun and heard >= sound.first:
                sound.has_begun = True
                sound.began(when(sound.first))
            if sound.has_begun and heard >= sound.last:
                self._finish(sound, when(sound.last), "cut" if sound.is_cut else "")
        self._give_up(now_us)

    def _give_up(self, now_us: int) -> None:
        for sound in list(self._sounds):
            if sound.first is None and now_us > sound.closes_at_us:
                self._finish(sound, now_us, self._trouble or "too_late")

    def _lose(self, why: str) -> None:
        """The device is gone: what sounded breaks off, what waits may still be in time for the next one."""
        if self._output is not None:
            self._output.close()
        self._output, self._trouble = None, why
        for sound in list(self._sounds):
            if sound.first is not None:
                self._finish(sound, self.clock.monotonic_us(), why)

    def _finish(self, sound: Sound, at_us: int, why: str) -> None:
        with self._lock:
            self._sounds.remove(sound)
        sound.ended(at_us, why)


def _lay(sound: Sound, block: Samples, start: int) -> None:
    """Add what of the sound falls into the block that begins with this frame."""
    if sound.first is None or sound.last is None:
        return
    begin, end = max(sound.first, start), min(sound.last, start + block.size)
    if begin >= end:
        return
    piece = sound.samples[begin - sound.first : end - sound.first].astype(np.int32)
    if sound.is_cut:
        piece = piece * np.clip(sound.last - np.arange(begin, end), 0, FADE) // FADE
    mixed = block[begin - start : end - start].astype(np.int32) + piece
    block[begin - start : end - start] = np.clip(mixed, -32768, 32767).astype(np.int16)
