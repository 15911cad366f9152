"""Reading codes from drawn frames: upright, turned, blurred, noisy, Chinese, foreign and none."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk import scanner as scanner_module
from kiosk.scanner import PASSES, Reading, Scanner, Stream, load_picture, preview_jpeg, text_of
from tests.kiosk.paper import Picture, bars, qr, tray
from tests.kiosk.stage import TICKET


@pytest.fixture
def scanner() -> Iterator[Scanner]:
    opened = Scanner(["CODE128", "QRCODE"])
    yield opened
    opened.close()


def read_within(scanner: Scanner, frame: Picture, frames: int) -> set[str]:
    for _ in range(frames):
        if found := scanner.scan(frame):
            return {reading.text for reading in found}
    return set()


def test_both_codes_of_a_ticket_are_read_from_one_frame(scanner: Scanner) -> None:
    found = scanner.scan(tray(qr(TICKET), bars(TICKET)))
    assert set(found) == {Reading("QRCODE", TICKET), Reading("CODE128", TICKET)}


def test_a_grey_frame_is_as_good_as_a_coloured_one(scanner: Scanner) -> None:
    assert scanner.scan(tray(bars(TICKET))[:, :, 0]) == [Reading("CODE128", TICKET)]


@pytest.mark.parametrize("turn_degrees", [-75, -40, -30, -15, -8, 8, 15, 25, 30, 45, 60, 90, 180])
def test_bars_are_read_at_any_angle_within_three_frames(scanner: Scanner, turn_degrees: int) -> None:
    frame = tray(bars(TICKET), turn_degrees=turn_degrees, blur=1.0, noise=6)
    assert read_within(scanner, frame, 3) == {TICKET}


@pytest.mark.parametrize("turn_degrees", [-30, 15, 45, 90, 180])
def test_a_qr_code_is_read_at_any_angle_within_three_frames(scanner: Scanner, turn_degrees: int) -> None:
    assert read_within(scanner, tray(qr(TICKET), turn_degrees=turn_degrees, blur=1.0, noise=6), 3) == {TICKET}


@pytest.mark.parametrize("blur", [1.0, 1.5, 2.0])
def test_blurred_and_noisy_bars_are_read(scanner: Scanner, blur: float) -> None:
    assert read_within(scanner, tray(bars(TICKET), turn_degrees=5, blur=blur, noise=10), 6) == {TICKET}


@pytest.mark.parametrize("module_px", [2, 3])
def test_a_small_qr_code_is_read(scanner: Scanner, module_px: int) -> None:
    assert read_within(scanner, tray(qr(TICKET, module_px), blur=0.6), len(PASSES)) == {TICKET}


def test_a_white_on_black_code_is_read_in_its_turn(scanner: Scanner) -> None:
    frame = 255 - tray(qr(TICKET))
    assert read_within(scanner, frame, len(PASSES)) == {TICKET}


def test_an_empty_tray_and_a_black_picture_hold_nothing(scanner: Scanner) -> None:
    for frame in (tray(), np.zeros((720, 1280, 3), np.uint8), np.full((480, 640, 3), 255, np.uint8)):
        assert read_within(scanner, frame, len(PASSES)) == set()


def test_only_the_wanted_symbologies_are_read() -> None:
    only_qr = Scanner(["QRCODE"])
    assert only_qr.scan(tray(bars(TICKET))) == []
    only_qr.close()


def test_a_wide_picture_is_not_enlarged() -> None:
    assert scanner_module._doubled(np.zeros((100, 1600), np.uint8)) is None


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("电工张三", {"encoding": "utf-8"}),
        ("电工张三", {"encoding": "utf-8", "eci": True}),
        ("电工张三".encode("gb18030"), {}),
        ("三", {"encoding": "utf-8"}),
        ("张三丰".encode("gb18030"), {}),
    ],
)
def test_chinese_is_read_in_either_encoding(
    scanner: Scanner, content: str | bytes, options: dict[str, object]
) -> None:
    expected = content if isinstance(content, str) else content.decode("gb18030")
    assert [reading.text for reading in scanner.scan(tray(qr(content, **options)))] == [expected]


def test_bytes_that_are_no_text_do_not_stop_the_scanner() -> None:
    assert text_of(b"\xff\xfe\x81") == "ÿþ\x81"
    assert text_of(b"abc") == "abc"


def test_the_preview_is_a_small_jpeg() -> None:
    picture = cv2.imdecode(np.frombuffer(preview_jpeg(tray(bars(TICKET))), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (360, 640, 3)


def test_a_file_that_is_no_picture_is_none(tmp_path: Path) -> None:
    path = tmp_path / "half.png"
    path.write_bytes(b"half")
    assert load_picture(path) is None
    cv2.imwrite(str(path), tray(bars(TICKET)))
    loaded = load_picture(path)
    assert loaded is not None
    assert loaded.shape == (720, 1280, 3)


def test_a_video_file_is_read_to_its_end_and_again(tmp_path: Path) -> None:
    path = tmp_path / "tray.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (1280, 720))
    for _ in range(3):
        writer.write(tray(bars(TICKET)))
    writer.release()
    stream = Stream(str(path))
    assert stream.is_open
    assert stream.pictures_per_second == 10
    assert [stream.read() is not None for _ in range(4)] == [True, True, True, False]
    stream.rewind()
    assert stream.read() is not None
    stream.close()


def test_a_stream_that_is_not_there_says_so(tmp_path: Path) -> None:
    stream = Stream(str(tmp_path / "none.avi"))
    assert not stream.is_open
    assert stream.read() is None
    stream.close()
