"""Asking cameras for their own time."""

import threading
from pathlib import Path

import pytest

from config.settings import RecorderSettings, Settings
from evidence.camera_clocks import latest_camera_clock
from evidence.cameras import CameraSource
from exam.clock import SECOND_US
from recorder.camera_clocks import CameraClocks, camera_clocks_chore
from recorder.camera_onvif import ClockReading, ask_for_time, camera_time_us
from recorder.chore_tools import ChoreTools
from tests.evidence.recorded import CAMERA
from tests.evidence.store import FIRST_US, open_footage
from tests.recorder.live import CLOCK, live_site
from tests.recorder.onvif_camera import OFFSET_US, camera_that_tells

PLAIN = CameraSource(CAMERA, 1, "前方", "rtsp://127.0.0.1:554/x")
LOCKED = CameraSource(CAMERA, 1, "前方", "rtsp://127.0.0.1:554/x", "reader", "it's <secret>")


@pytest.mark.parametrize(("source", "asks_login"), [(PLAIN, False), (LOCKED, False), (LOCKED, True)])
def test_a_camera_tells_its_time_and_the_offset_is_found(source: CameraSource, asks_login: bool) -> None:
    with camera_that_tells(asks_login=asks_login) as port:
        reading = ask_for_time(source, port, CLOCK)
    assert reading is not None
    assert abs(reading.offset_us - OFFSET_US) <= SECOND_US // 2 + reading.round_trip_us
    assert 0 < reading.round_trip_us < 2 * SECOND_US


def test_a_camera_that_does_not_answer_or_wants_a_login_tells_nothing() -> None:
    assert ask_for_time(PLAIN, 9, CLOCK) is None
    assert ask_for_time(CameraSource(CAMERA, 1, "前方", "nowhere"), 9, CLOCK) is None
    with camera_that_tells(asks_login=True) as port:
        assert ask_for_time(PLAIN, port, CLOCK) is None


def test_an_answer_that_is_no_time_is_none() -> None:
    assert camera_time_us("<html>404</html>") is None
    assert camera_time_us("<UTCDateTime><Year>2026</Year></UTCDateTime>") is None
    names = ("Year", "Month", "Day", "Hour", "Minute", "Second")
    impossible = "".join(f"<{name}>99</{name}>" for name in names)
    assert camera_time_us(f"<tt:UTCDateTime>{impossible}</tt:UTCDateTime>") is None


def test_every_camera_is_asked_at_once_and_again_after_ten_minutes(tmp_path: Path) -> None:
    asked: list[int] = []
    answers = [ClockReading(5, 2, FIRST_US), None, ClockReading(6, 2, FIRST_US + 1)]

    def ask(_source: CameraSource, port: int, _clock: object) -> ClockReading | None:
        asked.append(port)
        return answers[len(asked) - 1]

    with open_footage(tmp_path) as footage:
        tools = ChoreTools(Settings(data_folder=tmp_path), footage.store)
        clocks = CameraClocks(tools, lambda: [PLAIN], ask)
        for minutes in (0, 5, 11, 22):
            footage.store.clock.sleep_us(minutes * 60 * SECOND_US)
            clocks.work(threading.Event())
        assert asked == [80, 80, 80]
        with footage.database.read() as connection:
            found = latest_camera_clock(connection, CAMERA)
        assert found is not None
        assert found.offset_us == 6


def test_nobody_is_asked_when_the_site_wants_none_or_the_service_ends(tmp_path: Path) -> None:
    over = threading.Event()
    over.set()
    with open_footage(tmp_path) as footage:
        wanted = Settings(data_folder=tmp_path)
        unwanted = Settings(data_folder=tmp_path, recorder=RecorderSettings(onvif_port=0))
        for settings, flag in ((wanted, over), (unwanted, threading.Event())):
            CameraClocks(ChoreTools(settings, footage.store), lambda: [PLAIN]).work(flag)
        assert footage.count("camera_clock") == 0


def test_the_chore_asks_the_cameras_of_the_site_plan(tmp_path: Path) -> None:
    with open_footage(tmp_path / "memory") as footage, camera_that_tells() as port:
        nobody_yet = Settings(data_folder=tmp_path / "empty", recorder=RecorderSettings(onvif_port=port))
        camera_clocks_chore(ChoreTools(nobody_yet, footage.store))(threading.Event())
        site = live_site(tmp_path)
        site.add_camera("front", "rtsp://127.0.0.1:9/x")
        settings = site.settings.model_copy(update={"recorder": RecorderSettings(onvif_port=port)})
        camera_clocks_chore(ChoreTools(settings, footage.store))(threading.Event())
        assert footage.count("camera_clock") == 1
