import hashlib
from pathlib import Path

import pytest

from config.procedures import (
    FOLDER,
    ProcedureError,
    load_procedures,
    read_procedure,
    read_procedures,
    site_faults,
)
from exam.clock import MINUTE_US, SECOND_US
from exam.day import SessionKind
from exam.procedure import Anchor, Procedure, Signal, Trigger

SMALL = """
title = "小程序"
session_kind = "theory"
check_in_opens = "15 min"
late_cutoff = "30 min"
bell = "1.5 s"

[[cues]]
code = "C5"
title = "开考"
anchor = "planned_start"
offset = "0 s"
tolerance = "2 s"
kind = "bell"
text = "考试开始。"
audience = ["rooms"]
signal = "start_signal"

[[cues]]
code = "C8"
title = "结束"
anchor = "planned_end"
tolerance = "2 s"
kind = "bell"
text = "考试结束。"
audience = ["rooms"]
signal = "stop_signal"

[[cues]]
code = "B1"
title = "考务工作会"
offset = "-60 min"
tolerance = "10 min"
kind = "prompt"
text = "请召开考务工作会。"
audience = ["office"]
roles = ["site_lead"]
confirmation = "已开会"
checklist = [
  { code = "clocks", words = "已核准时间" },
  { code = "rules", words = "规则", roles = ["proctor"] },
]
""" + "".join(
    f"""
[[cues]]
code = "{code}"
title = "{title}"
tolerance = "10 s"
kind = "voice"
text = "{title}。"
audience = ["rooms"]
roles = ["site_lead"]
trigger = "on_demand"
signal = "{signal}"
"""
    for code, title, signal in (
        ("X1", "铃声有误", "correction"),
        ("X2", "疏散", "evacuation"),
        ("X3", "恢复", "resume"),
    )
)


def written(folder: Path, text: str, name: str = "small") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def offsets(procedure: Procedure, anchor: Anchor) -> dict[str, int]:
    return {cue.code: cue.offset_us for cue in procedure.cues if cue.anchor is anchor and cue.is_scheduled}


def test_a_file_becomes_a_procedure_named_after_it(tmp_path: Path) -> None:
    procedure = read_procedure(written(tmp_path, SMALL))
    assert procedure.code == "small"
    assert procedure.bell_us == 1_500_000
    assert procedure.early_exit_us is None
    assert (procedure.room_opens_us, procedure.handover_us) == (None, None)
    assert [cue.code for cue in procedure.cues] == ["C5", "C8", "B1", "X1", "X2", "X3"]
    assert [check.words for check in procedure.cues[2].checklist] == ["已核准时间", "规则"]
    assert procedure.cues[2].checklist[1].roles == {"proctor"}
    assert procedure.sha256 == hashlib.sha256(SMALL.encode()).hexdigest()


def test_theory_has_every_cue_at_the_offset_the_governing_procedure_asks_for() -> None:
    theory = load_procedures()["theory"]
    before = offsets(theory, Anchor.PLANNED_START)
    assert {code: before[code] // MINUTE_US for code in ("B1", "C1", "C2", "C3", "C4", "C5")} == {
        "B1": -60,
        "C1": -30,
        "C2": -15,
        "C3": -10,
        "C4": -5,
        "C5": 0,
    }
    assert offsets(theory, Anchor.START)["C6"] == 30 * MINUTE_US
    assert offsets(theory, Anchor.PLANNED_END) == {"C7": -15 * MINUTE_US, "C8": 0}
    assert {"C9", "D2"} <= set(offsets(theory, Anchor.END))
    assert {cue.code for cue in theory.cues if cue.trigger is Trigger.ON_DEMAND} == {"X1", "X2", "X3"}
    assert (theory.check_in_opens_us, theory.late_cutoff_us) == (15 * MINUTE_US, 30 * MINUTE_US)


def test_the_start_of_practical_and_review_is_never_automatic_and_lateness_is_for_people() -> None:
    procedures = load_procedures()
    for name in ("practical", "demo_practical"):
        assert procedures[name].start_mode is Trigger.ASSESSOR_PRESS
        assert procedures[name].signal_cue(Signal.STOP_SIGNAL).trigger is Trigger.ASSESSOR_PRESS
        assert procedures[name].late_cutoff_us is None
    for name in ("review", "demo_review"):
        assert procedures[name].start_mode is Trigger.CHAIR_PRESS
        assert procedures[name].late_cutoff_us is None


@pytest.mark.parametrize("kind", list(SessionKind))
def test_the_demo_shortens_a_procedure_without_dropping_a_cue(kind: SessionKind) -> None:
    full, demo = load_procedures()[kind], load_procedures()[f"demo_{kind}"]
    assert [(cue.code, cue.kind, cue.signal, cue.trigger) for cue in demo.cues] == [
        (cue.code, cue.kind, cue.signal, cue.trigger) for cue in full.cues
    ]
    assert min(cue.offset_us for cue in demo.cues) >= -70 * SECOND_US
    assert demo.session_kind is full.session_kind is kind


