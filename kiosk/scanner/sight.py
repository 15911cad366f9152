"""What a frame looks like as a whole: how bright, how varied, and small enough to compare with others.

Whether that means a covered lens or a card that nobody can read is decided in `kiosk.attention`.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from kiosk.scanner.pictures import Picture, grey_of
from kiosk.scanner.regions import Field

# Left, top, width and height as shares of a picture.
Region = tuple[float, float, float, float]

WHOLE: Final[Region] = (0.0, 0.0, 1.0, 1.0)
SMALL_SIZE: Final = (64, 36)
# Sharpness is measured at one size, so that cameras can be compared.
MEASURED_WIDTH_PX: Final = 480
# Of the sharpest parts of the picture, for a wall behind somebody is smooth and yet not blurred.
SHARPEST: Final = 99


@dataclass(frozen=True, slots=True)
class Glance:
    """One frame at a glance; shades from 0 to 255."""

    small: Field
    # How much changes from place to place inside each small pixel: print and edges, and sensor noise.
    grain: Field

    @property
    def brightness(self) -> float:
        """The mean shade."""
        return float(self.small.mean())

    @property
    def variety(self) -> float:
        """How far shades are spread (their standard deviation)."""
        return float(self.small.std())


def glance_at(frame: Picture) -> Glance:
    """The frame at a glance."""
    half = cv2.resize(grey_of(frame), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    edges = cv2.absdiff(half, cv2.blur(half, (3, 3)))
    small, grain = (
        np.asarray(cv2.resize(part, SMALL_SIZE, interpolation=cv2.INTER_AREA), np.float32)
        for part in (half, edges)
    )
    return Glance(small, grain)


def sharpness_of(frame: Picture) -> float:
    """How steep the steepest edges are: some tens in a sharp picture, a few in a blurred one."""
    grey = grey_of(frame)
    height, width = grey.shape
    size = (MEASURED_WIDTH_PX, max(1, height * MEASURED_WIDTH_PX // width))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    # Sensor noise must not pass for sharpness.
    edges = np.abs(cv2.Laplacian(cv2.GaussianBlur(small, (3, 3), 0), cv2.CV_32F))
    return float(np.percentile(edges, SHARPEST))


def part_of(frame: Picture, region: Region) -> Picture:
    """The region of a frame."""
    height, width = frame.shape[:2]
    left, top = int(region[0] * width), int(region[1] * height)
    right, bottom = left + max(1, round(region[2] * width)), top + max(1, round(region[3] * height))
    return frame[top:bottom, left:right]
