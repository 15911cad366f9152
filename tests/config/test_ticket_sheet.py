"""The words on tickets are checked whole."""

from pathlib import Path

import pytest

from config.ticket_sheet import FILE, TicketWordsError, load_ticket_words
from exam.day import SessionKind
from exam.identity import DocumentType


def test_every_kind_and_document_has_words() -> None:
    words = load_ticket_words()
    assert set(words.kinds) == set(SessionKind)
    assert set(words.document_types) == set(DocumentType)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('title = "准考证"', "", "title: Field required"),
        ('passport = "护照"', "", "no words for passport"),
        ("[kinds.theory]", "[kinds.music]", "kinds.music"),
        ('title = "准考证"', "title = ", "cannot be read"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    path = tmp_path / "ticket_sheet.toml"
    path.write_text(FILE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(TicketWordsError, match=complaint):
        load_ticket_words(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TicketWordsError, match=r"nowhere\.toml"):
        load_ticket_words(tmp_path / "nowhere.toml")
