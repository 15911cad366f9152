from dataclasses import replace

import pytest

from exam.procedure import Anchor, Audience, Check, Cue, CueKind, Procedure, Signal, Trigger
from exam.procedure_faults import cue_faults, faults
from tests.exam.day_with_cues import (
    CHAIRED,
    CORRECTION,
    EVACUATION,
    HEADCOUNT,
    ON_DEMAND,
    PRESSED,
    RELEASE,
    START,
    STOP,
    THEORY,
    VOICE,
    WARNING,
)


def with_cues(*cues: Cue) -> Procedure:
    return replace(THEORY, cues=(*cues, *ON_DEMAND))


def test_a_sound_procedure_has_no_faults() -> None:
    assert faults(THEORY) == faults(PRESSED) == faults(CHAIRED) == []


def test_every_fault_is_told_at_once() -> None:
    broken = replace(THEORY, check_in_opens_us=0, late_cutoff_us=0, early_exit_us=-1, bell_us=0, cues=())
    assert faults(broken) == [
        "check_in_opens：签到须在计划开考之前开放",
        "late_cutoff：须在开考之后；由人决定时请删去这一行",
        "early_exit：须在开考之后；由人决定时请删去这一行",
        "bell：铃声须有长度",
        *(
            f"cues：须有且只有一个 {signal}，现有 0 个"
            for signal in ("start_signal", "stop_signal", "correction", "evacuation", "resume")
        ),
    ]


def test_limits_that_people_decide_may_be_left_out() -> None:
    assert faults(replace(THEORY, late_cutoff_us=None, early_exit_us=None)) == []


def test_footage_is_owed_from_before_check_in_until_after_the_stop() -> None:
    sound = replace(THEORY, room_opens_us=THEORY.check_in_opens_us, handover_us=1)
    assert faults(sound) == []
    assert faults(replace(sound, room_opens_us=THEORY.check_in_opens_us - 1, handover_us=0)) == [
        "room_opens：考场开放不能晚于签到开放（check_in_opens）",
        "handover：须在终止信号之后；不需要时请删去这一行",
    ]


def test_the_handover_step_is_a_tick_after_the_end() -> None:
    assert faults(replace(THEORY, handover_step="C9", closing_step="C9")) == []
    (closing,) = faults(replace(THEORY, closing_step="C5"))
    assert closing.startswith("closing_step：")
    silent = replace(RELEASE, code="D2", confirmation=None)
    for step, procedure in (
        ("Z9", THEORY),
        ("C6", THEORY),
        ("D2", with_cues(START, STOP, silent)),
    ):
        (fault,) = faults(replace(procedure, handover_step=step))
        assert fault.startswith("handover_step：")


def test_a_code_serves_one_cue_only() -> None:
    assert faults(with_cues(VOICE, VOICE, START, STOP)) == ["步骤 C2：编号用了 2 次"]


def test_a_procedure_has_one_start_and_one_correction() -> None:
    assert faults(with_cues(START, replace(START, code="C4"), STOP)) == [
        "cues：须有且只有一个 start_signal，现有 2 个"
    ]
    assert faults(replace(THEORY, cues=THEORY.cues[:-1])) == ["cues：须有且只有一个 resume，现有 0 个"]
    assert THEORY.signal_cue(Signal.START_SIGNAL) is START


def test_practical_and_review_are_never_started_or_stopped_by_the_clock() -> None:
    automatic = replace(PRESSED, cues=(START, STOP, *ON_DEMAND))
    words = "操作技能考核和综合评审的开始与结束须由人发出，不能自动响铃"
    assert faults(automatic) == [f"步骤 C5：{words}", f"步骤 C8：{words}"]


