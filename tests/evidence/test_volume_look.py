import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.database import WriterDatabase
from evidence.footage import Cause
from evidence.ledger import read_leaves
from evidence.naming import PROBE, VOLUME_MARK
from evidence.protection import Level, make_immutable
from evidence.volume_look import (
    KEEP_INODES,
    Look,
    Looker,
    Place,
    Space,
    Trouble,
    VolumeError,
    open_volume,
    places,
    probe_write,
    read_space,
)
from evidence.volume_rows import VolumeFound, hours_until_full, volume_states, write_volume_states

NOW_US = 1_795_309_200_000_000
GIB = 1 << 30


@pytest.fixture
def database(tmp_path: Path) -> Iterator[WriterDatabase]:
    opened = WriterDatabase(tmp_path / "footage.db", "footage")
    yield opened
    opened.close()


@pytest.fixture
def looker(database: WriterDatabase, tmp_path: Path) -> Looker:
    return Looker(database, fstab=tmp_path / "no fstab")


@pytest.fixture
def two(looker: Looker, tmp_path: Path) -> list[Place]:
    """Two volumes in use, each with its mark."""
    found = places([tmp_path / "a", tmp_path / "b"], None, 0)
    assert all(looker.look(place, NOW_US).is_usable for place in found)
    return found


def exchange(a: Path, b: Path) -> None:
    aside = a.with_name("aside")
    a.rename(aside)
    b.rename(a)
    aside.rename(b)


def mark(path: Path) -> str:
    return (path / VOLUME_MARK).read_text().strip()


def told(looks: list[Look]) -> list[tuple[Trouble | None, str, str]]:
    return [(look.trouble, look.expected, look.found) for look in looks]


def test_a_new_folder_is_marked_and_gets_its_three_places(database: WriterDatabase, tmp_path: Path) -> None:
    volume = open_volume(database, tmp_path / "disk", NOW_US)
    assert mark(volume.path) == volume.uuid
    assert volume.growing.is_dir()
    assert volume.footage.is_dir()
    assert volume.quarantine.is_dir()
    assert open_volume(database, tmp_path / "disk", NOW_US) == volume


def test_a_marked_disk_keeps_its_identity_at_another_place(database: WriterDatabase, tmp_path: Path) -> None:
    volume = open_volume(database, tmp_path / "disk", NOW_US)
    moved = tmp_path / "elsewhere"
    volume.path.rename(moved)
    assert open_volume(database, moved, NOW_US).id == volume.id


def test_two_disks_that_changed_places_are_both_refused_by_name(looker: Looker, two: list[Place]) -> None:
    a, b = (place.path for place in two)
    of_a, of_b = mark(a), mark(b)
    exchange(a, b)
    assert told([looker.look(place, NOW_US) for place in two]) == [
        (Trouble.SWAPPED, f"volume {of_a}", f"volume {of_b}, which is that of {b}"),
        (Trouble.SWAPPED, f"volume {of_b}", f"volume {of_a}, which is that of {a}"),
    ]
    exchange(a, b)
    assert all(looker.look(place, NOW_US).is_usable for place in two)


def test_an_unmounted_disk_is_refused_and_nothing_is_written(looker: Looker, two: list[Place]) -> None:
    a, _ = (place.path for place in two)
    of_a = mark(a)
    a.rename(a.with_name("unplugged"))
    assert told([looker.look(two[0], NOW_US)]) == [(Trouble.NOT_MOUNTED, f"volume {of_a}", "an empty folder")]
    a.mkdir()
    assert looker.look(two[0], NOW_US).trouble is Trouble.NOT_MOUNTED
    assert list(a.iterdir()) == []
    assert looker.look(two[1], NOW_US).is_usable


def test_another_disk_or_a_folder_without_mark_is_refused(looker: Looker, two: list[Place]) -> None:
    a = two[0].path
    of_a = mark(a)
    (a / VOLUME_MARK).rename(a / "lost")
    assert told([looker.look(two[0], NOW_US)]) == [
        (Trouble.NO_MARK, f"volume {of_a}", "a folder without mark")
    ]
    stranger = "00000000-0000-0000-0000-00000000000a"
    (a / VOLUME_MARK).write_text(stranger + "\n")
    assert told([looker.look(two[0], NOW_US)]) == [
        (Trouble.WRONG_VOLUME, f"volume {of_a}", f"volume {stranger}")
    ]
    (a / VOLUME_MARK).write_text("scratched\n")
    look = looker.look(two[0], NOW_US)
    assert (look.trouble, look.trouble and look.trouble.cause) == (
        Trouble.DAMAGED_MARK,
        Cause.DISK_MISSING,
    )


