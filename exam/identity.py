"""Identity documents and their numbers (规程 13(二): 持身份证和准考证签到入场).

Says whether a number can be one and why not, writes it in one normal form, and masks what people
may see. It never repairs a number and never looks for the nearest one: a wrong digit is a wrong
number, and a person compares the card (two wrong digits slip through the check digit about one
time in ten, so no decision rests on it alone).
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

CHECK_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS: Final = "10X98765432"
RESIDENT_LENGTH: Final = 18
TAIL_LENGTH: Final = 4
EARLIEST_BIRTH_YEAR: Final = 1900


class DocumentType(StrEnum):
    """Which document proves who somebody is. Chinese names stand in config/roster_columns.toml."""

    ID_CARD = "id_card"
    OFFICER_CARD = "officer_card"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_RESIDENCE = "foreign_residence"
    PASSPORT = "passport"
    HMT_RESIDENCE = "hmt_residence"


class NumberFault(StrEnum):
    """Why a number cannot be the number of such a document."""

    MISSING = "missing"
    FIFTEEN_DIGITS = "fifteen_digits"
    SCIENTIFIC = "scientific"
    WRONG_LENGTH = "wrong_length"
    WRONG_CHARACTER = "wrong_character"
    WRONG_CHECK_DIGIT = "wrong_check_digit"


@dataclass(frozen=True, slots=True)
class Form:
    """What the number of one document type looks like, besides the 18-digit form."""

    pattern: re.Pattern[str]
    lengths: range


# Where two generations of a document are valid, both forms are here. Officer cards have no published form.
FORMS: Final = {
    DocumentType.OFFICER_CARD: Form(re.compile(r"[0-9A-Z\u4e00-\u9fff]+"), range(4, 21)),
    DocumentType.HK_MACAO_PERMIT: Form(re.compile(r"[HM]\d+"), range(9, 12)),
    DocumentType.TAIWAN_PERMIT: Form(re.compile(r"\d{8}(\d{2}[0-9A-Z]?)?"), range(8, 12)),
    DocumentType.FOREIGN_RESIDENCE: Form(re.compile(r"[A-Z]{3}\d+"), range(15, 16)),
    DocumentType.PASSPORT: Form(re.compile(r"[0-9A-Z]+"), range(5, 16)),
}
RESIDENT_TYPES: Final = frozenset({DocumentType.ID_CARD, DocumentType.HMT_RESIDENCE})

_DIGITS_AND_X: Final = re.compile(r"\d*X?")
_RESIDENT: Final = re.compile(r"\d{17}[\dX]")
_SCIENTIFIC: Final = re.compile(r"\d(\.\d+)?E\+?\d+")
_DROPPED: Final = re.compile(r"[\s\-·.()（）'\u200b\u200e\u200f\ufeff]")

# The dot between the parts of a name is typed in many ways.
_NAME_MARKS: Final = re.compile(r"[\s.·•‧∙⋅・･\u200b\ufeff]")


def normalise(number: str) -> str:
    """The one form in which numbers are stored and compared.

    Full-width digits become plain ones, letters large, spaces and separators go. Nothing else
    changes: the same digits stay in the same order.
    """
    plain = unicodedata.normalize("NFKC", number).upper()
    if _SCIENTIFIC.fullmatch(plain.strip()):  # keep its point, so that the fault can be named
        return plain.strip()
    return _DROPPED.sub("", plain)


def check_digit(first_seventeen: str) -> str:
    """The eighteenth character by GB 11643 (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, CHECK_WEIGHTS, strict=True))
    return CHECK_DIGITS[total % 11]


def number_fault(document_type: DocumentType, normalised: str) -> NumberFault | None:
    """Why this cannot be the number, or None when it can."""
    if not normalised:
        return NumberFault.MISSING
    if _SCIENTIFIC.fullmatch(normalised):
        return NumberFault.SCIENTIFIC
    if document_type in RESIDENT_TYPES or _is_new_residence_card(document_type, normalised):
        return _resident_fault(normalised)
    form = FORMS[document_type]
    if len(normalised) not in form.lengths:
        return NumberFault.WRONG_LENGTH
    return None if form.pattern.fullmatch(normalised) else NumberFault.WRONG_CHARACTER


def looks_resident(normalised: str) -> bool:
    """Whether somebody seems to have meant an 18-digit number: digits, perhaps a final X."""
    return bool(normalised) and _DIGITS_AND_X.fullmatch(normalised) is not None


def has_doubtful_birth_date(normalised: str, today: date) -> bool:
    """Whether an 18-digit number names no possible birthday. Worth a look, never a refusal."""
    if not _RESIDENT.fullmatch(normalised):
        return False
    try:
        born = date(int(normalised[6:10]), int(normalised[10:12]), int(normalised[12:14]))
    except ValueError:
        return True
    return not date(EARLIEST_BIRTH_YEAR, 1, 1) <= born <= today


def masked_name(name: str) -> str:
    """The name as a public screen may show it: 张*明."""
    if len(name) <= 1:
        return name
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * min(len(name) - 2, 2) + name[-1]


def names_agree(one: str, other: str) -> bool:
    """Whether two spellings are the same name: width, case, spaces and the dot of foreign names aside.

    Variant characters (生僻字, 繁体) are not the same: a person compares them.
    """
    return _plain_name(one) == _plain_name(other)


def tail(normalised: str) -> str:
    """The last four characters, for people: 证件尾号."""
    return normalised[-TAIL_LENGTH:]


def _plain_name(name: str) -> str:
    return _NAME_MARKS.sub("", unicodedata.normalize("NFKC", name)).upper()


def _is_new_residence_card(document_type: DocumentType, normalised: str) -> bool:
    # The permanent residence card has carried an 18-digit number since 2023; older cards stay valid.
    return document_type is DocumentType.FOREIGN_RESIDENCE and _DIGITS_AND_X.fullmatch(normalised) is not None


def _resident_fault(normalised: str) -> NumberFault | None:
    if not _DIGITS_AND_X.fullmatch(normalised):
        return NumberFault.WRONG_CHARACTER
    if len(normalised) == 15:
        return NumberFault.FIFTEEN_DIGITS
    if len(normalised) != RESIDENT_LENGTH:
        return NumberFault.WRONG_LENGTH
    return None if check_digit(normalised[:17]) == normalised[17] else NumberFault.WRONG_CHECK_DIGIT
