"""A procedure: which cues a session has, when, for whom, and who must confirm (Arts. 13-15).

Only the shape and its rules. The texts and offsets are regulated data in `config/procedures`;
what has become of a cue on the day is decided in `exam.cues`.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exam.clock import SECOND_US
from exam.day import SessionKind

# A start or stop signal that sounds later than this moves somebody's exam time (domain rule A-3).
SIGNAL_TOLERANCE_US: Final = 2 * SECOND_US
CUE_CODE: Final = re.compile(r"[A-Z][0-9]{1,2}")


class Anchor(StrEnum):
    """The moment a cue's offset counts from."""

    PLANNED_START = "planned_start"
    # The room's actual start signal (T0).
    START = "start"
    # Actual start plus the working time: when the stop signal is due.
    PLANNED_END = "planned_end"
    # The room's actual stop signal (TE).
    END = "end"


class CueKind(StrEnum):
    """How a cue is heard or seen."""

    BELL = "bell"
    CHIME_VOICE = "chime_voice"
    VOICE = "voice"
    BEEP_VOICE = "beep_voice"
    # Shown on tablets only; makes no sound.
    PROMPT = "prompt"


class Signal(StrEnum):
    """What a cue means for the time rules (R9)."""

    START_SIGNAL = "start_signal"
    STOP_SIGNAL = "stop_signal"
    TIME_WARNING = "time_warning"
    NONE = "none"


class Trigger(StrEnum):
    """Who lets a cue sound."""

    # By rule, once the session is armed.
    AUTOMATIC = "automatic"
    ASSESSOR_PRESS = "assessor_press"
    CHAIR_PRESS = "chair_press"
    # Never scheduled; the site lead presses when it is needed (correction, evacuation, resume).
    ON_DEMAND = "on_demand"


class Audience(StrEnum):
    """Where a cue appears."""

    ROOMS = "rooms"
    TABLET = "tablet"
    OFFICE = "office"


@dataclass(frozen=True, slots=True)
class Cue:
    """One step of the procedure.

    Due at `anchor + offset_us`; may appear until `tolerance_us` later, after that it is missed.
    `confirmation` is the word a person ticks, None when nobody needs to; `roles` are duty roles
    (`duty.role`) who see the step and may confirm or press it.
    """

    code: str
    title: str
    anchor: Anchor
    offset_us: int
    tolerance_us: int
    kind: CueKind
    text: str
    audience: frozenset[Audience]
    roles: frozenset[str]
    trigger: Trigger = Trigger.AUTOMATIC
    signal: Signal = Signal.NONE
    confirmation: str | None = None
    article: str = ""

    @property
    def is_audible(self) -> bool:
        """Whether rooms must hear it."""
        return self.kind is not CueKind.PROMPT

    @property
    def is_scheduled(self) -> bool:
        """Whether it has a place on the day's timetable."""
        return self.trigger is not Trigger.ON_DEMAND


@dataclass(frozen=True, slots=True)
class Procedure:
    """Everything that governs one kind of session.

    `check_in_opens_us` counts back from the planned start; `late_cutoff_us` and
    `early_exit_us` count on from the room's actual start, None where people decide (R5).
    Footage is owed from `room_opens_us` before the planned start until the tick of `handover_step`, or
    `handover_us` after the actual stop (R16); None leaves that to the check-in opening and the last step.
    """

    code: str
    title: str
    session_kind: SessionKind
    check_in_opens_us: int
    late_cutoff_us: int | None
    early_exit_us: int | None
    bell_us: int
    cues: tuple[Cue, ...]
    room_opens_us: int | None = None
    handover_us: int | None = None
    # The cue whose confirmation says that papers or workpieces are sealed and handed over.
    handover_step: str | None = None

    def cue(self, code: str) -> Cue | None:
        """The cue of that code."""
        return next((cue for cue in self.cues if cue.code == code), None)

    def signal_cue(self, signal: Signal) -> Cue:
        """The cue that gives this signal. Sound procedures have one start and one stop signal."""
        return next(cue for cue in self.cues if cue.signal is signal)

    @property
    def start_mode(self) -> Trigger:
        """Who starts the session: automatic for theory, a press for practical and review (R9)."""
        return self.signal_cue(Signal.START_SIGNAL).trigger


