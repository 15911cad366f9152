"""The empty room of a scene: floor, walls, windows, lamps, board and slogans. Drawn once per loop."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rehearsal.scene_brush import Brush, Colour, Lens, Picture, Point, shade

_HEIGHT_M: Final = 3.1
_WALL: Final[Colour] = (222, 230, 232)
_DADO: Final[Colour] = (196, 208, 188)
_CEILING: Final[Colour] = (236, 238, 238)
_SKY: Final[Colour] = (250, 244, 232)
_FRAME: Final[Colour] = (236, 236, 236)
_BOARD: Final[Colour] = (70, 84, 52)
_DOOR: Final[Colour] = (92, 124, 156)
_OVERSAMPLING: Final = 2


@dataclass(frozen=True, slots=True)
class RoomLook:
    """What makes one kind of room differ from another."""

    width: float
    depth: float
    floor: Colour
    tile_m: float
    board_text: str
    slogan: str
    has_windows: bool = True


def empty_room(look: RoomLook, lens: Lens, size: tuple[int, int]) -> Picture:
    """The picture of the room without people and furniture, with light falling off towards the corners."""
    large = (size[0] * _OVERSAMPLING, size[1] * _OVERSAMPLING)
    picture = np.full((large[1], large[0], 3), _CEILING, np.uint8)
    brush = Brush(lens.enlarged(_OVERSAMPLING), picture)
    _floor(brush, look)
    _walls(brush, look)
    _ceiling_lamps(brush, look)
    _front_wall(brush, look)
    _rear_wall(brush, look)
    _side_walls(brush, look)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    lit: Picture = np.clip(small * _light(size)[:, :, np.newaxis], 0, 255).astype(np.uint8)
    return lit


def _light(size: tuple[int, int]) -> NDArray[np.float32]:
    """Brighter in the middle, darker towards the corners, as a wide lens sees it."""
    x = np.linspace(-1, 1, size[0], dtype=np.float32)
    y = np.linspace(-1, 1, size[1], dtype=np.float32)[:, np.newaxis]
    return (1.02 - 0.16 * (x * x + 0.8 * y * y)).astype(np.float32)


def _floor(brush: Brush, look: RoomLook) -> None:
    brush.face([(0, 0, 0), (look.width, 0, 0), (look.width, look.depth, 0), (0, look.depth, 0)], look.floor)
    columns, rows = int(look.width / look.tile_m), int(look.depth / look.tile_m)
    for column in range(columns + 1):
        for row in range(rows + 1):
            if (column + row) % 2:
                _floor_tile(brush, look, column, row)


def _floor_tile(brush: Brush, look: RoomLook, column: int, row: int) -> None:
    left, near = column * look.tile_m, row * look.tile_m
    right, far = min(left + look.tile_m, look.width), min(near + look.tile_m, look.depth)
    brush.face([(left, near, 0), (right, near, 0), (right, far, 0), (left, far, 0)], shade(look.floor, 0.965))


def _walls(brush: Brush, look: RoomLook) -> None:
    wide, deep = look.width, look.depth
    for start, end, light in (
        ((0, 0), (wide, 0), 0.97),
        ((0, deep), (wide, deep), 1.0),
        ((0, 0), (0, deep), 0.9),
        ((wide, 0), (wide, deep), 0.94),
    ):
        for low, high, colour in ((0.0, 1.1, _DADO), (1.1, _HEIGHT_M, _WALL), (0.0, 0.1, (120, 120, 118))):
            brush.face(_upright(start, end, low, high), shade(colour, light))


def _upright(start: tuple[float, float], end: tuple[float, float], low: float, high: float) -> list[Point]:
    return [(*start, high), (*end, high), (*end, low), (*start, low)]


def _ceiling_lamps(brush: Brush, look: RoomLook) -> None:
    wide, deep = look.width, look.depth
    top = _HEIGHT_M
    brush.face([(0, 0, top), (wide, 0, top), (wide, deep, top), (0, deep, top)], _CEILING)
    for row in range(1, int(deep // 2) + 1):
        for share in (0.25, 0.75):
            x, y = wide * share, row * 2 - 0.6
            left, right, far = x - 0.7, x + 0.7, y + 0.2
            brush.face(
                [(left, y, top), (right, y, top), (right, far, top), (left, far, top)], (255, 255, 252)
            )


def _front_wall(brush: Brush, look: RoomLook) -> None:
    middle = look.width / 2
    brush.face(_upright((middle - 2.1, 0.02), (middle + 2.1, 0.02), 0.92, 2.18), (150, 168, 178))
    brush.face(_upright((middle - 2.03, 0.03), (middle + 2.03, 0.03), 0.98, 2.12), _BOARD)
    # Seen from inside, the room's right is on the left of this wall.
    left, right = (middle + 1.7, 0.04), (middle - 1.7, 0.04)
    corners = [(*left, 1.95), (*right, 1.95), (*right, 1.4), (*left, 1.4)]
    brush.lettering(look.board_text, corners, (_BOARD, (226, 232, 228)))


def _rear_wall(brush: Brush, look: RoomLook) -> None:
    middle, y = look.width / 2, look.depth - 0.02
    half = min(1.9, middle - 1.6)
    corners = [
        (middle - half, y, 2.5),
        (middle + half, y, 2.5),
        (middle + half, y, 2.0),
        (middle - half, y, 2.0),
    ]
    brush.lettering(look.slogan, corners, ((44, 44, 178), (226, 240, 250)))
    brush.face(_upright((0.5, y), (1.45, y), 0.0, 2.1), _DOOR)
    brush.face(_upright((0.58, y - 0.01), (1.37, y - 0.01), 1.25, 1.95), (196, 200, 190))


def _side_walls(brush: Brush, look: RoomLook) -> None:
    if not look.has_windows:
        return
    for x in (0.02, look.width - 0.02):
        for number in range(int(look.depth // 2.4)):
            near = 0.8 + number * 2.4
            brush.face(_upright((x, near), (x, near + 1.7), 1.15, 2.6), _FRAME)
            for half in (0.06, 0.88):
                brush.face(_upright((x, near + half), (x, near + half + 0.76), 1.22, 2.53), _SKY)
