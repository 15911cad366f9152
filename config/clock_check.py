"""Reads config/clock_check.toml: how far each clock may be off, and the words about every verdict."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from config.lengths import Length
from config.toml_file import read_toml
from exam.clock_check import ClockKind, ClockSource, ClockVerdict, Counted, Tolerance

FILE: Final = Path(__file__).with_name("clock_check.toml")
NOT_RIGHT: Final = frozenset(ClockVerdict) - {ClockVerdict.RIGHT}


class ClockCheckError(Exception):
    """The file cannot be used; the message lists every fault with its key."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToleranceText(_Section):
    """One tolerance as people write it."""

    within: Length = Field(gt=0)
    lasts: Length = Field(gt=0)
    counts: Counted

    def tolerance(self) -> Tolerance:
        return Tolerance(self.within, self.lasts, self.counts)


class References(_Section):
    """Where a person may read the time."""

    offered: tuple[str, ...] = Field(min_length=1)


class ClockWords(_Section):
    """One word for every kind, verdict and source."""

    kinds: Mapping[ClockKind, str]
    verdicts: Mapping[ClockVerdict, str]
    sources: Mapping[ClockSource, str]


class ClockCheckTexts(_Section):
    """The whole file. `advice`: by kind and verdict, what to do."""

    tolerances: Mapping[ClockKind, ToleranceText]
    references: References
    words: ClockWords
    advice: Mapping[ClockKind, Mapping[ClockVerdict, str]]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        missing = [
            *(f"tolerances.{one}" for one in ClockKind if one not in self.tolerances),
            *(f"words.kinds.{one}" for one in ClockKind if one not in self.words.kinds),
            *(f"words.verdicts.{one}" for one in ClockVerdict if one not in self.words.verdicts),
            *(f"words.sources.{one}" for one in ClockSource if one not in self.words.sources),
            *(
                f"advice.{kind}.{one}"
                for kind in ClockKind
                for one in sorted(NOT_RIGHT)
                if not self.advice.get(kind, {}).get(one)
            ),
        ]
        if missing:
            raise ValueError(f"missing: {', '.join(missing)}")
        return self

    def all_tolerances(self) -> dict[ClockKind, Tolerance]:
        """The tolerance of every kind, as the rule takes them."""
        return {kind: one.tolerance() for kind, one in self.tolerances.items()}


def read_clock_check(path: Path) -> ClockCheckTexts:
    """One file. Raises ClockCheckError naming the file and every fault."""
    return read_toml(ClockCheckTexts, path, "clock check", ClockCheckError)


@cache
def load_clock_check() -> ClockCheckTexts:
    """The file that comes with the program."""
    return read_clock_check(FILE)
