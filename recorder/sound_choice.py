"""Deciding, for one camera, whether its sound is copied, transcoded or left out (invariant 6).

Pure rules: the pictures come first. Sound that MP4 cannot hold is transcoded; sound that brings a run
down twice is left out of the next one, so that whatever a microphone does, the pictures go on.
"""

import re
from dataclasses import InitVar, dataclass, field
from typing import Final

from evidence.footage import Cause
from evidence.sound import NO_SOUND, Sound, SoundKind

# So many runs in a row may end early before the sound is suspected.
PATIENCE: Final = 2
_SOUND_LINE: Final = re.compile(r"Stream #0:\d+.*: Audio: (\w+)")
# A picture of no known size: it was announced and has not come.
_STREAM_LINE: Final = re.compile(r"Stream #0:\d+(?!.*Video: \w+, none)")
# Said once the child has listened in vain to sound in a codec that it does not know.
_UNKNOWN_SOUND: Final = "(Audio: none"
_UNKNOWN: Final = "unknown"
# What no sound can cause: the camera, the network or the disk was it.
_NOT_THE_SOUND: Final = frozenset(
    {Cause.UNAUTHORIZED, Cause.REFUSED, Cause.TOO_MANY_SESSIONS, Cause.DISK_FULL, Cause.DISK_FAULT}
)


@dataclass(slots=True)
class SoundChoice:
    """What to do with one camera's sound. `begin`, `heard` and `ended` follow its runs."""

    is_wanted: bool
    _codec: str = ""
    _kind: SoundKind = SoundKind.COPIED
    _failures: int = 0
    # What was done with it before the service started, as far as the index knows.
    before: InitVar[Sound] = NO_SOUND
    _current: Sound = field(default_factory=lambda: Sound(SoundKind.LEFT_OUT))
    _has_opened: bool = False
    _has_heard: bool = False
    _is_unknown: bool = False

    def __post_init__(self, before: Sound) -> None:
        if before.kind is SoundKind.DERIVED:
            self._kind, self._codec = before.kind, before.codec

    def begin(self) -> Sound:
        """What the run that begins now does with the sound."""
        is_left_out = not self.is_wanted or self._is_unknown or self._failures >= PATIENCE
        self._current = Sound(SoundKind.LEFT_OUT if is_left_out else self._kind, self._codec)
        self._has_opened = self._has_heard = False
        return self._current

    @property
    def is_to_be_left_out(self) -> bool:
        """Whether the run that goes on asks for sound that nobody knows: its files would tell of none.

        It is not asked for again until the service starts anew: listening to it takes time at each connect.
        """
        return self._is_unknown and self._current.kind is not SoundKind.LEFT_OUT

    def heard(self, line: str) -> None:
        """One line of the child; the first that describes sound describes the camera's own."""
        if _UNKNOWN_SOUND in line:
            self._is_unknown, self._codec = True, _UNKNOWN
        self._has_opened = self._has_opened or _STREAM_LINE.search(line) is not None
        found = _SOUND_LINE.search(line)
        if found is not None and not self._has_heard:
            self._has_heard = True
            self._codec = found[1]

    def ended(self, cause: Cause, *, is_proven: bool, is_hanging: bool) -> None:
        """A run ended that nobody wanted to end.

        `is_proven`: it had brought pictures for a while. `is_hanging`: it never brought any and did not
        give up by itself, which a camera that is away does not explain.
        """
        if cause in _NOT_THE_SOUND:
            return
        was_left_out = self._current.kind is SoundKind.LEFT_OUT
        if is_proven:
            # Without sound it worked: one more try with it, the next time.
            self._failures = PATIENCE - 1 if was_left_out else 0
        elif was_left_out:
            self._failures = 0
        elif cause is Cause.UNPLAYABLE and self._current.kind is SoundKind.COPIED:
            self._kind = SoundKind.DERIVED
        elif self._has_opened or is_hanging:
            self._failures += 1
