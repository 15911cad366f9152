"""The readable part of the on-screen bar: the camera's label and its own clock."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from exam.clock import SECOND_US, site_time
from rehearsal.fonts import chinese_font
from rehearsal.picture_counter import CELL_COLUMNS, DARK_LUMA, LIGHT_LUMA, MACROBLOCK, BarGeometry

_TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


class BarText:
    """Draws label and time into luma samples; the same array is returned until the second changes."""

    def __init__(self, geometry: BarGeometry, label: str) -> None:
        self._lines = geometry.visible_bar_lines
        self._font_size = min(self._lines * 5 // 8, geometry.width // 32)
        self._advance = max(
            _glyph(character, self._font_size, self._lines).shape[1] for character in "0123456789"
        )
        shown_label = (
            _glyph(label, self._font_size, self._lines) if label else np.zeros((self._lines, 0), np.uint8)
        )
        margin = self._font_size // 2
        time_width = len("2000-01-01 00:00:00") * self._advance
        room = (geometry.columns - CELL_COLUMNS) * MACROBLOCK - time_width - 3 * margin
        shown_label = shown_label[:, : max(0, room)]
        self.columns = -(-(shown_label.shape[1] + time_width + 3 * margin) // MACROBLOCK)
        self._ground = np.full(
            (geometry.bar_rows * MACROBLOCK, self.columns * MACROBLOCK), DARK_LUMA, np.uint8
        )
        self._time_left = self.columns * MACROBLOCK - margin - time_width
        label_left = self._time_left - margin - shown_label.shape[1]
        self._ground[: self._lines, label_left : label_left + shown_label.shape[1]] = shown_label
        self._second = -1
        self._samples = self._ground

    def samples(self, camera_us: int) -> NDArray[np.uint8]:
        """The text part of the bar at this time of the camera's clock."""
        second = camera_us // SECOND_US
        if second != self._second:
            self._second = second
            self._samples = self._with_time(site_time(second * SECOND_US).strftime(_TIME_FORMAT))
        return self._samples

    def _with_time(self, text: str) -> NDArray[np.uint8]:
        samples = self._ground.copy()
        for position, character in enumerate(text):
            glyph = _glyph(character, self._font_size, self._lines)
            left = self._time_left + position * self._advance + (self._advance - glyph.shape[1]) // 2
            samples[: self._lines, left : left + glyph.shape[1]] = glyph
        return samples


@cache
def _glyph(text: str, size: int, lines: int) -> NDArray[np.uint8]:
    """Luma samples of the text, as high as the visible bar."""
    font = chinese_font(size)
    width = max(1, round(font.getlength(text)))
    picture = Image.new("L", (width, lines), 0)
    ImageDraw.Draw(picture).text((0, lines / 2), text, fill=255, font=font, anchor="lm")
    mask = np.asarray(picture, np.uint16)
    return (DARK_LUMA + mask * (LIGHT_LUMA - DARK_LUMA) // 255).astype(np.uint8)
