"""What each camera owes, for the keeper: an absence in which nothing is owed is no gap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from exam.recording_decision import Owed


@dataclass(slots=True)
class OwedTimes:
    """Written by the loop, read by the keeper's thread: each set replaces the whole."""

    _owed: Mapping[str, Sequence[Owed]] = field(default_factory=dict)
    _began_us: int = 0

    def set(self, owed: Mapping[str, Sequence[Owed]], began_us: int) -> None:
        """What is owed from now on, and since when this recorder could record at all."""
        self._owed, self._began_us = owed, began_us

    def absent_from_us(self, camera_uuid: str, now_us: int) -> int | None:
        """The first moment of which an absence noticed now may speak; None when nothing is owed now.

        A camera that nobody planned owes everything.
        """
        owed = self._owed.get(camera_uuid)
        if owed is None:
            return 0
        starts = [one.from_us for one in owed if one.contains(now_us)]
        return min(max(min(starts), self._began_us), now_us) if starts else None
