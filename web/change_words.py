"""Changes of a session, what they do to signals and why they are refused, in words."""

from collections.abc import Mapping
from typing import Final

from evidence.plan_changes import PlanKind
from exam.changes import (
    Cancel,
    ChangeDuration,
    ChangeRefusal,
    GrantTime,
    MoveStart,
    WithdrawGrant,
)
from exam.clock import MINUTE_US
from exam.day import Room
from exam.effects import EffectKind, EffectRefusal
from exam.lost_time import LossKind
from web.change_desk import Proposal
from web.words import minute_words

EFFECT_WORDS: Final[Mapping[EffectKind, str]] = {
    EffectKind.MOVES: "改时间",
    EffectKind.FALLS_AWAY: "取消",
    EffectKind.COMES_AGAIN: "再次发出",
    EffectKind.PASSES: "时间已过，不再提示",
    EffectKind.CHANGES_ROOM: "换到新考室",
}
REFUSED_EFFECT_WORDS: Final[Mapping[EffectRefusal, str]] = {
    EffectRefusal.STALE: "新时间已过或太近，来不及响铃",
    EffectRefusal.ABOUT_TO_SOUND: "考室马上要按原时间响铃或正在响，请在响过之后再改",
    EffectRefusal.ROOM_NOT_TOLD: "考室设备失去联系，会按原时间自行响铃",
}
CHANGE_REFUSAL_WORDS: Final[Mapping[ChangeRefusal, str]] = {
    ChangeRefusal.CANCELLED: "本场次已取消。",
    ChangeRefusal.STARTED: "已有考场开考，不能再改开考时间。可以改考试时长，或给考场补时。",
    ChangeRefusal.NOT_RUNNING: "该考场尚未开考，不能补时。",
    ChangeRefusal.OVER: "该场次或考场已经结束。",
    ChangeRefusal.OUT_OF_BOUNDS: "没有变化，或超出允许范围：须在今天、在现在之后，一次不超过4小时。",
    ChangeRefusal.UNKNOWN_LOSS: "这段时间已经有了决定。",
    ChangeRefusal.UNKNOWN_GRANT: "这次补时已经撤回。",
    ChangeRefusal.SAME_ROOM: "考生已在这个考室。",
    ChangeRefusal.OCCUPIED: "该考室另有场次。",
}
LOSS_WORDS: Final[Mapping[LossKind, str]] = {
    LossKind.WRONG_STOP: "误响终止铃",
    LossKind.WRONG_START: "误响开考铃",
    LossKind.INTERRUPTION: "疏散中断",
    LossKind.EARLY_STOP: "提前终止",
    LossKind.LATE_STOP: "推迟终止",
}
PLAN_WORDS: Final[Mapping[PlanKind, str]] = {
    PlanKind.START: "开考时间",
    PlanKind.DURATION: "考试时长",
    PlanKind.CANCELLED: "取消场次",
}


def change_words(proposal: Proposal, rooms: Mapping[int, Room]) -> str:
    """The change in one line."""
    change, session = proposal.change, proposal.course.session
    match change:
        case MoveStart(to_us):
            words = f"开考时间由 {minute_words(session.planned_start_us)} 改为 {minute_words(to_us)}"
        case ChangeDuration(to_us):
            words = f"考试时长由{session.duration_us // MINUTE_US}分钟改为{to_us // MINUTE_US}分钟"
        case Cancel():
            words = "取消场次"
        case GrantTime(room_id, granted_us):
            label = rooms[room_id].label
            words = f"{label}补时{granted_us // MINUTE_US}分钟" if granted_us else f"{label}不补时"
        case WithdrawGrant():
            words = "撤回补时"
        case _:
            words = "其他变更"
    return f"{session.code} {session.subject}：{words}"
