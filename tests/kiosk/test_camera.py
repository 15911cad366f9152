"""Sources of pictures: newest only, lost cameras said in words."""

import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from exam.clock import SECOND_US, SimulatedClock, SystemClock
from kiosk.camera import (
    SILENT_US,
    CameraLostError,
    FolderSource,
    LiveSource,
    VideoSource,
    open_source,
)
from tests.kiosk.paper import Picture

CLOCK = SystemClock()


def picture(shade: int) -> Picture:
    return np.full((8, 8, 3), shade, np.uint8)


def shade_of(found: Picture | None) -> int | None:
    return None if found is None else int(found[0, 0, 0])


def put(folder: Path, name: str, shade: int, changed_s: int) -> None:
    cv2.imwrite(str(folder / name), picture(shade))
    os.utime(folder / name, (changed_s, changed_s))


class FakeStream:
    """Gives the pictures it was made with; `read` waits while `held`."""

    def __init__(self, shades: list[int], pictures_per_second: float = 10.0) -> None:
        self._shades, self._next = shades, 0
        self.pictures_per_second = pictures_per_second
        self.is_open, self.is_closed = True, False
        self.held = threading.Event()
        self.held.set()
        self.read_all = threading.Event()

    def read(self) -> Picture | None:
        if self._next >= len(self._shades):
            self.read_all.set()
            self.held.wait(60)
            return None
        self._next += 1
        return picture(self._shades[self._next - 1])

    def rewind(self) -> None:
        self._next = 0

    def close(self) -> None:
        self.is_closed = True


def test_a_folder_gives_each_new_picture_once_and_the_newest_only(tmp_path: Path) -> None:
    source = FolderSource(tmp_path)
    assert source.next_picture() is None
    put(tmp_path, "a.png", 10, 1000)
    put(tmp_path, "b.png", 20, 1001)
    (tmp_path / "notes.txt").write_text("no picture")
    assert shade_of(source.next_picture()) == 20
    assert source.next_picture() is None
    put(tmp_path, "c.png", 30, 1002)
    assert shade_of(source.next_picture()) == 30
    source.close()


def test_what_lay_in_the_folder_before_is_not_looked_at(tmp_path: Path) -> None:
    put(tmp_path, "yesterday.png", 10, 1000)
    assert FolderSource(tmp_path).next_picture() is None


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(CameraLostError, match="nowhere"):
        open_source(f"folder:{tmp_path / 'nowhere'}", CLOCK)


def test_a_file_taken_away_while_we_look_is_no_fault(tmp_path: Path) -> None:
    source = FolderSource(tmp_path)
    (tmp_path / "gone.png").symlink_to(tmp_path / "target")
    assert source.next_picture() is None


def test_a_damaged_file_is_passed_over(tmp_path: Path) -> None:
    source = FolderSource(tmp_path)
    (tmp_path / "half.png").write_bytes(b"half")
    assert source.next_picture() is None


def test_a_video_leaves_out_what_is_past_and_begins_again() -> None:
    clock, stream = SimulatedClock(0), FakeStream([0, 1, 2, 3, 4, 5])
    source = VideoSource(stream, clock)  # type: ignore[arg-type]
    assert shade_of(source.next_picture()) == 0
    assert source.next_picture() is None  # the next one is not due yet
    clock.sleep_us(4 * SECOND_US // 10)
    assert shade_of(source.next_picture()) == 4
    clock.sleep_us(SECOND_US)
    assert source.next_picture() is None  # the end: begins again
    assert shade_of(source.next_picture()) == 0
    source.close()
    assert stream.is_closed


def live(stream: FakeStream, clock: SimulatedClock) -> LiveSource:
    return LiveSource(stream, "USB camera 0", clock)  # type: ignore[arg-type]


def test_a_live_camera_gives_its_newest_picture_once() -> None:
    stream = FakeStream([1, 2, 3])
    stream.held.clear()
    source = live(stream, SimulatedClock(0))
    assert stream.read_all.wait(30)
    assert shade_of(source.next_picture()) == 3
    assert source.next_picture() is None
    stream.held.set()
    source.close()
    assert stream.is_closed


def test_a_camera_that_was_unplugged_is_lost() -> None:
    source = live(FakeStream([]), SimulatedClock(0))
    source.close()
    with pytest.raises(CameraLostError, match="USB camera 0 gives no pictures"):
        source.next_picture()


def test_a_camera_that_hangs_is_lost_after_five_seconds() -> None:
    stream, clock = FakeStream([]), SimulatedClock(0)
    stream.held.clear()
    source = live(stream, clock)
    assert stream.read_all.wait(30)
    clock.sleep_us(SILENT_US)
    assert source.next_picture() is None
    clock.sleep_us(1)
    with pytest.raises(CameraLostError):
        source.next_picture()
    stream.held.set()
    source.close()


def test_stopping_ends_the_reading_thread() -> None:
    forever = FakeStream([7] * 1_000_000)
    source = live(forever, SimulatedClock(0))
    source.close()
    assert forever.is_closed


def test_settings_open_what_they_name(tmp_path: Path) -> None:
    path = tmp_path / "tray.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
    for _ in range(3):
        writer.write(np.zeros((64, 64, 3), np.uint8))
    writer.release()
    assert isinstance(open_source(f"folder:{tmp_path}", CLOCK), FolderSource)
    video = open_source(f"video:{path}", CLOCK)
    assert isinstance(video, VideoSource)
    video.close()


def test_a_region_cuts_every_picture_to_the_tray(tmp_path: Path) -> None:
    source = open_source(f"folder:{tmp_path}", CLOCK, region=(0.5, 0.25, 0.5, 0.5))
    assert source.next_picture() is None
    put(tmp_path, "a.png", 10, 1000)
    cut = source.next_picture()
    assert cut is not None
    assert cut.shape == (4, 4, 3)
    source.close()


@pytest.mark.parametrize(
    ("setting", "named"),
    [("usb:99", "USB camera 99"), ("video:/nowhere.avi", "nowhere.avi")],
)
def test_what_cannot_be_opened_is_named(setting: str, named: str) -> None:
    with pytest.raises(CameraLostError, match=named):
        open_source(setting, CLOCK)


def test_the_password_of_a_camera_is_never_named() -> None:
    with pytest.raises(CameraLostError) as error:
        open_source("rtsp://admin:topsecret@127.0.0.1:9/tray", CLOCK)
    assert "127.0.0.1" in str(error.value)
    assert "topsecret" not in str(error.value)


def test_rtsp_and_usb_cameras_are_read_live() -> None:
    opened: list[str | int] = []

    def remembered(address: str | int) -> FakeStream:
        opened.append(address)
        return FakeStream([])

    for setting in ("rtsp://127.0.0.1/tray", "usb:3"):
        source = open_source(setting, CLOCK, remembered)  # type: ignore[arg-type]
        assert isinstance(source, LiveSource)
        source.close()
    assert opened == ["rtsp://127.0.0.1/tray", 3]
