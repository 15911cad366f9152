"""The footage of a lost volume comes back from its mirror onto another one, whatever happens in between."""

import os
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.adoption import adopt
from evidence.check_codes import Code, Depth
from evidence.check_facts import FOOTAGE_FACTS, check_facts
from evidence.check_files import Cost, Look, check_volumes
from evidence.coverage import PartKind, coverage
from evidence.day_manifest import read_digests
from evidence.ingest import Store
from evidence.relocation_rows import open_relocations
from evidence.timeline import Interval
from evidence.volume_look import open_volume
from evidence.volume_restore import (
    Loss,
    Restored,
    RestoreError,
    declare_loss,
    declared_files,
    distrust_copies,
    holdings,
    note_lost_files,
    restorable,
    restore,
)
from evidence.volumes import Volume
from tests.evidence.fixed import FILE_US, Archive, flip, open_fixed
from tests.evidence.recorded import CAMERA
from tests.evidence.store import FIRST_US, Crash, CrashingDisk
from tests.evidence.test_fixity import dispose

WHOLE = Interval(FIRST_US, FIRST_US + 4 * FILE_US)
ORDER = 31


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_fixed(tmp_path) as made:
        yield made


def target(archive: Archive) -> Volume:
    return open_volume(archive.footage.database, archive.folder / "new disk", FIRST_US)


def lose(archive: Archive) -> Loss:
    """The disk is gone; the site lead orders its footage back."""
    volumes = (archive.footage.volume.uuid, target(archive).uuid)
    archive.footage.volume.path.rename(archive.folder / "dead disk")
    return declare_loss(archive.footage.store, ORDER, volumes)


def restore_all(archive: Archive, loss: Loss, store: Store | None = None) -> list[Restored]:
    return [restore(store or archive.footage.store, loss, each) for each in archive.ids]


def findings(archive: Archive) -> set[Code]:
    with archive.footage.database.read() as connection:
        found = [
            *check_volumes(connection, Look(Depth.DIGEST, Cost())),
            *check_facts(connection, FOOTAGE_FACTS),
        ]
    return {each.code for each in found}


def kinds(archive: Archive) -> list[PartKind]:
    with archive.footage.database.read() as connection:
        return [part.kind for part in coverage(connection, CAMERA, WHOLE, WHOLE.until_us)]


def test_every_file_comes_back_byte_for_byte_with_both_facts_on_record(archive: Archive) -> None:
    archive.copy_all()
    before = [each.file.read_bytes() for each in archive.files()]
    loss = lose(archive)
    assert findings(archive) == {Code.FILE_MISSING}
    assert restore_all(archive, loss) == [Restored.WHOLE] * 4
    after = archive.files()
    assert {each.volume for each in after} == {loss.target.path}
    assert [each.file.read_bytes() for each in after] == before
    assert {each.file.stat().st_mode & 0o777 for each in after} == {0o444}
    assert read_digests(after[0].file.parent) == {each.file.name: each.sha256 for each in after}
    assert archive.leaves("volume_lost", "segment_restored") == ["volume_lost", *["segment_restored"] * 4]
    assert findings(archive) == set()
    assert kinds(archive) == [PartKind.FOOTAGE]
    assert list((loss.target.path / "restoring").iterdir()) == []
    with archive.footage.database.read() as connection:
        assert open_relocations(connection) == []
        assert restorable(connection, loss, 0, 9) == []
        assert (holdings(connection, loss.lost.id).files, declared_files(connection, ORDER)) == (0, 4)


