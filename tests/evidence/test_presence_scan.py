"""A file deleted behind our back is found by looking at folders alone."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.footage_rows import add_volume
from evidence.presence_scan import NEWEST, TURNS, PresenceScan
from tests.evidence.fixed import DAY_US, Archive, open_fixed

NEVER = threading.Event()


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_fixed(tmp_path) as made:
        yield made


def scan(archive: Archive) -> PresenceScan:
    return PresenceScan(archive.footage.store)


def away(path: Path) -> None:
    path.rename(path.parents[3] / path.name)


def test_a_deleted_file_is_missing_with_row_and_leaf_once(archive: Archive) -> None:
    looking = scan(archive)
    assert looking.turn(NEVER) == []
    file = archive.files()[1]
    away(file.file)
    assert looking.turn(NEVER) == [file.path]
    assert looking.turn(NEVER) == []
    (row,) = archive.damages()
    assert (row["segment_id"], row["kind"], row["found_by"]) == (file.segment_id, "missing", "presence")
    assert archive.leaves("damage_found") == ["damage_found"]


def test_a_whole_deleted_folder_is_found(archive: Archive) -> None:
    folder = archive.files()[0].file.parent
    folder.rename(archive.folder / "stolen")
    assert len(scan(archive).turn(NEVER)) == 4


def test_a_folder_that_cannot_be_read_says_nothing_about_its_files(archive: Archive) -> None:
    folder = archive.files()[0].file.parent
    folder.rename(archive.folder / "stolen")
    folder.write_bytes(b"not a folder")
    assert scan(archive).turn(NEVER) == []
    assert archive.damages() == []


def test_a_volume_that_is_away_misses_nothing(archive: Archive) -> None:
    volume = archive.footage.volume.path
    volume.rename(archive.folder / "unplugged")
    assert scan(archive).turn(NEVER) == []


class Unplugged(PresenceScan):
    """The volume goes between the listing of a folder and the row."""

    def _note(self, folder, path):  # type: ignore[no-untyped-def]
        mark = folder.volume / "volume.uuid"
        mark.rename(folder.volume / "unplugged")
        return super()._note(folder, path)


def test_a_volume_that_goes_during_the_look_misses_nothing(archive: Archive) -> None:
    away(archive.files()[0].file)
    assert Unplugged(archive.footage.store).turn(NEVER) == []
    assert archive.damages() == []


class DisposedOf(PresenceScan):
    """The register's row comes between the listing of a folder and ours."""

    def _note(self, folder, path):  # type: ignore[no-untyped-def]
        with self.store.database.write() as connection:
            connection.execute(
                "insert into disposal (segment_id, order_id, plan_id, plan_number, plan_digest, proved_at_us,"
                " decided_at_us) select id, 1, 1, 'x', ?, 1, 1 from segment where path = ?",
                (bytes(32), path),
            )
        return super()._note(folder, path)


def test_a_file_that_is_disposed_of_meanwhile_is_not_missing(archive: Archive) -> None:
    away(archive.files()[0].file)
    assert DisposedOf(archive.footage.store).turn(NEVER) == []
    assert scan(archive).turn(NEVER) == []
    assert archive.damages() == []


class BroughtHome(PresenceScan):
    """The file is on another volume when its row is asked."""

    def _note(self, folder, path):  # type: ignore[no-untyped-def]
        with self.store.database.write() as connection:
            home = add_volume(connection, "00000000-0000-4000-8000-00000000000b", Path("/home"), 1)
            connection.execute("update segment set volume_id = ? where path = ?", (home, path))
        return super()._note(folder, path)


def test_a_file_that_was_brought_to_another_volume_meanwhile_is_not_missing(archive: Archive) -> None:
    away(archive.files()[0].file)
    assert BroughtHome(archive.footage.store).turn(NEVER) == []
    assert archive.damages() == []


def test_a_stray_is_told_at_the_second_look_and_left_alone(archive: Archive) -> None:
    looking = scan(archive)
    stray = archive.files()[0].file.with_name("stray.mp4")
    stray.write_bytes(b"whose is it")
    looking.turn(NEVER)
    assert looking.strays() == []
    looking.turn(NEVER)
    assert looking.strays() == [f"footage/{stray.parent.name}/stray.mp4"]
    with archive.footage.database.read() as connection:
        assert connection.execute("select strays from presence_look").fetchone()[0] == 1
    assert stray.exists()


def test_a_stop_ends_the_turn(archive: Archive) -> None:
    over = threading.Event()
    over.set()
    away(archive.files()[0].file)
    assert scan(archive).turn(over) == []


def test_every_old_folder_has_its_look_within_the_turns_of_an_hour(tmp_path: Path) -> None:
    with open_fixed(tmp_path, files=NEWEST + 5, apart_us=DAY_US) as archive:
        looking = scan(archive)
        looking.turn(NEVER)
        files = archive.files()
        away(files[-1].file)
        assert looking.turn(NEVER) == [files[-1].path]
        for file in files[:5]:
            away(file.file)
        found = [path for _ in range(TURNS) for path in looking.turn(NEVER)]
        assert sorted(found) == [file.path for file in files[:5]]
