"""The kinds of entries a proctor may log, read from config/log_entries.toml."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE: Final = Path(__file__).parent / "log_entries.toml"


class LogKindsError(Exception):
    """The file cannot be used; the message names every fault."""


class Concerns(StrEnum):
    """Whom an entry is about."""

    SEAT = "seat"
    ROOM = "room"
    EITHER = "either"


class Words(StrEnum):
    """Whether text must be typed."""

    REQUIRED = "required"
    OPTIONAL = "optional"


class Tone(StrEnum):
    """Whether the site lead should look at it."""

    QUIET = "quiet"
    ATTENTION = "attention"


class LogKind(BaseModel):
    """One kind of entry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=r"^[a-z][a-z_]{1,31}$")
    word: str = Field(min_length=1, max_length=8)
    concerns: Concerns
    text: Words
    tone: Tone
    correction_only: bool = False

    def fault(self, *, has_candidate: bool, text: str, is_correction: bool) -> str | None:
        """What is missing in an entry of this kind, in Chinese; None when it is complete."""
        if self.concerns is Concerns.SEAT and not has_candidate:
            return "请选择考生座位。"
        if self.concerns is Concerns.ROOM and has_candidate:
            return "此项针对整个考场，请勿选择考生。"
        if self.text is Words.REQUIRED and not text:
            return "请填写情况说明。"
        if self.correction_only and not is_correction:
            return "此项只能用于更正已有记录。"
        return None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: list[LogKind] = Field(min_length=1)


def load_log_kinds(path: Path = FILE) -> Mapping[str, LogKind]:
    """All kinds by code, in the order of the file. Raises LogKindsError."""
    try:
        kinds = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).kinds
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise LogKindsError(f"{path.name}: {error}") from error
    by_code = {kind.code: kind for kind in kinds}
    if len(by_code) != len(kinds):
        raise LogKindsError(f"{path.name}: a code is used twice")
    return by_code
