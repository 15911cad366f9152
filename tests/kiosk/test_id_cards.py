"""Cards as the makes of readers tell them, and what scanners add to a code."""

from datetime import date

import pytest

from exam.admission_facts import NOTHING_READ
from exam.identity import DocumentType
from kiosk.id_cards import LONGEST_NAME, IdReading, card_in
from kiosk.scan_text import SetupSheet, cleaned, unescaped
from tests.kiosk.stage import ID_NUMBER, TICKET
from tests.world import invented_number

OTHER_NUMBER = invented_number(2)
NAME = "阿卜杜热西提·买买提"
ESCAPED = "".join(f"\\u{ord(character):04x}" for character in NAME)
END = date(2036, 5, 1)


ALL_LINES = [
    NAME,
    "男",
    "维吾尔族",
    "19900307",
    "某省某市某街道1号",
    ID_NUMBER,
    "某市公安局",
    "20160501",
    "20360501",
]


@pytest.mark.parametrize(
    "texts",
    [
        [ID_NUMBER],
        [f"\x02{ID_NUMBER}\x03\r\n"],
        [f"]C0{ID_NUMBER}"],
        [f" {ID_NUMBER[:6]}{ID_NUMBER[6:].lower()} "],
        [f"身份证号:{ID_NUMBER}"],
        ["读取失败", ID_NUMBER],
        [ID_NUMBER, ID_NUMBER],
    ],
)
def test_the_number_alone_is_a_card(texts: list[str]) -> None:
    card = card_in(texts)
    assert card is not None
    assert card.number == ID_NUMBER
    assert (card.document.document_type, card.document.valid_until) == (None, None)


@pytest.mark.parametrize(
    "texts",
    [
        ALL_LINES,
        ["|".join(ALL_LINES)],
        ["\t".join(ALL_LINES)],
        [ESCAPED, *ALL_LINES[1:]],
        [f"姓名：{NAME}", "性别：男", f"公民身份号码：{ID_NUMBER}", "有效期限：2016.05.01-2036.05.01"],
        [f"出生:19900307;号码:{ID_NUMBER};姓名:{ESCAPED};有效期:20160501-20360501"],
        [NAME, ID_NUMBER, "2016年05月01日至2036年05月01日"],
    ],
)
def test_name_and_validity_are_found_in_every_makes_order(texts: list[str]) -> None:
    card = card_in(texts)
    assert card is not None
    assert (card.number, card.document.name, card.document.valid_until) == (ID_NUMBER, NAME, END)


@pytest.mark.parametrize(
    "period", ["2016.05.01-长期", "长期", "2016.13.01-2036.05.01", "2036.05.01-2016.05.01", "19900307"]
)
def test_what_is_no_period_says_nothing_about_validity(period: str) -> None:
    card = card_in([NAME, ID_NUMBER, period])
    assert card is not None
    assert card.document.valid_until is None


@pytest.mark.parametrize("first", ["男", "某市公安局", "汉族", "19900307", "有效期限"])
def test_what_is_no_name_is_not_told_as_one(first: str) -> None:
    card = card_in([first, ID_NUMBER])
    assert card is not None
    assert card.document.name is None


def test_a_name_in_latin_letters_is_a_name() -> None:
    card = card_in(["John Smith", ID_NUMBER])
    assert card is not None
    assert card.document.name == "John Smith"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("H12345678", DocumentType.HK_MACAO_PERMIT),
        ("M1234567801", DocumentType.HK_MACAO_PERMIT),
        ("USA123456789012", DocumentType.FOREIGN_RESIDENCE),
        ("E12345678", DocumentType.PASSPORT),
        ("护照号:EA1234567", DocumentType.PASSPORT),
    ],
)
def test_other_documents_are_known_by_their_numbers(number: str, kind: DocumentType) -> None:
    card = card_in([number])
    assert card is not None
    assert card.number in number
    assert card.document.document_type is kind


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["\r\n"],
        [TICKET],
        [ID_NUMBER[:-1] + ("0" if ID_NUMBER[-1] != "0" else "1")],
        [ID_NUMBER + "0"],
        [ID_NUMBER, OTHER_NUMBER],
        ["E12345678", "more"],
    ],
)
def test_what_is_no_card_is_none_and_never_repaired(texts: list[str]) -> None:
    assert card_in(texts) is None


def test_a_name_that_stands_on_no_card_is_no_reading() -> None:
    number = invented_number(1)
    assert card_in([f"姓名：{'王' * LONGEST_NAME}", number]) is not None
    assert card_in([f"姓名：{'王' * (LONGEST_NAME + 1)}", number]) is None


def test_a_card_does_not_show_in_a_log() -> None:
    card = card_in([NAME, ID_NUMBER])
    assert card is not None
    for told in (ID_NUMBER, NAME):
        assert told not in repr(card)
    assert IdReading(ID_NUMBER).document is NOTHING_READ


@pytest.mark.parametrize(
    "text",
    [
        TICKET,
        f"{TICKET}\r\n",
        f"]C1{TICKET}",
        f"]Q1{TICKET}",
        f"\x1d{TICKET}\x1d",
        f"]C1\x1d{TICKET}",
        f"\\000026{TICKET}",
        f"]Q2\\000026{TICKET}",
        f"\\000003\\000026{TICKET}",
        f"\ufeff{TICKET}",
        f"\x02{TICKET}\x03",
        f"~K{TICKET}$",
        f"~K]C1{TICKET}$\r",
    ],
)
def test_what_a_gun_adds_is_taken_away(text: str) -> None:
    assert cleaned(text, SetupSheet("~K", "$")) == TICKET


def test_backslashes_are_halved_with_eci_and_kept_without() -> None:
    assert cleaned("\\000026a\\\\b") == "a\\b"
    assert cleaned("a\\\\b") == "a\\\\b"


def test_escapes_become_characters_also_those_of_two_halves() -> None:
    rare = "\U0002c2d8"
    halves = rare.encode("utf-16-be").hex()
    assert unescaped(f"\\u{halves[:4]}\\u{halves[4:]}") == rare
    assert unescaped(ESCAPED) == NAME
    assert unescaped("\\u12") == "\\u12"
