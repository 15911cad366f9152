"""What is wrong in a room and needs a person: signals that were missed, and signals nobody heard.

Pure. A signal was heard when at least one player of the room reported that it sounded; a room that
stays silent is reported within seconds (house law, section 5), until somebody ticks the step.
"""

from collections.abc import Collection, Iterable
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.timetable import Step, StepState

REPORT_DUE_US: Final = 5 * SECOND_US
# A step that nobody needs to tick stops being red after a while: too late to do anything.
UNTICKED_ALARM_US: Final = 10 * MINUTE_US
# A tick is due this long after its step came.
TICK_DUE_US: Final = 3 * MINUTE_US

# Cue code and occurrence of an announcement in the room.
Sounded = tuple[str, int]


def missed(steps: Iterable[Step]) -> list[Step]:
    """Steps whose moment passed without their signal: somebody must give it, or say it aloud."""
    return [step for step in steps if step.state is StepState.MISSED]


def unheard(steps: Iterable[Step], heard: Collection[Sounded], now_us: int) -> list[Step]:
    """Steps whose signal was given and should have been heard, but no player says so."""
    return [step for step in steps if _is_unheard(step, heard, now_us)]


def unticked(steps: Iterable[Step], now_us: int) -> list[Step]:
    """Steps whose confirmation is overdue."""
    return [
        step for step in steps if step.is_to_confirm and now_us - step.room_cue.planned_at_us > TICK_DUE_US
    ]


def _is_unheard(step: Step, heard: Collection[Sounded], now_us: int) -> bool:
    outcome = step.room_cue.outcome
    if outcome is None or outcome.emitted_at_us is None or not step.room_cue.cue.is_audible:
        return False
    if (outcome.cue_code, outcome.occurrence) in heard or step.confirmed_at_us is not None:
        return False
    return REPORT_DUE_US < now_us - outcome.emitted_at_us < UNTICKED_ALARM_US
