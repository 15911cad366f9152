"""A small procedure and session for tests of cues: two rooms, one hour, armed an hour before."""

from dataclasses import replace

from exam.clock import MINUTE_US, SECOND_US
from exam.course import SessionCourse
from exam.day import Announced, Session, SessionKind, Source
from exam.procedure import Anchor, Audience, Cue, CueKind, Procedure, Signal, Trigger

START_US = 1_800_000_000 * SECOND_US
HOUR_US = 60 * MINUTE_US
ROOMS = (1, 2)

VOICE = Cue(
    code="C2",
    title="签到入场",
    anchor=Anchor.PLANNED_START,
    offset_us=-15 * MINUTE_US,
    tolerance_us=30 * SECOND_US,
    kind=CueKind.CHIME_VOICE,
    text="请考生签到入场。",
    audience=frozenset({Audience.ROOMS, Audience.TABLET}),
    roles=frozenset({"proctor"}),
    confirmation="开始签到",
)
START = replace(
    VOICE,
    code="C5",
    title="开考信号",
    offset_us=0,
    tolerance_us=2 * SECOND_US,
    kind=CueKind.BELL,
    text="考试开始。",
    signal=Signal.START_SIGNAL,
    confirmation=None,
)
HEADCOUNT = replace(
    VOICE,
    code="C6",
    title="清点人数",
    anchor=Anchor.START,
    offset_us=30 * MINUTE_US,
    kind=CueKind.PROMPT,
    audience=frozenset({Audience.TABLET}),
)
WARNING = replace(
    VOICE,
    code="C7",
    anchor=Anchor.PLANNED_END,
    tolerance_us=10 * SECOND_US,
    signal=Signal.TIME_WARNING,
    confirmation=None,
)
STOP = replace(START, code="C8", anchor=Anchor.PLANNED_END, title="终止考试信号", signal=Signal.STOP_SIGNAL)
RELEASE = replace(HEADCOUNT, code="C9", anchor=Anchor.END, offset_us=MINUTE_US, title="放行")
CORRECTION = replace(
    VOICE,
    code="X1",
    trigger=Trigger.ON_DEMAND,
    signal=Signal.CORRECTION,
    roles=frozenset({"site_lead"}),
    confirmation=None,
)
EVACUATION = replace(CORRECTION, code="X2", signal=Signal.EVACUATION)
RESUME = replace(CORRECTION, code="X3", signal=Signal.RESUME)
ON_DEMAND = (CORRECTION, EVACUATION, RESUME)

THEORY = Procedure(
    code="small",
    title="理论知识考试",
    session_kind=SessionKind.THEORY,
    check_in_opens_us=15 * MINUTE_US,
    late_cutoff_us=30 * MINUTE_US,
    early_exit_us=30 * MINUTE_US,
    bell_us=15 * SECOND_US,
    cues=(VOICE, START, HEADCOUNT, WARNING, STOP, RELEASE, *ON_DEMAND),
)
PRESSED = replace(
    THEORY,
    session_kind=SessionKind.PRACTICAL,
    cues=(
        VOICE,
        replace(START, trigger=Trigger.ASSESSOR_PRESS),
        WARNING,
        replace(STOP, trigger=Trigger.ASSESSOR_PRESS),
        *ON_DEMAND,
    ),
)
CHAIRED = replace(
    THEORY,
    session_kind=SessionKind.REVIEW,
    cues=(
        replace(START, trigger=Trigger.CHAIR_PRESS),
        replace(STOP, trigger=Trigger.CHAIR_PRESS),
        *ON_DEMAND,
    ),
)

SESSION = Session(
    id=7,
    batch_id=1,
    code="T1",
    kind=SessionKind.THEORY,
    subject="理论知识",
    procedure_code="small",
    planned_start_us=START_US,
    duration_us=HOUR_US,
    room_ids=ROOMS,
    armed_at_us=START_US - HOUR_US,
)


def emitted(
    cue_code: str, at_us: int, room_id: int = 1, occurrence: int = 1, *, planned_at_us: int | None = None
) -> Announced:
    return Announced(SESSION.id, room_id, cue_code, planned_at_us or at_us, at_us, occurrence)


def by_hand(cue_code: str, at_us: int, occurrence: int = 2) -> Announced:
    return Announced(SESSION.id, 1, cue_code, at_us, at_us, occurrence, Source.BY_HAND, 1)


def course(*announced: Announced, procedure: Procedure = THEORY, session: Session = SESSION) -> SessionCourse:
    return SessionCourse(session, procedure, announced)


def missed(cue_code: str, planned_at_us: int, room_id: int = 1) -> Announced:
    return Announced(SESSION.id, room_id, cue_code, planned_at_us, None)
