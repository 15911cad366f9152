"""A site whose exam day is tomorrow, for rehearsing it: two signals, one room with a player."""

from dataclasses import replace
from typing import Final

from config.procedures import load_procedures
from exam.clock import MINUTE_US, SECOND_US, SystemClock
from exam.procedure import Procedure, Trigger
from tests.world import World

# A start by itself, a stop that people press, and an hour between them that nobody waits for.
_DEMO: Final = load_procedures()["demo_theory"]
_CUES: Final = {one.code: one for one in _DEMO.cues}
SHORT: Final[Procedure] = replace(
    _DEMO,
    code="short",
    cues=(
        *(_CUES["C5"], _CUES["C6"], _CUES["C9"], _CUES["X1"]),
        replace(_CUES["C8"], trigger=Trigger.ASSESSOR_PRESS),
    ),
)
AHEAD_US: Final = 20 * 60 * MINUTE_US


def plan_for_tomorrow(world: World, procedure: str = "short", ahead_us: int = AHEAD_US) -> int:
    """The day moved to twenty hours from now; returns its start, on a whole second."""
    start_us = SystemClock().wall_us() // SECOND_US * SECOND_US + ahead_us
    with world.exam.write() as connection:
        connection.execute(
            "update session set planned_start_us = ?, duration_us = ?, procedure_code = ?",
            (start_us, 60 * MINUTE_US, procedure),
        )
    return start_us
