from pathlib import Path

import pytest

from config.log_entries import Concerns, LogKind, LogKindsError, load_log_kinds


def kind(code: str) -> LogKind:
    return load_log_kinds()[code]


def test_the_shipped_kinds_come_in_the_order_of_the_page() -> None:
    kinds = load_log_kinds()
    assert list(kinds)[:2] == ["absent", "late"]
    assert [one.code for one in kinds.values() if one.correction_only] == ["withdrawn"]


@pytest.mark.parametrize(
    ("code", "has_candidate", "text", "is_correction", "fault"),
    [
        ("absent", True, "", False, None),
        ("absent", False, "", False, "请选择考生座位"),
        ("equipment", False, "", False, None),
        ("other", True, "", False, "请填写情况说明"),
        ("other", False, "停电三分钟", False, None),
        ("withdrawn", False, "", False, "只能用于更正"),
        ("withdrawn", False, "", True, None),
    ],
)
def test_an_incomplete_entry_is_told_what_is_missing(
    code: str, has_candidate: bool, text: str, is_correction: bool, fault: str | None
) -> None:
    found = kind(code).fault(has_candidate=has_candidate, text=text, is_correction=is_correction)
    assert (found is None) if fault is None else (found is not None and fault in found)


def test_an_entry_about_the_room_names_no_candidate() -> None:
    room = kind("equipment").model_copy(update={"concerns": Concerns.ROOM})
    found = room.fault(has_candidate=True, text="", is_correction=False)
    assert found is not None
    assert "整个考场" in found


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("kinds = []", "kinds"),
        ("not toml", "log.toml"),
        ('[[kinds]]\ncode = "X"\nword = "甲"\nconcerns = "seat"\ntext = "optional"\ntone = "quiet"', "code"),
        (
            '[[kinds]]\ncode = "aa"\nword = "甲"\nconcerns = "seat"\ntext = "optional"\ntone = "quiet"\n' * 2,
            "twice",
        ),
    ],
)
def test_a_faulty_file_is_refused_with_its_reason(tmp_path: Path, content: str, fault: str) -> None:
    file = tmp_path / "log.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(LogKindsError, match=fault):
        load_log_kinds(file)
