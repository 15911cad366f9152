"""Lists of digests are completed from the index: sites recorded before the lists were kept."""

from pathlib import Path

from evidence.day_lists import complete_lists
from evidence.day_manifest import add_digest, read_digests
from evidence.ingest import ingest
from evidence.naming import DAY_MANIFEST
from tests.evidence.store import FIRST_US, Footage, open_footage


def record(footage: Footage) -> Path:
    for sequence in range(3):
        ingest(footage.store, footage.grow(sequence, FIRST_US + sequence * 4_000_000))
    (day,) = footage.volume.footage.iterdir()
    return day


def test_a_day_without_a_list_gets_it_whole(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        day = record(footage)
        (day / DAY_MANIFEST).unlink()
        (day.parent / "note.txt").write_text("no day")
        assert list(complete_lists(footage.store)) == [(day, 3)]
        assert read_digests(day) == {s.file.name: s.sha256 for s in footage.segments()}
        assert list(complete_lists(footage.store)) == [(day, 0)]


def test_the_day_on_which_lists_began_gets_the_lines_it_lacks(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        day = record(footage)
        lines = (day / DAY_MANIFEST).read_text(encoding="ascii").splitlines(keepends=True)
        (day / DAY_MANIFEST).write_text(lines[2], encoding="ascii")
        assert list(complete_lists(footage.store)) == [(day, 2)]
        assert (day / DAY_MANIFEST).read_text(encoding="ascii") == "".join([lines[2], *lines[:2]])


def test_a_line_that_contradicts_its_row_is_left_for_the_check(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        day = record(footage)
        victim = footage.segments()[0].file
        (day / DAY_MANIFEST).unlink()
        add_digest(victim, bytes(32))
        assert list(complete_lists(footage.store)) == [(day, 2)]
        assert read_digests(day)[victim.name] == bytes(32)


def test_a_volume_that_is_away_or_another_is_left_alone(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        record(footage)
        footage.volume.path.rename(tmp_path / "away")
        assert list(complete_lists(footage.store)) == []
