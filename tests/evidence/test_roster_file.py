"""Reading roster files as sites really have them: XLSX and CSV, in the encodings of the country."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

import evidence.roster_file
from config.roster_columns import load_roster_columns
from evidence.roster_file import RosterFileError, RosterTable, read_roster_file
from exam.roster import Field
from tests.world import invented_number

HEADINGS = ("姓名", "证件类型", "证件号码", "准考证号", "场次", "考场")
ROW = ("张晓明", "居民身份证", invented_number(1), "992600000001", "T1", "第1考场")
COLUMNS = load_roster_columns()


def write_xlsx(path: Path, *rows: Sequence[object]) -> Path:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    for row in rows:
        sheet.append(row)
    workbook.save(path)
    return path


def write_csv(path: Path, *rows: Sequence[str], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    path.write_text("\r\n".join(delimiter.join(row) for row in rows), encoding=encoding)
    return path


def read(path: Path) -> RosterTable:
    return read_roster_file(path, COLUMNS)


def fault(path: Path) -> str:
    with pytest.raises(RosterFileError) as error:
        read(path)
    return str(error.value)


def test_rows_keep_the_numbers_a_spreadsheet_shows(tmp_path: Path) -> None:
    table = read(write_xlsx(tmp_path / "r.xlsx", ("参考花名册",), (), HEADINGS, ROW, (), ROW))
    assert [row.row_no for row in table.rows] == [4, 6]
    assert table.rows[0].text(Field.NAME) == "张晓明"
    assert table.headings[Field.TICKET_NO] == "准考证号"


def test_a_number_cell_is_marked_and_a_text_cell_is_not(tmp_path: Path) -> None:
    row = ("张晓明", True, 990101199003070017, 9926.5, 3.0, None)
    [read_row] = read(write_xlsx(tmp_path / "r.xlsx", HEADINGS, row)).rows
    marked = {field for field in Field if read_row.is_number(field)}
    assert marked == {Field.DOCUMENT_TYPE, Field.ID_NUMBER, Field.TICKET_NO, Field.SESSION}
    assert read_row.text(Field.SESSION) == "3"
    assert read_row.text(Field.ROOM) == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_is_read_in_every_usual_encoding(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = write_csv(tmp_path / "r.csv", HEADINGS, ROW, encoding=encoding, delimiter=delimiter)
    [row] = read(path).rows
    assert (row.row_no, row.text(Field.NAME), row.text(Field.ROOM)) == (2, "张晓明", "第1考场")


@pytest.mark.parametrize("written", ["'{}", '"=""{}"""', "\t{}"])
def test_what_keeps_spreadsheets_from_touching_a_number_is_undone(tmp_path: Path, written: str) -> None:
    cells = [*ROW[:2], written.format(ROW[2]), *ROW[3:]]
    [row] = read(write_csv(tmp_path / "r.csv", HEADINGS, cells)).rows
    assert row.text(Field.ID_NUMBER) == invented_number(1)


def test_an_empty_cell_between_others_is_empty(tmp_path: Path) -> None:
    [row] = read(write_xlsx(tmp_path / "r.xlsx", HEADINGS, (ROW[0], None, *ROW[2:]))).rows
    assert (row.text(Field.DOCUMENT_TYPE), row.text(Field.ID_NUMBER)) == ("", invented_number(1))


def test_columns_nobody_needs_are_ignored_and_named(tmp_path: Path) -> None:
    table = read(write_xlsx(tmp_path / "r.xlsx", ("序号", *HEADINGS, "备注", None), (1, *ROW, "无")))
    assert table.ignored == ("序号", "备注")


def test_a_short_row_simply_lacks_its_last_cells(tmp_path: Path) -> None:
    [row] = read(write_csv(tmp_path / "r.csv", HEADINGS, ROW[:3])).rows
    assert row.text(Field.ROOM) == ""
    assert not row.is_number(Field.ROOM)


def test_the_same_bytes_have_the_same_digest(tmp_path: Path) -> None:
    one = write_csv(tmp_path / "1.csv", HEADINGS, ROW)
    other = write_csv(tmp_path / "2.csv", HEADINGS, ROW, encoding="gbk")
    assert read(one).sha256 == read(one).sha256 != read(other).sha256


def test_missing_and_doubled_columns_are_all_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", ("姓名", "准考证号", "准考证号码", "考场"), ROW)
    words = fault(path)
    assert all(f"缺少“{name}”列" in words for name in ("证件类型", "证件号码", "场次"))
    assert "“准考证号”列出现了2次" in words


def test_a_file_without_headings_says_which_are_needed(tmp_path: Path) -> None:
    assert "姓名”“证件类型”“证件号码”“准考证号”“场次”“考场" in fault(write_csv(tmp_path / "r.csv", ROW, ROW))


def test_headings_without_candidates_are_refused(tmp_path: Path) -> None:
    assert "没有考生" in fault(write_csv(tmp_path / "r.csv", HEADINGS, ("", " ")))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "absent.xlsx" in fault(tmp_path / "absent.xlsx")


def test_an_old_or_locked_workbook_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "r.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 512)
    assert "另存为" in fault(path)


def test_text_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"\xff\x00\xff\x81\xff")
    assert "编码无法识别" in fault(path)


def test_a_broken_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("姓名," + "x" * 200_000, encoding="utf-8")
    assert "不是有效的 CSV" in fault(path)


def test_every_cut_of_a_workbook_is_refused_and_none_crashes(tmp_path: Path) -> None:
    whole = write_xlsx(tmp_path / "r.xlsx", HEADINGS, ROW).read_bytes()
    path = tmp_path / "cut.xlsx"
    for length in range(4, len(whole) - 30, 97):
        path.write_bytes(whole[:length])
        assert "不是完整的 .xlsx" in fault(path)


def test_a_damaged_member_of_a_workbook_is_refused(tmp_path: Path) -> None:
    whole = bytearray(write_xlsx(tmp_path / "r.xlsx", HEADINGS, *[ROW] * 50).read_bytes())
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        member = archive.getinfo("xl/worksheets/sheet1.xml")
    start = member.header_offset + 30 + len(member.filename) + 10
    whole[start : start + 40] = bytes(40)
    path = tmp_path / "damaged.xlsx"
    path.write_bytes(whole)
    assert "不是完整的 .xlsx" in fault(path)


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "不是完整的 .xlsx" in fault(path)


def test_a_workbook_with_charts_only_is_refused(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.create_chartsheet("图表", 0)
    workbook.remove(workbook["Sheet"])
    workbook.save(tmp_path / "r.xlsx")
    assert "不是完整的 .xlsx" in fault(tmp_path / "r.xlsx")


def test_files_too_large_are_refused_before_they_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbook = write_xlsx(tmp_path / "r.xlsx", HEADINGS, ROW)
    rows = write_csv(tmp_path / "r.csv", HEADINGS, ROW, ROW)
    monkeypatch.setattr(evidence.roster_file, "MAX_ROWS", 2)
    assert "超过2行" in fault(rows)
    monkeypatch.setattr(evidence.roster_file, "MAX_UNPACKED_BYTES", 1000)
    assert "解压后过大" in fault(workbook)
    monkeypatch.setattr(evidence.roster_file, "MAX_BYTES", 100)
    assert "文件超过" in fault(workbook)
