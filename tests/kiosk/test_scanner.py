"""Reading codes from drawn frames: upright, turned, blurred, noisy, Chinese, foreign and none."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.scanner import (
    Reading,
    Scanner,
    Stream,
    engines,
    load_picture,
    part_of,
    preview_jpeg,
    treatments,
)
from kiosk.scanner.reading import OTHER_STEPS, OWN_STEPS
from tests.kiosk.paper import Picture, bars, printed, qr, tray
from tests.kiosk.stage import TICKET

# Every step has had its turn after so many frames.
ALL_TURNS = len(OTHER_STEPS) * (OWN_STEPS + 1)
BOTH = ["CODE128", "QRCODE"]


@pytest.fixture(params=["with zxing", "zbar alone"])
def scanner(request: pytest.FixtureRequest) -> Iterator[Scanner]:
    opened = Scanner(BOTH, zxing=request.param == "with zxing")
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


@pytest.mark.parametrize("turn_degrees", [-75, -40, -15, 8, 25, 45, 90, 180])
def test_bars_are_read_at_any_angle_within_three_frames(scanner: Scanner, turn_degrees: int) -> None:
    frame = tray(bars(TICKET), turn_degrees=turn_degrees, blur=1.0, noise=6)
    assert read_within(scanner, frame, 3) == {TICKET}


@pytest.mark.parametrize("turn_degrees", [-30, 15, 45, 90, 180])
def test_a_qr_code_is_read_at_any_angle_within_four_frames(scanner: Scanner, turn_degrees: int) -> None:
    assert read_within(scanner, tray(qr(TICKET), turn_degrees=turn_degrees, blur=1.0, noise=6), 4) == {TICKET}


@pytest.mark.parametrize("blur", [1.0, 1.5, 2.0])
def test_blurred_and_noisy_bars_are_read(scanner: Scanner, blur: float) -> None:
    assert read_within(scanner, tray(bars(TICKET), turn_degrees=5, blur=blur, noise=10), 6) == {TICKET}


@pytest.mark.parametrize("module_px", [2, 3])
def test_a_small_qr_code_is_read(scanner: Scanner, module_px: int) -> None:
    assert read_within(scanner, tray(qr(TICKET, module_px), blur=0.6), 8) == {TICKET}


def test_a_white_on_black_code_is_read_in_its_turn(scanner: Scanner) -> None:
    assert read_within(scanner, 255 - tray(qr(TICKET)), ALL_TURNS) == {TICKET}


def test_an_empty_tray_and_a_black_picture_hold_nothing(scanner: Scanner) -> None:
    for frame in (tray(), np.zeros((720, 1280, 3), np.uint8), np.full((480, 640, 3), 255, np.uint8)):
        assert read_within(scanner, frame, 20) == set()


def test_only_the_wanted_symbologies_are_read() -> None:
    only_qr = Scanner(["QRCODE"])
    assert only_qr.scan(tray(bars(TICKET))) == []
    only_qr.close()


def test_a_large_code_is_made_sharp_at_half_its_size() -> None:
    part = np.full((900, 500), 200, np.uint8)
    assert treatments.focused(part, blur_px=2.0).shape == (560, 311)


def test_a_wide_picture_is_not_enlarged() -> None:
    assert treatments.doubled(np.zeros((100, 1600), np.uint8)) is None


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


@pytest.mark.parametrize("symbology", ["CODE39", "ITF", "EAN13"])
def test_other_bars_are_read_when_the_settings_want_them(symbology: str) -> None:
    text = {"CODE39": "AH-20261122", "ITF": "202611220001", "EAN13": "4006381333931"}[symbology]
    for zxing in (True, False):
        wanting = Scanner([symbology], zxing=zxing)
        # zbar takes a part of turned ITF bars for a shorter number.
        frame = tray(printed(symbology, text), turn_degrees=20 if zxing else 0, blur=0.8)
        assert read_within(wanting, frame, 6) == {text}
        wanting.close()
    not_wanting = Scanner(BOTH)
    assert read_within(not_wanting, tray(printed(symbology, text)), 8) == set()
    not_wanting.close()


def test_pdf417_is_read_by_zxing_alone() -> None:
    frame = tray(printed("PDF417", TICKET), turn_degrees=15)
    with_zxing, without = Scanner(["PDF417"]), Scanner(["PDF417"], zxing=False)
    assert read_within(with_zxing, frame, 3) == {TICKET}
    assert without.scan(frame) == []
    with_zxing.close()
    without.close()


def test_without_zxing_installed_the_kiosk_reads_with_zbar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "zxingcpp", None)
    assert not engines.has_zxing()
    alone = Scanner(BOTH)
    assert alone.scan(tray(qr(TICKET))) == [Reading("QRCODE", TICKET)]
    alone.close()


def test_a_region_leaves_out_the_rest_of_the_picture(scanner: Scanner) -> None:
    frame = tray(qr(TICKET))
    assert scanner.scan(part_of(frame, (0.3, 0.2, 0.4, 0.6))) == [Reading("QRCODE", TICKET)]
    assert read_within(scanner, part_of(frame, (0.0, 0.0, 0.3, 1.0)), 4) == set()
