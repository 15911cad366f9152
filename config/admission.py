"""Reads the site's admission policy: the product's file, and over it the site's own; every fault at once."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from config.lengths import Length, length_us
from exam.admission_facts import Conditional, IdentityRule, OtherSite, Policy, ReEntry, Step
from exam.day import SessionKind

FILE: Final = Path(__file__).with_name("admission.toml")
MIB: Final = 1024 * 1024
AS_PROCEDURE: Final = "procedure"
ASK: Final = "ask"
# A site that names its own rule names its time limit too.
WHOLE: Final = frozenset({"without_document", "in_doubt"})


class AdmissionPolicyError(Exception):
    """The policy cannot be used; the message names the file and every fault."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _late_entry(written: object) -> object:
    return written if written in {AS_PROCEDURE, ASK} else length_us(written)


_LateEntry = Annotated[str | int, BeforeValidator(_late_entry)]
_PositiveLength = Annotated[Length, Field(gt=0)]


class _Conditional(_Table):
    rule: IdentityRule
    within: _PositiveLength | None = None


class _Kiosk(_Table):
    roster_age: _PositiveLength
    clock_skew: _PositiveLength
    free_mb: int = Field(ge=0)


class _OtherSite(_Table):
    name: str = Field(min_length=1)
    ticket_form: str = Field(min_length=1)


class _File(_Table):
    repeat: _PositiveLength
    tries: int = Field(ge=1)
    theory_first: bool
    re_entry: ReEntry
    steps: list[Step]
    notice_version: str = Field(min_length=1)
    late_entry: dict[SessionKind, _LateEntry]
    without_document: _Conditional
    in_doubt: _Conditional
    kiosk: _Kiosk
    other_sites: list[_OtherSite] = []


def read_admission_policy(path: Path | None) -> Policy:
    """The policy in force: `path` is the site's own file, None when it has none.

    Raises AdmissionPolicyError with every fault.
    """
    table = _toml(FILE)
    if path is not None:
        table = _over(table, _toml(path))
    where = path or FILE
    try:
        read = _File.model_validate(table)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise _refused(where, faults) from error
    if faults := [*_faults(read)]:
        raise _refused(where, faults)
    return _policy(read)


@cache
def load_admission_policy(path: Path | None = None) -> Policy:
    """The same, read once for each file."""
    return read_admission_policy(path)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AdmissionPolicyError(f"admission policy {path}: cannot be read: {error}") from error


def _over(table: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The site's keys over ours, table by table; rules are replaced whole."""
    merged = dict(table)
    for key, value in own.items():
        known = {} if key in WHOLE else table.get(key)
        merged[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _faults(read: _File) -> Iterator[str]:
    for kind, limit in read.late_entry.items():
        if isinstance(limit, int) and limit < 0:
            yield f"late_entry.{kind}: nobody is late before the start"
    yield from (f"late_entry.{kind}: is missing" for kind in SessionKind if kind not in read.late_entry)
    for name, one in (("without_document", read.without_document), ("in_doubt", read.in_doubt)):
        if (one.rule is IdentityRule.DEADLINE) != (one.within is not None):
            yield f"{name}.within: belongs to the rule 'deadline', and only to it"
    for number, other in enumerate(read.other_sites, 1):
        try:
            re.compile(other.ticket_form)
        except re.error as error:
            yield f"other_sites {number}: ticket_form is no regular expression: {error}"


def _policy(read: _File) -> Policy:
    return Policy(
        repeat_us=read.repeat,
        tries=read.tries,
        late_entry_us={
            kind: limit if isinstance(limit, int) else None
            for kind, limit in read.late_entry.items()
            if limit != AS_PROCEDURE
        },
        steps=frozenset(read.steps),
        notice_version=read.notice_version,
        theory_first=read.theory_first,
        re_entry=read.re_entry,
        without_document=Conditional(read.without_document.rule, read.without_document.within),
        in_doubt=Conditional(read.in_doubt.rule, read.in_doubt.within),
        other_sites=tuple(OtherSite(one.name, one.ticket_form) for one in read.other_sites),
        roster_age_us=read.kiosk.roster_age,
        clock_skew_us=read.kiosk.clock_skew,
        free_bytes=read.kiosk.free_mb * MIB,
    )


def _refused(path: Path, faults: list[str]) -> AdmissionPolicyError:
    return AdmissionPolicyError(
        f"admission policy {path}: {len(faults)} fault(s)\n" + "\n".join(f"  {fault}" for fault in faults)
    )
