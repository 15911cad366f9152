"""Where in a picture a code lies: the structure tensor shows place and angle before anything is decoded.

Bars are where gradients are strong and all point one way; a QR code is where they are strong in both.
"""

from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.scanner.pictures import Picture

Field = NDArray[np.float32]

LOCATE_WIDTH_PX: Final = 320
NEIGHBOURHOOD: Final = 5.0
# What is this much weaker than the strongest place belongs to something else.
EDGE: Final = 0.25
MARGIN: Final = 6
WHITE: Final = 255
WIDEST_BARS_PX: Final = 1600
LARGEST_SCALE: Final = 2.0
LOWEST_BARS_PX: Final = 64
PRESSED: Final = 0.5


@dataclass(frozen=True, slots=True)
class Tensor:
    """Squared gradients of a picture, averaged and shrunk by `scale`."""

    across: Field
    down: Field
    mixed: Field
    scale: float


def tensor_of(grey: Picture) -> Tensor:
    """The structure tensor of a picture."""
    # Bars one pixel wide vanish in a small copy, their gradients do not: take those first, then shrink.
    across, down = (part[::2, ::2].astype(np.float32) for part in cv2.spatialGradient(grey))
    scale = LOCATE_WIDTH_PX / across.shape[1]
    squared, mixed = (across * across, down * down), across * down
    return Tensor(
        _averaged(squared[0], scale), _averaged(squared[1], scale), _averaged(mixed, scale), scale / 2
    )


def _averaged(part: Field, scale: float) -> Field:
    small = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cast(Field, cv2.GaussianBlur(small, (0, 0), NEIGHBOURHOOD))


@dataclass(frozen=True, slots=True)
class Bars:
    """Where bars lie: their middle, the angle across them, and how far they reach from the middle."""

    middle: tuple[float, float]
    degrees: float
    reach_px: float


def bars_in(tensor: Tensor) -> Bars | None:
    """The place that looks most like bars; None in a picture without any edge."""
    difference, twice = tensor.across - tensor.down, 2 * tensor.mixed
    one_way = np.hypot(difference, twice)
    strength = one_way**2 / (tensor.across + tensor.down + 1e-3)
    found = _strongest(strength)
    if found is None:
        return None
    degrees = float(np.degrees(0.5 * np.arctan2(twice[found.peak], difference[found.peak])))
    reach = float(np.hypot(found.width, found.height))
    middle = (found.centre[0] / tensor.scale, found.centre[1] / tensor.scale)
    return Bars(middle, degrees, (0.6 * reach + 8) / tensor.scale)


def upright(grey: Picture, bars: Bars, smear_px: int) -> Picture:
    """The bars standing upright and pressed to half their height, averaged along themselves.

    Along its bars a code is constant, so averaging that way removes the noise that decoders cannot
    stand and leaves every edge where it is. `smear_px` of 1 leaves the picture as it is.
    """
    (x, y), reach = bars.middle, bars.reach_px
    scale = min(LARGEST_SCALE, WIDEST_BARS_PX / (2 * reach))
    width = int(2 * reach * scale)
    height = max(LOWEST_BARS_PX, width // 4)
    matrix = cv2.getRotationMatrix2D((x, y), bars.degrees, scale)
    matrix[1] *= PRESSED
    matrix[0, 2] += width / 2 - x
    matrix[1, 2] += height / 2 - y * PRESSED
    turned = cv2.warpAffine(grey, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=WHITE)
    return cast(Picture, cv2.blur(turned, (1, smear_px)))


def square_in(grey: Picture, tensor: Tensor) -> Picture | None:
    """The part of the picture that looks most like a QR code; None in a picture without any edge."""
    one_way = np.hypot(tensor.across - tensor.down, 2 * tensor.mixed)
    found = _strongest((tensor.across + tensor.down - one_way) / 2)
    if found is None:
        return None
    left, top = (int(max(0, edge - MARGIN) / tensor.scale) for edge in (found.left, found.top))
    right = int((found.left + found.width + MARGIN) / tensor.scale)
    bottom = int((found.top + found.height + MARGIN) / tensor.scale)
    return grey[top:bottom, left:right]


@dataclass(frozen=True, slots=True)
class _Place:
    """A region around the strongest point of a field."""

    left: int
    top: int
    width: int
    height: int
    centre: tuple[float, float]
    peak: tuple[int, int]


def _strongest(strength: Field) -> _Place | None:
    row, column = np.unravel_index(int(strength.argmax()), strength.shape)
    peak = (int(row), int(column))
    if not strength[peak]:
        return None
    region = (strength > EDGE * strength[peak]).astype(np.uint8)
    _, labels, boxes, centres = cv2.connectedComponentsWithStats(region)
    label = labels[peak]
    left, top, width, height = (int(value) for value in boxes[label][:4])
    return _Place(left, top, width, height, (float(centres[label][0]), float(centres[label][1])), peak)
