"""Reads config/retention.toml: how many years footage is kept, and the legal ground for it."""

from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from config.toml_file import read_toml
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
    return read_toml(RetentionPolicy, path, "retention policy", RetentionPolicyError)


@cache
def load_retention_policy() -> RetentionPolicy:
    """The policy that comes with the product, read once."""
    return read_retention_policy(FILE)
