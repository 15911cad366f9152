"""A small perspective brush: draws boxes, walls, limbs and lettering of a room into a picture.

Coordinates are metres in the room: x along the front wall, y away from it, z up. The picture is BGR.
"""

import math
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rehearsal.fonts import chinese_font

Point = tuple[float, float, float]
Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]

_SUBPIXEL_BITS: Final = 4
_SUBPIXEL: Final = 1 << _SUBPIXEL_BITS
_NEAREST_M: Final = 0.15


def shade(colour: Colour, factor: float) -> Colour:
    """The colour, lighter (factor above 1) or darker."""
    blue, green, red = (min(255, max(0, round(part * factor))) for part in colour)
    return blue, green, red


class Lens:
    """Where the camera hangs, where it looks, and how wide."""

    def __init__(self, eye: Point, target: Point, wide_degrees: float, size: tuple[int, int]) -> None:
        self.eye = eye
        self.size = size
        forward = _unit(tuple(t - e for t, e in zip(target, eye, strict=True)))
        right = _unit((forward[1], -forward[0], 0.0))
        down = _cross(forward, right)
        self._axes = (right, down, forward)
        self._focal = size[0] / 2 / math.tan(math.radians(wide_degrees) / 2)

    def enlarged(self, factor: int) -> "Lens":
        """The same view on a larger picture."""
        lens = copy(self)
        lens.size = (self.size[0] * factor, self.size[1] * factor)
        lens._focal = self._focal * factor
        return lens

    def seen(self, point: Point) -> Point:
        """The point in the camera's own axes: right, down, depth."""
        offset = (point[0] - self.eye[0], point[1] - self.eye[1], point[2] - self.eye[2])
        right, down, forward = self._axes
        return _dot(offset, right), _dot(offset, down), _dot(offset, forward)

    def on_picture(self, seen: Point) -> tuple[float, float]:
        scale = self._focal / seen[2]
        return self.size[0] / 2 + seen[0] * scale, self.size[1] / 2 + seen[1] * scale

    def pixels(self, metres: float, point: Point) -> float:
        """How many pixels a length has at this point."""
        return metres * self._focal / max(_NEAREST_M, self.seen(point)[2])

    def distance(self, point: Point) -> float:
        return math.dist(self.eye, point)

    def is_visible(self, point: Point) -> bool:
        return self.seen(point)[2] > _NEAREST_M


class Brush:
    """Draws through a lens into one picture."""

    def __init__(self, lens: Lens, picture: Picture) -> None:
        self.lens = lens
        self.picture = picture

    def outline(self, corners: Sequence[Point]) -> NDArray[np.int32] | None:
        """The convex polygon on the picture, cut at the lens; None if all of it is behind the camera."""
        seen = _in_front([self.lens.seen(corner) for corner in corners])
        if len(seen) < 3:
            return None
        spots = np.array([self.lens.on_picture(point) for point in seen])
        return (spots * _SUBPIXEL).round().astype(np.int32)

    def fill(self, outline: NDArray[np.int32] | None, colour: Colour) -> None:
        if outline is not None:
            cv2.fillConvexPoly(self.picture, outline, colour, cv2.LINE_AA, _SUBPIXEL_BITS)

    def face(self, corners: Sequence[Point], colour: Colour) -> None:
        """A flat convex face."""
        self.fill(self.outline(corners), colour)

    def limb(self, start: Point, end: Point, width_m: float, colour: Colour) -> None:
        """A rounded bar between two points."""
        if not (self.lens.is_visible(start) and self.lens.is_visible(end)):
            return
        thickness = max(1, round(self.lens.pixels(width_m, start)))
        cv2.line(
            self.picture, self._spot(start), self._spot(end), colour, thickness, cv2.LINE_AA, _SUBPIXEL_BITS
        )

    def ball(self, centre: Point, radius_m: float, colour: Colour) -> None:
        if not self.lens.is_visible(centre):
            return
        radius = round(self.lens.pixels(radius_m, centre) * _SUBPIXEL)
        cv2.circle(self.picture, self._spot(centre), radius, colour, -1, cv2.LINE_AA, _SUBPIXEL_BITS)

    def lettering(self, text: str, corners: Sequence[Point], colours: tuple[Colour, Colour]) -> None:
        """Text on a flat sign; corners from its upper left clockwise, colours of ground and letters."""
        if not all(self.lens.is_visible(corner) for corner in corners):
            return
        aspect = math.dist(corners[0], corners[1]) / math.dist(corners[1], corners[2])
        sign = _sign(text, colours, aspect)
        height, width = sign.shape[:2]
        source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        target = np.array([self.lens.on_picture(self.lens.seen(corner)) for corner in corners], np.float32)
        turn = cv2.getPerspectiveTransform(source, target)
        warped = cv2.warpPerspective(sign, turn, self.lens.size, flags=cv2.INTER_AREA)
        covered = cv2.warpPerspective(np.full((height, width), 255, np.uint8), turn, self.lens.size)
        self.picture[covered > 127] = warped[covered > 127]

    def _spot(self, point: Point) -> tuple[int, int]:
        x, y = self.lens.on_picture(self.lens.seen(point))
        return round(x * _SUBPIXEL), round(y * _SUBPIXEL)


def box_faces(corner: Point, size: Point, eye: Point) -> list[tuple[list[Point], float]]:
    """The faces of an upright box that the eye can see, with how much light each gets."""
    (x, y, z), (wide, deep, high) = corner, size
    across, along, top = x + wide, y + deep, z + high
    faces = []
    if eye[1] < y:
        faces.append(([(x, y, z), (across, y, z), (across, y, top), (x, y, top)], 0.78))
    if eye[1] > along:
        faces.append(([(x, along, z), (across, along, z), (across, along, top), (x, along, top)], 0.72))
    if eye[0] < x:
        faces.append(([(x, y, z), (x, along, z), (x, along, top), (x, y, top)], 0.66))
    if eye[0] > across:
        faces.append(([(across, y, z), (across, along, z), (across, along, top), (across, y, top)], 0.84))
    if eye[2] > top:
        faces.append(([(x, y, top), (across, y, top), (across, along, top), (x, along, top)], 1.0))
    return faces


def _sign(text: str, colours: tuple[Colour, Colour], aspect: float) -> Picture:
    """The text as large as fits into a sign of this aspect, in the middle."""
    font = chinese_font(96)
    width = max(round(font.getlength(text)) + 80, round(150 * aspect))
    height = round(width / aspect)
    picture = Image.new("RGB", (width, height), colours[0])
    ImageDraw.Draw(picture).text((width / 2, height / 2 - 3), text, fill=colours[1], font=font, anchor="mm")
    return np.asarray(picture, np.uint8)


def _in_front(seen: list[Point]) -> list[Point]:
    """The part of a polygon in front of the camera."""
    kept: list[Point] = []
    for index, point in enumerate(seen):
        before = seen[index - 1]
        if (before[2] > _NEAREST_M) != (point[2] > _NEAREST_M):
            share = (_NEAREST_M - before[2]) / (point[2] - before[2])
            x, y = (b + share * (p - b) for b, p in zip(before[:2], point[:2], strict=True))
            kept.append((x, y, _NEAREST_M + 1e-6))
        if point[2] > _NEAREST_M:
            kept.append(point)
    return kept


def _dot(one: Point, other: Point) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def _cross(one: Point, other: Point) -> Point:
    return (
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    )


def _unit(vector: Iterable[float]) -> Point:
    x, y, z = vector
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length
