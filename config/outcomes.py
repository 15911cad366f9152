"""Reads config/outcomes.toml: what candidates see and hear for every outcome, and what staff must do."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from exam.answers import OutcomeText, unknown_placeholders
from exam.outcomes import Outcome

FILE: Final = Path(__file__).with_name("outcomes.toml")


class OutcomeTextError(Exception):
    """The texts cannot be used; the message lists every fault with its outcome code."""


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)

    title: str
    line: str
    voice: str
    title_en: str
    line_en: str
    voice_en: str
    reason: str
    staff: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    outcomes: dict[Outcome, _Text]


def read_outcome_texts(path: Path) -> Mapping[Outcome, OutcomeText]:
    """One text per outcome, none missing and none left over. Raises OutcomeTextError otherwise."""
    try:
        table = _File.model_validate({"outcomes": tomllib.loads(path.read_text(encoding="utf-8"))})
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in error.errors()]
        raise _refused(path, faults) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OutcomeTextError(f"outcome texts {path}: cannot be read: {error}") from error
    texts = {code: OutcomeText(**text.model_dump()) for code, text in table.outcomes.items()}
    faults = [f"{code}: has no text" for code in Outcome if code not in texts]
    for code, text in texts.items():
        faults += [f"{code}: nothing fills in {{{name}}}" for name in sorted(unknown_placeholders(text))]
    if faults:
        raise _refused(path, faults)
    return texts


@cache
def load_outcome_texts() -> Mapping[Outcome, OutcomeText]:
    """The texts that come with the product, read once."""
    return read_outcome_texts(FILE)


def _refused(path: Path, faults: list[str]) -> OutcomeTextError:
    return OutcomeTextError(
        f"outcome texts {path}: {len(faults)} fault(s)\n" + "\n".join(f"  {fault}" for fault in faults)
    )
