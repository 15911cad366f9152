"""Document numbers: what can be one, why not, and what people may see of it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam.identity import (
    CHECK_DIGITS,
    DocumentType,
    NumberFault,
    check_digit,
    has_doubtful_birth_date,
    looks_resident,
    masked_name,
    names_agree,
    normalise,
    number_fault,
    tail,
)
from tests.world import invented_number

ID_CARD = DocumentType.ID_CARD
TODAY = date(2026, 11, 22)
seventeen_digits = st.text("0123456789", min_size=17, max_size=17)


def test_the_check_digit_is_that_of_the_standards_example() -> None:
    # The example printed in GB 11643-1999 itself.
    assert check_digit("11010519491231002") == "X"


@given(seventeen_digits, st.integers(0, 16), st.integers(1, 9))
def test_any_single_wrong_digit_is_refused(first: str, position: int, shift: int) -> None:
    number = first + check_digit(first)
    wrong = str((int(number[position]) + shift) % 10)
    damaged = number[:position] + wrong + number[position + 1 :]
    assert number_fault(ID_CARD, damaged) is NumberFault.WRONG_CHECK_DIGIT


@given(seventeen_digits, st.integers(0, 15))
def test_swapping_two_neighbours_is_refused(first: str, position: int) -> None:
    number = first + check_digit(first)
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    expected = None if swapped == number else NumberFault.WRONG_CHECK_DIGIT
    assert number_fault(ID_CARD, swapped) is expected


@given(seventeen_digits)
def test_exactly_one_check_digit_fits(first: str) -> None:
    fitting = [last for last in CHECK_DIGITS if number_fault(ID_CARD, first + last) is None]
    assert fitting == [check_digit(first)]


@given(st.text("0123456789Xx０１２３４５６７８９ｘＸ -", max_size=30))
def test_normalising_twice_changes_nothing_more(number: str) -> None:
    assert normalise(normalise(number)) == normalise(number)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("１１０１０５１９４９１２３１００２ｘ", "11010519491231002X"),
        (" 110105 19491231 002x ", "11010519491231002X"),
        ("110105-19491231-002X", "11010519491231002X"),
        ("\ufeff'11010519491231002x\u200b", "11010519491231002X"),
        ("h 1234 5678", "H12345678"),
        ("1.10105E+17", "1.10105E+17"),
    ],
)
def test_numbers_are_written_in_one_form_and_keep_their_digits(written: str, normal: str) -> None:
    assert normalise(written) == normal


@pytest.mark.parametrize(
    ("document_type", "number", "fault"),
    [
        (ID_CARD, "11010519491231002X", None),
        (ID_CARD, "110105194912310021", NumberFault.WRONG_CHECK_DIGIT),
        (ID_CARD, "", NumberFault.MISSING),
        (ID_CARD, "110105491231002", NumberFault.FIFTEEN_DIGITS),
        (ID_CARD, "1101051949123100", NumberFault.WRONG_LENGTH),
        (ID_CARD, "11010519491231O02X", NumberFault.WRONG_CHARACTER),
        (ID_CARD, "1.10105E+17", NumberFault.SCIENTIFIC),
        (DocumentType.HMT_RESIDENCE, "11010519491231002X", None),
        (DocumentType.HMT_RESIDENCE, "H12345678", NumberFault.WRONG_CHARACTER),
        (DocumentType.PASSPORT, "E12345678", None),
        (DocumentType.PASSPORT, "E1", NumberFault.WRONG_LENGTH),
        (DocumentType.PASSPORT, "E123456_8", NumberFault.WRONG_CHARACTER),
        (DocumentType.OFFICER_CARD, "军字第1234567号", None),
        (DocumentType.HK_MACAO_PERMIT, "H1234567801", None),
        (DocumentType.HK_MACAO_PERMIT, "H12345678", None),
        (DocumentType.HK_MACAO_PERMIT, "A12345678", NumberFault.WRONG_CHARACTER),
        (DocumentType.TAIWAN_PERMIT, "12345678", None),
        (DocumentType.TAIWAN_PERMIT, "1234567801B", None),
        (DocumentType.TAIWAN_PERMIT, "123456789", NumberFault.WRONG_CHARACTER),
        (DocumentType.FOREIGN_RESIDENCE, "ABC123456789012", None),
        (DocumentType.FOREIGN_RESIDENCE, "11010519491231002X", None),
        (DocumentType.FOREIGN_RESIDENCE, "110105194912310021", NumberFault.WRONG_CHECK_DIGIT),
        (DocumentType.FOREIGN_RESIDENCE, "ABC12345678901", NumberFault.WRONG_LENGTH),
    ],
)
def test_each_document_has_its_own_form(
    document_type: DocumentType, number: str, fault: NumberFault | None
) -> None:
    assert number_fault(document_type, number) is fault


def test_digits_with_a_final_x_look_like_a_resident_number() -> None:
    assert [looks_resident(text) for text in ("123", "12X", "X1", "E123", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("birth", "is_doubtful"),
    [
        ("19900307", False),
        ("19901307", True),
        ("19900230", True),
        ("18991231", True),
        ("20261122", False),
        ("20261123", True),
    ],
)
def test_an_impossible_birthday_is_worth_a_look(birth: str, is_doubtful: bool) -> None:
    assert has_doubtful_birth_date(invented_number(1, birth), TODAY) is is_doubtful


def test_other_documents_have_no_birthday_to_doubt() -> None:
    assert not has_doubtful_birth_date("E12345678", TODAY)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张明", "张*"),
        ("张晓明", "张*明"),
        ("欧阳晓明", "欧**明"),
        ("阿卜杜热西提·买买提", "阿**提"),
        ("卜", "卜"),
        ("", ""),
    ],
)
def test_a_public_screen_shows_names_masked(name: str, masked: str) -> None:
    assert masked_name(name) == masked


def test_people_see_four_characters_of_a_number() -> None:
    assert tail("11010519491231002X") == "002X"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("陈一诺", " 陈 一诺 ", True),
        ("买买提·吐尔逊", "买买提•吐尔逊", True),
        ("ＬＩＮ Ｙａ", "lin ya", True),
        ("陈一诺", "陈一喏", False),
        ("閆明", "闫明", False),
    ],
)
def test_names_agree_by_their_characters_not_by_how_they_were_typed(
    one: str, other: str, *, same: bool
) -> None:
    assert names_agree(one, other) is same
