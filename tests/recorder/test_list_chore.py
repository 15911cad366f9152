import threading
from pathlib import Path

import pytest

from evidence.day_manifest import read_digests
from evidence.ingest import ingest
from evidence.naming import DAY_MANIFEST
from recorder.list_chore import list_chore
from tests.evidence.store import open_footage


def test_lists_are_completed_and_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_footage(tmp_path) as footage:
        ingest(footage.store, footage.grow())
        (day,) = footage.volume.footage.iterdir()
        (day / DAY_MANIFEST).unlink()
        chore, going_on, stopped = list_chore(footage.store), threading.Event(), threading.Event()
        stopped.set()
        chore.work(going_on)
        chore.work(stopped)
        assert len(read_digests(day)) == 1
    assert capsys.readouterr().out.count("digest_lines_added") == 1
