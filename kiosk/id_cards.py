"""What an ID reader tells, found in whatever it typed or sent. Pure; nothing of it is kept or logged.

No two makes send the same: the number alone, or all lines of the card, with or without their names, on
lines of their own or between separators. The number is what has 18 characters and a right check digit;
it is never repaired. Two different numbers in one reading are no reading.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from exam.admission_facts import NOTHING_READ, ReadDocument
from exam.identity import DocumentType, normalise, number_fault
from kiosk.scan_text import cleaned, unescaped

SEPARATORS: Final = re.compile(r"[\r\n\t|;,，；#^]+")
NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")
LABEL: Final = re.compile(r"^\s*([\u4e00-\u9fffA-Za-z ]{1,12})\s*[:：]\s*")
NAME_LABELS: Final = frozenset({"姓名", "Name", "name", "NAME"})
NAME: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·•]{2,30}|[A-Z][A-Za-z]+(?:[ ,]+[A-Za-z]+)+")
NO_NAMES: Final = re.compile(r"[男女]性?|.*(?:族|公安局|分局|省|市|自治区|街道|路|号|室)|长期|有效期.*")
DAY: Final = r"(?<!\d)((?:19|20|21)\d{2})[.\-/年]?(\d{2})[.\-/月]?(\d{2})(?!\d)日?"
PERIOD: Final = re.compile(DAY + r"\s*(?:[-—–~～至到]|\x00)\s*" + DAY)
# What is longer stands on no card and no console takes it: lines ran together, and the card is read again.
LONGEST_NAME: Final = 80
# Numbers of other documents that nothing else looks like.
OTHERS: Final = (
    (DocumentType.HK_MACAO_PERMIT, re.compile(r"[HM]\d{8}(?:\d{2})?")),
    (DocumentType.FOREIGN_RESIDENCE, re.compile(r"[A-Z]{3}\d{12}")),
    (DocumentType.PASSPORT, re.compile(r"[A-Z]{1,2}\d{7,8}")),
)


@dataclass(frozen=True, slots=True)
class IdReading:
    """One document as a reader told it. Neither number nor name shows in a log."""

    number: str = field(repr=False)
    document: ReadDocument = field(default=NOTHING_READ, repr=False)
    # Read by a camera: it may confirm a ticket, never begin a check-in.
    is_second_only: bool = False


def card_in(texts: Sequence[str]) -> IdReading | None:
    """The document that one reading tells; None when it tells none, or two."""
    fields = [part for text in texts for part in SEPARATORS.split(unescaped(cleaned(text))) if part.strip()]
    numbers = {normalise(number) for part in fields for number in NUMBER.findall(part)}
    valid = {number for number in numbers if number_fault(DocumentType.ID_CARD, number) is None}
    if len(valid) == 1:
        number = valid.pop()
        name = _name(fields)
        if len(name) > LONGEST_NAME:
            return None
        # Which of the documents with 18 digits it is, the number does not say.
        return IdReading(number, ReadDocument(None, name or None, _valid_until(fields)))
    return None if numbers else _other(fields)


def _other(fields: Sequence[str]) -> IdReading | None:
    if len(fields) != 1:
        return None
    number = normalise(LABEL.sub("", fields[0]))
    found = (kind for kind, form in OTHERS if form.fullmatch(number))
    kind = next(found, None)
    return None if kind is None else IdReading(number, ReadDocument(kind))


def _name(fields: Sequence[str]) -> str:
    labelled = {label[1].strip(): LABEL.sub("", part) for part in fields if (label := LABEL.match(part))}
    named = next((labelled[label] for label in NAME_LABELS if label in labelled), None)
    if named is not None:
        return named.strip()
    first = fields[0].strip() if len(fields) > 1 else ""
    is_name = NAME.fullmatch(first) and not NO_NAMES.fullmatch(first)
    return first if is_name else ""


def _valid_until(fields: Iterable[str]) -> date | None:
    # Two dates that follow each other are the period; a birthday stands alone.
    found = PERIOD.search("\x00".join(LABEL.sub("", part).strip() for part in fields))
    if found is None:
        return None
    first, last = (_day(found.groups()[start : start + 3]) for start in (0, 3))
    return last if first and last and first < last else None


def _day(parts: Sequence[str]) -> date | None:
    try:
        year, month, day = map(int, parts)
        return date(year, month, day)
    except ValueError:
        return None