def test_the_loss_says_how_much_was_there_and_is_recorded_once(archive: Archive) -> None:
    archive.copy_all()
    archive.copy(archive.ids[0]).unlink()
    distrust_copies(archive.footage.store, archive.ids[0])
    dispose(archive, archive.ids[3])
    size = sum(archive.file(each).size_bytes for each in archive.ids[:3])
    loss = lose(archive)
    declare_loss(archive.footage.store, ORDER, (loss.lost.uuid, loss.target.uuid))
    with archive.footage.database.read() as connection:
        (row,) = connection.execute("select * from volume_loss").fetchall()
    assert (row["files"], row["copied_files"], row["order_id"]) == (3, 2, ORDER)
    assert row["size_bytes"] == size
    assert archive.leaves("volume_lost") == ["volume_lost"]


def test_a_volume_that_can_be_read_is_not_lost(archive: Archive) -> None:
    with pytest.raises(RestoreError, match="仍然读得到"):
        declare_loss(archive.footage.store, ORDER, (archive.footage.volume.uuid, target(archive).uuid))
    assert archive.footage.count("volume_loss") == 0


def test_a_target_that_is_away_unknown_or_the_lost_volume_itself_is_refused(archive: Archive) -> None:
    new, own = target(archive), archive.footage.volume
    own.path.rename(archive.folder / "dead disk")
    with pytest.raises(RestoreError, match="没有这个证据卷"):
        declare_loss(archive.footage.store, ORDER, (own.uuid, "nobody's"))
    with pytest.raises(RestoreError, match="目标证据卷没有接上"):
        declare_loss(archive.footage.store, ORDER, (own.uuid, own.uuid))
    new.path.rename(archive.folder / "unplugged")
    with pytest.raises(RestoreError, match="目标证据卷没有接上"):
        declare_loss(archive.footage.store, ORDER, (own.uuid, new.uuid))


