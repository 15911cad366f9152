import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from evidence.index_look import look_path, read_look
from recorder.index_check import REMEDY, check_index, index_chore
from tests.evidence.store import open_footage

PAGE = 4096


def garble_page_of(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        question = "select rootpage from sqlite_schema where name = ?"
        (page,) = connection.execute(question, (name,)).fetchone()
    raw = bytearray(path.read_bytes())
    raw[(page - 1) * PAGE : page * PAGE] = b"\x5a" * PAGE
    path.write_bytes(raw)


def test_a_sound_index_is_not_talked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_footage(tmp_path) as footage:
        assert check_index(footage.store)
        index_chore(footage.store).work(threading.Event())
        look = read_look(footage.store.database.path)
    assert look is not None
    assert not look.damage
    assert "index_damaged" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["segment", "fragment_map"])
def test_a_damaged_page_is_told_with_what_to_do(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_footage(tmp_path):
        pass
    garble_page_of(tmp_path / "footage.db", name)
    with open_footage(tmp_path) as footage:
        assert not check_index(footage.store)
        look = read_look(footage.store.database.path)
    assert look is not None
    assert look.damage
    said = capsys.readouterr().out
    assert "index_damaged" in said
    assert REMEDY in said


def test_a_look_that_cannot_be_kept_beside_the_index_stands_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_footage(tmp_path) as footage:
        look_path(footage.store.database.path).mkdir()
        assert check_index(footage.store)
    assert "index_look_not_kept" in capsys.readouterr().out
