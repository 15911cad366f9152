"""Reads config/check_in.toml: what staff read about check-in; a code without words is an error naming it."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from config.outcomes import load_outcome_texts
from exam.admission_authority import Act, Refusal
from exam.doubt_cases import CaseRefusal, Finding
from exam.outcomes import DOUBTS, Outcome
from exam.staff_acts import AT_KIOSKS, Against
from exam.upload_rules import AlarmKind

FILE: Final = Path(__file__).with_name("check_in.toml")
# A provisional entry's reason is its doubt.
CHOSEN: Final = AT_KIOSKS - {Act.PROVISIONAL}

# Reasons that concern the person; that he is in already is no secret.
PRIVATE: Final = (DOUBTS - {Outcome.ALREADY_IN}) | {Outcome.CANDIDATE_BLOCKED}

# One line on a button.
_Reason = Annotated[str, StringConstraints(min_length=1, max_length=24)]


class CheckInWordsError(Exception):
    """The words cannot be used; the message names the file and every fault."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=1)


class AlarmWords(_Table):
    """What an alarm is, and what to do."""

    title: str
    act: str


class PrivateWords(_Table):
    """What a kiosk's page says in place of a reason that concerns the person."""

    reason: str
    staff: str


class _File(_Table):
    alarms: dict[AlarmKind, AlarmWords]
    acts: dict[Act, str]
    act_effects: dict[Act, str]
    reasons: dict[Act, tuple[_Reason, ...]]
    private: PrivateWords
    refusals: dict[Refusal, str]
    case_refusals: dict[CaseRefusal, str]
    findings: dict[Finding, str]


@dataclass(frozen=True, slots=True)
class CheckInWords:
    """Everything staff read; no code is missing."""

    alarms: Mapping[AlarmKind, AlarmWords]
    acts: Mapping[Act, str]
    act_effects: Mapping[Act, str]
    # Why staff act at a kiosk: what they choose from.
    reasons: Mapping[Act, tuple[str, ...]]
    private: PrivateWords
    refusals: Mapping[Refusal, str]
    case_refusals: Mapping[CaseRefusal, str]
    findings: Mapping[Finding, str]


@cache
def load_check_in_words(path: Path = FILE) -> CheckInWords:
    """The words in force. Raises CheckInWordsError listing every fault."""
    try:
        read = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CheckInWordsError(f"check-in words {path}: cannot be read: {error}") from error
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise CheckInWordsError(f"check-in words {path}: {'; '.join(faults)}") from error
    if missing := list(_missing(read)):
        raise CheckInWordsError(f"check-in words {path}: no words for {', '.join(missing)}")
    return CheckInWords(
        read.alarms,
        read.acts,
        read.act_effects,
        read.reasons,
        read.private,
        read.refusals,
        read.case_refusals,
        read.findings,
    )


def against_at_kiosk(outcome: Outcome) -> Against:
    """What stands against somebody, as a kiosk's page may say it."""
    text = load_check_in_words().private if outcome in PRIVATE else load_outcome_texts()[outcome]
    return Against(text.reason, text.staff)


def _missing(read: _File) -> Iterator[str]:
    owed: list[tuple[str, Collection[str], Collection[str]]] = [
        ("alarms", set(AlarmKind), set(read.alarms)),
        ("acts", set(Act), set(read.acts)),
        ("act_effects", set(Act), set(read.act_effects)),
        ("reasons", CHOSEN, {act for act, reasons in read.reasons.items() if reasons}),
        ("refusals", set(Refusal), set(read.refusals)),
        ("case_refusals", set(CaseRefusal), set(read.case_refusals)),
        ("findings", set(Finding) - {Finding.NONE}, set(read.findings)),
    ]
    for table, codes, known in owed:
        yield from sorted(f"{table}.{code}" for code in set(codes) - set(known))
