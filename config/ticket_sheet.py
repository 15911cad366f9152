"""Reads the words printed on admission tickets; a missing or unknown key is an error naming it."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from exam.day import SessionKind
from exam.identity import DocumentType

FILE: Final = Path(__file__).parent / "ticket_sheet.toml"


class TicketWordsError(Exception):
    """The words for tickets cannot be used; the message names the file and every fault."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KindWords(_Table):
    """What differs between theory, practical and review."""

    name: str
    notices: list[str]


class TicketWords(_Table):
    """Everything printed that is not about one candidate."""

    title: str
    title_en: str
    photo: str
    photo_note: str
    issuer: str
    notice_title: str
    document_types: dict[DocumentType, str]
    kinds: dict[SessionKind, KindWords]


@cache
def load_ticket_words(path: Path = FILE) -> TicketWords:
    """The words in force. Raises TicketWordsError when any kind or document type has none."""
    try:
        words = TicketWords.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TicketWordsError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise TicketWordsError(f"{path}: {faults}") from error
    missing = [*(set(DocumentType) - set(words.document_types)), *(set(SessionKind) - set(words.kinds))]
    if missing:
        raise TicketWordsError(f"{path}: no words for {', '.join(sorted(missing))}")
    return words