@pytest.mark.parametrize(
    ("cue", "fault"),
    [
        (replace(VOICE, code="bell"), "步骤 bell：编号须是一个大写字母加一至两位数字"),
        (replace(VOICE, title=" "), "步骤 C2：title 为空"),
        (replace(VOICE, text=""), "步骤 C2：text 为空"),
        (replace(HEADCOUNT, audience=frozenset()), "步骤 C6：audience 为空：没有人会看到或听到"),
        (replace(VOICE, tolerance_us=0), "步骤 C2：tolerance 须大于零，否则永远不会播报"),
        (
            replace(VOICE, audience=frozenset({Audience.TABLET})),
            "步骤 C2：有声音，但 audience 中没有 rooms 或 speakers",
        ),
        (
            replace(HEADCOUNT, audience=frozenset({Audience.SPEAKERS})),
            "步骤 C6：只作提示（prompt），不能给 rooms 或 speakers：考生会看到",
        ),
        (replace(HEADCOUNT, roles=frozenset()), "步骤 C6：需要确认，但 roles 为空"),
        (replace(HEADCOUNT, roles=frozenset({"teacher"})), "步骤 C6：没有“teacher”这种岗位"),
        (
            replace(VOICE, trigger=Trigger.ON_DEMAND, roles=frozenset(), confirmation=None),
            "步骤 C2：须由人发出，但 roles 为空",
        ),
        (
            replace(HEADCOUNT, offset_us=0),
            "步骤 C6：不能安排在实际开考之时或之前；请用 planned_start 计算",
        ),
        (
            replace(HEADCOUNT, anchor=Anchor.END, offset_us=-1),
            "步骤 C6：不能安排在实际终止之前；请用 planned_end 计算",
        ),
        (
            replace(WARNING, offset_us=0),
            '步骤 C7：预告时间须在计划终止之前（anchor = "planned_end"，offset 为负）',
        ),
    ],
)
def test_a_faulty_cue_is_named_with_its_fault(cue: Cue, fault: str) -> None:
    assert fault in faults(with_cues(cue, START, STOP))


@pytest.mark.parametrize(
    ("checklist", "fault"),
    [
        ((Check("a", "甲"), Check("a", "乙")), "核对清单“a”：编号须是小写字母开头的短词，且不能重复"),
        ((Check("甲", "甲"),), "核对清单“甲”：编号须是小写字母开头的短词，且不能重复"),
        ((Check("a", " "),), "核对清单中有一条没有文字（words）"),
        ((Check("a", "甲", frozenset({"cook"})),), "没有“cook”这种岗位"),
    ],
)
def test_a_checklist_says_what_and_who(checklist: tuple[Check, ...], fault: str) -> None:
    assert cue_faults(replace(HEADCOUNT, checklist=checklist)) == [f"步骤 C6：{fault}"]


def test_a_checklist_without_a_word_for_the_whole_confirms_nothing() -> None:
    cue = replace(HEADCOUNT, confirmation=None, checklist=(Check("a", "甲"),))
    assert cue_faults(cue) == ["步骤 C6：有核对清单（checklist），但没有 confirmation"]


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        (replace(START, offset_us=1), "start_signal 须在 planned_start，offset 为 0"),
        (replace(START, anchor=Anchor.PLANNED_END), "start_signal 须在 planned_start，offset 为 0"),
        (
            replace(START, kind=CueKind.PROMPT, audience=frozenset({Audience.TABLET})),
            "start_signal 须有声音",
        ),
        (replace(START, tolerance_us=2_000_001), "start_signal 最多迟 2 秒"),
        (replace(START, trigger=Trigger.ON_DEMAND), "start_signal 不能是 on_demand"),
        (replace(CORRECTION, trigger=Trigger.AUTOMATIC), 'correction 须随时可按（trigger = "on_demand"）'),
        (replace(EVACUATION, trigger=Trigger.CHAIR_PRESS), 'evacuation 须随时可按（trigger = "on_demand"）'),
    ],
)
def test_a_signal_that_could_be_early_late_or_silent_is_refused(start: Cue, fault: str) -> None:
    assert cue_faults(start) == [f"步骤 {start.code}：{fault}"]
