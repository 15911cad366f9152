"""Checking roster rows: every fault with its row, its column and a reason somebody can act on."""

from dataclasses import replace
from datetime import date

import pytest

from exam.identity import DocumentType
from exam.roster import Arrangement, CheckedRows, Field, RawCell, RawRow, check_rows
from tests.exam.rosters import ARRANGEMENT, COLUMNS, P1, ROOM_1, T1, raw
from tests.world import invented_number

TODAY = date(2026, 11, 22)


def check(*rows: RawRow, arrangement: Arrangement = ARRANGEMENT) -> CheckedRows:
    return check_rows(rows, arrangement, COLUMNS, TODAY)


def test_a_sound_row_is_understood() -> None:
    [row] = check(raw(1, place="12", employer="青山机电")).rows
    assert (row.name, row.document_type, row.employer) == ("考生1", DocumentType.ID_CARD, "青山机电")
    assert (row.session, row.room) == (T1, ROOM_1)
    assert row.place is not None
    assert row.place.label == "12"


def test_numbers_are_stored_in_their_normal_form() -> None:
    written = f" {invented_number(1)[:6]} {invented_number(1)[6:].lower()} "
    [row] = check(raw(1, id_number=written, ticket_no=" ９９２６0001a")).rows
    assert row.id_number == invented_number(1)
    assert row.ticket_no == "99260001A"


@pytest.mark.parametrize("room", ["第1考场", " 第 1 考场", "R01", "第１考场"])
def test_a_room_is_found_by_its_label_or_its_code(room: str) -> None:
    [row] = check(raw(1, room=room)).rows
    assert row.room == ROOM_1


@pytest.mark.parametrize("place", ["3", "03", "3号", "３"])
def test_a_place_is_found_however_its_number_is_written(place: str) -> None:
    [row] = check(raw(1, place=place)).rows
    assert row.place is not None
    assert row.place.label == "3"


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"name": ""}, Field.NAME, "不能为空"),
        ({"name": "张" * 101}, Field.NAME, "过长"),
        ({"name": "张\x07"}, Field.NAME, "不可见字符"),
        ({"name": RawCell("42", is_number=True)}, Field.NAME, "单元格是数字"),
        ({"document_type": ""}, Field.DOCUMENT_TYPE, "不能为空"),
        ({"document_type": "学生证"}, Field.DOCUMENT_TYPE, "不认识“学生证”；可以填：身份证、护照"),
        ({"id_number": ""}, Field.ID_NUMBER, "不能为空"),
        ({"id_number": RawCell("990101199003070000", is_number=True)}, Field.ID_NUMBER, "丢失位数"),
        ({"id_number": "9.90101E+17"}, Field.ID_NUMBER, "科学计数法"),
        ({"id_number": "990101199003070000"}, Field.ID_NUMBER, "末三位是000"),
        ({"id_number": "990101900307001"}, Field.ID_NUMBER, "15位旧号码"),
        ({"id_number": "99010119900307001"}, Field.ID_NUMBER, "位数不对"),
        ({"id_number": "99010119900307O013"}, Field.ID_NUMBER, "不应出现的字符"),
        ({"ticket_no": ""}, Field.TICKET_NO, "不能为空"),
        ({"ticket_no": RawCell("992600000001", is_number=True)}, Field.TICKET_NO, "开头的0"),
        ({"ticket_no": "9.926E+11"}, Field.TICKET_NO, "科学计数法"),
        ({"session": ""}, Field.SESSION, "不能为空"),
        ({"session": "T7"}, Field.SESSION, "没有场次“T7”；已有场次：T1、P1、T9"),
        ({"session": "T9"}, Field.SESSION, "已取消"),
        ({"room": ""}, Field.ROOM, "不能为空"),
        ({"room": "第9考场"}, Field.ROOM, "考点没有考场“第9考场”"),
        ({"room": "实训室"}, Field.ROOM, "场次“T1”不使用考场“实训室”"),
        ({"place": "13"}, Field.PLACE, "第1考场没有“13”号"),
    ],
)
def test_a_fault_names_row_column_and_reason(
    cells: dict[str, str | RawCell], field: Field, reason: str
) -> None:
    result = check(raw(5, **cells))
    assert [(fault.row_no, fault.field) for fault in result.faults] == [(5, field)]
    assert reason in result.faults[0].reason
    assert result.rows == ()


def test_all_faults_of_all_rows_are_named_at_once_in_the_order_of_the_file() -> None:
    bad_digit = invented_number(3)[:-1] + ("0" if invented_number(3)[-1] != "0" else "1")
    result = check(raw(4, name="", room="第9考场"), raw(3, id_number=bad_digit), raw(5))
    assert [(fault.row_no, fault.field) for fault in result.faults] == [
        (3, Field.ID_NUMBER),
        (4, Field.NAME),
        (4, Field.ROOM),
    ]
    assert [row.row_no for row in result.rows] == [5]


def test_a_site_without_sessions_says_so() -> None:
    result = check(raw(1), arrangement=replace(ARRANGEMENT, sessions=()))
    assert "已有场次：无" in result.faults[0].reason


def test_other_documents_are_not_asked_for_a_check_digit() -> None:
    [row] = check(raw(1, document_type="护照", id_number="e1234567")).rows
    assert row.id_number == "E1234567"


def test_a_doubtful_birthday_is_a_warning_and_stops_nothing() -> None:
    result = check(raw(2, id_number=invented_number(2, "19901307")))
    assert result.faults == ()
    assert [(warning.row_no, warning.field) for warning in result.warnings] == [(2, Field.ID_NUMBER)]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            {"ticket_no": "992600000001"},
            [(Field.ID_NUMBER, "此项不同"), (Field.NAME, "此项不同"), (Field.TICKET_NO, "与第1行相同")],
        ),
        (
            {"id_number": invented_number(1)},
            [(Field.ID_NUMBER, "与第1行相同"), (Field.TICKET_NO, "准考证号不同")],
        ),
        ({"place": "1"}, [(Field.PLACE, "座位重复：与第1行相同")]),
    ],
)
def test_two_rows_that_cannot_both_be_true_are_named(
    cells: dict[str, str], expected: list[tuple[Field, str]]
) -> None:
    faults = check(raw(1, place="1"), raw(2, **cells)).faults
    assert [fault.field for fault in faults] == [field for field, _ in expected]
    assert all(words in fault.reason for fault, (_, words) in zip(faults, expected, strict=True))


def test_one_person_may_sit_two_sessions() -> None:
    practical = replace(
        raw(1), row_no=2, cells={**raw(1).cells, Field.SESSION: RawCell("P1"), Field.ROOM: RawCell("P01")}
    )
    result = check(raw(1), practical)
    assert result.faults == ()
    assert [row.session for row in result.rows] == [T1, P1]


def test_one_person_in_two_sessions_must_be_the_same_person() -> None:
    result = check(
        raw(1), raw(2, ticket_no="992600000001", session="P1", room="P01", id_number=invented_number(1))
    )
    assert [(fault.row_no, fault.field) for fault in result.faults] == [(2, Field.NAME)]


def test_a_row_of_an_old_export_without_optional_columns_is_read() -> None:
    assert check(raw(1)).rows[0].place is None
    assert check(raw(1)).rows[0].employer == ""
