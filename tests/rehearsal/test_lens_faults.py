"""What a troubled lens shows of a drawn room."""

import cv2
import numpy as np

from rehearsal.camera_plan import LensState, SceneKind
from rehearsal.lens_faults import seen_through
from rehearsal.picture_counter import BarGeometry
from rehearsal.scenes import Scene

ROOM = Scene(SceneKind.VIVA_ROOM, 0, BarGeometry(640, 360)).picture(0.0)


def fineness(picture: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.CV_32F).var())


def test_a_clear_lens_changes_nothing() -> None:
    assert (seen_through(LensState.CLEAR, ROOM) == ROOM).all()


def test_every_trouble_keeps_the_size_and_changes_the_picture() -> None:
    for lens in set(LensState) - {LensState.CLEAR}:
        seen = seen_through(lens, ROOM)
        assert (seen.shape, seen.dtype) == (ROOM.shape, np.uint8)
        assert np.abs(seen.astype(int) - ROOM).mean() > 2


def test_covered_and_blurred_pictures_lose_their_fine_detail_and_a_turned_one_does_not() -> None:
    assert fineness(seen_through(LensState.COVERED, ROOM)) < 0.02 * fineness(ROOM)
    assert fineness(seen_through(LensState.BLURRED, ROOM)) < 0.1 * fineness(ROOM)
    assert fineness(seen_through(LensState.MOVED, ROOM)) > 0.3 * fineness(ROOM)
