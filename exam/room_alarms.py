"""What is wrong in a room and needs a person: signals that were missed, and signals nobody heard.

Pure. A signal was heard when at least one player of the room reported that it sounded; a room that
stays silent is reported within seconds (house law, section 5), until somebody ticks the step.
"""

from collections.abc import Collection, Iterable
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.day import Announced, Source
from exam.procedure import Procedure
from exam.room_times import RoomTimes, StationTimes
from exam.timetable import Step, StepState

REPORT_DUE_US: Final = 5 * SECOND_US
# A step that nobody needs to tick stops being red after a while: too late to do anything.
UNTICKED_ALARM_US: Final = 10 * MINUTE_US
# A tick is due this long after its step came.
TICK_DUE_US: Final = 3 * MINUTE_US

# An extended station whose end passed so long ago was forgotten.
STATION_DUE_US: Final = 30 * SECOND_US

# Cue code and occurrence of an announcement in the room.
Sounded = tuple[str, int]


def missed(steps: Iterable[Step]) -> list[Step]:
    """Steps whose moment passed without their signal: somebody must give it, or say it aloud."""
    return [step for step in steps if step.state is StepState.MISSED]


def corrected(steps: Iterable[Step]) -> list[Step]:
    """Steps that sounded as planned and were wrong: the plan must be changed, or the signal given."""
    return [step for step in steps if step.state is StepState.CORRECTED]


def forgotten_stations(times: RoomTimes, now_us: int) -> list[StationTimes]:
    """Extended stations whose end has passed without anybody having stopped them (14(5))."""
    return [
        one
        for one in times.going_on
        if one.ends_at_us is not None and now_us - one.ends_at_us > STATION_DUE_US
    ]


def unheard_calls(
    procedure: Procedure, announced: Iterable[Announced], heard: Collection[Sounded], now_us: int
) -> list[Announced]:
    """Corrections, evacuations and resumptions of one room that no player says it sounded."""
    on_demand = {cue.code for cue in procedure.cues if not cue.is_scheduled}
    return [
        one
        for one in announced
        if one.cue_code in on_demand
        and (one.cue_code, one.occurrence) not in heard
        and one.emitted_at_us is not None
        and REPORT_DUE_US < now_us - one.emitted_at_us < UNTICKED_ALARM_US
    ]


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
    is_answered = (outcome.cue_code, outcome.occurrence) in heard or step.confirmed_at_us is not None
    if is_answered or outcome.source is Source.BY_HAND:
        return False
    return REPORT_DUE_US < now_us - outcome.emitted_at_us < UNTICKED_ALARM_US
