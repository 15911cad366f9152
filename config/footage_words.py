"""Reads config/footage_words.toml: reasons for looking at footage, and words for its absence."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
    try:
        return FootageWords.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise FootageWordsError(
            f"footage words {path}: {len(faults)} fault(s)\n" + "\n".join(faults)
        ) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FootageWordsError(f"footage words {path}: cannot be read: {error}") from error


@cache
def load_footage_words() -> FootageWords:
    """The words that come with the product, read once."""
    return read_footage_words(FILE)
