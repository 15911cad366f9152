"""Reading the printed ID number from a picture of the card. Optional: extra `ocr`, off unless set.

Print can be read wrongly and cards can be copied, so what comes from here is never more than a second
factor: it may confirm a ticket that was read, and it may not begin a check-in. Only a number with a right
check digit counts, and only when two pictures in a row gave the same.
"""

import importlib
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from exam.identity import DocumentType, normalise, number_fault
from kiosk.id_cards import NUMBER
from kiosk.scanner.pictures import Picture

MODULE: Final = "rapidocr_onnxruntime"

Recognise = Callable[[Picture], Iterable[str]]


class OcrMissingError(Exception):
    """The extra `ocr` is not installed; the message says how to install it."""


def recogniser() -> Recognise:
    """The text recognition of the extra; takes a second to load. Raises OcrMissingError."""
    try:
        engine: Any = importlib.import_module(MODULE).RapidOCR()
    except ImportError as error:
        raise OcrMissingError(
            "text recognition is not installed: .venv/bin/pip install rapidocr-onnxruntime==1.4.4"
        ) from error

    def recognise(picture: Picture) -> list[str]:
        found, _ = engine(picture)
        return [cast(str, line[1]) for line in found or []]

    return recognise


def number_in(lines: Iterable[str]) -> str | None:
    """The one valid number among recognised lines; None when there is none, or more than one."""
    found = {normalise(number) for line in lines for number in NUMBER.findall(line.replace(" ", ""))}
    valid = {number for number in found if number_fault(DocumentType.ID_CARD, number) is None}
    return valid.pop() if len(valid) == 1 else None