def test_a_target_without_room_is_refused_before_anything_is_recorded(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.copy_all()
    Numbers = namedtuple("Numbers", "f_blocks f_frsize f_bavail f_files f_favail")
    monkeypatch.setattr(os, "statvfs", lambda _path: Numbers(1000, 1024, 101, 0, 0))
    with pytest.raises(RestoreError, match="空间不足"):
        lose(archive)
    assert archive.footage.count("volume_loss") == 0


def test_without_its_mirror_or_its_target_a_file_waits(archive: Archive) -> None:
    archive.copy_all()
    loss = lose(archive)
    for folder in (archive.mirror_folder, loss.target.path):
        folder.rename(archive.folder / "unplugged")
        assert restore(archive.footage.store, loss, archive.ids[0]) is Restored.ABSENT
        (archive.folder / "unplugged").rename(folder)
    assert restore(archive.footage.store, loss, archive.ids[0]) is Restored.WHOLE


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_copy_that_rotted_too_restores_nothing_and_the_file_is_missing(
    archive: Archive, is_gone: bool
) -> None:
    archive.copy_all()
    loss = lose(archive)
    copy = archive.copy(archive.ids[0])
    if is_gone:
        copy.rename(copy.with_name("away"))
    else:
        flip(copy)
    assert restore_all(archive, loss) == [Restored.BAD_COPY, *[Restored.WHOLE] * 3]
    distrust_copies(archive.footage.store, archive.ids[0])
    assert note_lost_files(archive.footage.store, loss) == 1
    assert kinds(archive) == [PartKind.UNREADABLE, PartKind.FOOTAGE]
    (found,) = archive.damages()
    assert (found["segment_id"], found["kind"], found["found_by"]) == (archive.ids[0], "missing", "mirror")
    assert findings(archive) == {Code.FILE_MISSING}


def test_a_damage_that_lasted_is_over_once_the_file_is_back(archive: Archive) -> None:
    archive.copy_all()
    loss = lose(archive)
    with archive.footage.database.write() as connection:
        from evidence.fixity_rows import FoundBy, Soundness, note_damage

        note_damage(connection, archive.ids[0], Soundness.MISSING, FoundBy.PRESENCE, FIRST_US)
    restore_all(archive, loss)
    (found,) = archive.damages()
    assert found["repaired_by"] == "mirror"


def test_what_is_disposed_of_stays_gone(archive: Archive) -> None:
    archive.copy_all()
    dispose(archive, archive.ids[0])
    loss = lose(archive)
    assert restore(archive.footage.store, loss, archive.ids[0]) is Restored.WHOLE
    assert not (loss.target.path / "footage").joinpath(archive.copy(archive.ids[1]).parent.name).exists()


def test_another_file_in_the_place_is_not_overwritten(archive: Archive) -> None:
    archive.copy_all()
    loss = lose(archive)
    place = loss.target.path / archive.file(archive.ids[0]).path
    place.parent.mkdir(parents=True)
    place.write_bytes(b"somebody else's")
    with pytest.raises(OSError, match="another file lies"):
        restore(archive.footage.store, loss, archive.ids[0])
    assert place.read_bytes() == b"somebody else's"


def test_a_file_on_its_way_home_from_the_reserve_is_left_alone(archive: Archive) -> None:
    archive.copy_all()
    loss = lose(archive)
    with archive.footage.database.write() as connection:
        connection.execute(
            "insert into segment_relocation (segment_id, from_volume_id, to_volume_id, begun_at_us)"
            " values (?, ?, ?, 1)",
            (archive.ids[0], loss.lost.id, loss.target.id),
        )
    assert restore(archive.footage.store, loss, archive.ids[0]) is Restored.UNDER_WAY


class ForgetfulDisk(CrashingDisk):
    """What is copied to the volume does not stay what it was."""

    def digest(self, _path: Path) -> bytes:
        return bytes(32)


def test_a_target_that_does_not_keep_what_is_written_gets_no_file(archive: Archive) -> None:
    archive.copy_all()
    loss = lose(archive)
    with pytest.raises(OSError, match="not what was written"):
        restore_all(archive, loss, archive.footage.with_disk(ForgetfulDisk()))  # type: ignore[arg-type]
    assert archive.file(archive.ids[0]).volume_id == loss.lost.id


def test_the_lost_disk_that_comes_back_is_kept_as_strays_and_changes_nothing(archive: Archive) -> None:
    archive.copy_all()
    loss = lose(archive)
    restore_all(archive, loss)
    (archive.folder / "dead disk").rename(loss.lost.path)
    found = adopt(archive.footage.store, loss.lost)
    assert (found.adopted, found.left) == (0, [])
    assert archive.footage.count("quarantined_file") == 4
    assert {each.volume for each in archive.files()} == {loss.target.path}
    assert findings(archive) == set()


def test_a_crash_at_any_step_is_gone_on_with(tmp_path: Path) -> None:
    counted = CrashingDisk()
    with open_fixed(tmp_path / "counted", files=1) as archive:
        archive.copy_all()
        restore_all(archive, lose(archive), archive.footage.with_disk(counted))  # type: ignore[arg-type]
    assert len(counted.steps) > 7
    for step in range(len(counted.steps)):
        for disk in (CrashingDisk(before=step), CrashingDisk(after=step)):
            with open_fixed(tmp_path / f"{step}-{disk.after}", files=1) as archive:
                archive.copy_all()
                good = archive.files()[0].file.read_bytes()
                loss = lose(archive)
                with pytest.raises(Crash):
                    restore_all(archive, loss, archive.footage.with_disk(disk))  # type: ignore[arg-type]
                # The next start adopts; what is half restored must not confuse it.
                found = adopt(archive.footage.store, loss.target)
                assert (found.adopted, found.left) == (0, [])
                assert findings(archive) <= {Code.FILE_MISSING}
                again = declare_loss(archive.footage.store, ORDER, (loss.lost.uuid, loss.target.uuid))
                assert restore_all(archive, again) == [Restored.WHOLE]
                assert archive.files()[0].file.read_bytes() == good
                assert findings(archive) == set()
                assert archive.leaves("volume_lost", "segment_restored") == [
                    "volume_lost",
                    "segment_restored",
                ]
                assert archive.footage.count("quarantined_file") == 0
