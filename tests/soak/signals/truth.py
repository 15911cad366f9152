"""What really happened in the rooms of a simulated day, by true time, and the laws it is measured against.

Kept apart from the product on purpose: it knows starts, stops, corrections and evacuations by what people
did and loudspeakers sounded, and computes by itself how long every room was owed.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from tests.soak.signals.player import Sound

# How well players measure the console's time, and how finely the day looks at it.
SLACK_US: Final = SECOND_US // 2
TOLERANCE_US: Final = 2 * SECOND_US
CORRECTABLE_US: Final = 10 * MINUTE_US
# Until the alarm of a player that is away is up.
ALARM_US: Final = 13 * SECOND_US
START, STOP = "C5", "C8"
# A press sounds so much later; who records a hand bell in between knows of the press.
PRESS_LEAD_US: Final = SECOND_US // 2


class LawBrokenError(AssertionError):
    """A signal was early, stale, double or lost."""


@dataclass(frozen=True, slots=True)
class Given:
    """A signal that counts for a room's time, however it was given."""

    true_us: int
    cue: str
    occurrence: int
    is_by_hand: bool = False
    # When the console was told, in true time: who records a hand bell after a correction knows of it.
    recorded_us: int = 0


@dataclass
class RoomTruth:
    """One room of one session."""

    session_id: int
    room_id: int
    duration_us: int
    is_theory: bool
    # The console does not know of it yet, or never will: what people recorded counts then.
    given: list[Given] = field(default_factory=list)
    evacuations: list[list[int]] = field(default_factory=list)
    granted_us: int = 0
    # Decisions about interruptions, in place of what they took.
    decided: dict[int, int] = field(default_factory=dict)
    sounds: list[Sound] = field(default_factory=list)
    # Cues that people gave, and that they recorded of a hand bell, by code and occurrence.
    pressed: set[tuple[str, int]] = field(default_factory=set)
    by_hand: set[tuple[str, int]] = field(default_factory=set)
    corrected_us: list[int] = field(default_factory=list)

    @property
    def wrong(self) -> set[tuple[str, int]]:
        """What corrections took back: each the latest start or stop before it, once."""
        found: set[tuple[str, int]] = set()
        for at_us in sorted(self.corrected_us):
            before = [
                one
                for one in self.given
                if one.true_us <= at_us and (not one.is_by_hand or one.recorded_us <= at_us - PRESS_LEAD_US)
            ]
            last = max(before, key=lambda one: one.true_us, default=None)
            if last is not None and at_us - last.true_us <= CORRECTABLE_US:
                found.add((last.cue, last.occurrence))
        return found

    def counting(self, cue: str) -> Given | None:
        """The start or stop that counts."""
        wrong = self.wrong
        standing = [one for one in self.given if one.cue == cue and (cue, one.occurrence) not in wrong]
        by_hand = [one for one in standing if one.is_by_hand]
        if by_hand:
            return max(by_hand, key=lambda one: one.occurrence)
        return min(standing, key=lambda one: one.true_us, default=None)

    @property
    def is_evacuated(self) -> bool:
        return bool(self.evacuations) and len(self.evacuations[-1]) == 1

    def interrupted_us(self, started_us: int) -> int:
        """What evacuations that are over took, or what was decided about them."""
        taken = [
            self.decided.get(number, max(0, one[1] - max(one[0], started_us)))
            for number, one in enumerate(self.evacuations)
            if len(one) == 2
        ]
        return sum(taken)

    def owed_us(self, started_us: int) -> tuple[int, int]:
        """How long the room may work from its start: at least, at most (a spoken end is a full minute)."""
        interrupted_us = self.interrupted_us(started_us)
        least_us = self.duration_us + self.granted_us + interrupted_us
        return least_us, least_us + (MINUTE_US if interrupted_us else 0)


@dataclass
class Truth:
    """All rooms, and how much of the day's time nothing could keep."""

    rooms: dict[tuple[int, int], RoomTruth] = field(default_factory=dict)
    # When the plan, or the console's clock, changed, by session (0: everything), and whether that could
    # have been refused because a room was away.
    changes: dict[int, list[tuple[int, bool]]] = field(default_factory=lambda: defaultdict(list))
    followed_us: int = 0

    def change(self, session_id: int, true_us: int, *, is_guarded: bool = False) -> None:
        """What rooms must sound is another from here on."""
        self.changes[session_id].append((true_us, is_guarded))

    def changed_us(self, session_id: int) -> int:
        """When that was last."""
        found = [*self.changes[session_id], *self.changes[0]]
        return max((true_us for true_us, _ in found), default=0)

    def is_excused(self, sound: Sound) -> bool:
        """A room that was cut off when the plan changed may ring by the old one; people must be sent there.

        A change that could have been refused is refused while a room is away: then it must have been cut
        off only just before, and its alarm is up by the time anything sounds.
        """
        return any(
            sound.told_us < true_us
            and (
                not is_guarded or (sound.true_us - true_us > ALARM_US and sound.seen_us >= true_us - ALARM_US)
            )
            for true_us, is_guarded in [*self.changes[sound.session_id], *self.changes[0]]
        )

    def check_stop(self, room: RoomTruth, true_us: int, slack_us: int, what: str) -> None:
        """A theory room's stop comes when its working time is over: not before, not long after.

        Small steps that were followed may have made it late, and never early.
        """
        start = room.counting(START)
        if start is None or not room.is_theory:
            return
        least_us, most_us = room.owed_us(start.true_us)
        # The console notes a start up to its tolerance after the rooms have sounded it at its plan.
        rung = [one.true_us for one in room.sounds if (one.cue, one.occurrence) == (START, start.occurrence)]
        worked_us = true_us - min([start.true_us, *rung])
        if worked_us < least_us - slack_us:
            raise LawBrokenError(f"{what} early by {(least_us - worked_us) / SECOND_US:.2f} s")
        if true_us - start.true_us > most_us + TOLERANCE_US + slack_us + self.followed_us:
            late_us = true_us - start.true_us - most_us
            raise LawBrokenError(f"{what} stale by {late_us / SECOND_US:.2f} s")

    def check_twice(self, room: RoomTruth, sound: Sound) -> None:
        """Nothing sounds twice under one occurrence, whatever plan came; no start or stop again by itself,
        unless it was corrected or another plan came.
        """
        if any(_named(one) == _named(sound) for one in room.sounds):
            raise LawBrokenError(f"{sound.key} sounded twice in room {room.room_id}")
        if sound.cue not in {START, STOP}:
            return
        before = [one for one in room.sounds if one.cue == sound.cue]
        if not before:
            return
        last_us = before[-1].true_us
        is_corrected = any(last_us <= at_us <= sound.true_us for at_us in room.corrected_us)
        is_new_plan = self.changed_us(sound.session_id) > last_us
        if before[-1].key == sound.key or not (is_corrected or is_new_plan):
            raise LawBrokenError(f"{sound.cue} sounded twice in room {room.room_id}")


def _named(sound: Sound) -> tuple[str, str]:
    """Session and the rest of the key, without the planned start that stands between them."""
    session, _, rest = sound.key.partition("@")
    return session, rest.partition(":")[2]
