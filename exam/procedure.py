"""A procedure: which cues a session has, when, for whom, and who must confirm (Arts. 13-15).

Only the shape. The texts and offsets are regulated data in `config/procedures`, what is wrong with a
procedure is said in `exam.procedure_faults`, and what has become of a cue on the day in `exam.cues`.
"""

from dataclasses import dataclass
from enum import StrEnum

from exam.day import SessionKind


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
    # 铃声有误: takes back the start or stop that sounded last.
    CORRECTION = "correction"
    # 紧急疏散: the room stands still from here ...
    EVACUATION = "evacuation"
    # ... to here (恢复考试).
    RESUME = "resume"
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

    # Room pages: a tablet or PC that stands in the room.
    ROOMS = "rooms"
    # Headless loudspeakers, and the central PA input.
    SPEAKERS = "speakers"
    TABLET = "tablet"
    OFFICE = "office"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be confirmed before a step counts as done, and who may say so.

    `code` is unique within its cue; empty `roles` are those of the cue.
    """

    code: str
    words: str
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cue:
    """One step of the procedure.

    Due at `anchor + offset_us`; may appear until `tolerance_us` later, after that it is missed.
    `confirmation` is the word a person ticks, None when nobody needs to; `roles` are duty roles
    (`duty.role`) who see the step and may confirm or press it. With a `checklist` the step is confirmed
    once every entry is.
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
    checklist: tuple[Check, ...] = ()

    @property
    def is_audible(self) -> bool:
        """Whether rooms must hear it."""
        return self.kind is not CueKind.PROMPT

    @property
    def all_roles(self) -> frozenset[str]:
        """Everybody who has a part in the step."""
        return self.roles.union(*(check.roles for check in self.checklist))

    @property
    def is_scheduled(self) -> bool:
        """Whether it has a place on the day's timetable."""
        return self.trigger is not Trigger.ON_DEMAND


@dataclass(frozen=True, slots=True)
class Procedure:
    """Everything that governs one kind of session. `sha256` is the digest of the file it was read from.

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
    # The cue whose confirmation closes the room: not while a doubt about somebody in it is open (13(4)).
    closing_step: str | None = None
    sha256: str = ""

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
