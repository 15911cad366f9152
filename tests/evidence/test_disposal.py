"""Destroying footage: only with everything in place, each step on record, and the same after any crash."""

import errno
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from evidence.disposal import Disposer, Tally
from evidence.disposal_permit import DisposalRefusedError
from evidence.holds import NewHold, propose_hold
from evidence.ingest import Store
from evidence.ledger import read_leaves, recompute
from evidence.volumes import LocalDisk
from exam.holds import HoldKind
from tests.disposals import DUE_US, Archive, open_archive
from tests.world import World

NEVER = threading.Event()


@pytest.fixture
def archive(world: World) -> Iterator[Archive]:
    with open_archive(world) as opened:
        yield opened


def kinds(archive: Archive) -> list[str]:
    with archive.world.footage.read() as connection:
        return [leaf.kind for leaf, _ in read_leaves(connection) if leaf.kind.startswith("disposal")]


def test_a_complete_disposal_destroys_the_files_and_names_each_in_the_ledger(archive: Archive) -> None:
    order_id = archive.approved_order()
    tally = archive.disposer().carry_out(order_id, archive.segment_ids, NEVER)
    assert tally == Tally(done=3)
    assert archive.files_left() == 0
    assert kinds(archive) == ["disposal", "disposal_done"] * 3
    rows = archive.rows("disposal")
    assert [row["segment_id"] for row in rows] == archive.segment_ids
    assert {row["plan_number"] for row in rows} == {"销毁-2032-001"}
    assert {row["done_at_us"] for row in rows} == {DUE_US}
    assert {row["proved_at_us"] for row in rows} == {DUE_US}


def test_the_leaf_names_digest_proposer_approvers_and_outside_time(archive: Archive) -> None:
    order_id = archive.approved_order()
    archive.disposer().dispose(order_id, archive.segment_ids[0])
    with archive.world.footage.read() as connection:
        body = next(leaf.body for leaf, _ in read_leaves(connection) if leaf.kind == "disposal")
        recompute(connection)
    assert f'"approved_by":["{archive.site_lead}","{archive.supervisor}"]' in body
    assert f'"proposed_by":{archive.archivist}' in body
    assert f'"proved_at_us":{DUE_US}' in body
    assert archive.planned(archive.segment_ids[0]).sha256 in body


def test_both_leaves_name_segment_order_plan_size_and_digest(archive: Archive) -> None:
    order_id, segment_id = archive.approved_order(), archive.segment_ids[1]
    archive.disposer().dispose(order_id, segment_id)
    with archive.world.footage.read() as connection:
        bodies = {
            leaf.kind: json.loads(leaf.body)
            for leaf, _ in read_leaves(connection)
            if leaf.kind.startswith("disposal")
        }
    planned = archive.planned(segment_id)
    names = {
        "segment_id": segment_id,
        "order_id": order_id,
        "plan_id": 1,
        "plan_sha256": archive.digest(1).hex(),
        "size_bytes": planned.size_bytes,
        "sha256": planned.sha256,
    }
    assert bodies["disposal_done"] == names
    assert bodies["disposal"] == {
        **names,
        "proposed_by": archive.archivist,
        "approved_by": [str(archive.site_lead), str(archive.supervisor)],
        "proved_at_us": DUE_US,
        "quarantined_file_ids": [],
        "lost_mirrors": [],
    }
    (row,) = archive.rows("disposal")
    assert (row["order_id"], row["plan_id"], row["plan_digest"]) == (order_id, 1, archive.digest(1))
    assert row["decided_at_us"] == DUE_US


def test_a_refusal_stands_in_the_log_as_well(archive: Archive) -> None:
    archive.sign()
    with capture_logs() as lines, pytest.raises(DisposalRefusedError):
        archive.disposer().dispose(77, 5)
    assert lines == [
        {
            "event": "disposal_refused",
            "log_level": "warning",
            "order": 77,
            "segment": 5,
            "reasons": "unknown_order",
        }
    ]


