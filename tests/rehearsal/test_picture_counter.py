"""The counter in the pixels."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehearsal.picture_counter import (
    COUNTER_LIMIT,
    DARK_LUMA,
    LIGHT_LUMA,
    MACROBLOCK,
    BarGeometry,
    counter_cells,
    read_counter,
)


def drawn(counter: int, width: int = 1280, height: int = 720) -> NDArray[np.uint8]:
    geometry = BarGeometry(width, height)
    picture = np.full((geometry.picture_rows * MACROBLOCK, width), 128, np.uint8)
    for row, lights in enumerate(counter_cells(counter)):
        for column, is_lit in enumerate(lights):
            top, left = (geometry.first_bar_row + row) * MACROBLOCK, column * MACROBLOCK
            level = LIGHT_LUMA if is_lit else DARK_LUMA
            picture[top : top + MACROBLOCK, left : left + MACROBLOCK] = level
    return picture[:height]


@given(counter=st.integers(0, COUNTER_LIMIT - 1))
def test_every_counter_is_read_back(counter: int) -> None:
    assert read_counter(drawn(counter, 640, 360)) == counter


@pytest.mark.parametrize(
    ("width", "height"), [(640, 360), (848, 480), (1280, 720), (1920, 1080), (2560, 1440), (3840, 2160)]
)
def test_every_usual_picture_size_has_room_for_the_bar(width: int, height: int) -> None:
    geometry = BarGeometry(width, height)
    assert geometry.visible_bar_lines >= 24
    assert geometry.visible_bar_lines <= height / 14
    assert read_counter(drawn(123_456, width, height)) == 123_456


def test_a_colour_picture_is_read_as_well() -> None:
    colour = cv2.cvtColor(drawn(77), cv2.COLOR_GRAY2BGR)
    assert read_counter(np.asarray(colour)) == 77


def test_a_scaled_picture_is_read_when_its_first_size_is_known() -> None:
    scaled = np.asarray(cv2.resize(drawn(4711), (800, 450), interpolation=cv2.INTER_AREA))
    assert read_counter(scaled, coded_size=(1280, 720)) == 4711


def test_noise_and_jpeg_do_not_disturb_the_reader() -> None:
    noise = np.random.default_rng(1).normal(0, 12, (720, 1280))
    noisy = np.clip(drawn(9_999_999) + noise, 0, 255).astype(np.uint8)
    squeezed = cv2.imdecode(cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 0)
    assert read_counter(np.asarray(squeezed)) == 9_999_999


@pytest.mark.parametrize("level", [0, 24, 128, 225, 255])
def test_a_plain_picture_carries_no_counter(level: int) -> None:
    assert read_counter(np.full((720, 1280), level, np.uint8)) is None


def test_a_wrong_cell_is_noticed() -> None:
    picture = drawn(5)
    picture[688:704, 0:16] = LIGHT_LUMA
    assert read_counter(picture) is None


def test_a_picture_too_small_for_the_bar_carries_no_counter() -> None:
    assert read_counter(np.zeros((90, 160), np.uint8)) is None


def test_a_counter_beyond_24_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="24 bits"):
        counter_cells(COUNTER_LIMIT)
