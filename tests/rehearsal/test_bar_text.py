"""Label and clock in the picture."""

from pathlib import Path

import numpy as np
import pytest

from exam.clock import SECOND_US
from rehearsal.bar_text import BarText
from rehearsal.fonts import FontMissingError, chinese_font
from rehearsal.picture_counter import CELL_COLUMNS, MACROBLOCK, BarGeometry

NOW_US = 1_795_000_000 * SECOND_US


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 1080)])
def test_text_leaves_room_for_the_counter(size: tuple[int, int]) -> None:
    geometry = BarGeometry(*size)
    text = BarText(geometry, "第3考场西北角（备用摄像机）")
    assert text.columns <= geometry.columns - CELL_COLUMNS
    assert text.samples(NOW_US).shape == (geometry.bar_rows * MACROBLOCK, text.columns * MACROBLOCK)


def test_the_same_array_is_returned_until_the_second_changes() -> None:
    text = BarText(BarGeometry(1280, 720), "第3考场")
    first = text.samples(NOW_US)
    assert text.samples(NOW_US + 999_999) is first
    assert not np.array_equal(text.samples(NOW_US + SECOND_US), first)


def test_only_the_last_digit_changes_within_ten_seconds() -> None:
    text = BarText(BarGeometry(1280, 720), "第3考场")
    changed = np.argwhere(text.samples(NOW_US) != text.samples(NOW_US + SECOND_US))
    assert np.ptp(changed[:, 1]) < 20


def test_another_label_looks_different() -> None:
    geometry = BarGeometry(1280, 720)
    one, other = BarText(geometry, "第3考场"), BarText(geometry, "第4考场")
    assert not np.array_equal(one.samples(NOW_US), other.samples(NOW_US))


def test_a_camera_without_label_shows_the_time() -> None:
    text = BarText(BarGeometry(1280, 720), "")
    assert text.samples(NOW_US).max() > 200


def test_a_missing_font_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(FontMissingError, match="fonts-noto-cjk"):
        chinese_font(20, (tmp_path,))