def test_the_segments_row_and_leaf_stay_for_ever(archive: Archive) -> None:
    before = archive.rows("segment")
    archive.disposer().carry_out(archive.approved_order(), archive.segment_ids, NEVER)
    assert archive.rows("segment") == before
    assert archive.leaves("segment") == 3


def test_doing_it_again_changes_nothing(archive: Archive) -> None:
    order_id = archive.approved_order()
    disposer = archive.disposer()
    disposer.carry_out(order_id, archive.segment_ids, NEVER)
    leaves = kinds(archive)
    assert disposer.carry_out(order_id, archive.segment_ids, NEVER) == Tally(done=3)
    assert kinds(archive) == leaves


def test_a_stop_ends_between_two_files(archive: Archive) -> None:
    over = threading.Event()
    over.set()
    assert archive.disposer().carry_out(archive.approved_order(), archive.segment_ids, over) == Tally()
    assert archive.files_left() == 3


def test_a_refused_file_stays_and_the_others_go(archive: Archive) -> None:
    order_id = archive.approved_order()
    archive.file(archive.segment_ids[1]).write_bytes(b"damaged")
    tally = archive.disposer().carry_out(order_id, archive.segment_ids, NEVER)
    assert tally == Tally(done=2, refused=1)
    assert archive.file(archive.segment_ids[1]).exists()
    assert [row["reasons"] for row in archive.rows("disposal_refusal")] == ["file_damaged"]
    assert archive.leaves("disposal_refused") == 1


def test_a_file_that_cannot_be_read_stays_on_record_and_stops_nobody(archive: Archive) -> None:
    order_id, (bad, *_) = archive.approved_order(), archive.segment_ids

    class BadSector(LocalDisk):
        def digest(self, path: Path) -> bytes:
            if path == archive.file(bad):
                raise OSError(errno.EIO, "bad sector")
            return super().digest(path)

    disposer = Disposer(Store(archive.world.footage, BadSector(), archive.world.clock), archive.permits())
    assert disposer.carry_out(order_id, archive.segment_ids, NEVER) == Tally(done=2, refused=1)
    assert archive.file(bad).exists()
    assert [row["reasons"] for row in archive.rows("disposal_refusal")] == ["disk_refuses"]


def test_a_link_in_the_place_of_a_file_is_not_the_file(archive: Archive, tmp_path: Path) -> None:
    order_id, (segment_id, *_) = archive.approved_order(), archive.segment_ids
    elsewhere = tmp_path / "elsewhere.mp4"
    archive.file(segment_id).rename(elsewhere)
    archive.file(segment_id).symlink_to(elsewhere)
    with pytest.raises(DisposalRefusedError, match="file_missing"):
        archive.disposer().dispose(order_id, segment_id)
    assert elsewhere.exists()


def test_a_hold_asked_for_while_the_file_is_read_keeps_it(archive: Archive) -> None:
    order_id, (segment_id, *_) = archive.approved_order(), archive.segment_ids

    class SlowDisk(LocalDisk):
        def digest(self, path: Path) -> bytes:
            hold = NewHold(HoldKind.LEGAL_HOLD, archive.world.batch_id, (), "批次")
            with archive.world.exam.write() as connection:
                propose_hold(connection, hold, archive.decision(archive.supervisor, "投诉"))
            return super().digest(path)

    disposer = Disposer(Store(archive.world.footage, SlowDisk(), archive.world.clock), archive.permits())
    with pytest.raises(DisposalRefusedError, match="legal_hold"):
        disposer.dispose(order_id, segment_id)
    assert archive.file(segment_id).exists()
    assert archive.rows("disposal") == []


def test_a_refusal_is_a_row_and_a_leaf(archive: Archive) -> None:
    archive.sign()
    with pytest.raises(DisposalRefusedError, match="unknown_order"):
        archive.disposer().dispose(77, archive.segment_ids[0])
    (row,) = archive.rows("disposal_refusal")
    assert (row["order_id"], row["segment_id"], row["reasons"], row["refused_at_us"]) == (
        77,
        archive.segment_ids[0],
        "unknown_order",
        DUE_US,
    )
    with archive.world.footage.read() as connection:
        body = next(leaf.body for leaf, _ in read_leaves(connection) if leaf.kind == "disposal_refused")
    assert body == (
        f'{{"disposal_refusal_id":1,"order_id":77,"reasons":["unknown_order"],'
        f'"segment_id":{archive.segment_ids[0]}}}'
    )


