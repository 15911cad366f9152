"""Reads config/roster_columns.toml: the headings and document names that rosters may use."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Limits

from exam.identity import DocumentType
from exam.roster import Field, RosterColumns, heading_key

FILE: Final = Path(__file__).with_name("roster_columns.toml")


Kind = TypeVar("Kind", bound=StrEnum)


class RosterColumnsError(Exception):
    """The names cannot be used; the message lists every fault with its key."""


_Names = Annotated[list[Annotated[str, Limits(min_length=1)]], Limits(min_length=1)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[Field, _Names]
    document_types: dict[DocumentType, _Names]


def read_roster_columns(path: Path) -> RosterColumns:
    """Names for every column and document type, none with two meanings. Raises RosterColumnsError."""
    try:
        file = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise _refused(path, faults) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RosterColumnsError(f"roster columns {path}: cannot be read: {error}") from error
    faults = [
        *_faults("columns", Field, file.columns),
        *_faults("document_types", DocumentType, file.document_types),
    ]
    if faults:
        raise _refused(path, faults)
    return RosterColumns(
        headings={heading_key(name): field for field, names in file.columns.items() for name in names},
        document_types={
            heading_key(name): kind for kind, names in file.document_types.items() for name in names
        },
        field_words={field: names[0] for field, names in file.columns.items()},
        document_words={kind: names[0] for kind, names in file.document_types.items()},
    )


@cache
def load_roster_columns() -> RosterColumns:
    """The names that come with the product, read once."""
    return read_roster_columns(FILE)


def _faults(table: str, kinds: type[Kind], named: Mapping[Kind, list[str]]) -> list[str]:
    faults = [f"{table}: {kind} has no name" for kind in kinds if kind not in named]
    meaning: dict[str, Kind] = {}
    for kind, names in named.items():
        for name in names:
            other = meaning.setdefault(heading_key(name), kind)
            if other is not kind:
                faults.append(f"{table}: '{name}' means both {other} and {kind}")
    return faults


def _refused(path: Path, faults: list[str]) -> RosterColumnsError:
    return RosterColumnsError(
        f"roster columns {path}: {len(faults)} fault(s)\n" + "\n".join(f"  {fault}" for fault in faults)
    )
