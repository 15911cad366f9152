"""Reads the words of the candidate screen; a screen or hint without words is an error naming it."""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

FILE: Final = Path(__file__).parent / "kiosk_screen.toml"
SCREENS: Final = frozenset(
    {
        "idle",
        "need_id_number",
        "need_ticket",
        "asking",
        "referred",
        "out_of_use",
        "camera_lost",
        "camera_covered",
        "use_gun",
    }
)
HINTS: Final = frozenset({"bad_form", "foreign", "many", "id_checksum", "dynamic_id", "nothing_read"})


class KioskWordsError(Exception):
    """The words cannot be used; the message names the file and every fault."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)


class ScreenWords(_Table):
    """One screen: what to do now, and how; in both languages."""

    title: str
    line: str
    title_en: str
    line_en: str


class HintWords(_Table):
    """What to put right, in both languages."""

    text: str
    text_en: str


class StandingWords(_Table):
    """The small line for staff: how the kiosk stands. Chinese only, as staff read it."""

    alone: str
    # Number in braces.
    queue: str
    needs_human: str
    failed: str


class KioskWords(_Table):
    """Everything the candidate screen says by itself."""

    screens: dict[str, ScreenWords]
    hints: dict[str, HintWords]
    standing: StandingWords


@cache
def load_kiosk_words(path: Path = FILE) -> KioskWords:
    """The words in force. Raises KioskWordsError listing every fault."""
    try:
        words = KioskWords.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KioskWordsError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise KioskWordsError(f"{path}: {faults}") from error
    if missing := list(_missing(words)):
        raise KioskWordsError(f"{path}: no words for {', '.join(missing)}")
    return words


def _missing(words: KioskWords) -> Iterator[str]:
    yield from sorted(f"screens.{name}" for name in SCREENS - set(words.screens))
    yield from sorted(f"hints.{name}" for name in HINTS - set(words.hints))
