"""What a player says of itself, what is wrong with it, and when a room may be asked to make a test sound.

Pure. A player says every few seconds that it is there (heartbeat); what it cannot know, such as the
knob on an amplifier, only a person in the room can hear (sound check, rule A-8).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US

HEARTBEAT_US: Final = 5 * SECOND_US
# Two heartbeats missed and a little patience.
AWAY_US: Final = 12 * SECOND_US
# A player that was there so lately may still be there without the network, and ring by what it was told.
MAY_RING_US: Final = 120 * MINUTE_US
# Alarm limits of issue and domain rule A-1.
CLOCK_LIMIT_US: Final = SECOND_US // 2
# A test tone keeps this far from a session that begins.
QUIET_BEFORE_US: Final = 30 * MINUTE_US
# A sound check counts for the sessions of this long after it.
CHECK_LASTS_US: Final = 48 * 60 * MINUTE_US


class PlayerKind(StrEnum):
    """What plays."""

    PAGE = "page"
    SPEAKER = "speaker"


class PlayerTrouble(StrEnum):
    """Why a player may stay silent, or sound at the wrong moment."""

    AWAY = "away"
    CLOCK_UNKNOWN = "clock_unknown"
    CLOCK_UNSURE = "clock_unsure"
    NOT_ALLOWED = "not_allowed"
    ASLEEP = "asleep"
    NO_OUTPUT = "no_output"
    SILENT = "silent"
    AUDIO_MISSING = "audio_missing"


@dataclass(frozen=True, slots=True)
class PlayerState:
    """The last heartbeat of one player in one room.

    `offset_us`: its wall clock minus the server's; `error_us`: how wrong its measure may be, both None
    while it knows nothing. `is_audible`: its last samples were no silence; None where it cannot tell.
    """

    room_id: int
    player: str
    kind: PlayerKind
    label: str
    seen_at_us: int
    offset_us: int | None
    error_us: int | None
    audio_ready: int
    audio_wanted: int
    is_allowed: bool
    is_awake: bool
    has_output: bool
    is_audible: bool | None
    played_key: str | None
    played_at_us: int | None
    played_error: str


def player_troubles(state: PlayerState, now_us: int) -> list[PlayerTrouble]:
    """Everything that is wrong with the player now, worst first.

    The player's own clock may be wrong by any amount, because it rings by the measured offset; what
    counts is how well it has measured.
    """
    if now_us - state.seen_at_us > AWAY_US:
        return [PlayerTrouble.AWAY]
    found = {
        PlayerTrouble.NOT_ALLOWED: not state.is_allowed,
        PlayerTrouble.NO_OUTPUT: not state.has_output,
        PlayerTrouble.CLOCK_UNKNOWN: state.error_us is None,
        PlayerTrouble.CLOCK_UNSURE: state.error_us is not None and state.error_us > CLOCK_LIMIT_US,
        PlayerTrouble.AUDIO_MISSING: state.audio_ready < state.audio_wanted,
        PlayerTrouble.SILENT: state.is_audible is False,
        PlayerTrouble.ASLEEP: not state.is_awake,
    }
    return [trouble for trouble, is_so in found.items() if is_so]


def can_ring(state: PlayerState, now_us: int) -> bool:
    """Whether a signal would sound there now, as far as the player itself can tell. A screen may sleep."""
    return set(player_troubles(state, now_us)) <= {PlayerTrouble.ASLEEP, PlayerTrouble.CLOCK_UNSURE}


def may_ring_alone(state: PlayerState, now_us: int) -> bool:
    """Whether it may sound signals by itself, be it away just now: it holds sounds and schedule."""
    return now_us - state.seen_at_us <= MAY_RING_US


@dataclass(frozen=True, slots=True)
class RoomSitting:
    """One session of the room, as far as noise matters."""

    planned_start_us: int
    duration_us: int
    started_at_us: int | None
    stopped_at_us: int | None
    is_cancelled: bool = False


def may_test(sittings: list[RoomSitting], now_us: int) -> bool:
    """Whether a test tone may sound: never from half an hour before a start until the room has stopped."""
    return not any(_is_quiet_time(one, now_us) for one in sittings)


def _is_quiet_time(one: RoomSitting, now_us: int) -> bool:
    if one.is_cancelled or one.stopped_at_us is not None:
        return False
    if one.started_at_us is not None:
        # A stop that never came keeps a room quiet for as long as anybody could still write.
        return now_us <= one.started_at_us + 2 * one.duration_us
    return one.planned_start_us - QUIET_BEFORE_US <= now_us <= one.planned_start_us + one.duration_us
