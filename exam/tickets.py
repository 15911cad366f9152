"""Ticket numbers (准考证号): opaque strings, learned, never issued or repaired here (domain rule R20).

No published form exists, so the form is learned from the roster's own numbers: a short read of a
barcode then shows as a number that no ticket of the batch could have.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby, takewhile
from typing import Final

MAX_LENGTH: Final = 40
# The last characters count candidates up: a late addition must not look like a misread code.
SERIAL_LENGTH: Final = 6
TICKET: Final = re.compile(rf"[0-9A-Z][0-9A-Z\-]{{2,{MAX_LENGTH - 1}}}")


def normalise_ticket(number: str) -> str:
    """The one form in which ticket numbers are stored and compared: plain, large letters, no spaces."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", number)).upper()


def learn_form(numbers: Iterable[str]) -> str | None:
    """A regular expression that every given number matches whole; None when there is none to learn from.

    The beginning that all numbers of one length share (site, year) is taken literally, but never the
    serial part; there each position allows the kinds of character seen. Lengths that occur may occur.
    """
    known = sorted(set(numbers))
    if not known:
        return None
    by_length = groupby(sorted(known, key=len), key=len)
    return "|".join(_form_of_one_length(list(group)) for _, group in by_length)


def matches(form: str, number: str) -> bool:
    """Whether the whole number has the form."""
    return _compiled(form).fullmatch(number) is not None


def matches_any(forms: Iterable[str], number: str) -> bool:
    """Whether the number has one of the forms."""
    return any(matches(form, number) for form in forms)


@lru_cache(maxsize=64)
def _compiled(form: str) -> re.Pattern[str]:
    return re.compile(form)


def _form_of_one_length(numbers: list[str]) -> str:
    prefix = _common_prefix(numbers)
    columns = zip(*(number[len(prefix) :] for number in numbers), strict=True)
    classes = ["".join(sorted({_class(character) for character in column})) for column in columns]
    rest = "".join(f"{name}{{{len(list(run))}}}" for name, run in groupby(map(_pattern, classes)))
    return re.escape(prefix) + rest


def _common_prefix(numbers: list[str]) -> str:
    # Sorted by value, the first and the last number differ earliest.
    first, last = min(numbers), max(numbers)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=True)))
    return first[: min(shared, max(0, len(first) - SERIAL_LENGTH))]


def _class(character: str) -> str:
    if character.isdigit():
        return "0"
    return "A" if character.isalpha() else "-"


def _pattern(classes: str) -> str:
    parts = {"0": "0-9", "A": "A-Z", "-": "-"}
    return f"[{''.join(parts[name] for name in sorted(classes, key='0A-'.index))}]"
