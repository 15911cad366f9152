from contextlib import closing
from pathlib import Path

import pytest

from config.settings import RecorderSettings, Settings
from evidence.checkpoints import Checkpoints
from evidence.database import WriterDatabase
from evidence.ingest import ingest
from exam.clock import SimulatedClock
from recorder.rebuild_command import main
from tests.evidence.store import FIRST_US, open_footage


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A stopped site with one segment."""
    with (
        open_footage(tmp_path) as footage,
        closing(Checkpoints(footage.database, tmp_path / "keys", "footage")) as checkpoints,
    ):
        ingest(footage.store, footage.grow())
        checkpoints.sign(FIRST_US)
    return Settings(data_folder=tmp_path, recorder=RecorderSettings(volumes=[tmp_path / "disk"]))


def run(settings: Settings, *words: str) -> int:
    return main(words, lambda _path: settings, SimulatedClock(FIRST_US))


def segments(settings: Settings) -> int:
    with closing(WriterDatabase(settings.footage_db, "footage")) as database, database.read() as connection:
        return int(connection.execute("select count(*) from segment").fetchone()[0])


def test_a_sound_index_is_not_rebuilt_unless_asked_for(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings) == 0
    assert "nothing to rebuild" in capsys.readouterr().err
    assert run(settings, "--anyway", "--hash") == 0
    assert "1 of them read whole" in capsys.readouterr().err
    assert segments(settings) == 1


def test_a_lost_index_is_rebuilt_and_the_operator_told_everything(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.footage_db.unlink()
    (day,) = (settings.footage_volumes[0] / "footage").iterdir()
    (day / "holiday.mp4").write_bytes(b"noise")
    with (day / "digests.sha256").open("a") as manifest:
        manifest.write(f"{'0' * 64}  gone.mp4\n")
    assert run(settings) == 0
    said = capsys.readouterr().err
    assert "footage.db is missing" in said
    assert "Rebuilt: 1 segments, 0 of them read whole, 1 gaps." in said
    assert "1 files stand in a day's list and are not there" in said
    assert "holiday.mp4: its name is not one of ours" in said
    assert "keep them" in said
    assert segments(settings) == 1


def test_a_reserve_volume_is_read_when_it_is_there_and_named_when_it_is_not(
    settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    disk, reserve = settings.footage_volumes[0], tmp_path / "reserve"
    recorder = settings.recorder.model_copy(update={"reserve_volume": reserve})
    settings = settings.model_copy(update={"recorder": recorder})
    assert run(settings, "--anyway") == 0
    assert "is indexed when the recorder sees it again" in capsys.readouterr().err
    disk.rename(reserve)
    disk.mkdir()
    (disk / "volume.uuid").write_text("00000000-0000-0000-0000-0000000000d2")
    later = SimulatedClock(FIRST_US + 5_000_000)
    assert main(["--anyway"], lambda _path: settings, later) == 0
    assert segments(settings) == 1


def test_it_refuses_while_the_recorder_runs(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(WriterDatabase(settings.footage_db, "footage")):
        assert run(settings, "--anyway") == 1
    assert "stop it first" in capsys.readouterr().err


def test_it_refuses_when_a_footage_folder_is_not_there(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.footage_db.unlink()
    (settings.footage_volumes[0] / "volume.uuid").unlink()
    assert run(settings) == 1
    assert "mount the right disk there first" in capsys.readouterr().err
