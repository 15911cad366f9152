import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from config.settings import RecorderSettings, Settings
from evidence.cameras import PASSWORD_PURPOSE
from evidence.database import ReaderDatabase, WriterDatabase
from evidence.vault import Vault
from evidence.volume_look import Trouble
from evidence.volume_rows import volume_states
from exam.clock import SystemClock
from recorder.service import CameraList, RecorderServiceError, serve
from recorder.ticker import Ticker
from tests.recorder.live import live_site, wait_until
from tests.world import CLOCK_US, World


def stop_once(is_so: Callable[[], object]) -> None:
    """Tell this process to stop once its service is listening for that and something is so."""
    before = signal.getsignal(signal.SIGTERM)

    def stop() -> None:
        wait_until(lambda: signal.getsignal(signal.SIGTERM) is not before)
        wait_until(is_so)
        if signal.getsignal(signal.SIGTERM) is not before:  # it would end all tests
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop, daemon=True).start()


def test_without_a_site_the_service_waits_politely_and_stops_with_0(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path / "site")
    stop_once(lambda: found_volumes(settings))
    assert serve(settings, SystemClock()) == 0
    assert (tmp_path / "site" / "footage" / "growing").is_dir()


def test_an_unreachable_camera_is_tried_until_the_stop(tmp_path: Path) -> None:
    site = live_site(tmp_path)
    site.add_camera("nobody", "rtsp://127.0.0.1:9/x")
    stop_once(lambda: site.state("nobody") is not None and site.gaps("nobody"))
    assert serve(site.settings, SystemClock()) == 0
    state = site.state("nobody")
    assert state is not None
    assert (state.state, site.gaps("nobody")[-1].cause) == ("stopped", "operator_stop")


def test_a_second_recorder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path / "site")
    first = WriterDatabase(settings.footage_db, "footage")
    with pytest.raises(RecorderServiceError, match="already being written"):
        serve(settings, SystemClock())
    first.close()


def test_an_index_without_the_signed_ledger_rows_is_refused_as_a_rollback(tmp_path: Path) -> None:
    site = live_site(tmp_path)
    site.add_camera("nobody", "rtsp://127.0.0.1:9/x")
    stop_once(lambda: site.gaps("nobody"))
    assert serve(site.settings, SystemClock()) == 0
    site.settings.footage_db.rename(tmp_path / "index_that_was_signed.db")
    with pytest.raises(RecorderServiceError, match=r"(?s)rollback: footage\.db has 0 .*run\.py rebuild"):
        serve(site.settings, SystemClock())


def test_a_footage_folder_that_cannot_be_used_is_named_and_the_service_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    volumes = [tmp_path / "file" / "x", tmp_path / "good"]
    settings = Settings(data_folder=tmp_path / "site", recorder=RecorderSettings(volumes=volumes))
    stop_once(lambda: len(found_volumes(settings)) == len(volumes))
    assert serve(settings, SystemClock()) == 0
    assert found_volumes(settings) == {"x": Trouble.FAULT, "good": None}


def found_volumes(settings: Settings) -> dict[str, Trouble | None]:
    reader = ReaderDatabase(settings.footage_db)
    with reader.read() as connection:
        found = {Path(state.path).name: state.trouble for state in volume_states(connection)}
    reader.close()
    return found


def test_cameras_are_read_once_the_site_exists_and_again_when_it_changes(world: World) -> None:
    missing = CameraList(world.folder / "none.db", world.folder / "none.key")
    assert missing.read() is None
    missing.close()

    cameras = CameraList(world.folder / "exam.db", world.folder / "keys" / "site.key")
    first = cameras.read()
    assert first is not None
    assert len(first) == 3
    with world.exam.write() as connection:
        connection.execute("update camera set retired_at_us = 1 where uuid = ?", (world.camera_2,))
    assert len(cameras.read() or []) == 2
    cameras.close()


def test_a_password_of_another_key_is_told_once_and_hinders_no_other_camera(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = Vault.open(tmp_path / "other.key").encrypt("secret", PASSWORD_PURPOSE)
    lock = "update camera set username = 'rec', password_cipher = ? where uuid = ?"
    with world.exam.write() as connection:
        connection.execute(lock, (foreign, world.camera_2))
    cameras = CameraList(world.folder / "exam.db", world.folder / "keys" / "site.key")
    for _ in range(2):
        found = {one.uuid: one for one in cameras.read() or []}
        assert set(found) == {*world.cameras_1, world.camera_2}
        assert found[world.camera_2].username == ""
    told = capsys.readouterr().out
    assert told.count("camera_passwords_locked") == 1
    assert "secret" not in told

    own = world.vault.encrypt("p1", PASSWORD_PURPOSE)
    for cipher in (own, foreign):  # what was read once goes on to be used
        with world.exam.write() as connection:
            connection.execute(lock, (cipher, world.camera_2))
        assert (cameras.read() or [])[-1].password == "p1"
    cameras.close()


def test_a_plan_that_cannot_be_read_is_told_once_until_it_can_be_read_again(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    cameras = CameraList(world.folder / "exam.db", world.folder / "keys" / "site.key")
    for old, new in (("room_move", "away"), ("away", "room_move"), ("room_move", "away")):
        with world.exam.write() as connection:
            connection.execute(f"alter table {old} rename to {new}")
        for _ in range(2):
            assert cameras.read() is not None
            assert (cameras.plan(CLOCK_US) is None) == (new == "away")
    cameras.close()
    assert capsys.readouterr().out.count("cameras_unreadable") == 2


def test_a_procedure_that_has_gone_is_told_once_and_all_rooms_owe_the_day(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with world.exam.write() as connection:
        connection.execute("update session set procedure_code = 'gone'")
    cameras = CameraList(world.folder / "exam.db", world.folder / "keys" / "site.key")
    for _ in range(2):
        assert cameras.read() is not None
        plan = cameras.plan(CLOCK_US)
        assert plan is not None
        assert all(plan.owed_by(camera) for camera in plan.cameras)
    cameras.close()
    assert capsys.readouterr().out.count("no procedure for sessions T1") == 1


def test_the_ticker_ticks_on_after_it_was_planned_anew() -> None:
    ticks: list[int] = []
    ticker = Ticker({lambda: ticks.append(1): 1})
    ticker.plan_anew()
    wait_until(lambda: ticks)
    ticker.stop()