def when_full(archive: Archive, table: str) -> None:
    """The disk has no room for another row of the table."""
    with archive.world.footage.write() as connection:
        connection.execute(
            f"create temp trigger full before insert on {table} begin select raise(abort, 'disk full'); end"
        )


def test_a_refusal_that_the_disk_does_not_take_is_still_a_refusal(archive: Archive) -> None:
    order_id = archive.approved_order()
    archive.file(archive.segment_ids[1]).write_bytes(b"damaged")
    when_full(archive, "disposal_refusal")
    with pytest.raises(DisposalRefusedError, match="file_damaged"):
        archive.disposer().dispose(order_id, archive.segment_ids[1])
    assert archive.rows("disposal_refusal") == []


class Crash(BaseException):
    """The power went."""


class CrashingDisk:
    """Dies before or after the folder is made durable, the step between unlink and DISPOSAL_DONE."""

    def __init__(self, before: bool) -> None:
        self.before, self.disk = before, LocalDisk()

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self.disk, name)

    def sync_folder(self, path: Path) -> None:
        if not self.before:
            self.disk.sync_folder(path)
        raise Crash


@pytest.mark.parametrize("before", [True, False])
def test_a_crash_after_the_unlink_is_finished_at_the_next_try(archive: Archive, before: bool) -> None:
    order_id = archive.approved_order()
    segment_id = archive.segment_ids[0]
    dying = Disposer(
        Store(archive.world.footage, CrashingDisk(before), archive.world.clock), archive.permits()
    )
    with pytest.raises(Crash):
        dying.dispose(order_id, segment_id)
    (row,) = archive.rows("disposal")
    assert row["done_at_us"] is None
    assert not archive.file(segment_id).exists()
    archive.disposer().dispose(order_id, segment_id)
    (row,) = archive.rows("disposal")
    assert row["done_at_us"] == DUE_US
    assert kinds(archive) == ["disposal", "disposal_done"]


class CrashingDisposer(Disposer):
    """Dies when the row is durable and the file still there."""

    def _unlink(self, path: Path) -> None:
        assert path.exists()
        raise Crash


def test_a_crash_before_the_unlink_leaves_file_and_row_and_is_finished_later(archive: Archive) -> None:
    order_id = archive.approved_order()
    segment_id = archive.segment_ids[0]
    with pytest.raises(Crash):
        CrashingDisposer(archive.store, archive.permits()).dispose(order_id, segment_id)
    assert archive.file(segment_id).exists()
    archive.disposer().dispose(order_id, segment_id)
    assert not archive.file(segment_id).exists()


def test_a_file_begun_under_one_register_is_not_finished_under_another(archive: Archive) -> None:
    first, segment_id = archive.approved_order(), archive.segment_ids[0]
    with pytest.raises(Crash):
        CrashingDisposer(archive.store, archive.permits()).dispose(first, segment_id)
    archive.world.clock.step_wall(1_000_000)
    second = archive.approved_order()
    with pytest.raises(DisposalRefusedError, match="named_by_another_plan"):
        archive.disposer().dispose(second, segment_id)
    assert archive.file(segment_id).exists()


def test_an_unmounted_disk_is_not_taken_for_an_empty_one(archive: Archive) -> None:
    order_id, segment_id = archive.approved_order(), archive.segment_ids[0]
    with pytest.raises(Crash):
        CrashingDisposer(archive.store, archive.permits()).dispose(order_id, segment_id)
    folder = archive.world.folder / "footage"
    folder.rename(archive.world.folder / "unmounted")
    folder.mkdir()
    with pytest.raises(DisposalRefusedError, match="volume_absent"):
        archive.disposer().dispose(order_id, segment_id)
    (row,) = archive.rows("disposal")
    assert row["done_at_us"] is None


