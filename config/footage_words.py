"""Reads config/footage_words.toml: reasons for looking at footage, and words for its absence."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from config.toml_file import read_toml

FILE: Final = Path(__file__).with_name("footage_words.toml")


class FootageWordsError(Exception):
    """The words cannot be used; the message lists every fault with its key."""


class FootageWords(BaseModel):
    """What people read about footage and its absence."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)

    reasons: tuple[str, ...] = Field(min_length=1)
    causes: Mapping[str, str]
    parts: Mapping[str, str]


def read_footage_words(path: Path) -> FootageWords:
    """The words of one file. Raises FootageWordsError naming the file and every fault."""
    return read_toml(FootageWords, path, "footage words", FootageWordsError)


@cache
def load_footage_words() -> FootageWords:
    """The words that come with the product, read once."""
    return read_footage_words(FILE)
