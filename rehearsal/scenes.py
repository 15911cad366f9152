"""Draws a furnished room with people at any moment of its loop.

Nothing here is a real place or a real person. What is where stands in `rehearsal.scene_layouts`.
"""

from collections.abc import Callable

from rehearsal.camera_plan import SceneKind
from rehearsal.picture_counter import BarGeometry
from rehearsal.scene_brush import Brush, Lens, Picture
from rehearsal.scene_furniture import PlacedFurniture
from rehearsal.scene_layouts import layout
from rehearsal.scene_people import Person, draw_person
from rehearsal.scene_rooms import empty_room


class Scene:
    """One room seen by one camera."""

    def __init__(self, kind: SceneKind, view: int, geometry: BarGeometry) -> None:
        plan = layout(kind, view)
        size = (geometry.width, geometry.height)
        self._lens = Lens(plan.eye, plan.target, plan.wide_degrees, size)
        self._ground = empty_room(plan.look, self._lens, size)
        self._people = plan.people
        brush = Brush(self._lens, self._ground)
        self._furniture = [(piece.centre, PlacedFurniture(piece, brush)) for piece in plan.furniture]

    def picture(self, phase: float) -> Picture:
        """The picture (BGR) at a phase of the loop, 0 to 1; phase 1 looks like phase 0."""
        brush = Brush(self._lens, self._ground.copy())
        for _, draw in sorted(self._by_depth(brush, phase), key=lambda step: -step[0]):
            draw()
        return brush.picture

    def _by_depth(self, brush: Brush, phase: float) -> list[tuple[float, Callable[[], None]]]:
        """What to draw, with its distance from the camera on the floor plan."""
        steps: list[tuple[float, Callable[[], None]]] = []
        for centre, piece in self._furniture:
            steps.append((self._distance(centre[0], centre[1]), _drawing_of(piece, brush)))
        for person in self._people:
            x, y, _ = person.place(phase)
            steps.append((self._distance(x, y), _drawing_of_person(person, brush, phase)))
        return steps

    def _distance(self, x: float, y: float) -> float:
        return self._lens.distance((x, y, 0.6))


def _drawing_of(piece: PlacedFurniture, brush: Brush) -> Callable[[], None]:
    return lambda: piece.draw(brush)


def _drawing_of_person(person: Person, brush: Brush, phase: float) -> Callable[[], None]:
    return lambda: draw_person(brush, person, phase)
