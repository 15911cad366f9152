"""Everything that is wrong with a procedure, in words for the person at the site who wrote the file.

Pure. A procedure with a fault is never used: half a procedure would ring half an exam (R9, A-3).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from exam.clock import SECOND_US
from exam.day import SessionKind
from exam.procedure import Anchor, Audience, Cue, Procedure, Signal, Trigger

# A start or stop signal that sounds later than this moves somebody's exam time (domain rule A-3).
SIGNAL_TOLERANCE_US: Final = 2 * SECOND_US
CUE_CODE: Final = re.compile(r"[A-Z][0-9]{1,2}")
CHECK_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
# The words of `duty.role` in a site plan.
ROLES: Final = frozenset(
    {
        *("proctor", "assessor", "lead_assessor", "review_chair", "recorder"),
        *("exams_officer", "site_lead", "inspector", "quality_supervisor"),
    }
)
_HEARD_BY: Final = frozenset({Audience.ROOMS, Audience.SPEAKERS})
_STANDS_AT: Final[Mapping[Signal, Anchor]] = {
    Signal.START_SIGNAL: Anchor.PLANNED_START,
    Signal.STOP_SIGNAL: Anchor.PLANNED_END,
}
_ON_DEMAND: Final = (Signal.CORRECTION, Signal.EVACUATION, Signal.RESUME)


def faults(procedure: Procedure) -> list[str]:
    """Everything wrong with the procedure. Empty: sound."""
    return [
        *_window_faults(procedure),
        *_signal_faults(procedure),
        *_duplicate_faults(procedure),
        *_handover_faults(procedure),
        *_clock_faults(procedure),
        *(fault for cue in procedure.cues for fault in cue_faults(cue)),
    ]


def cue_faults(cue: Cue) -> list[str]:
    """Everything wrong with one cue, whatever the others are."""
    words = [
        *_shape_faults(cue),
        *_audience_faults(cue),
        *_confirmation_faults(cue),
        *_signal_cue_faults(cue),
        *_trigger_faults(cue),
    ]
    return [f"步骤 {cue.code}：{each}" for each in words]


def _window_faults(procedure: Procedure) -> Iterator[str]:
    if procedure.check_in_opens_us <= 0:
        yield "check_in_opens：签到须在计划开考之前开放"
    for name, limit in (("late_cutoff", procedure.late_cutoff_us), ("early_exit", procedure.early_exit_us)):
        if limit is not None and limit <= 0:
            yield f"{name}：须在开考之后；由人决定时请删去这一行"
    if procedure.bell_us <= 0:
        yield "bell：铃声须有长度"
    if procedure.room_opens_us is not None and procedure.room_opens_us < procedure.check_in_opens_us:
        yield "room_opens：考场开放不能晚于签到开放（check_in_opens）"
    if procedure.handover_us is not None and procedure.handover_us <= 0:
        yield "handover：须在终止信号之后；不需要时请删去这一行"


def _handover_faults(procedure: Procedure) -> Iterator[str]:
    for name, code in (("handover_step", procedure.handover_step), ("closing_step", procedure.closing_step)):
        cue = None if code is None else procedure.cue(code)
        is_tick = cue is not None and cue.anchor is Anchor.END and cue.confirmation is not None
        if code is not None and not is_tick:
            yield f'{name}：须是终止之后（anchor = "end"）并且有人确认的步骤'


def _signal_faults(procedure: Procedure) -> Iterator[str]:
    given = Counter(cue.signal for cue in procedure.cues)
    for signal in (Signal.START_SIGNAL, Signal.STOP_SIGNAL, *_ON_DEMAND):
        if given[signal] != 1:
            yield f"cues：须有且只有一个 {signal}，现有 {given[signal]} 个"


def _duplicate_faults(procedure: Procedure) -> Iterator[str]:
    for code, times in Counter(cue.code for cue in procedure.cues).items():
        if times > 1:
            yield f"步骤 {code}：编号用了 {times} 次"


def _clock_faults(procedure: Procedure) -> Iterator[str]:
    """Practical and review are started and ended by people, never by a clock (R9)."""
    if procedure.session_kind is SessionKind.THEORY:
        return
    for cue in procedure.cues:
        if cue.signal in _STANDS_AT and cue.trigger is Trigger.AUTOMATIC:
            yield f"步骤 {cue.code}：操作技能考核和综合评审的开始与结束须由人发出，不能自动响铃"


def _shape_faults(cue: Cue) -> Iterator[str]:
    if not CUE_CODE.fullmatch(cue.code):
        yield "编号须是一个大写字母加一至两位数字"
    if not cue.title.strip():
        yield "title 为空"
    if not cue.text.strip():
        yield "text 为空"
    if cue.tolerance_us <= 0:
        yield "tolerance 须大于零，否则永远不会播报"


def _audience_faults(cue: Cue) -> Iterator[str]:
    if not cue.audience:
        yield "audience 为空：没有人会看到或听到"
    elif cue.is_audible and not cue.audience & _HEARD_BY:
        yield "有声音，但 audience 中没有 rooms 或 speakers"
    if not cue.is_audible and cue.audience & _HEARD_BY:
        yield "只作提示（prompt），不能给 rooms 或 speakers：考生会看到"


def _confirmation_faults(cue: Cue) -> Iterator[str]:
    if cue.confirmation is not None and not cue.roles:
        yield "需要确认，但 roles 为空"
    if cue.checklist and cue.confirmation is None:
        yield "有核对清单（checklist），但没有 confirmation"
    for role in sorted(cue.all_roles - ROLES):
        yield f"没有“{role}”这种岗位"
    for code, times in Counter(check.code for check in cue.checklist).items():
        if times > 1 or not CHECK_CODE.fullmatch(code):
            yield f"核对清单“{code}”：编号须是小写字母开头的短词，且不能重复"
    if any(not check.words.strip() for check in cue.checklist):
        yield "核对清单中有一条没有文字（words）"


def _signal_cue_faults(cue: Cue) -> Iterator[str]:
    if cue.signal is Signal.TIME_WARNING and (cue.anchor is not Anchor.PLANNED_END or cue.offset_us >= 0):
        yield '预告时间须在计划终止之前（anchor = "planned_end"，offset 为负）'
    if cue.signal in _ON_DEMAND and cue.trigger is not Trigger.ON_DEMAND:
        yield f'{cue.signal} 须随时可按（trigger = "on_demand"）'
    wanted = _STANDS_AT.get(cue.signal)
    if wanted is None:
        return
    if (cue.anchor, cue.offset_us) != (wanted, 0):
        yield f"{cue.signal} 须在 {wanted}，offset 为 0"
    if not cue.is_audible:
        yield f"{cue.signal} 须有声音"
    if cue.tolerance_us > SIGNAL_TOLERANCE_US:
        yield f"{cue.signal} 最多迟 2 秒"
    if cue.trigger is Trigger.ON_DEMAND:
        yield f"{cue.signal} 不能是 on_demand"


def _trigger_faults(cue: Cue) -> Iterator[str]:
    if cue.trigger is not Trigger.AUTOMATIC and not cue.roles:
        yield "须由人发出，但 roles 为空"
    if cue.anchor is Anchor.START and cue.offset_us <= 0:
        yield "不能安排在实际开考之时或之前；请用 planned_start 计算"
    if cue.anchor is Anchor.END and cue.offset_us < 0:
        yield "不能安排在实际终止之前；请用 planned_end 计算"
