"""Footage of the reserve comes home: verified, on record, released last, and the same after any crash."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from sqlite3 import IntegrityError

import pytest

from evidence.adoption import Adoption, adopt
from evidence.check import Memory, check
from evidence.check_codes import Code, Depth
from evidence.check_files import Cost
from evidence.check_files import Look as CheckLook
from evidence.database import WriterDatabase
from evidence.disposal_permit import DisposalRefusedError
from evidence.duplicate_permit import ReleaseRefusal
from evidence.fixity import check_files, unpaced
from evidence.fixity_rows import Soundness, find_file
from evidence.footage_rows import add_volume
from evidence.ingest import Store
from evidence.naming import RELOCATING, VOLUME_MARK
from evidence.presence_scan import PresenceScan
from evidence.protection import is_immutable, make_immutable, make_mutable
from evidence.rebuild import Rebuild, find_volume
from evidence.relocation import (
    RelocationError,
    bring,
    empty_leftovers,
)
from evidence.relocation_rows import Relocation, is_relocating
from evidence.volume_look import open_volume
from evidence.volumes import LocalDisk
from tests.disposals import open_archive
from tests.evidence.spilled import NOW_US, Spilled, files, open_spilled
from tests.evidence.store import Crash, CrashingDisk
from tests.world import World


@pytest.fixture
def spilled(tmp_path: Path) -> Iterator[Spilled]:
    with open_spilled(tmp_path) as opened:
        yield opened


def test_a_file_comes_home_and_the_first_one_goes_once_that_is_signed(spilled: Spilled) -> None:
    contents = [segment.file.read_bytes() for segment in spilled.footage.segments()]
    asked = spilled.one()
    bring(spilled.store, asked)
    first, second = spilled.footage.segments()
    assert (first.file, second.file.parent.parent.parent) == (asked.final, spilled.reserve.volume.path)
    assert asked.first.exists()
    assert first.file.stat().st_mtime_ns == asked.first.stat().st_mtime_ns
    assert spilled.refused() is ReleaseRefusal.NOT_IN_LEDGER
    spilled.sign()
    spilled.release(1)
    assert not asked.first.exists()
    assert [segment.file.read_bytes() for segment in spilled.footage.segments()] == contents
    assert spilled.findings() == []
    names = {
        "segment_relocation_id": 1,
        "segment_id": asked.segment_id,
        "from_volume_uuid": spilled.reserve.volume.uuid,
        "to_volume_uuid": spilled.footage.volume.uuid,
        "size_bytes": len(contents[0]),
        "sha256": asked.sha256.hex(),
    }
    assert spilled.leaves("segment_relocated") == spilled.leaves("duplicate_released") == [names]
    digests = (asked.final.parent / "digests.sha256").read_text()
    assert digests == f"{asked.sha256.hex()}  {asked.final.name}\n"


def test_all_files_come_home_one_after_another(spilled: Spilled) -> None:
    while (relocation := spilled.next()) is not None:
        bring(spilled.store, relocation)
    spilled.sign()
    for relocation in spilled.open():
        spilled.release(relocation.id or 0)
    assert files(spilled.reserve.volume) == []
    assert len(files(spilled.footage.volume)) == 2
    assert spilled.refused(1) is ReleaseRefusal.NOT_OPEN
    assert spilled.findings() == []


def test_a_protected_file_comes_home_protected_and_its_first_copy_can_go(tmp_path: Path) -> None:
    probe = tmp_path / "probe"
    probe.write_bytes(b"")
    is_possible = make_immutable(probe) and make_mutable(probe)
    with open_spilled(tmp_path, files=1) as spilled:
        store = spilled.footage.with_disk(LocalDisk(immutable=True))
        relocation = spilled.one()
        store.disk.protect(relocation.first)
        bring(store, relocation)
        spilled.sign()
        try:
            spilled.release(1, store)
            assert is_immutable(relocation.final) == is_possible
            assert relocation.final.stat().st_mode & 0o777 == 0o444
            assert files(spilled.reserve.volume) == []
        finally:
            make_mutable(relocation.final)


STEPS = 14


def whole_way(spilled: Spilled, store: Store) -> None:
    """What the chore does with one file, beginning wherever a crash left it."""
    waiting = [each for each in spilled.open() if each.is_moved]
    if not waiting and (relocation := spilled.next()) is not None:
        bring(store, relocation)
        spilled.sign()
        waiting = spilled.open()
    for each in waiting:
        spilled.sign()
        spilled.release(each.id or 0, store)


def test_the_steps_of_one_file_are_these(tmp_path: Path) -> None:
    with open_spilled(tmp_path, files=1) as spilled:
        disk = CrashingDisk()
        whole_way(spilled, spilled.footage.with_disk(disk))
    bringing = [
        "copy",
        "digest",
        "make_folder",
        "move",
        "sync_folder",
        "note_digest",
        "protect",
        "sync_folder",
    ]
    releasing = ["forget", "digest", "forget", "digest", "unprotect", "sync_folder"]
    assert disk.steps == bringing + releasing
    assert len(disk.steps) == STEPS


@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_crash_at_any_step_the_footage_is_whole_and_the_way_is_gone_on_with(
    tmp_path: Path, step: int, when: str
) -> None:
    with open_spilled(tmp_path, files=1) as spilled:
        content = spilled.footage.segments()[0].file.read_bytes()
        disk = CrashingDisk(before=step) if when == "before" else CrashingDisk(after=step)
        with suppress(Crash):
            whole_way(spilled, spilled.footage.with_disk(disk))
        assert len(disk.steps) == step + 1
        volumes = spilled.reserve.volume, spilled.footage.volume
        assert spilled.footage.segments()[0].file.read_bytes() == content
        assert adopt(spilled.store, *volumes) == Adoption(0, 0, [])
        assert spilled.findings() == []
        whole_way(spilled, spilled.store)
        assert spilled.footage.segments()[0].file.read_bytes() == content
        assert [files(volume) for volume in volumes] == [[], files(spilled.footage.volume)]
        assert len(files(spilled.footage.volume)) == 1
        assert spilled.open() == []
        assert spilled.footage.count("quarantined_file") == 0
        assert spilled.findings() == []


def test_a_copy_that_never_got_its_name_is_emptied(spilled: Spilled) -> None:
    copy = spilled.footage.volume.path / RELOCATING
    empty_leftovers(spilled.store)
    assert not copy.exists()
    with suppress(Crash):
        bring(spilled.footage.with_disk(CrashingDisk(after=0)), spilled.one())
    assert copy.stat().st_size > 0
    empty_leftovers(spilled.store)
    empty_leftovers(spilled.store)
    assert copy.stat().st_size == 0


def test_files_that_are_to_rest_and_those_disposed_of_are_passed_over(spilled: Spilled) -> None:
    first, second = (segment.id for segment in spilled.footage.segments())
    assert spilled.one().segment_id == first
    following = spilled.next(first)
    assert following is not None
    assert following.segment_id == second
    assert spilled.next(first, second) is None
    spilled.edit(
        "insert into disposal (segment_id, order_id, plan_id, plan_number, plan_digest, proved_at_us,"
        f" decided_at_us) values ({first}, 1, 1, 'x', zeroblob(32), 1, 1)"
    )
    assert spilled.one().segment_id == second
    with pytest.raises(RelocationError, match="no longer free to go"):
        bring(spilled.store, replace(following, segment_id=first))


def test_a_begun_one_comes_first_and_can_be_told_to_rest(spilled: Spilled) -> None:
    asked = spilled.one()
    with suppress(Crash):
        bring(spilled.footage.with_disk(CrashingDisk(before=3)), asked)
    assert spilled.next() == replace(asked, id=1)
    following = spilled.next(asked.segment_id)
    assert following is not None
    assert following.id is None
    assert following.segment_id != asked.segment_id


def test_a_damaged_file_of_the_reserve_stays_where_it_is(spilled: Spilled) -> None:
    relocation = spilled.one()
    relocation.first.chmod(0o644)
    relocation.first.write_bytes(b"damaged")
    with pytest.raises(RelocationError, match="not what the index says"):
        bring(spilled.store, relocation)
    assert spilled.open() == []
    assert spilled.footage.segments()[0].file == relocation.first
    assert not relocation.final.exists()


def test_a_strange_file_at_the_place_is_never_overwritten(spilled: Spilled) -> None:
    relocation = spilled.one()
    relocation.final.parent.mkdir()
    relocation.final.write_bytes(b"stranger")
    with pytest.raises(RelocationError, match="exists already"):
        bring(spilled.store, relocation)
    assert relocation.final.read_bytes() == b"stranger"


@pytest.mark.parametrize("side", ["source", "home"])
def test_a_disk_that_is_not_the_right_one_is_not_written_to(spilled: Spilled, side: str) -> None:
    relocation = spilled.one()
    mark: Path = getattr(relocation, side).path / VOLUME_MARK
    mark.unlink()
    with pytest.raises(RelocationError, match="does not hold volume"):
        bring(spilled.store, relocation)
    assert not (relocation.home.path / RELOCATING).exists()


def lose_home(relocation: Relocation) -> None:
    (relocation.home.path / VOLUME_MARK).unlink()


def lose_copy(relocation: Relocation) -> None:
    relocation.final.unlink()


def damage_copy(relocation: Relocation) -> None:
    size = relocation.final.stat().st_size
    relocation.final.unlink()
    relocation.final.write_bytes(bytes(size))


def cut_copy(relocation: Relocation) -> None:
    relocation.final.unlink()
    relocation.final.write_bytes(b"short")


def link_copy(relocation: Relocation) -> None:
    relocation.final.unlink()
    relocation.final.hardlink_to(relocation.first)


def damage_first(relocation: Relocation) -> None:
    relocation.first.chmod(0o644)
    relocation.first.write_bytes(b"other")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lose_home, ReleaseRefusal.VOLUME_ABSENT),
        (lose_copy, ReleaseRefusal.COPY_MISSING),
        (damage_copy, ReleaseRefusal.COPY_DAMAGED),
        (cut_copy, ReleaseRefusal.COPY_DAMAGED),
        (link_copy, ReleaseRefusal.SAME_FILE),
        (damage_first, ReleaseRefusal.DUPLICATE_DIFFERS),
    ],
)
def test_the_first_file_stays_unless_another_good_one_is_there_now(
    spilled: Spilled, harm: Callable[[Relocation], None], reason: ReleaseRefusal
) -> None:
    relocation = spilled.moved()
    harm(relocation)
    assert spilled.refused() is reason
    assert relocation.first.exists()
    assert spilled.open() == [relocation]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("update segment set volume_id = (select from_volume_id from segment_relocation)", "not_moved"),
        ("update segment_relocation set moved_at_us = null", "not_moved"),
        ("update segment set sha256 = zeroblob(32)", "record_changed"),
        ("update volume set uuid = replace(uuid, '-', '_')", "record_changed"),
        (
            "update ledger_leaf set body = replace(body, '_id\":1', '_id\":9')"
            " where kind = 'segment_relocated'",
            "not_in_ledger",
        ),
        ("update ledger_leaf set recorded_at_us = 1", "ledger_unsound"),
    ],
)
def test_a_record_that_somebody_changed_releases_nothing(
    spilled: Spilled, question: str, reason: str
) -> None:
    relocation = spilled.moved()
    spilled.edit(question)
    assert spilled.refused() == reason
    assert relocation.first.exists()


def test_an_unsigned_ledger_releases_nothing(spilled: Spilled) -> None:
    spilled.moved()
    (spilled.folder / "footage_checkpoints.db").rename(spilled.folder / "gone.db")
    assert spilled.refused() is ReleaseRefusal.LEDGER_UNSOUND


def test_rows_of_relocations_are_only_completed_and_never_go(spilled: Spilled) -> None:
    relocation = spilled.moved()
    with spilled.footage.database.read() as connection:
        assert is_relocating(connection, relocation.segment_id)
    for question in (
        "delete from segment_relocation",
        "update segment_relocation set moved_at_us = moved_at_us + 1",
        "update segment_relocation set segment_id = segment_id + 1",
    ):
        with (
            pytest.raises(IntegrityError, match="relocation"),
            spilled.footage.database.write() as connection,
        ):
            connection.execute(question)
    spilled.release(1)
    with spilled.footage.database.read() as connection:
        assert not is_relocating(connection, relocation.segment_id)


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        ("update segment_relocation set segment_id = 2", {Code.FACT_CHANGED, Code.FILE_STRAY}),
        ("update segment_relocation set released_at_us = moved_at_us", {Code.FILE_STRAY}),
        ("update segment_relocation set moved_at_us = null", {Code.LEAF_WITHOUT_FACT}),
    ],
)
def test_the_check_tells_a_relocation_that_somebody_changed(
    spilled: Spilled, question: str, codes: set[Code]
) -> None:
    spilled.moved()
    spilled.edit(question)
    assert {finding.code for finding in spilled.findings()} >= codes


def test_a_file_that_is_brought_home_during_a_check_is_no_finding(spilled: Spilled) -> None:
    def move(_cost: Cost) -> None:
        if spilled.leaves("segment_relocated") == []:
            first = spilled.footage.segments()[0]
            second = spilled.next(first.id)
            assert second is not None
            bring(spilled.store, second)
            spilled.sign()
            spilled.release(1)

    spilled.sign()
    look = CheckLook(Depth.DIGEST, Cost(), move)
    assert list(check(Memory(spilled.folder, spilled.folder / "keys"), look)) == []
    assert len(files(spilled.reserve.volume)) == 1


def test_a_file_on_its_way_is_not_disposed_of(world: World) -> None:
    with open_archive(world) as archive:
        order_id = archive.approved_order()
        first = archive.segment_ids[0]
        with world.footage.write() as connection:
            other = add_volume(connection, str(uuid.uuid4()), world.folder / "other", NOW_US)
            connection.execute(
                "insert into segment_relocation (segment_id, from_volume_id, to_volume_id, begun_at_us)"
                " select id, volume_id, ?, 1 from segment where id = ?",
                (other, first),
            )
        with pytest.raises(DisposalRefusedError, match="being_relocated"):
            archive.disposer().dispose(order_id, first)
        assert archive.files_left() == 3


def test_a_reading_that_comes_too_late_finds_no_damage(spilled: Spilled) -> None:
    asked = spilled.one()
    with spilled.footage.database.read() as connection:
        file = find_file(connection, asked.segment_id)
    assert file is not None
    assert [each.result for each in check_files(spilled.store, [file], unpaced)] == [Soundness.SOUND]
    spilled.moved()
    spilled.release(1)
    assert check_files(spilled.store, [file], unpaced) == []
    assert spilled.footage.count("damage") == 0


def test_a_look_at_the_folders_tells_neither_copy_a_stray(spilled: Spilled) -> None:
    scan = PresenceScan(spilled.store)
    with suppress(Crash):
        bring(spilled.footage.with_disk(CrashingDisk(after=3)), spilled.one())
    for _ in range(2):
        assert scan.turn(threading.Event()) == []
    spilled.moved()
    for _ in range(2):
        assert scan.turn(threading.Event()) == []
    assert scan.strays() == []


def test_a_file_that_goes_home_during_a_look_is_not_missing(
    spilled: Spilled, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def move_first(path: Path) -> Iterator[os.DirEntry[str]]:
        monkeypatch.setattr(os, "scandir", scandir)
        spilled.moved()
        spilled.release(1)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", move_first)
    assert PresenceScan(spilled.store).turn(threading.Event()) == []
    assert spilled.open() == []
    assert spilled.footage.count("damage") == 0


def test_the_earliest_file_goes_first_whichever_camera_recorded_it(spilled: Spilled) -> None:
    spilled.edit(
        "update segment set camera_uuid = replace(camera_uuid, 'c1', 'b1'), path = 'footage/a' where id = 2"
    )
    assert spilled.one().segment_id == 1


def test_a_rebuilt_index_takes_one_of_two_copies_and_the_next_start_sets_the_other_aside(
    spilled: Spilled,
) -> None:
    spilled.moved()
    with closing(WriterDatabase(spilled.folder / "new" / "footage.db", "footage")) as database:
        found = [find_volume(spilled.footage.volume.path), find_volume(spilled.reserve.volume.path)]
        rebuild = Rebuild(database, NOW_US, is_thorough=True)
        assert len(list(rebuild.fill(found))) >= 1
        store = Store(database, LocalDisk(), spilled.store.clock)
        volumes = [open_volume(database, each.path, NOW_US) for each in found]
        assert adopt(store, *volumes) == Adoption(0, 1, [])
        with database.read() as connection:
            rows = connection.execute("select volume_id from segment order by started_at_us").fetchall()
        assert [row[0] for row in rows] == [volume.id for volume in volumes]
    assert len(list(spilled.reserve.volume.quarantine.iterdir())) == 1
