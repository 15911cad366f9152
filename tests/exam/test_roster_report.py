"""The import report: what people read before they trust an import."""

from exam.roster import Field, RowFault
from exam.roster_changes import Changes, Stored, compare
from exam.roster_report import SHOWN_LINES, ImportReport
from tests.exam.rosters import checked
from tests.exam.test_roster_changes import entry, index, stored
from tests.world import invented_number


def report(
    changes: Changes | None = None,
    *,
    faults: tuple[RowFault, ...] = (),
    warnings: tuple[RowFault, ...] = (),
    is_dry_run: bool = False,
    ignored: tuple[str, ...] = (),
) -> ImportReport:
    return ImportReport(
        file_name="花名册.xlsx",
        batch_code="B1",
        is_dry_run=is_dry_run,
        rows_read=2,
        headings={Field.ID_NUMBER: "身份证号"},
        ignored=ignored,
        faults=faults,
        warnings=warnings,
        changes=changes,
    )


def test_a_refusal_names_row_column_and_reason_in_the_words_of_the_file() -> None:
    faults = (
        RowFault(5, Field.ID_NUMBER, "位数不对"),
        RowFault(3, None, "缺少“姓名”列"),
        RowFault(None, None, "读不了"),
    )
    refused = report(faults=faults)
    assert refused.is_refused
    assert refused.to_text().splitlines() == [
        "花名册 花名册.xlsx（批次 B1）：读取 2 行",
        "有 3 处错误，未作任何修改：",
        "  第5行“身份证号”：位数不对",
        "  第3行：缺少“姓名”列",
        "  文件：读不了",
    ]


def test_forbidden_changes_are_not_announced_as_made() -> None:
    changes = compare([entry(checked(1))], stored(1), index)
    text = report(changes, faults=(RowFault(1, Field.PLACE, "考生已签到"),)).to_text()
    assert "已导入" not in text
    assert "“place”" in text


def test_a_first_import_counts_and_does_not_list_everybody() -> None:
    first = report(compare([entry(checked(1)), entry(checked(2))], Stored((), ()), index), ignored=("序号",))
    assert not first.is_unchanged
    assert first.to_text().splitlines()[1:] == ["未使用的列：序号", "已导入：新增 2，修改 0，删除 0，不变 0"]


def test_a_later_import_lists_what_is_new_changed_and_gone() -> None:
    entries = [entry(checked(1, name="张三丰")), entry(checked(3))]
    lines = report(compare(entries, stored(1, 2), index)).to_text().splitlines()
    assert lines[1:] == [
        "已导入：新增 1，修改 1，删除 1，不变 0",
        "  修改 第1行 张*丰（992600000001）：姓名",
        "  删除 考*2（992600000002） 第1考场 2号",
        "  新增 第3行 考*3（992600000003） 第1考场 3号",
    ]


def test_a_dry_run_says_that_nothing_was_changed() -> None:
    text = report(compare([entry(checked(1))], stored(1), index), is_dry_run=True).to_text()
    assert "试运行，未作任何修改；若导入将新增 0，修改 0，删除 0，不变 1" in text


def test_the_same_roster_again_is_unchanged() -> None:
    assert report(compare([entry(checked(1))], stored(1), index)).is_unchanged
    assert not report().is_unchanged


def test_warnings_follow_and_are_called_harmless() -> None:
    warned = report(
        compare([entry(checked(1))], stored(1), index),
        warnings=(RowFault(1, Field.ID_NUMBER, "号码中的出生日期不合理"),),
    )
    assert warned.to_text().splitlines()[-2:] == [
        "请核对（不影响导入）：1 处",
        "  第1行“身份证号”：号码中的出生日期不合理",
    ]


def test_a_long_list_is_cut_and_says_so() -> None:
    faults = tuple(RowFault(number, None, "错") for number in range(1, SHOWN_LINES + 6))
    lines = report(faults=faults).to_text().splitlines()
    assert len(lines) == SHOWN_LINES + 3
    assert lines[-1] == "  …… 另有 5 处"


def test_no_report_holds_a_document_number() -> None:
    entries = [entry(checked(1, number=8)), entry(checked(3))]
    text = report(compare(entries, stored(1, 2), index)).to_text()
    assert not any(invented_number(number) in text for number in range(1, 10))
