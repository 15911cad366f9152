"""Scenes that simulated cameras look at. Placeholder composition: see the modules named scene_*."""

import cv2
import numpy as np
from numpy.typing import NDArray

from rehearsal.camera_plan import SceneKind
from rehearsal.picture_counter import BarGeometry


class Scene:
    """One room, drawn at any moment of its loop."""

    def __init__(self, kind: SceneKind, view: int, geometry: BarGeometry) -> None:
        self._size = (geometry.height, geometry.width)
        self._ground = np.full((*self._size, 3), 90 + 10 * list(SceneKind).index(kind) + view, np.uint8)

    def picture(self, phase: float) -> NDArray[np.uint8]:
        """The picture (BGR) at a phase of the loop, 0 to 1; phase 1 looks like phase 0."""
        picture = self._ground.copy()
        turn = 2 * np.pi * phase
        x, y = self._size[1] / 2 + self._size[1] / 4 * np.cos(turn), self._size[0] / 2 + 50 * np.sin(turn)
        cv2.circle(picture, (int(x), int(y)), self._size[0] // 10, (60, 120, 200), -1, cv2.LINE_AA)
        return picture
