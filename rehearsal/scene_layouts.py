"""Who and what is where in each kind of scene: classroom, workshop, viva room, check-in desk."""

import math
import random
from dataclasses import dataclass
from typing import Final

from rehearsal.camera_plan import SceneKind
from rehearsal.scene_brush import Point
from rehearsal.scene_furniture import (
    DARK_STEEL,
    PAPER,
    SCREEN,
    WOOD,
    Box,
    Furniture,
    Sheet,
    bench,
    chair,
    desk,
    table,
)
from rehearsal.scene_people import CLOTHES, OVERALLS, PROCTOR_SHIRT, Person, Pose
from rehearsal.scene_rooms import RoomLook

_TO_FRONT: Final = math.pi  # the direction of the front wall, as Person.turn counts
_LEFT: Final = -math.pi / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """A furnished room with people, and where its camera hangs."""

    look: RoomLook
    furniture: tuple[Furniture, ...]
    people: tuple[Person, ...]
    eye: Point
    target: Point
    wide_degrees: float = 84.0


def layout(kind: SceneKind, view: int) -> Layout:
    """The layout of a scene; even views look from the front, odd ones from the rear, the people differ."""
    chance = random.Random(f"{kind}/{view}")  # noqa: S311 - looks, not secrets
    match kind:
        case SceneKind.CLASSROOM:
            return _classroom(view, chance)
        case SceneKind.WORKSHOP:
            return _workshop(view, chance)
        case SceneKind.VIVA_ROOM:
            return _viva_room(view, chance)
        case SceneKind.CHECK_IN:
            return _check_in(view, chance)


def _corner(look: RoomLook, view: int) -> tuple[Point, Point]:
    """An upper corner of the room and the point it looks at."""
    wide, deep = look.width, look.depth
    x, target_x = (0.25, wide * 0.6) if view % 4 < 2 else (wide - 0.25, wide * 0.4)
    if view % 2:
        return (x, deep - 0.25, 2.85), (target_x, deep * 0.42, 0.3)
    return (x, 0.25, 2.85), (target_x, deep * 0.56, 0.3)


def _classroom(view: int, chance: random.Random) -> Layout:
    look = RoomLook(8.2, 9.4, (178, 190, 196), 0.6, "保持安静　独立作答", "诚信考试　公平竞争")
    furniture: list[Furniture] = [
        Furniture(
            (6.6, 0.95, 0.6),
            (Box((6.0, 0.7, 0.0), (1.2, 0.55, 0.95), WOOD),),
            (
                Sheet((6.2, 0.8, 0.955), (0.3, 0.3), PAPER),
                Sheet((6.7, 0.82, 0.955), (0.32, 0.24), (90, 150, 190)),
            ),
        )
    ]
    people = []
    for row in range(6):
        for column in range(5):
            x, y = 1.3 + column * 1.4, 2.5 + row * 1.16
            furniture += [desk(x, y, -1), chair(x, y, -1)]
            if chance.random() < 0.9:
                people.append(
                    Person(x, y, _TO_FRONT, Pose.WRITING, chance.choice(CLOTHES), chance.randrange(10_000))
                )
    aisles = (2.0 + 1.4 * chance.randrange(2), 4.8)
    route = ((aisles[0], 1.5), (aisles[0], 6.6), (aisles[0], 1.6), (aisles[1], 1.5))
    people.append(Person(0, 0, 0, Pose.WALKING, PROCTOR_SHIRT, 4 + view, route, armband=True))
    people.append(Person(7.5, 8.6, _TO_FRONT, Pose.STANDING, PROCTOR_SHIRT, 91 + view, armband=True))
    eye, target = _corner(look, view)
    return Layout(look, tuple(furniture), tuple(people), eye, target)


def _workshop(view: int, chance: random.Random) -> Layout:
    look = RoomLook(10.0, 11.0, (150, 162, 150), 1.0, "安全操作　规范考核", "工匠精神　精益求精")
    furniture: list[Furniture] = []
    people = []
    for row in range(3):
        for column in range(3):
            x, y = 1.9 + column * 3.1, 2.9 + row * 2.9
            furniture.append(bench(x, y, -1))
            people.append(Person(x, y + 0.15, _TO_FRONT, Pose.WORKING, OVERALLS, chance.randrange(10_000)))
    route = ((3.5, 1.4), (3.5, 7.4), (3.5, 1.5), (6.6, 1.4))
    people.append(Person(0, 0, 0, Pose.WALKING, PROCTOR_SHIRT, 7 + view, route, armband=True))
    people.append(Person(8.9, 4.2, _LEFT, Pose.STANDING, PROCTOR_SHIRT, 19 + view, armband=True))
    eye, target = _corner(look, view)
    return Layout(look, tuple(furniture), tuple(people), eye, target)


