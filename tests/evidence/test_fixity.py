"""Every file is read, what is not what it was is found, and nothing else is."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.check_facts import FOOTAGE_FACTS, check_facts
from evidence.fixity import StoppedError, check_files, digest_of, present_volumes, read_file, unpaced
from evidence.fixity_rows import (
    Soundness,
    checked_before,
    damage_counts,
    find_file,
    latest_damages,
    list_digest,
    never_checked,
    note_damage,
    open_damages,
    read_bytes_since,
    read_progress,
    write_progress,
)
from evidence.naming import VOLUME_MARK
from evidence.repair import Mending, repair
from tests.evidence.fixed import Archive, flip, open_fixed
from tests.evidence.store import FIRST_US

NOW_US = FIRST_US + 100_000_000


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_fixed(tmp_path) as made:
        yield made


def dispose(archive: Archive, segment_id: int) -> None:
    """The row that a register leaves."""
    with archive.footage.database.write() as connection:
        connection.execute(
            "insert into disposal (segment_id, order_id, plan_id, plan_number, plan_digest, proved_at_us,"
            " decided_at_us) values (?, 1, 1, 'x', ?, 1, 1)",
            (segment_id, bytes(32)),
        )


def check(archive: Archive, order_id: int | None = None) -> list[Soundness]:
    return [each.result for each in check_files(archive.footage.store, archive.files(), unpaced, order_id)]


def test_sound_files_are_one_leaf_and_no_damage(archive: Archive) -> None:
    assert check(archive, 7) == [Soundness.SOUND] * 4
    assert archive.leaves("fixity_check", "damage_found") == ["fixity_check"]
    with archive.footage.database.read() as connection:
        (row,) = connection.execute("select * from fixity_turn").fetchall()
        assert list(check_facts(connection, FOOTAGE_FACTS)) == []
        assert read_bytes_since(connection, NOW_US) == sum(file.size_bytes for file in archive.files())
    assert (row["files"], row["troubles"], row["order_id"]) == (4, 0, 7)
    assert (row["first_segment_id"], row["last_segment_id"]) == (archive.ids[0], archive.ids[-1])
    assert row["list_sha256"] == list_digest(f"{each} sound\n" for each in archive.ids)


def test_every_flipped_bit_is_found_in_one_pass_repaired_and_on_record_and_nothing_else_is(
    tmp_path: Path,
) -> None:
    with open_fixed(tmp_path, files=24) as archive:
        archive.copy_all()
        chance = random.Random(19)
        rotten = sorted(chance.sample(archive.ids, 7))
        for segment_id in rotten:
            file = archive.file(segment_id)
            flip(file.file, chance.randrange(file.size_bytes * 8))
        readings = check_files(archive.footage.store, archive.files(), unpaced)
        found = [each.segment_id for each in readings if each.result is Soundness.DAMAGED]
        assert found == rotten
        assert [repair(archive.footage.store, each) for each in found] == [Mending.WHOLE] * 7
        assert set(check(archive)) == {Soundness.SOUND}
        assert archive.leaves("damage_found") == ["damage_found"] * 7
        assert archive.leaves("damage_repaired") == ["damage_repaired"] * 7
        with archive.footage.database.read() as connection:
            assert open_damages(connection) == []
            assert damage_counts(connection) == (7, 7)
            assert {each.repaired_by for each in latest_damages(connection, 10)} == {"mirror"}
            assert list(check_facts(connection, FOOTAGE_FACTS)) == []


def test_each_trouble_has_its_kind(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third, fourth = (file.file for file in archive.files())
    first.rename(first.with_name("elsewhere"))
    second.chmod(0o644)
    second.write_bytes(second.read_bytes()[:-1])
    flip(third)
    real = os.readv

    def failing(descriptor: int, chunks: list[memoryview]) -> int:
        if Path(f"/proc/self/fd/{descriptor}").readlink() == fourth:
            raise OSError(5, "Input/output error")
        return real(descriptor, chunks)

    monkeypatch.setattr(os, "readv", failing)
    wanted = [Soundness.MISSING, Soundness.DAMAGED, Soundness.DAMAGED, Soundness.UNREADABLE]
    assert check(archive) == wanted
    assert [row["kind"] for row in archive.damages()] == wanted
    assert {row["found_by"] for row in archive.damages()} == {"fixity"}


def test_a_damage_that_lasts_is_recorded_once(archive: Archive) -> None:
    flip(archive.files()[0].file)
    check(archive)
    check(archive)
    assert archive.leaves("damage_found") == ["damage_found"]
    with archive.footage.database.read() as connection:
        (damage,) = open_damages(connection)
    assert (damage.segment_id, damage.repaired_at_us, damage.repaired_by) == (archive.ids[0], None, None)


def test_a_file_that_is_sound_again_ends_its_damage(archive: Archive) -> None:
    file = archive.files()[0].file
    file.rename(file.with_name("away"))
    check(archive)
    file.with_name("away").rename(file)
    check(archive)
    assert archive.leaves("damage_repaired") == ["damage_repaired"]
    assert archive.damages()[0]["repaired_by"] == "came_back"


def test_a_volume_that_is_away_is_no_damage(archive: Archive) -> None:
    volume = archive.footage.volume.path
    file = archive.files()[0]
    volume.rename(volume.with_name("unplugged"))
    assert read_file(file) is None
    assert check_files(archive.footage.store, [file], unpaced) == []
    with archive.footage.database.read() as connection:
        assert present_volumes(connection) == []
    assert archive.damages() == []


def test_a_mark_of_strange_bytes_is_no_mark(archive: Archive) -> None:
    mark = archive.footage.volume.path / VOLUME_MARK
    mark.chmod(0o644)
    mark.write_bytes(b"\xff\xfe")
    with archive.footage.database.read() as connection:
        assert present_volumes(connection) == []


def test_a_file_being_disposed_of_is_not_missed(archive: Archive) -> None:
    file = archive.files()[0]
    dispose(archive, file.segment_id)
    file.file.rename(file.file.with_name("gone"))
    assert check_files(archive.footage.store, [file], unpaced) == []
    with archive.footage.database.write() as connection:
        assert not note_damage(connection, file.segment_id, Soundness.MISSING, "fixity", NOW_US)  # type: ignore[arg-type]
        assert find_file(connection, file.segment_id) is None
    assert archive.damages() == []


def test_a_stop_in_the_middle_of_a_file_keeps_what_was_read_before_it(archive: Archive) -> None:
    paced: list[int] = []

    def pace(size_bytes: int) -> None:
        paced.append(size_bytes)
        if len(paced) == 3:
            raise StoppedError

    readings = check_files(archive.footage.store, archive.files(), pace)
    assert [each.segment_id for each in readings] == archive.ids[:2]
    assert archive.leaves("fixity_check") == ["fixity_check"]


def test_what_was_never_read_comes_first_then_the_oldest(archive: Archive) -> None:
    volumes = [archive.footage.volume.id]
    with archive.footage.database.read() as connection:
        assert [each.segment_id for each in never_checked(connection, volumes, 0, 3)] == archive.ids[:3]
        assert never_checked(connection, volumes, archive.ids[-1], 3) == []
        assert never_checked(connection, [], 0, 3) == []
    files = archive.files()
    check_files(archive.footage.store, [files[2]], unpaced)
    archive.footage.store.clock.sleep_us(1_000_000)
    check_files(archive.footage.store, [files[0]], unpaced)
    with archive.footage.database.read() as connection:
        assert [each.segment_id for each in never_checked(connection, volumes, 0, 9)] == [
            archive.ids[1],
            archive.ids[3],
        ]
        later_us = NOW_US + 2_000_000
        old = [each.segment_id for each in checked_before(connection, volumes, later_us, 9)]
        assert old == [archive.ids[2], archive.ids[0]]
        assert len(checked_before(connection, volumes, NOW_US + 1, 9)) == 1
    dispose(archive, archive.ids[2])
    with archive.footage.database.read() as connection:
        assert len(checked_before(connection, volumes, later_us, 9)) == 1


def test_progress_counts_what_was_read_within_the_period(archive: Archive) -> None:
    check_files(archive.footage.store, archive.files()[:1], unpaced)
    with archive.footage.database.write() as connection:
        write_progress(connection, 1, NOW_US)
    with archive.footage.database.read() as connection:
        (progress,) = read_progress(connection)
    sizes = [file.size_bytes for file in archive.files()]
    assert (progress.files, progress.checked_files, progress.oldest_at_us) == (4, 1, None)
    assert (progress.total_bytes, progress.checked_bytes) == (sum(sizes), sizes[0])
    check(archive)
    with archive.footage.database.write() as connection:
        write_progress(connection, NOW_US + 1, NOW_US)
        (progress,) = read_progress(connection)
    assert (progress.checked_files, progress.checked_bytes, progress.oldest_at_us) == (0, 0, NOW_US)


def test_the_digest_is_that_of_the_bytes_on_the_disk(archive: Archive) -> None:
    file = archive.files()[0]
    assert digest_of(file.file) == file.sha256
