"""`run.py check`: every code in words, the price, and an exit status that tells."""

from pathlib import Path

import pytest

from config.settings import Settings
from evidence.check_codes import Code
from evidence.checkpoints import Checkpoints
from evidence.database import WriterDatabase
from evidence.ingest import enter, seal
from exam.clock import SECOND_US, SimulatedClock
from recorder.check_command import WORDS, main
from tests.evidence.store import FIRST_US, open_footage


class PassingClock(SimulatedClock):
    """Three seconds go by between two looks at it."""

    def monotonic_us(self) -> int:
        self.sleep_us(3 * SECOND_US)
        return super().monotonic_us()


def run(folder: Path, *words: str) -> int:
    return main(list(words), lambda _path: Settings(data_folder=folder), PassingClock(FIRST_US))


def lay(folder: Path) -> Path:
    """One file of footage; returns where it lies."""
    with open_footage(folder) as footage:
        checkpoints = Checkpoints(footage.database, folder / "keys", "footage")
        sealed = seal(footage.store, footage.grow())
        assert sealed is not None
        enter(footage.store, sealed)
        checkpoints.sign(FIRST_US)
        checkpoints.close()
        footage.store.disk.unprotect(next(footage.volume.footage.rglob("*.mp4")))
        return next(footage.volume.footage.rglob("*.mp4"))


def test_every_code_has_words_and_advice() -> None:
    assert set(WORDS) == set(Code)


@pytest.mark.parametrize("depth", ["presence", "size", "digest"])
def test_a_sound_site_is_0_and_the_price_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], depth: str
) -> None:
    lay(tmp_path)
    assert run(tmp_path, "--depth", depth) == 0
    said = capsys.readouterr()
    assert "没有发现问题" in said.out
    assert "查看 1 个文件" in said.out
    assert "已查看 1 个文件" in said.err


def test_a_broken_site_is_1_with_place_and_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lay(tmp_path)
    path.unlink()
    assert run(tmp_path) == 1
    said = capsys.readouterr().out
    assert f"录像文件不见了：{path}" in said
    assert "[file_missing]" in said
    assert "发现 1 处问题" in said


def test_a_key_that_cannot_be_trusted_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path)
    (tmp_path / "keys" / "ledger_footage.key").chmod(0o644)
    assert run(tmp_path) == 1
    assert "can be read by others" in capsys.readouterr().out


def test_progress_is_told_now_and_then_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lay(tmp_path)
    assert main([], lambda _path: Settings(data_folder=tmp_path), SimulatedClock(FIRST_US)) == 0
    assert capsys.readouterr().err == ""


def test_nothing_there_is_nothing_wrong(tmp_path: Path) -> None:
    WriterDatabase(tmp_path / "footage.db", "footage").close()
    assert run(tmp_path) == 0


def test_an_unknown_depth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        run(tmp_path, "--depth", "deep")
    assert caught.value.code == 2