def faults(procedure: Procedure) -> list[str]:
    """Everything wrong with the procedure, in words for the person who wrote the file. Empty: sound."""
    return [
        *_window_faults(procedure),
        *_signal_faults(procedure),
        *_duplicate_faults(procedure),
        *_handover_faults(procedure),
        *(fault for cue in procedure.cues for fault in _cue_faults(cue)),
    ]


def _window_faults(procedure: Procedure) -> Iterator[str]:
    if procedure.check_in_opens_us <= 0:
        yield "check_in_opens: must be some time before the planned start"
    for name, limit in (("late_cutoff", procedure.late_cutoff_us), ("early_exit", procedure.early_exit_us)):
        if limit is not None and limit <= 0:
            yield f"{name}: must be some time after the start, or left out where people decide"
    if procedure.bell_us <= 0:
        yield "bell: must ring for some time"
    if procedure.room_opens_us is not None and procedure.room_opens_us < procedure.check_in_opens_us:
        yield "room_opens: must not be later than check_in_opens"
    if procedure.handover_us is not None and procedure.handover_us <= 0:
        yield "handover: must be some time after the stop signal, or left out"


def _handover_faults(procedure: Procedure) -> Iterator[str]:
    if procedure.handover_step is None:
        return
    cue = procedure.cue(procedure.handover_step)
    if cue is None or cue.anchor is not Anchor.END or cue.confirmation is None:
        yield "handover_step: must name a cue after the end that somebody confirms"


def _signal_faults(procedure: Procedure) -> Iterator[str]:
    given = Counter(cue.signal for cue in procedure.cues)
    for signal in (Signal.START_SIGNAL, Signal.STOP_SIGNAL):
        if given[signal] != 1:
            yield f"cues: exactly one {signal} is needed, found {given[signal]}"


def _duplicate_faults(procedure: Procedure) -> Iterator[str]:
    for code, times in Counter(cue.code for cue in procedure.cues).items():
        if times > 1:
            yield f"cue {code}: the code is used {times} times"


def _cue_faults(cue: Cue) -> Iterator[str]:
    problems = (
        (not CUE_CODE.fullmatch(cue.code), "a code is one capital letter and one or two digits"),
        (not cue.title.strip(), "title is empty"),
        (not cue.text.strip(), "text is empty"),
        (not cue.audience, "audience is empty: nobody would see or hear it"),
        (cue.tolerance_us <= 0, "tolerance must be positive, else it could never appear"),
        (
            cue.is_audible and Audience.ROOMS not in cue.audience,
            "it makes a sound but rooms are not in audience",
        ),
        (
            not cue.is_audible and Audience.ROOMS in cue.audience,
            "a prompt is not for rooms: candidates would see it",
        ),
        (cue.confirmation is not None and not cue.roles, "it asks for a confirmation but names no roles"),
    )
    for is_wrong, words in problems:
        if is_wrong:
            yield f"cue {cue.code}: {words}"
    for words in (*_signal_cue_faults(cue), *_trigger_faults(cue)):
        yield f"cue {cue.code}: {words}"


def _signal_cue_faults(cue: Cue) -> Iterator[str]:
    wanted = {Signal.START_SIGNAL: Anchor.PLANNED_START, Signal.STOP_SIGNAL: Anchor.PLANNED_END}.get(
        cue.signal
    )
    if wanted is None:
        return
    if (cue.anchor, cue.offset_us) != (wanted, 0):
        yield f"a {cue.signal} stands at {wanted} with offset 0"
    if not cue.is_audible:
        yield f"a {cue.signal} must be heard"
    if cue.tolerance_us > SIGNAL_TOLERANCE_US:
        yield f"a {cue.signal} may be at most 2 s late"
    if cue.trigger is Trigger.ON_DEMAND:
        yield f"a {cue.signal} cannot be on demand"


def _trigger_faults(cue: Cue) -> Iterator[str]:
    if cue.trigger is not Trigger.AUTOMATIC and not cue.roles:
        yield "somebody must press it but no roles are named"
    if cue.anchor is Anchor.START and cue.offset_us <= 0:
        yield "nothing can be planned at or before an actual start; count from planned_start"
    if cue.anchor is Anchor.END and cue.offset_us < 0:
        yield "nothing can be planned before an actual end; count from planned_end"
