"""A few of the kills of `run.py soak disposal_kills`, and that its question does find a lost file."""

import subprocess
import sys
from pathlib import Path

from tests.recorder.live import ROOT
from tests.soak.disposal_kills import broken_laws, build, dispose


def test_a_few_kills_lose_nothing() -> None:
    words = ["--files", "3", "--rounds", "6", "--random", "4", "--random-files", "30"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak.disposal_kills", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert (
        "6 kills at system calls over 3 files, 4 random kills over 30 files, 0 violations" in done.stdout
    ), done.stdout + done.stderr
    assert done.returncode == 0


def test_the_question_finds_a_file_that_nobody_decided_about(tmp_path: Path) -> None:
    site = build(tmp_path, 2)
    assert broken_laws(site) == []
    assert len(broken_laws(site, finished=True)) == 2
    next((site.world / "footage").rglob("*.mp4")).unlink()
    assert broken_laws(site) == ["segment 1 is gone and no register names it"] or broken_laws(site) == [
        "segment 2 is gone and no register names it"
    ]
    site.renew()
    dispose(site)
    assert broken_laws(site, finished=True) == []
