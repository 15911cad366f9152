"""Reads what the candidate screen shows and says; what lacks words is an error naming it."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exam.outcomes import Outcome

FILE: Final = Path(__file__).parent / "kiosk_screen.toml"
SCREENS: Final = frozenset(
    {
        "idle",
        "need_id_number",
        "need_ticket",
        "need_notice",
        "need_photo",
        "need_bag",
        "need_signature",
        "asking",
        "referred",
        "out_of_use",
        "camera_lost",
        "camera_covered",
        "use_gun",
    }
)
HINTS: Final = frozenset(
    {
        "bad_form",
        "foreign",
        "many",
        "id_checksum",
        "dynamic_id",
        "nothing_read",
        "too_dark",
        "too_bright",
        "blurred",
    }
)

# Screens on which nobody may be there, or nothing is to be done, are silent.
SPOKEN_SCREENS: Final = frozenset({"need_id_number", "need_ticket", "referred"})
# What is said beside screens, hints and outcomes.
MOMENTS: Final = frozenset({"time_is_short"})
# Spoken aloud in a hall: nothing that tells one person from another.
ANONYMOUS: Final = r"^[^0-9{}]+$"


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

    # The file that says which console it belongs to cannot be read.
    no_place: str
    alone: str
    # Number in braces.
    queue: str
    needs_human: str
    failed: str


class Clip(_Table):
    """One thing that is said aloud, in both languages, and when."""

    text: str = Field(pattern=ANONYMOUS)
    text_en: str = Field(pattern=ANONYMOUS)
    outcomes: tuple[Outcome, ...] = ()
    screens: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()

    @property
    def occasions(self) -> Iterator[str]:
        """When it is said, as `screens.idle`."""
        for kind in ("outcomes", "screens", "hints", "moments"):
            yield from (f"{kind}.{name}" for name in getattr(self, kind))


class Notice(_Table):
    """The privacy notice that a candidate agrees to: a few short points in both languages."""

    # By this the record says what was agreed to: another text is another version (admission policy).
    version: str = Field(max_length=20)
    points: tuple[str, ...] = Field(min_length=1, max_length=6)
    points_en: tuple[str, ...] = Field(min_length=1, max_length=6)


class KioskWords(_Table):
    """Everything the candidate screen shows and says by itself."""

    screens: dict[str, ScreenWords]
    hints: dict[str, HintWords]
    clips: dict[str, Clip]
    notice: Notice

    def said_at(self, kind: str, name: str) -> str:
        """Name of the clip for this screen, hint, outcome or moment; empty: nothing is said."""
        occasion = f"{kind}.{name}"
        return next((clip for clip, told in self.clips.items() if occasion in told.occasions), "")

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
    if wrong := list(_wrongly_said(words)):
        raise KioskWordsError(f"{path}: clips: {', '.join(wrong)}")
    return words


def _missing(words: KioskWords) -> Iterator[str]:
    yield from sorted(f"screens.{name}" for name in SCREENS - set(words.screens))
    yield from sorted(f"hints.{name}" for name in HINTS - set(words.hints))


def _wrongly_said(words: KioskWords) -> Iterator[str]:
    """Occasions without exactly one clip, and such as there are none."""
    wanted = {
        *(f"outcomes.{code}" for code in Outcome),
        *(f"screens.{name}" for name in SPOKEN_SCREENS),
        *(f"hints.{name}" for name in HINTS),
        *(f"moments.{name}" for name in MOMENTS),
    }
    said = Counter(occasion for clip in words.clips.values() for occasion in clip.occasions)
    for occasion in sorted(wanted | set(said)):
        if occasion not in wanted:
            yield f"{occasion} is never said"
        elif said[occasion] != 1:
            yield f"{occasion} is said {said[occasion]} times"
