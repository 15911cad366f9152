"""What a kiosk says about itself, and what of it needs a person (签到机状态).

Pure: the last heartbeat and the moment in, troubles out. A kiosk works on without the console, so a
silent kiosk is no trouble by itself; one that fell silent with records that nobody else has is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from exam.clock import MINUTE_US, SECOND_US

BEAT_US: Final = 5 * SECOND_US
# Three heartbeats that did not come: it cannot reach us, or is off.
LOST_US: Final = 3 * BEAT_US + 5 * SECOND_US
# Further off than this, the kiosk's own judgement about late and early cannot be relied upon.
OFFSET_LIMIT_US: Final = 5 * SECOND_US
# A changed roster reaches a kiosk within seconds; one that is behind for longer does not get it.
BEHIND_US: Final = 2 * MINUTE_US
DISK_LOW_BYTES: Final = 200 * 1024 * 1024


class Part(StrEnum):
    """What a kiosk has. Which of them a site fits is its own choice."""

    CAMERA = "camera"
    FACE_CAMERA = "face_camera"
    SCANNER = "scanner"
    ID_READER = "id_reader"
    SPEAKER = "speaker"


class PartState(StrEnum):
    """How a part of the kiosk is."""

    OK = "ok"
    # Not answering; covered or dark, in the case of a camera.
    LOST = "lost"
    COVERED = "covered"
    # The site has fitted none.
    ABSENT = "absent"


class Trouble(StrEnum):
    """What needs a person."""

    LOST_WITH_QUEUE = "lost_with_queue"
    CLOCK = "clock"
    STALE_ROSTER = "stale_roster"
    NEEDS_HUMAN = "needs_human"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Beat:
    """The last heartbeat of a kiosk, as it was kept."""

    heard_at_us: int
    # The kiosk's clock minus ours; since when it is off by more than the limit, or None.
    offset_us: int
    offset_since_us: int | None
    queue_length: int
    needs_human: int
    # The package it holds; None: none. Since when it is not the present one, or None.
    roster_revision: int | None
    behind_since_us: int | None
    disk_free_bytes: int
    is_out_of_service: bool
    parts: Mapping[Part, PartState] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    boot_id: str = ""
    # Ids of staff PINs that are locked there.
    locked_pins: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One trouble, and since when."""

    trouble: Trouble
    since_us: int


def is_lost(beat: Beat, now_us: int) -> bool:
    """Whether the kiosk has not been heard for so long that it cannot reach us."""
    return now_us - beat.heard_at_us > LOST_US


def is_off(offset_us: int) -> bool:
    """Whether the kiosk's clock differs by more than is good."""
    return abs(offset_us) > OFFSET_LIMIT_US


def troubles(beat: Beat, now_us: int) -> list[Found]:
    """What needs a person at this kiosk, worst first. What a silent kiosk said last still counts."""
    found = []
    if is_lost(beat, now_us) and beat.queue_length > 0:
        found.append(Found(Trouble.LOST_WITH_QUEUE, beat.heard_at_us))
    if beat.offset_since_us is not None:
        found.append(Found(Trouble.CLOCK, beat.offset_since_us))
    if beat.behind_since_us is not None and now_us - beat.behind_since_us > BEHIND_US:
        found.append(Found(Trouble.STALE_ROSTER, beat.behind_since_us))
    if beat.needs_human > 0:
        found.append(Found(Trouble.NEEDS_HUMAN, beat.heard_at_us))
    if beat.disk_free_bytes < DISK_LOW_BYTES:
        found.append(Found(Trouble.DISK, beat.heard_at_us))
    return found
