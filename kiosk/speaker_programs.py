"""A loudspeaker behind a program of its own: pw-play, paplay, aplay, or a command the site wrote.

Less exact than an open stream, because starting takes a while, and never believed blindly: only a program
that ends with status 0, after about as long as the sound lasts, has played it.
"""

import os
import shlex
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from exam.clock import SECOND_US, Clock
from kiosk.speaker_outputs import RATE
from kiosk.speaker_stream import Sound

LOOK_US: Final = 5_000
# A player that is done sooner than this part of the sound has not played it.
SHORTEST_PART: Final = 0.8

COMMANDS: Final = {
    "pw-play": ("pw-play", "{file}"),
    "paplay": ("paplay", "{file}"),
    "aplay": ("aplay", "-q", "{file}"),
}


def command_of(player: str) -> tuple[str, ...]:
    """The words of a player program; its sound's file takes the place of `{file}`, or stands last."""
    words = COMMANDS.get(player) or tuple(shlex.split(player))
    return words if any("{file}" in word for word in words) else (*words, "{file}")


@dataclass
class ProgramLoudspeaker:
    """Starts the program at each moment, one at a time: the newer word ends the older."""

    command: tuple[str, ...]
    clock: Clock
    _waiting: list[Sound] = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _running: "tuple[Sound, subprocess.Popen[bytes], int] | None" = field(default=None, init=False)
    _failed: str = field(default="", init=False)

    def begin(self, sound: Sound) -> None:
        """Let it sound at its moment."""
        with self._lock:
            self._waiting.append(sound)

    def withdraw(self, sound: Sound) -> bool:
        """Take it back if its program has not been started."""
        with self._lock:
            if sound not in self._waiting:
                return False
            self._waiting.remove(sound)
            return True

    def trouble(self) -> str:
        """What went wrong last, until a sound has been played again."""
        if shutil.which(self.command[0]) is None:
            return f"the program {self.command[0]} is not installed"
        return self._failed

    def run(self, stopping: threading.Event) -> None:
        """Start and watch programs until told to stop."""
        while not stopping.is_set():
            self.turn()
            self.clock.sleep_us(LOOK_US)
        self._cut()

    def turn(self) -> None:
        """Look once at what is due and at what ended."""
        now_us = self.clock.monotonic_us()
        with self._lock:
            due = [sound for sound in self._waiting if now_us >= sound.at_us]
            self._waiting = [sound for sound in self._waiting if sound not in due]
        for sound in due:
            if now_us > sound.closes_at_us:
                sound.ended(now_us, "too_late")
            else:
                self._start(sound, now_us)
        self._watch(now_us)

    def _start(self, sound: Sound, now_us: int) -> None:
        self._cut()
        words = [word.replace("{file}", str(sound.path)) for word in self.command]
        try:
            child = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            self._failed = f"{words[0]} cannot be started ({error.strerror})"
            sound.ended(now_us, self._failed)
            return
        self._running = (sound, child, now_us)
        sound.began(now_us)

    def _watch(self, now_us: int) -> None:
        if self._running is None:
            return
        sound, child, began_us = self._running
        code = child.poll()
        if code is None:
            return
        length_us = sound.samples.size * SECOND_US // RATE
        if code != 0:
            self._failed = f"{Path(self.command[0]).name} ended with status {code}"
        elif now_us - began_us < length_us * SHORTEST_PART:
            self._failed = f"{Path(self.command[0]).name} ended too soon"
        else:
            self._failed = ""
        self._running = None
        sound.ended(now_us, self._failed)

    def _cut(self) -> None:
        if self._running is None:
            return
        sound, child, _began_us = self._running
        self._running = None
        os.killpg(child.pid, 9)
        child.wait()
        sound.ended(self.clock.monotonic_us(), "cut")
