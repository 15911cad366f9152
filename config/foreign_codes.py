"""Reads which codes are known to be no ticket, by their form; every fault of the file is named at once."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE: Final = Path(__file__).parent / "foreign_codes.toml"

Shown = Literal["foreign", "dynamic_id"]


class ForeignCodesError(Exception):
    """The list cannot be used; the message names the file and every fault."""


class ForeignCode(BaseModel):
    """One kind of code and the hint it leads to."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)

    name: str
    shown: Shown
    pattern: re.Pattern[str]


class ForeignCodes(BaseModel):
    """Every known kind, in the order in which they are tried."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: tuple[ForeignCode, ...] = Field(min_length=1)

    def hint_for(self, text: str) -> Shown | None:
        """The hint for a code of this form; None when its form is not known."""
        found = (
            code.shown
            for code in self.code
            if re.fullmatch(code.pattern.pattern, text, re.IGNORECASE | re.DOTALL)
        )
        return next(found, None)


@cache
def load_foreign_codes(path: Path = FILE) -> ForeignCodes:
    """The list in force. Raises ForeignCodesError listing every fault."""
    try:
        return ForeignCodes.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ForeignCodesError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ForeignCodesError(f"{path}: {faults}") from error
