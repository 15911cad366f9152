"""What a room's player lets sound, and when: never early, never stale, never twice (rule A-3).

Pure, and the same for the headless speaker and the simulated player; the room page says the same in
its own language. A player for several rooms (the central loudspeakers) sounds a cue once for all of
them, and only when all rooms that sit the session agree on its moment: otherwise a room whose time
was extended would hear another room's stop signal (R13).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from exam.clock import SECOND_US

# Rooms that differ by less than this were given the same signal and measured it differently.
TOGETHER_US: Final = SECOND_US // 2
# A player opened long after a cue has nothing to tell; one that was there and stayed silent has.
TELLING_US: Final = 10 * SECOND_US


class Silence(StrEnum):
    """Why a player let a cue pass: the `error` of its report."""

    AUDIO_MISSING = "audio_missing"
    NO_OUTPUT = "no_output"
    TOO_LATE = "too_late"
    ROOMS_DIFFER = "rooms_differ"
    INTERRUPTED = "interrupted"
    NOT_PLAYED = "not_played"


@dataclass(frozen=True, slots=True)
class PlayerCue:
    """One audible cue of one room, as the schedule tells it. `session_id` is None for a test tone."""

    room: str
    key: str
    session_id: int | None
    cue: str
    occurrence: int
    sounds_at_us: int | None
    tolerance_us: int
    may_sound: bool
    after: str | None
    audio: str | None
    duration_us: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """Cues of one or more rooms that are one sound. `moment_us` is the server's."""

    cues: tuple[PlayerCue, ...]
    moment_us: int
    audio: str | None

    @property
    def keys(self) -> frozenset[str]:
        """The turn by its cues: what a player remembers having claimed."""
        return frozenset(claim_name(cue) for cue in self.cues)

    @property
    def closes_at_us(self) -> int:
        """The last moment at which it may begin."""
        return self.moment_us + min(cue.tolerance_us for cue in self.cues)


@dataclass(frozen=True, slots=True)
class Due:
    """A turn that is to be handed to the loudspeaker, or (with `silence`) that will not sound any more."""

    turn: Turn
    silence: Silence | None = None


def read_schedule(told: Mapping[str, Any]) -> list[PlayerCue]:
    """The cues of one room's schedule (docs/design/signals.md). Raises KeyError or TypeError."""
    room = str(told["room"]["code"])
    cues = [
        PlayerCue(
            room=room,
            key=str(cue["key"]),
            session_id=cue["session_id"],
            cue=str(cue["cue"]),
            occurrence=int(cue["occurrence"]),
            sounds_at_us=cue["sounds_at_us"],
            tolerance_us=int(cue["tolerance_us"]),
            may_sound=bool(cue["may_sound"]),
            after=cue["after"],
            audio=cue["audio"],
            duration_us=cue["duration_us"] or 0,
            title=str(cue["title"]),
        )
        for cue in told["cues"]
    ]
    test = told.get("test")
    return cues if test is None else [*cues, _test_tone(room, test)]


def claim_name(cue: PlayerCue) -> str:
    """Under which name a player remembers that it sounded the cue in that room."""
    return f"{cue.room}/{cue.key}"


def moment_us(cue: PlayerCue, cues: Mapping[str, PlayerCue], played: Mapping[str, int]) -> int | None:
    """When the cue is to sound. One that hangs on a start signal follows the start this player played.

    `cues` by key of the same room; `played` are the moments at which claimed names really began.
    """
    if cue.after is None:
        return cue.sounds_at_us
    start = cues.get(cue.after)
    if start is None or start.sounds_at_us is None or cue.sounds_at_us is None:
        return None
    began_us = played.get(claim_name(start))
    return None if began_us is None else cue.sounds_at_us + began_us - start.sounds_at_us


def due(
    cues: Iterable[PlayerCue],
    claimed: Collection[str],
    played: Mapping[str, int],
    now_us: int,
    ahead_us: int,
) -> list[Due]:
    """What begins within `ahead_us` from now, and what has become too late; earliest first.

    `claimed` are the names of cues this player has dealt with in any way: they never come again, and
    nor does a turn of which any room was claimed.
    """
    found = []
    for turn, agree in _turns(list(cues), played):
        late_us = now_us - turn.moment_us
        if late_us < -ahead_us or turn.keys & set(claimed):
            continue
        if now_us > turn.closes_at_us:
            if now_us <= turn.closes_at_us + TELLING_US:
                found.append(Due(turn, Silence.TOO_LATE if agree else Silence.ROOMS_DIFFER))
        elif agree:
            found.append(Due(turn))
    return sorted(found, key=lambda one: one.turn.moment_us)


def still_wanted(turn: Turn, cues: Iterable[PlayerCue], played: Mapping[str, int]) -> bool:
    """Whether a turn that waits may still begin: nobody withdrew or moved it meanwhile."""
    return any(
        agree and one.keys == turn.keys and abs(one.moment_us - turn.moment_us) <= TOGETHER_US // 10
        for one, agree in _turns(list(cues), played)
    )


def _turns(cues: list[PlayerCue], played: Mapping[str, int]) -> Iterator[tuple[Turn, bool]]:
    """Every sound with its moment, and whether all rooms of its session agree on it."""
    by_room: dict[str, dict[str, PlayerCue]] = defaultdict(dict)
    sitting: dict[int | None, set[str]] = defaultdict(set)
    groups: dict[tuple[object, ...], list[PlayerCue]] = defaultdict(list)
    for cue in cues:
        by_room[cue.room][cue.key] = cue
        sitting[cue.session_id].add(cue.room)
    for cue in cues:
        at_us = moment_us(cue, by_room[cue.room], played)
        if cue.may_sound and at_us is not None:
            groups[cue.session_id, cue.key].append(replace(cue, sounds_at_us=at_us))
    for group in groups.values():
        yield from _of_one_key(group, sitting[group[0].session_id])


def _of_one_key(group: list[PlayerCue], rooms: Collection[str]) -> Iterator[tuple[Turn, bool]]:
    moments = [cue.sounds_at_us or 0 for cue in group]
    is_test = group[0].session_id is None
    everywhere = is_test or {cue.room for cue in group} == set(rooms)
    if everywhere and max(moments) - min(moments) <= TOGETHER_US:
        # The latest of them: nowhere early.
        yield Turn(tuple(group), max(moments), group[0].audio), True
        return
    for cue, at_us in zip(group, moments, strict=True):
        yield Turn((cue,), at_us, cue.audio), False


def _test_tone(room: str, told: Mapping[str, Any]) -> PlayerCue:
    return PlayerCue(
        room=room,
        key=str(told["key"]),
        session_id=None,
        cue="",
        occurrence=1,
        sounds_at_us=int(told["sounds_at_us"]),
        tolerance_us=int(told["tolerance_us"]),
        may_sound=True,
        after=None,
        audio=told["audio"],
        duration_us=told["duration_us"] or 0,
    )
