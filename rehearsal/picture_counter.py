"""The machine-readable counter in the pixels of every simulated frame, and how to read it back.

The lowest macroblock rows of a simulated picture are an on-screen bar: on the left 2 x 20 square cells
carry 24 bits of counter and 16 bits of check sum, on the right stand the room and the camera's clock.
A cell is exactly one macroblock, so that the bar can be rewritten in every frame without an encoder
(`rehearsal.h264_slices`). This module knows the geometry and nothing of H.264.
"""

import binascii
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MACROBLOCK: Final = 16
CELL_COLUMNS: Final = 20
CELL_ROWS: Final = 2
COUNTER_LIMIT: Final = 1 << 24
DARK_LUMA: Final = 24
LIGHT_LUMA: Final = 225
MINIMUM_WIDTH: Final = 640

# A cell between these two is neither dark nor light: the picture carries no counter, or too much was lost.
_SURELY_DARK: Final = 100
_SURELY_LIGHT: Final = 156

_SAMPLES: Final = 6
_MIDDLE: Final = np.linspace(0.27, 0.73, _SAMPLES)[np.newaxis, :]


@dataclass(frozen=True, slots=True)
class BarGeometry:
    """Where the bar lies in a picture of this size; rows and columns count macroblocks."""

    width: int
    height: int

    @property
    def columns(self) -> int:
        return -(-self.width // MACROBLOCK)

    @property
    def picture_rows(self) -> int:
        """All macroblock rows, the cropped part of the last one included."""
        return -(-self.height // MACROBLOCK)

    @property
    def bar_rows(self) -> int:
        """At least 24 visible lines, and about 1/27 of a large picture."""
        cropped = self.picture_rows * MACROBLOCK - self.height
        return max(CELL_ROWS, -(-(max(24, self.height // 27) + cropped) // MACROBLOCK))

    @property
    def first_bar_row(self) -> int:
        return self.picture_rows - self.bar_rows

    @property
    def visible_bar_lines(self) -> int:
        return self.height - self.first_bar_row * MACROBLOCK


def counter_cells(counter: int) -> list[list[bool]]:
    """Light (True) and dark cells of the counter, row by row; most significant bit first."""
    if not 0 <= counter < COUNTER_LIMIT:
        raise ValueError(f"counter {counter} does not fit into 24 bits")
    word = counter << 16 | _check_sum(counter)
    bits = [bool(word >> shift & 1) for shift in range(CELL_ROWS * CELL_COLUMNS - 1, -1, -1)]
    return [bits[:CELL_COLUMNS], bits[CELL_COLUMNS:]]


def read_counter(frame: NDArray[Any], coded_size: tuple[int, int] | None = None) -> int | None:
    """The counter in a decoded frame (grey, or colour with channels last), or None when it cannot be read.

    `coded_size` is (width, height) of the camera's picture, needed when the frame was scaled afterwards.
    """
    height, width = frame.shape[:2]
    geometry = BarGeometry(*(coded_size or (width, height)))
    if geometry.columns < CELL_COLUMNS:
        return None
    scale = (width / geometry.width, height / geometry.height)
    samples = frame[np.ix_(_sampled_lines(geometry, scale[1]), _sampled_columns(scale[0]))]
    grey = samples if samples.ndim == 2 else samples.mean(axis=2)
    levels = grey.reshape(CELL_ROWS, _SAMPLES, CELL_COLUMNS, _SAMPLES).mean(axis=(1, 3)).ravel()
    if ((levels >= _SURELY_DARK) & (levels <= _SURELY_LIGHT)).any():
        return None
    word = int.from_bytes(np.packbits(levels > _SURELY_LIGHT).tobytes(), "big")
    counter = word >> 16
    return counter if word & 0xFFFF == _check_sum(counter) else None


def _check_sum(counter: int) -> int:
    # Starts at 0xFFFF, so that an all-black bar is not a valid zero.
    return binascii.crc_hqx(counter.to_bytes(3, "big"), 0xFFFF)


def _sampled_columns(scale: float) -> NDArray[np.int64]:
    """Pixel columns in the middle half of every cell."""
    left = np.arange(CELL_COLUMNS)[:, np.newaxis] * MACROBLOCK
    return ((left + MACROBLOCK * _MIDDLE) * scale).astype(np.int64).ravel()


def _sampled_lines(geometry: BarGeometry, scale: float) -> NDArray[np.int64]:
    """Picture lines in the middle half of the visible part of every row of cells."""
    top = (geometry.first_bar_row + np.arange(CELL_ROWS)[:, np.newaxis]) * MACROBLOCK
    visible = np.minimum(top + MACROBLOCK, geometry.height) - top
    return ((top + visible * _MIDDLE) * scale).astype(np.int64).ravel()
