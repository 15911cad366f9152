"""The names rosters may use: every column and document type has one, and no name means two things."""

from pathlib import Path

import pytest

from config.roster_columns import FILE, RosterColumnsError, load_roster_columns, read_roster_columns
from exam.identity import DocumentType
from exam.roster import Field, heading_key


def changed(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "roster_columns.toml"
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_every_column_and_document_type_has_a_name() -> None:
    columns = load_roster_columns()
    assert set(columns.field_words) == set(columns.headings.values()) == set(Field)
    assert set(columns.document_words) == set(columns.document_types.values()) == set(DocumentType)


@pytest.mark.parametrize("heading", ["证件号码", " 证件号 码*", "身份证号：", "证件号"])
def test_headings_are_found_however_they_are_spaced(heading: str) -> None:
    assert load_roster_columns().headings[heading_key(heading)] is Field.ID_NUMBER


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = changed(tmp_path, 'name = ["姓名", "考生姓名"]\n', "")
    with pytest.raises(RosterColumnsError, match="columns: name has no name"):
        read_roster_columns(path)


def test_a_name_with_two_meanings_is_named(tmp_path: Path) -> None:
    path = changed(tmp_path, '"考生姓名"', '"证件 号码"')
    with pytest.raises(RosterColumnsError, match="means both name and id_number"):
        read_roster_columns(path)


def test_an_unknown_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(RosterColumnsError, match=r"columns\.nome"):
        read_roster_columns(changed(tmp_path, "name = [", "nome = ["))


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RosterColumnsError, match=r"absent\.toml"):
        read_roster_columns(tmp_path / "absent.toml")
