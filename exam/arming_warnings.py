"""What stands against arming a session, as it is shown to whoever arms it (13(3), R9, A-8).

Pure. Nothing of it forbids arming: a person answers for it, and what that person saw is kept. So nothing may
stand at the press that was not shown. What was shown once in the same attempt is not shown as new again: a
tablet that comes and goes costs one more look, and never keeps a session from being armed.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Against(StrEnum):
    """What may stand against arming."""

    SILENT_ROOM = "silent_room"
    NO_SOUND = "no_sound"
    RECORDING_UNUSABLE = "recording_unusable"
    CLOCK_WRONG = "clock_wrong"
    CLOCK_UNCHECKED = "clock_unchecked"
    NOT_THE_DAY = "not_the_day"
    UNHEARD_ROOM = "unheard_room"


@dataclass(frozen=True, slots=True)
class ArmingWarning:
    """One thing that stands against arming, in the words of the page.

    `subjects`: the rooms or announcements it is about, each to be seen for itself; empty where it is about
    the site. Figures are in the words alone: a clock that is wrong by a little more is the same warning.
    """

    against: Against
    is_grave: bool
    words: str
    advice: str
    subjects: tuple[str, ...] = ()

    @property
    def matters(self) -> frozenset[tuple[Against, str]]:
        """What somebody has seen who was shown it."""
        return frozenset((self.against, one) for one in self.subjects or ("",))


@dataclass(frozen=True, slots=True)
class SeenWarnings:
    """Everything that was shown in one attempt to arm, and what of it stood at the last look or the press."""

    shown: tuple[ArmingWarning, ...] = ()
    stood: tuple[ArmingWarning, ...] = ()

    @property
    def text(self) -> str:
        """As it is kept, and travels with the confirmation."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """The digest of the text (hex), as the ledger has it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def unseen(self, now: Collection[ArmingWarning]) -> list[ArmingWarning]:
        """What of these is about something that was not shown."""
        return _beyond(now, self.shown)

    def looked_again(self, now: Sequence[ArmingWarning]) -> Self:
        """After these were shown as well."""
        return type(self)((*now, *_beyond(self.shown, now)), tuple(now))

    def at_press(self, now: Sequence[ArmingWarning]) -> Self:
        """As it is kept when these stand at the press."""
        return type(self)(self.shown, tuple(now))


def read_seen(text: str) -> SeenWarnings | None:
    """What was shown, from its text; None when this is no such text."""
    try:
        parts = {name: tuple(_read(one) for one in found) for name, found in json.loads(text).items()}
        seen = SeenWarnings(**parts)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return seen if seen.text == text else None


def _read(one: dict[str, Any]) -> ArmingWarning:
    return ArmingWarning(**{**one, "against": Against(one["against"]), "subjects": tuple(one["subjects"])})


def _beyond(these: Collection[ArmingWarning], shown: Collection[ArmingWarning]) -> list[ArmingWarning]:
    seen = {matter for one in shown for matter in one.matters}
    return [one for one in these if not one.matters <= seen]
