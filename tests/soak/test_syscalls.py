"""A few of the faults that `run.py soak syscalls` injects, and that its questions do find what is wrong."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.ingest import ingest
from evidence.naming import DAY_MANIFEST
from exam.clock import SECOND_US
from tests.evidence.store import FIRST_US, Footage, open_footage
from tests.recorder.live import ROOT
from tests.soak.footage_law import broken_laws

SOME = 30


def test_the_law_holds_after_a_fault_at_some_system_calls() -> None:
    command = [sys.executable, "-m", "tests.soak.syscalls", "--rounds", str(SOME)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert f"{SOME} faults injected, 0 violations" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def lose_a_file(footage: Footage) -> None:
    footage.segments()[0].file.unlink()


def change_a_file(footage: Footage) -> None:
    path = footage.segments()[0].file
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def add_a_stray_file(footage: Footage) -> None:
    (footage.volume.growing / "stray.mp4").write_bytes(b"stray")


def lose_a_row(footage: Footage) -> None:
    with footage.database.write() as connection:
        connection.execute("delete from fragment_map where segment_id = 1")
        connection.execute("delete from segment where id = 1")


def lose_a_gap(footage: Footage) -> None:
    with footage.database.write() as connection:
        connection.execute("delete from gap where ended_at_us is not null")


def cover_footage_with_a_gap(footage: Footage) -> None:
    with footage.database.write() as connection:
        connection.execute("update gap set started_at_us = started_at_us - 3000000 where ended_at_us is null")


def end_the_last_gap(footage: Footage) -> None:
    with footage.database.write() as connection:
        connection.execute("update gap set ended_at_us = started_at_us + 1 where ended_at_us is null")


def change_a_leaf(footage: Footage) -> None:
    with footage.database.write() as connection:
        connection.execute("drop trigger ledger_leaf_never_changes")
        connection.execute("update ledger_leaf set recorded_at_us = recorded_at_us + 1 where id = 0")


def settled(footage: Footage) -> dict[str, bytes]:
    """Two files with a hole between them, and nothing recorded since."""
    for sequence, later_s in ((0, 0), (5, 20)):
        ingest(footage.store, footage.grow(sequence, FIRST_US + later_s * SECOND_US))
    with footage.database.write() as connection:
        connection.execute(
            "insert into gap (camera_uuid, started_at_us, cause)"
            " select camera_uuid, max(ended_at_us), 'stalled' from segment"
        )
    return {segment.path: segment.sha256 for segment in footage.segments()}


def test_a_site_in_order_breaks_no_law(tmp_path: Path) -> None:
    with open_footage(tmp_path) as footage:
        acknowledged = settled(footage)
        (day,) = footage.volume.footage.iterdir()
        assert (day / DAY_MANIFEST).exists()
        kept = list(acknowledged.values())
        assert broken_laws(footage.database, footage.volume.path, acknowledged, kept) == []


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lose_a_file, "is gone"),
        (lose_a_file, "are lost"),
        (change_a_file, "is not what its row says"),
        (add_a_stray_file, "has 0 rows"),
        (lose_a_row, "is lost"),
        (lose_a_gap, "unaccounted"),
        (cover_footage_with_a_gap, "lies over its footage"),
        (end_the_last_gap, "does not record now"),
        (change_a_leaf, "was changed"),
    ],
)
def test_each_harm_is_found(tmp_path: Path, harm: Callable[[Footage], None], words: str) -> None:
    with open_footage(tmp_path) as footage:
        acknowledged = settled(footage)
        harm(footage)
        kept = list(acknowledged.values())
        found = broken_laws(footage.database, footage.volume.path, acknowledged, kept)
        assert any(words in each for each in found), found