def test_nothing_is_unlinked_before_its_row_is_durable(archive: Archive) -> None:
    order_id = archive.approved_order()
    when_full(archive, "disposal")
    with pytest.raises(sqlite3.IntegrityError, match="disk full"):
        archive.disposer().carry_out(order_id, archive.segment_ids, NEVER)
    assert archive.files_left() == 3


class StubbornDisk:
    """A file system that does not let the flag be cleared."""

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(LocalDisk(), name)

    def unprotect(self, path: Path) -> None:
        raise PermissionError(f"{path} is immutable")


def test_a_disk_that_does_not_let_go_is_a_refusal_and_the_next_try_goes_on(archive: Archive) -> None:
    order_id, segment_id = archive.approved_order(), archive.segment_ids[0]
    stubborn = Store(archive.world.footage, StubbornDisk(), archive.world.clock)
    with pytest.raises(DisposalRefusedError, match="disk_refuses"):
        Disposer(stubborn, archive.permits()).dispose(order_id, segment_id)
    assert archive.file(segment_id).exists()
    archive.disposer().dispose(order_id, segment_id)
    assert not archive.file(segment_id).exists()


def mirrored(archive: Archive, *, is_verified: bool = True) -> Path:
    """A second copy of the first file on a mirror, as the recorder leaves it, and one half restored."""
    segment_id, folder = archive.segment_ids[0], archive.world.folder / "mirror"
    (original,) = (row["path"] for row in archive.rows("segment") if row["id"] == segment_id)
    copy = folder / str(original)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(archive.file(segment_id).read_bytes())
    copying = folder / "copying" / copy.name
    copying.parent.mkdir()
    copying.write_bytes(b"half")
    restoring = archive.world.folder / "footage" / "restoring" / copy.name
    restoring.parent.mkdir()
    restoring.write_bytes(b"half")
    (folder / "mirror.uuid").write_text(MIRROR + "\n")
    with archive.world.footage.write() as connection:
        connection.execute("insert into mirror values (1, ?, ?, 1)", (MIRROR, str(folder)))
        verified = DUE_US if is_verified else None
        connection.execute("insert into mirror_copy values (?, 1, ?)", (segment_id, verified))
    return copy


MIRROR = "00000000-0000-4000-8000-00000000000a"


@pytest.mark.parametrize("is_verified", [True, False])
def test_the_second_copy_goes_with_the_file_and_so_does_what_is_half_made(
    archive: Archive, is_verified: bool
) -> None:
    copy = mirrored(archive, is_verified=is_verified)
    archive.disposer().carry_out(archive.approved_order(), archive.segment_ids, NEVER)
    assert archive.files_left() == 0
    left = [path for path in archive.world.folder.rglob(f"*{copy.name}*") if path.is_file()]
    assert left == []


def test_a_file_whose_mirror_is_away_stays(archive: Archive) -> None:
    order_id = archive.approved_order()
    copy = mirrored(archive)
    folder = archive.world.folder / "mirror"
    folder.rename(archive.world.folder / "unplugged")
    with pytest.raises(DisposalRefusedError, match="mirror_absent"):
        archive.disposer().dispose(order_id, archive.segment_ids[0])
    assert archive.rows("disposal") == []
    (archive.world.folder / "unplugged").rename(folder)
    archive.disposer().dispose(order_id, archive.segment_ids[0])
    assert not copy.exists()


class DyingAtTheCopy(Disposer):
    """Dies when the file has gone and its copy has not."""

    def _unlink(self, path: Path) -> None:
        if "mirror" in path.parts:
            raise Crash
        super()._unlink(path)


def test_a_crash_between_file_and_copy_is_finished_at_the_next_try(archive: Archive) -> None:
    order_id, segment_id = archive.approved_order(), archive.segment_ids[0]
    copy = mirrored(archive)
    with pytest.raises(Crash):
        DyingAtTheCopy(archive.store, archive.permits()).dispose(order_id, segment_id)
    assert (archive.file(segment_id).exists(), copy.exists()) == (False, True)
    assert archive.rows("disposal")[0]["done_at_us"] is None
    archive.disposer().dispose(order_id, segment_id)
    assert not copy.exists()
    assert kinds(archive) == ["disposal", "disposal_done"]
