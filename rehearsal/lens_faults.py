"""What a simulated camera sees when something is wrong with its lens or its mount."""

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np

from rehearsal.camera_plan import LensState
from rehearsal.scene_brush import Picture

_HAND: Final = (46, 52, 70)
# Shares of the picture's width and height, and degrees.
_SHIFT: Final = (0.22, 0.1)
_TURN_DEGREES: Final = 4.0
_DEFOCUS: Final = 1 / 100


def seen_through(lens: LensState, picture: Picture) -> Picture:
    """The picture of the scene as the troubled lens shows it."""
    return _LENSES[lens](picture)


def _clear(picture: Picture) -> Picture:
    return picture


def _covered(picture: Picture) -> Picture:
    """A hand: what light comes through has lost its shapes."""
    light = cv2.resize(cv2.resize(picture, (4, 3), interpolation=cv2.INTER_AREA), picture.shape[1::-1])
    return (light * 0.15 + np.array(_HAND) * 0.8).astype(np.uint8)


def _blurred(picture: Picture) -> Picture:
    return cv2.GaussianBlur(picture, (0, 0), picture.shape[1] * _DEFOCUS).astype(np.uint8, copy=False)


def _moved(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), _TURN_DEGREES, 1.0)
    turn[:, 2] += (width * _SHIFT[0], height * _SHIFT[1])
    return cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REFLECT).astype(
        np.uint8, copy=False
    )


_LENSES: Final[Mapping[LensState, Callable[[Picture], Picture]]] = {
    LensState.CLEAR: _clear,
    LensState.COVERED: _covered,
    LensState.BLURRED: _blurred,
    LensState.MOVED: _moved,
}
