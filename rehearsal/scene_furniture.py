"""Things that stand in simulated rooms. Each is projected once and filled anew in every frame."""

from dataclasses import dataclass
from typing import Final

from rehearsal.scene_brush import Brush, Colour, Point, box_faces, shade

WOOD: Final[Colour] = (140, 176, 206)
STEEL: Final[Colour] = (150, 146, 140)
DARK_STEEL: Final[Colour] = (96, 92, 88)
GREEN_MACHINE: Final[Colour] = (112, 132, 88)
BLUE_BENCH: Final[Colour] = (150, 112, 70)
CHAIR: Final[Colour] = (128, 96, 62)
PAPER: Final[Colour] = (238, 240, 242)
SCREEN: Final[Colour] = (200, 160, 96)


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box: lower corner, size, colour."""

    corner: Point
    size: Point
    colour: Colour


@dataclass(frozen=True, slots=True)
class Sheet:
    """Something flat lying on a surface: paper, a tool, a screen."""

    corner: Point
    size: tuple[float, float]
    colour: Colour


@dataclass(frozen=True, slots=True)
class Furniture:
    """Boxes in the order they cover one another, then sheets; drawn together at the depth of `centre`."""

    centre: Point
    boxes: tuple[Box, ...]
    sheets: tuple[Sheet, ...] = ()

    def faces(self, eye: Point) -> list[tuple[list[Point], Colour]]:
        """Every face that is turned towards the eye, with its colour."""
        faces = [
            (corners, shade(box.colour, light))
            for box in self.boxes
            for corners, light in box_faces(box.corner, box.size, eye)
        ]
        return faces + [(_sheet_corners(sheet), sheet.colour) for sheet in self.sheets]


def _sheet_corners(sheet: Sheet) -> list[Point]:
    (x, y, z), (wide, deep) = sheet.corner, sheet.size
    return [(x, y, z), (x + wide, y, z), (x + wide, y + deep, z), (x, y + deep, z)]


def desk(x: float, y: float, facing: int) -> Furniture:
    """A single desk whose user sits at (x, y) and looks along y (facing +1 or -1)."""
    middle = y + facing * 0.42
    legs = tuple(
        Box((x + side * 0.31 - 0.02, middle + end * 0.19 - 0.02, 0.0), (0.04, 0.04, 0.72), DARK_STEEL)
        for side in (-1, 1)
        for end in (-1, 1)
    )
    panel = Box((x - 0.32, middle + facing * 0.2 - 0.01, 0.35), (0.64, 0.02, 0.36), shade(WOOD, 0.8))
    top = Box((x - 0.36, middle - 0.23, 0.72), (0.72, 0.46, 0.035), WOOD)
    sheet = Sheet((x - 0.13, middle - facing * 0.03 - 0.13, 0.757), (0.27, 0.26), PAPER)
    sticker = Sheet((x + 0.22, middle + facing * 0.12 - 0.04, 0.757), (0.1, 0.08), (120, 210, 240))
    return Furniture((x, middle, 0.6), (*legs, panel, top), (sheet, sticker))


def chair(x: float, y: float, facing: int) -> Furniture:
    """A chair under somebody who sits at (x, y)."""
    back = Box((x - 0.2, y - facing * 0.24 - 0.015, 0.5), (0.4, 0.03, 0.4), CHAIR)
    seat = Box((x - 0.2, y - 0.2, 0.42), (0.4, 0.4, 0.04), shade(CHAIR, 0.9))
    legs = tuple(
        Box((x + side * 0.18 - 0.015, y + end * 0.18 - 0.015, 0.0), (0.03, 0.03, 0.42), DARK_STEEL)
        for side in (-1, 1)
        for end in (-1, 1)
    )
    return Furniture((x, y - facing * 0.22, 0.5), (*legs, seat, back))


def bench(x: float, y: float, facing: int) -> Furniture:
    """A workshop station: a steel bench with a vice, a workpiece and a machine head."""
    middle = y + facing * 0.55
    body = Box((x - 0.75, middle - 0.35, 0.0), (1.5, 0.7, 0.86), BLUE_BENCH)
    top = Box((x - 0.8, middle - 0.4, 0.86), (1.6, 0.8, 0.06), STEEL)
    column = Box((x - 0.68, middle + facing * 0.12 - 0.1, 0.92), (0.2, 0.2, 0.55), GREEN_MACHINE)
    head = Box((x - 0.7, middle - 0.2, 1.3), (0.24, 0.42, 0.2), shade(GREEN_MACHINE, 1.15))
    vice = Box((x - 0.08, middle - facing * 0.12 - 0.08, 0.92), (0.3, 0.16, 0.12), DARK_STEEL)
    drawing = Sheet((x + 0.34, middle - 0.16, 0.925), (0.36, 0.3), PAPER)
    return Furniture((x, middle, 0.7), (body, top, column, head, vice), (drawing,))


def table(
    corner: tuple[float, float], size: tuple[float, float], sheets: tuple[Sheet, ...] = ()
) -> Furniture:
    """A large meeting table."""
    (x, y), (wide, deep) = corner, size
    base = Box((x + 0.15, y + 0.15, 0.0), (wide - 0.3, deep - 0.3, 0.7), shade(WOOD, 0.62))
    top = Box((x, y, 0.7), (wide, deep, 0.06), shade(WOOD, 0.86))
    return Furniture((x + wide / 2, y + deep / 2, 0.5), (base, top), sheets)


class PlacedFurniture:
    """Furniture with its outlines already on the picture."""

    def __init__(self, furniture: Furniture, brush: Brush) -> None:
        faces = furniture.faces(brush.lens.eye)
        self._outlines = [(brush.outline(corners), colour) for corners, colour in faces]

    def draw(self, brush: Brush) -> None:
        for outline, colour in self._outlines:
            brush.fill(outline, colour)
