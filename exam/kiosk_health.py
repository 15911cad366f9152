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


# How long a trouble must last before it is one.
PATIENCE_US: Final = {Trouble.STALE_ROSTER: BEHIND_US}


@dataclass(frozen=True, slots=True)
class Report:
    """One heartbeat as a kiosk sends it. `sent_at_us` is by its own clock."""

    sent_at_us: int
    # Records that wait there to be sent, and those that a person must look at.
    queue_length: int
    needs_human: int
    # The package it holds; None: none.
    roster_revision: int | None
    disk_free_bytes: int
    # It takes nobody, for whatever reason.
    is_out_of_service: bool
    parts: Mapping[Part, PartState] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    boot_id: str = ""
    # Ids of staff PINs that were tried there wrongly again and again (an old name: nobody is locked out).
    locked_pins: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Beat:
    """The last heartbeat of a kiosk, as it was kept."""

    report: Report
    heard_at_us: int
    # The kiosk's clock minus ours.
    offset_us: int
    # Since when each trouble lasts that the kiosk itself has.
    since: Mapping[Trouble, int]


@dataclass(frozen=True, slots=True)
class Found:
    """One trouble, and since when."""

    trouble: Trouble
    since_us: int


def is_lost(beat: Beat, now_us: int) -> bool:
    """Whether the kiosk has not been heard for so long that it cannot reach us."""
    return now_us - beat.heard_at_us > LOST_US


def reported(report: Report, offset_us: int, present_revision: int | None) -> frozenset[Trouble]:
    """What is wrong by this report. A roster that is behind may just be on its way."""
    wrong = {
        Trouble.CLOCK: abs(offset_us) > OFFSET_LIMIT_US,
        Trouble.STALE_ROSTER: report.roster_revision != present_revision,
        Trouble.NEEDS_HUMAN: report.needs_human > 0,
        Trouble.DISK: report.disk_free_bytes < DISK_LOW_BYTES,
    }
    return frozenset(trouble for trouble, is_wrong in wrong.items() if is_wrong)


def troubles(beat: Beat, now_us: int) -> list[Found]:
    """What needs a person at this kiosk, in the order of `Trouble`.

    Of a silent kiosk only its records count: they are nowhere else.
    """
    found = {}
    if is_lost(beat, now_us):
        if beat.report.queue_length > 0:
            found[Trouble.LOST_WITH_QUEUE] = beat.heard_at_us
        lasting = {Trouble.NEEDS_HUMAN}
    else:
        lasting = {one for one in beat.since if now_us - beat.since[one] > PATIENCE_US.get(one, -1)}
    found.update({one: beat.since[one] for one in beat.since if one in lasting})
    return [Found(one, found[one]) for one in Trouble if one in found]