def _viva_room(view: int, chance: random.Random) -> Layout:
    look = RoomLook(6.2, 6.6, (160, 172, 184), 0.6, "综合评审", "客观公正　科学评价")
    sheets = tuple(
        Sheet((1.6 + place * 1.0, 2.3, 0.765), (0.3, 0.24), PAPER if place % 2 else SCREEN)
        for place in range(3)
    )
    assessors = [
        Person(
            1.75 + place * 1.0, 1.6, 0.0, Pose.TALKING if place == 1 else Pose.WRITING, clothes, 31 + place
        )
        for place, clothes in enumerate(((84, 70, 62), (206, 204, 206), (122, 84, 52)))
    ]
    candidate = Person(2.75, 4.6, _TO_FRONT, Pose.TALKING, (112, 130, 150), chance.randrange(10_000))
    recorder = Person(5.1, 3.4, _LEFT, Pose.WRITING, CLOTHES[3], chance.randrange(10_000))
    furniture = [table((1.2, 1.9), (3.1, 0.8), sheets), desk(2.75, 4.6, -1), chair(2.75, 4.6, -1)]
    furniture += [chair(person.x, person.y, 1) for person in assessors]
    side_table = (Box((4.45, 3.1, 0.0), (0.45, 0.7, 0.75), WOOD),)
    furniture.append(
        Furniture((4.7, 3.4, 0.5), side_table, (Sheet((4.5, 3.25, 0.755), (0.26, 0.34), PAPER),))
    )
    eye, target = _corner(look, view)
    return Layout(look, tuple(furniture), (*assessors, candidate, recorder), eye, target, 88.0)


def _check_in(view: int, chance: random.Random) -> Layout:
    look = RoomLook(8.0, 7.4, (186, 192, 198), 0.8, "考生签到处", "请出示准考证和身份证", has_windows=False)
    # Three pieces, so that people on either side are drawn at their own depth.
    counter = tuple(
        Furniture(
            (2.8 + 1.2 * part, 2.6, 0.5),
            (
                Box((2.2 + 1.2 * part, 2.3, 0.0), (1.2, 0.6, 1.0), WOOD),
                Box((2.6 + 1.2 * part, 2.52, 1.0), (0.5, 0.06, 0.36), DARK_STEEL),
            ),
            (Sheet((2.65 + 1.2 * part, 2.34, 1.005), (0.3, 0.15), PAPER),),
        )
        for part in range(3)
    )
    kiosk = Furniture(
        (6.8, 3.2, 0.8),
        (Box((6.6, 3.0, 0.0), (0.4, 0.35, 1.0), DARK_STEEL), Box((6.5, 3.0, 1.0), (0.6, 0.1, 0.75), SCREEN)),
    )
    staff = [
        Person(x, 1.85, 0.0, Pose.WORKING, PROCTOR_SHIRT, seed, armband=True)
        for x, seed in ((3.2, 5), (4.9, 8))
    ]
    queue = [
        Person(3.2 + chance.uniform(-0.1, 0.1) + column * 1.7, 3.45 + place * 0.85, _TO_FRONT, Pose.STANDING,
               chance.choice(CLOTHES), chance.randrange(10_000))
        for column in range(2) for place in range(4 - column)
    ]  # fmt: skip
    visitor = Person(6.8, 3.9, _TO_FRONT, Pose.WORKING, chance.choice(CLOTHES), chance.randrange(10_000))
    route = ((1.2, 3.2), (1.2, 6.2), (2.1, 6.6), (2.0, 3.3))
    walker = Person(0, 0, 0, Pose.WALKING, PROCTOR_SHIRT, 12 + view, route, armband=True)
    eye, target = _corner(look, view)
    return Layout(look, (*counter, kiosk), (*staff, *queue, visitor, walker), eye, target)
