"""Comparing a roster with what is stored: added, changed, removed, unchanged, or forbidden."""

from collections.abc import Sequence
from dataclasses import replace

from exam.identity import DocumentType
from exam.roster import CheckedRow, Field
from exam.roster_changes import Changes, Stored, StoredPerson, StoredSeat, compare
from exam.seating import Entry
from tests.exam.rosters import ARRANGEMENT, P1, T1, WORKSHOP, checked
from tests.world import invented_number

NOBODY = Stored((), ())


def index(number: str) -> bytes:
    return number.encode()


def entry(row: CheckedRow, place: int = 0) -> Entry:
    return Entry(row, ARRANGEMENT.places[row.room.id][(place or row.row_no) - 1])


def person(number: int, *, has_records: bool = False) -> StoredPerson:
    return StoredPerson(
        candidate_id=number,
        name=f"考生{number}",
        document_type=DocumentType.ID_CARD,
        id_number_index=index(invented_number(number)),
        ticket_no=f"99260000{number:04d}",
        employer="",
        has_records=has_records,
    )


def seat(number: int, session_id: int = T1.id, *, is_admitted: bool = False) -> StoredSeat:
    return StoredSeat(number, session_id, 100 + number, f"第1考场 {number}号", is_admitted)


def stored(*numbers: int) -> Stored:
    return Stored([person(number) for number in numbers], [seat(number) for number in numbers])


def rows_of(changes: Changes) -> tuple[list[int], list[int], list[int], int]:
    return (
        [change.entry.row.row_no for change in changes.added],
        [change.entry.row.row_no for change in changes.changed],
        [removal.person.candidate_id for removal in changes.removed],
        changes.unchanged,
    )


def differences(changes: Changes) -> Sequence[str]:
    [change] = changes.changed
    return change.differences


def test_a_first_roster_adds_everybody() -> None:
    changes = compare([entry(checked(1)), entry(checked(2))], NOBODY, index)
    assert rows_of(changes) == ([1, 2], [], [], 0)


def test_the_same_roster_again_changes_nothing() -> None:
    changes = compare([entry(checked(1)), entry(checked(2))], stored(1, 2), index)
    assert rows_of(changes) == ([], [], [], 2)


def test_who_is_not_in_the_file_any_more_is_removed_and_leaves() -> None:
    changes = compare([entry(checked(1))], stored(1, 2), index)
    assert rows_of(changes) == ([], [], [2], 1)
    assert changes.leaving == {2}
    assert changes.removed[0].words == "考*2（992600000002） 第1考场 2号"


def test_a_removed_candidate_whom_records_name_stays_known() -> None:
    before = replace(stored(1, 2), people=[person(1), person(2, has_records=True)])
    assert compare([entry(checked(1))], before, index).leaving == frozenset()


def test_a_session_that_the_file_does_not_name_is_left_alone() -> None:
    before = Stored([person(1), person(2)], [seat(1), seat(2, P1.id)])
    changes = compare([entry(checked(1))], before, index)
    assert rows_of(changes) == ([], [], [], 1)


def test_who_still_sits_another_session_loses_only_this_seat() -> None:
    before = Stored([person(1), person(2)], [seat(1), seat(2), seat(2, P1.id)])
    changes = compare([entry(checked(1))], before, index)
    assert (rows_of(changes)[2], changes.leaving) == ([2], frozenset())


def test_a_known_person_in_a_new_session_is_one_added_seat() -> None:
    changes = compare([entry(checked(1, session=P1, room=WORKSHOP))], stored(1), index)
    assert rows_of(changes) == ([1], [], [], 0)
    assert changes.added[0].candidate_id == 1


def test_a_corrected_number_is_a_change_and_tells_no_number() -> None:
    changes = compare([entry(checked(1, number=8))], stored(1), index)
    assert differences(changes) == ("证件号码",)


def test_a_corrected_ticket_is_found_by_the_document() -> None:
    changes = compare([entry(checked(1, ticket_no="992600000777"))], stored(1), index)
    assert differences(changes) == ("准考证号 992600000001 → 992600000777",)
    assert changes.changed[0].candidate_id == 1


def test_every_difference_is_named() -> None:
    row = replace(checked(1, name="张三"), document_type=DocumentType.PASSPORT, employer="青山机电", row_no=1)
    changes = compare([entry(row, place=5)], stored(1), index)
    assert differences(changes) == ("姓名", "证件类型", "工作单位", "座位 第1考场 1号 → 第1考场 5号")


def test_two_people_may_swap_mixed_up_numbers() -> None:
    changes = compare([entry(checked(1, number=2)), entry(checked(2, number=1))], stored(1, 2), index)
    assert changes.faults == ()
    assert [change.differences for change in changes.changed] == [("证件号码",), ("证件号码",)]


def test_a_number_of_somebody_else_who_stays_is_refused() -> None:
    before = Stored([person(1), person(2)], [seat(1), seat(2, P1.id)])
    changes = compare([entry(checked(1, number=2))], before, index)
    assert [(fault.row_no, fault.field) for fault in changes.faults] == [(1, Field.ID_NUMBER)]
    assert "992600000002" in changes.faults[0].reason


def test_a_number_of_somebody_who_leaves_may_be_taken_over() -> None:
    assert compare([entry(checked(1, number=2))], stored(1, 2), index).faults == ()


def test_an_admitted_candidate_is_neither_moved_nor_removed() -> None:
    before = Stored([person(1), person(2)], [seat(1, is_admitted=True), seat(2, is_admitted=True)])
    changes = compare([entry(checked(1), place=5)], before, index)
    assert [(fault.row_no, fault.field) for fault in changes.faults] == [(1, Field.PLACE), (None, None)]
    assert "不能更换座位" in changes.faults[0].reason
    assert "不能从花名册中去掉" in changes.faults[1].reason


def test_an_admitted_candidates_name_may_still_be_corrected() -> None:
    before = Stored([person(1)], [seat(1, is_admitted=True)])
    changes = compare([entry(checked(1, name="张三"))], before, index)
    assert (changes.faults, differences(changes)) == ((), ("姓名",))
