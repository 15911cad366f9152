"""Reads config/retention.toml: how many years footage is kept, and the legal ground for it."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exam.retention import FLOOR_YEARS

FILE: Final = Path(__file__).with_name("retention.toml")
FOOTAGE: Final = "footage"


class RetentionPolicyError(Exception):
    """The policy cannot be used; the message lists every fault with its key."""


class RetentionClass(BaseModel):
    """One kind of material with its period and its ground."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)

    name: str
    years: int = Field(ge=FLOOR_YEARS, le=100)
    legal_basis: str
    note: str


class RetentionPolicy(BaseModel):
    """Every class there is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    footage: RetentionClass


def read_retention_policy(path: Path) -> RetentionPolicy:
    """The policy of one file. Raises RetentionPolicyError naming the file and every fault."""
    try:
        return RetentionPolicy.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = [f"  {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise RetentionPolicyError(
            f"retention policy {path}: {len(faults)} fault(s)\n" + "\n".join(faults)
        ) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RetentionPolicyError(f"retention policy {path}: cannot be read: {error}") from error


@cache
def load_retention_policy() -> RetentionPolicy:
    """The policy that comes with the product, read once."""
    return read_retention_policy(FILE)
