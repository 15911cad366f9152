"""How the archive pages speak: why footage stays, where a hold stands, why a disposal was refused."""

from collections.abc import Mapping
from typing import Final

from evidence.disposal_permit import DisposalRefusal
from exam.clock import site_time
from exam.disposal_approval import ApprovalFault
from exam.holds import HoldKind, HoldState, HoldStep
from exam.joint_decisions import Step
from exam.retention import KeepReason

KIB: Final = 1024

KEEP_WORDS: Final[Mapping[str, str]] = {
    KeepReason.WITHIN_PERIOD: "保存期内",
    KeepReason.BATCH_OPEN: "批次未结束",
    KeepReason.NO_BATCH: "不属于任何批次",
    KeepReason.LEGAL_HOLD: "已封存",
    KeepReason.RESTRICTED: "限制处理",
    KeepReason.DAMAGED: "文件缺失或损坏，待查",
    KeepReason.NOT_IN_LEDGER: "台账中没有记录",
}

REFUSAL_WORDS: Final[Mapping[str, str]] = {
    **KEEP_WORDS,
    DisposalRefusal.LEDGER_UNSOUND: "台账与签名不符或尚未签名",
    DisposalRefusal.UNKNOWN_ORDER: "台账中没有这项执行指令",
    DisposalRefusal.UNKNOWN_PLAN: "台账中没有这份清册",
    DisposalRefusal.PLAN_REJECTED: "清册已被否决",
    DisposalRefusal.PLAN_CHANGED: "清册在拟定之后有改动",
    DisposalRefusal.NOT_IN_PLAN: "清册没有列入这个文件",
    DisposalRefusal.UNKNOWN_SEGMENT: "索引中没有这个文件",
    DisposalRefusal.RECORD_CHANGED: "索引、清册与台账不一致",
    DisposalRefusal.NO_OUTSIDE_TIME: "没有有效的外部时间证明",
    DisposalRefusal.TOO_EARLY_OUTSIDE: "外部时间证明早于保存期届满之日",
    DisposalRefusal.OTHER_PLAN: "另一份清册已经列入这个文件",
    DisposalRefusal.VOLUME_ABSENT: "存储介质没有接上或不是原来的介质",
    DisposalRefusal.MIRROR_ABSENT: "第二份副本所在的盘没有接上，副本会留下来",
    DisposalRefusal.BEING_RELOCATED: "文件正在迁回原来的介质，完成后再办",
    DisposalRefusal.FILE_MISSING: "文件不在原处",
    DisposalRefusal.FILE_DAMAGED: "文件内容与登记的校验值不符",
    DisposalRefusal.DISK_REFUSES: "文件系统不允许读取或删除",
    ApprovalFault.NOT_PROPOSED_BY_ARCHIVIST: "不是由档案管理员拟定",
    ApprovalFault.TOO_FEW_APPROVALS: "批准人数不足",
    ApprovalFault.NO_SITE_LEAD: "没有现场负责人批准",
    ApprovalFault.SAME_PERSON: "同一人重复参与",
    ApprovalFault.WRONG_ROLE: "批准人没有审批权限",
    ApprovalFault.ADMINISTRATOR: "系统管理员不得参与",
    ApprovalFault.TOO_FEW_WITNESSES: "监销人不足两名",
    ApprovalFault.OTHER_PLAN: "批准的是另一份清册",
    ApprovalFault.NO_BADGE: "账户没有证卡号，不能确定是谁",
    ApprovalFault.REGISTERED_TIME: "时间来源由拟定、审批或监销人登记",
}

HOLD_KIND_WORDS: Final[Mapping[HoldKind, str]] = {
    HoldKind.LEGAL_HOLD: "封存",
    HoldKind.RESTRICTION: "限制处理",
}

# Shape and word of each state.
HOLD_STATE_WORDS: Final[Mapping[HoldState, tuple[str, str]]] = {
    HoldState.PROPOSED: ("wait", "待另一人确认"),
    HoldState.IN_FORCE: ("good", "生效"),
    HoldState.LIFT_PROPOSED: ("wait", "申请解除，待另一人确认"),
    HoldState.WITHDRAWN: ("off", "未予确认"),
    HoldState.LIFTED: ("off", "已解除"),
}

STEP_WORDS: Final[Mapping[HoldStep, str]] = {
    HoldStep.PROPOSED: "提出",
    HoldStep.CONFIRMED: "确认",
    HoldStep.WITHDRAWN: "不予确认",
    HoldStep.LIFT_PROPOSED: "申请解除",
    HoldStep.LIFT_REFUSED: "不同意解除",
    HoldStep.LIFTED: "同意解除",
}

JOINT_STEP_WORDS: Final[Mapping[Step, str]] = {
    Step.PROPOSED: "提出",
    Step.CONFIRMED: "确认",
    Step.WITHDRAWN: "撤回",
}


def refusal_words(reasons: str) -> str:
    """Codes of a refusal, separated by spaces, as a sentence part."""
    return "；".join(REFUSAL_WORDS.get(code, code) for code in reasons.split())


def size_words(size_bytes: int) -> str:
    """1.5 GB, in steps of 1024."""
    size = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if size < KIB:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= KIB
    return f"{size:.1f} TB"


def moment_words(moment_us: int) -> str:
    """2032年1月5日 09:00:00"""
    moment = site_time(moment_us)
    return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M:%S}"


def last_day_words(end_us: int) -> str:
    """The last day of a period that ends at this moment: 2031年12月31日"""
    moment = site_time(end_us - 1)
    return f"{moment.year}年{moment.month}月{moment.day}日"


def quarter_words(quarter: str) -> str:
    """2032年第1季度起可以销毁, from '2032 Q1'."""
    year, _space, number = quarter.partition(" Q")
    return f"{year}年第{number}季度" if number else "永久保存，直至有人处理"