def test_a_disk_that_stands_twice_in_the_settings_is_used_once(looker: Looker, tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(tmp_path / "disk")
    first, again = places([tmp_path / "disk", tmp_path / "again"], None, 0)
    assert looker.look(first, NOW_US).is_usable
    look = looker.look(again, NOW_US)
    assert (look.trouble, look.expected) == (Trouble.DUPLICATE, "volume (a new one)")
    assert look.found.endswith(f"which is that of {first.path}")
    assert looker.look(first, NOW_US).is_usable


def test_a_copy_of_a_disk_whose_original_is_damaged_is_no_duplicate(looker: Looker, two: list[Place]) -> None:
    a, b = (place.path for place in two)
    of_b = mark(b)
    for path, text in ((a / VOLUME_MARK, of_b), (b / VOLUME_MARK, "scratched")):
        path.chmod(0o644)
        path.write_text(text)
    assert looker.look(two[0], NOW_US).trouble is Trouble.SWAPPED


def test_a_new_folder_on_a_mount_point_without_disk_is_refused(
    database: WriterDatabase, tmp_path: Path
) -> None:
    fstab = tmp_path / "fstab"
    (tmp_path / "mnt").mkdir()
    fstab.write_text(
        f"# disks\n\nUUID=1 / ext4\nUUID=2 {tmp_path}/mnt ext4\nUUID=3 none swap\nproc /proc proc\n"
    )
    (place,) = places([tmp_path / "mnt" / "footage"], None, 0)
    look = Looker(database, fstab=fstab).look(place, NOW_US)
    assert told([look]) == [(Trouble.NOT_MOUNTED, f"a disk mounted at {tmp_path}/mnt", "none")]
    assert list((tmp_path / "mnt").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused_in_one_sentence(
    database: WriterDatabase, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VolumeError, match="file/disk: fault: expected a writable folder, found Not a dir"):
        open_volume(database, tmp_path / "file" / "disk", NOW_US)


@pytest.mark.parametrize(
    ("number", "trouble", "cause"),
    [
        (errno.EROFS, Trouble.READ_ONLY, Cause.DISK_FAULT),
        (errno.EIO, Trouble.FAULT, Cause.DISK_FAULT),
        (errno.ENOSPC, Trouble.FULL, Cause.DISK_FULL),
        (errno.EDQUOT, Trouble.FULL, Cause.DISK_FULL),
    ],
)
def test_a_write_that_fails_tells_what_is_wrong(
    looker: Looker, two: list[Place], number: int, trouble: Trouble, cause: Cause
) -> None:
    def fail(_path: Path) -> None:
        raise OSError(number, os.strerror(number))

    look = Looker(looker.database, write=fail).look(two[0], NOW_US)
    assert (look.trouble, look.found, look.is_usable) == (trouble, os.strerror(number), False)
    assert trouble.cause is cause


def test_free_space_that_cannot_be_read_is_a_fault_and_neither_plenty_nor_none(
    looker: Looker, two: list[Place]
) -> None:
    def fail(_path: Path) -> Space:
        raise OSError(errno.EIO, "Input/output error")

    look = Looker(looker.database, space=fail).look(two[0], NOW_US)
    assert (look.trouble, look.space) == (Trouble.FAULT, None)
    assert read_space(two[0].path).free_bytes > 0
    with pytest.raises(FileNotFoundError):
        read_space(two[0].path / "nowhere")


@pytest.mark.parametrize(
    ("free_bytes", "free_inodes", "trouble"),
    [
        (2 * GIB - 1, 1000, Trouble.FULL),
        (2 * GIB, 1000, None),
        (2 * GIB, KEEP_INODES - 1, Trouble.NO_INODES),
        (2 * GIB, None, None),
    ],
)
def test_too_little_room_or_too_few_inodes_is_full(
    looker: Looker, tmp_path: Path, free_bytes: int, free_inodes: int | None, trouble: Trouble | None
) -> None:
    (place,) = places([tmp_path / "disk"], None, 2 * GIB)
    space = Space(1, 10 * GIB, free_bytes, free_inodes)
    look = Looker(looker.database, space=lambda _: space).look(place, NOW_US)
    assert look.trouble is trouble
    assert look.volume is not None
    assert trouble is None or trouble.cause is Cause.DISK_FULL


def test_the_reserve_stands_last_and_one_folder_is_looked_at_once(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    found = places([a, b, a], b, 7)
    assert [(place.path, place.is_reserve) for place in found] == [(a, False), (b, True)]
    assert {place.keep_free_bytes for place in found} == {7}


def test_the_probe_is_rewritten_even_when_a_crash_left_it_immutable(tmp_path: Path) -> None:
    probe_write(tmp_path)
    make_immutable(tmp_path / PROBE)
    probe_write(tmp_path)
    assert (tmp_path / PROBE).stat().st_size == 4096


def test_what_was_found_is_published_with_how_long_the_room_lasts(looker: Looker, two: list[Place]) -> None:
    space = Space(7, 10 * GIB, 3 * GIB, None)
    roomy = Looker(looker.database, space=lambda _: space)
    first, second = roomy.look(two[0], NOW_US), looker.look(two[1], NOW_US)
    (reserve,) = places([], two[1].path.with_name("r"), GIB)
    refused = Look(reserve, None, Trouble.WRONG_VOLUME, "volume x", "volume y")
    found = [
        VolumeFound(refused, Trouble.WRONG_VOLUME, NOW_US),
        VolumeFound(first, None, NOW_US, 8_000_000),
        VolumeFound(second, Trouble.NO_ANSWER, NOW_US - 5),
    ]
    with looker.database.write() as connection:
        write_volume_states(connection, found, NOW_US)
        write_volume_states(connection, found, NOW_US + 1)
        states = volume_states(connection)
    assert [(Path(one.path).name, one.is_reserve, one.trouble) for one in states] == [
        ("a", False, None),
        ("b", False, Trouble.NO_ANSWER),
        ("r", True, Trouble.WRONG_VOLUME),
    ]
    assert states[0].space == space
    assert states[0].hours_left == pytest.approx(3 * GIB / 1_000_000 / 3600)
    assert (states[2].space, states[2].expected, states[2].found) == (None, "volume x", "volume y")
    assert states[2].keep_free_bytes == GIB
    assert states[0].level in Level
    assert states[1].since_us == NOW_US - 5
    assert states[0].updated_at_us == NOW_US + 1
    assert hours_until_full(GIB, 2 * GIB, 8) == 0
    assert hours_until_full(GIB, 0, 0) is None


def test_a_trouble_that_begins_changes_or_ends_is_a_leaf_without_a_path(
    looker: Looker, two: list[Place]
) -> None:
    look = looker.look(two[0], NOW_US)
    stranger = Look(places([two[0].path.with_name("never seen")], None, 0)[0])
    for trouble in (None, Trouble.FULL, Trouble.FULL, Trouble.FAULT, None, None):
        found = [VolumeFound(look, trouble, NOW_US + 7), VolumeFound(stranger, Trouble.NO_ANSWER, NOW_US)]
        with looker.database.write() as connection:
            write_volume_states(connection, found, NOW_US + 9)
    with looker.database.read() as connection:
        leaves = [leaf for leaf, _ in read_leaves(connection)]
    told = [
        (leaf.kind, json.loads(leaf.body)["trouble"], json.loads(leaf.body)["volume_uuid"]) for leaf in leaves
    ]
    assert told == [
        ("volume_trouble", "no_answer", None),
        ("volume_trouble", "full", mark(two[0].path)),
        ("volume_trouble", "fault", mark(two[0].path)),
        ("volume_back", "fault", mark(two[0].path)),
    ]
    assert json.loads(leaves[1].body).keys() == {"volume_uuid", "role", "trouble", "since_us"}
    assert (json.loads(leaves[1].body)["since_us"], leaves[1].recorded_at_us) == (NOW_US + 7, NOW_US + 9)
    assert not [leaf for leaf in leaves if str(two[0].path) in leaf.body]
