"""What is left of a file in quarantine goes with it, under the same register; nobody else's goes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.check_codes import Code, Depth
from evidence.check_facts import FOOTAGE_FACTS, check_facts
from evidence.check_files import Cost, Look, check_volumes
from evidence.disposal import Disposer
from evidence.disposal_permit import DisposalRefusedError
from evidence.disposal_remnants import recording_stem, remnants
from evidence.ingest import record_quarantined
from evidence.ledger import read_leaves
from evidence.volumes import Volume
from tests.disposals import VOLUME_UUID, Archive, open_archive
from tests.evidence.store import Crash
from tests.evidence.test_disposal import NEVER, mirrored
from tests.world import World


@pytest.fixture
def archive(world: World) -> Iterator[Archive]:
    with open_archive(world) as opened:
        yield opened


def set_aside(archive: Archive, name: str) -> Path:
    """A file in quarantine with its row, as repair and ingest leave it."""
    volume = Volume(1, VOLUME_UUID, archive.world.folder / "footage")
    volume.quarantine.mkdir(exist_ok=True)
    (volume.quarantine / name).write_bytes(b"damaged pictures")
    record_quarantined(archive.store, volume, f"growing/{name}", name, "damaged_footage")
    return volume.quarantine / name


def stem(archive: Archive, number: int = 0) -> str:
    return recording_stem(archive.file(archive.segment_ids[number]).name)


def lay(archive: Archive) -> tuple[list[Path], list[Path]]:
    """What is left of the first file; and what is not, though its name is like it."""
    first, second = stem(archive), stem(archive, 1)
    own = [f"{first}_1795309200000000_damaged_7", f"{first}_tail", f"{first}.mp4"]
    others = [f"{second}_tail", f"{first}0_tail", f"x{first}_tail", "stray.mp4"]
    return [set_aside(archive, each) for each in own], [set_aside(archive, each) for each in others]


def findings(archive: Archive) -> list[tuple[Code, str]]:
    with archive.world.footage.read() as connection:
        found = [
            *check_volumes(connection, Look(Depth.PRESENCE, Cost())),
            *check_facts(connection, FOOTAGE_FACTS),
        ]
    kinds = {Code.QUARANTINED_MISSING, Code.FILE_DISPOSED_BUT_THERE, Code.FACT_CHANGED}
    return [(each.code, each.where) for each in found if each.code in kinds]


def test_damaged_originals_and_torn_ends_go_with_the_file_and_the_leaf_names_them(archive: Archive) -> None:
    own, others = lay(archive)
    archive.disposer().dispose(archive.approved_order(), archive.segment_ids[0])
    assert [each.exists() for each in own] == [False] * 3
    assert all(each.exists() for each in others)
    with archive.world.footage.read() as connection:
        leaf = next(leaf for leaf, _ in read_leaves(connection) if leaf.kind == "disposal")
    assert json.loads(leaf.body)["quarantined_file_ids"] == ["1", "2", "3"]
    assert [row["quarantined_file_id"] for row in archive.rows("disposal_remnant")] == [1, 2, 3]
    assert findings(archive) == []


def test_one_that_is_there_again_is_found_and_so_is_a_row_that_was_added(archive: Archive) -> None:
    own, others = lay(archive)
    archive.disposer().dispose(archive.approved_order(), archive.segment_ids[0])
    own[1].write_bytes(b"again")
    others[0].unlink()
    assert findings(archive) == [
        (Code.FILE_DISPOSED_BUT_THERE, str(own[1])),
        (Code.QUARANTINED_MISSING, str(others[0])),
    ]
    archive.edit("insert into disposal_remnant values (4, ?)", archive.segment_ids[0], exam=False)
    assert (Code.FACT_CHANGED, f"disposal {archive.segment_ids[0]} quarantined_file_ids") in findings(archive)


def test_a_file_stays_while_the_disk_of_what_is_left_of_it_is_away(archive: Archive) -> None:
    (own, *_), _others = lay(archive)
    with archive.world.footage.write() as connection:
        connection.execute(
            "insert into volume (id, uuid, path, created_at_us) values (7, ?, ?, 1)",
            ("00000000-0000-4000-8000-000000000007", str(archive.world.folder / "elsewhere")),
        )
        connection.execute("update quarantined_file set volume_id = 7 where id = 1")
    with pytest.raises(DisposalRefusedError, match="volume_absent"):
        archive.disposer().dispose(archive.approved_order(), archive.segment_ids[0])
    assert own.exists()
    assert archive.files_left() == 3


class DyingAtQuarantine(Disposer):
    """Dies when the file has gone and what is left of it has not."""

    def _unlink(self, path: Path) -> None:
        if "quarantine" in path.parts:
            raise Crash
        super()._unlink(path)


def test_a_crash_in_between_is_finished_at_the_next_try_and_is_no_finding(archive: Archive) -> None:
    own, _others = lay(archive)
    order_id, segment_id = archive.approved_order(), archive.segment_ids[0]
    with pytest.raises(Crash):
        DyingAtQuarantine(archive.store, archive.permits()).dispose(order_id, segment_id)
    own[0].unlink()
    assert findings(archive) == []
    archive.disposer().dispose(order_id, segment_id)
    assert not any(each.exists() for each in own)
    assert len(archive.rows("disposal_remnant")) == 3


def test_copies_that_rotted_on_the_mirror_and_were_set_aside_go_too(archive: Archive) -> None:
    copy = mirrored(archive)
    quarantine = archive.world.folder / "mirror" / "quarantine"
    quarantine.mkdir()
    rotten, other = quarantine / f"{copy.name}.17", quarantine / f"{stem(archive, 1)}_1.mp4.17"
    for each in (rotten, other):
        each.write_bytes(b"rotten")
    archive.disposer().carry_out(archive.approved_order(), archive.segment_ids[:1], NEVER)
    assert (rotten.exists(), other.exists()) == (False, True)


def test_what_is_left_is_looked_for_by_the_name_of_the_recording(archive: Archive) -> None:
    lay(archive)
    with archive.world.footage.read() as connection:
        found = remnants(connection, archive.file(archive.segment_ids[1]).name)
    assert [each.path for each in found] == [f"quarantine/{stem(archive, 1)}_tail"]