def test_rooms_are_recorded_from_the_opening_that_the_reference_names() -> None:
    procedures = load_procedures()
    opens = {kind: procedures[kind].room_opens_us for kind in SessionKind}
    assert opens == {"theory": 60 * MINUTE_US, "practical": 40 * MINUTE_US, "review": 20 * MINUTE_US}
    for kind in SessionKind:
        assert procedures[kind].handover_us == 15 * MINUTE_US
        assert procedures[f"demo_{kind}"].room_opens_us in range(45 * SECOND_US, 60 * SECOND_US + 1)
        assert procedures[f"demo_{kind}"].handover_us == 20 * SECOND_US


def test_every_shipped_file_is_sound() -> None:
    assert set(load_procedures()) == {path.stem for path in FOLDER.glob("*.toml")}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('bell = "1.5 s"', 'bell = "soon"', "bell：'soon' 不是时间长度"),
        ('bell = "1.5 s"', "bell = 15", "bell：15 不是时间长度"),
        ('kind = "bell"', 'kind = "gong"', "第1步 kind：只能是 'bell', 'chime_voice'"),
        ('title = "开考"', 'titel = "开考"', "第1步 titel：没有这个键（请检查拼写）"),
        ('title = "开考"', "", "第1步 title：缺少这一项"),
        ('title = "开考"', "title = 5", "第1步 title：须是文字（用引号）"),
        ('audience = ["rooms"]', 'audience = "rooms"', "第1步 audience：须是列表（用方括号）"),
        ('code = "C5"', 'code = "five"', "步骤 five：编号须是一个大写字母加一至两位数字"),
        ('check_in_opens = "15 min"', 'check_in_opens = "-1 h"', "check_in_opens：签到须在计划开考之前开放"),
    ],
)
def test_a_fault_is_told_with_its_file_and_place(tmp_path: Path, old: str, new: str, fault: str) -> None:
    path = written(tmp_path, SMALL.replace(old, new, 1))
    with pytest.raises(ProcedureError) as caught:
        read_procedure(path)
    assert str(path) in str(caught.value)
    assert fault in str(caught.value)


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, SMALL.replace('bell = "1.5 s"', 'bell = "x"').replace("theory", "practise"), "one")
    written(tmp_path, "title = ", "two")
    with pytest.raises(ProcedureError) as caught:
        read_procedures(tmp_path)
    words = str(caught.value)
    assert "one.toml：2 处错误" in words
    assert "two.toml：不是有效的 TOML" in words


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError, match=r"absent\.toml：读不出来"):
        read_procedure(tmp_path / "absent.toml")


def test_a_folder_without_procedures_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ProcedureError, match="没有流程文件"):
        read_procedures(tmp_path)


def test_shape_and_sense_are_judged_in_one_go(tmp_path: Path) -> None:
    broken = SMALL.replace('kind = "bell"', 'kind = "gong"', 1).replace(
        'tolerance = "10 min"', 'tolerance = "0 s"'
    )
    with pytest.raises(ProcedureError) as caught:
        read_procedure(written(tmp_path, broken))
    assert "2 处错误" in str(caught.value)
    assert "步骤 B1：tolerance 须大于零" in str(caught.value)


def test_a_file_whose_cues_are_no_list_is_told_so(tmp_path: Path) -> None:
    head, _, _ = SMALL.partition("[[cues]]")
    with pytest.raises(ProcedureError, match="cues：须是列表"):
        read_procedure(written(tmp_path, head + 'cues = "none"'))


def test_the_sites_own_procedures_come_before_those_of_the_product(tmp_path: Path) -> None:
    written(tmp_path, SMALL, "theory")
    written(tmp_path, SMALL, "ours")
    found = load_procedures(tmp_path)
    assert found["theory"].title == found["ours"].title == "小程序"
    assert found["practical"] == load_procedures()["practical"]
    assert site_faults(tmp_path) == site_faults(None) == []


def test_a_faulty_own_procedure_leaves_its_sessions_without_one(tmp_path: Path) -> None:
    written(tmp_path, "title = ", "theory")
    assert "theory" not in load_procedures(tmp_path)
    (fault,) = site_faults(tmp_path)
    assert "theory.toml：不是有效的 TOML" in fault


@pytest.mark.parametrize("kind", list(SessionKind))
def test_every_briefing_names_what_must_be_confirmed(kind: SessionKind) -> None:
    briefing = load_procedures()[kind].cue("B1")
    assert briefing is not None
    assert briefing.checklist[0].words == "已核准时间"
    assert len(briefing.checklist) >= 4
