"""Invented people in simulated rooms: they sit and write, stand at a bench, or walk their round."""

import math
import random
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from rehearsal.scene_brush import Brush, Colour, Point, shade

_SKIN: Final[tuple[Colour, ...]] = ((150, 184, 226), (132, 168, 214), (160, 192, 232), (118, 152, 198))
_HAIR: Final[tuple[Colour, ...]] = ((28, 26, 26), (36, 32, 34), (44, 44, 52), (60, 58, 60))
CLOTHES: Final[tuple[Colour, ...]] = (
    (122, 84, 52), (86, 96, 104), (196, 190, 182), (88, 112, 92), (84, 70, 128),
    (168, 142, 104), (74, 62, 58), (206, 204, 206), (150, 118, 72), (112, 130, 150),
)  # fmt: skip
OVERALLS: Final[Colour] = (150, 96, 44)
PROCTOR_SHIRT: Final[Colour] = (226, 222, 216)
_TROUSERS: Final[Colour] = (66, 56, 52)


class Pose(Enum):
    """What a person does all the time."""

    WRITING = auto()
    TALKING = auto()
    WORKING = auto()
    STANDING = auto()
    WALKING = auto()


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person; `turn` is the direction of the face (0 looks along +y), in radians."""

    x: float
    y: float
    turn: float
    pose: Pose
    clothes: Colour
    seed: int
    route: tuple[tuple[float, float], ...] = ()
    armband: bool = False

    def place(self, phase: float) -> tuple[float, float, float]:
        """x, y and direction at this phase of the loop."""
        if not self.route:
            return self.x, self.y, self.turn
        return _along(self.route, phase)


def _along(route: tuple[tuple[float, float], ...], phase: float) -> tuple[float, float, float]:
    """Position and direction on a closed way walked at an even pace."""
    legs = list(zip(route, [*route[1:], route[0]], strict=True))
    remaining = phase % 1.0 * sum(math.dist(*leg) for leg in legs)
    for start, end in legs:
        length = math.dist(start, end)
        if remaining <= length:
            share = remaining / length
            x, y = (a + share * (b - a) for a, b in zip(start, end, strict=True))
            return x, y, math.atan2(end[0] - start[0], end[1] - start[1])
        remaining -= length
    return (*route[0], 0.0)


class _Figure:
    """One person at one moment: places on the body in room coordinates."""

    def __init__(self, person: Person, phase: float) -> None:
        self.person = person
        self.x, self.y, self.turn = person.place(phase)
        self._random = random.Random(person.seed)  # noqa: S311 - looks, not secrets
        self.skin = self._random.choice(_SKIN)
        self.hair = self._random.choice(_HAIR)
        self.long_hair = self._random.random() < 0.4
        self._phase = phase

    def sway(self, metres: float, slow: int = 1, fast: int = 3) -> float:
        """A small movement that repeats with the loop."""
        start = self._random.random()
        turns = self._random.randint(slow, fast)
        return metres * math.sin(2 * math.pi * (self._phase * turns + start))

    def at(self, ahead: float, aside: float, height: float) -> Point:
        """A point relative to the body: ahead of the face, to its right, above the floor."""
        sine, cosine = math.sin(self.turn), math.cos(self.turn)
        return self.x + ahead * sine + aside * cosine, self.y + ahead * cosine - aside * sine, height


def draw_person(brush: Brush, person: Person, phase: float) -> None:
    """Draw the person at this phase of the loop."""
    figure = _Figure(person, phase)
    if person.pose in (Pose.WRITING, Pose.TALKING):
        _draw_seated(brush, figure, phase)
    else:
        _draw_upright(brush, figure, phase)


def _draw_seated(brush: Brush, figure: _Figure, phase: float) -> None:
    lean = 0.10 + figure.sway(0.035)
    side = figure.sway(0.025)
    for aside in (-0.1, 0.1):
        brush.limb(figure.at(0.05, aside, 0.5), figure.at(0.42, aside, 0.48), 0.15, _TROUSERS)
        brush.limb(figure.at(0.42, aside, 0.48), figure.at(0.36, aside, 0.08), 0.12, shade(_TROUSERS, 0.8))
    trunk = _Trunk((0.0, 0.0, 0.52), (lean, side, 1.0), 0.15)
    _draw_trunk(brush, figure, trunk, _desk_hands(figure, phase))
    nod = 0.09 if figure.person.pose is Pose.WRITING else 0.0
    _draw_head(brush, figure, (lean + 0.05 + nod + figure.sway(0.02), side * 1.4, 1.22 + figure.sway(0.012)))


def _desk_hands(figure: _Figure, phase: float) -> tuple[Point, Point]:
    """Left and right hand on the desk; the right one writes."""
    if figure.person.pose is Pose.TALKING:
        lift = max(0.0, figure.sway(0.14, 2, 4))
        return figure.at(0.36, -0.16, 0.80), figure.at(0.38, 0.14, 0.80 + lift)
    quick = 2 * math.pi * (phase * 17 + figure.person.seed % 7 / 7)
    line = phase * 5 % 1.0
    hand = figure.at(0.40 + 0.006 * math.cos(quick), 0.02 + 0.14 * line + 0.008 * math.sin(quick), 0.80)
    return figure.at(0.38 + figure.sway(0.01), -0.17, 0.80), hand


@dataclass(frozen=True, slots=True)
class _Trunk:
    """Hips and chest in the body's own directions, and half the shoulders' width."""

    hips: Point
    chest: Point
    shoulders_m: float


def _draw_trunk(brush: Brush, figure: _Figure, trunk: _Trunk, hands: tuple[Point, Point]) -> None:
    """Trunk and arms; an arm beyond the trunk is covered by it."""
    clothes = figure.person.clothes
    ahead, aside, height = trunk.chest
    chest = figure.at(*trunk.chest)
    arms = [(-1, hands[0]), (1, hands[1])]
    beyond = [arm for arm in arms if brush.lens.distance(arm[1]) > brush.lens.distance(chest)]
    for arm in beyond:
        _draw_arm(brush, figure, trunk.chest, arm)
    brush.limb(
        figure.at(*trunk.hips), figure.at(ahead * 0.7, aside, height - 0.11), 0.34, shade(clothes, 0.83)
    )
    left, right = (figure.at(ahead, aside + side * trunk.shoulders_m, height) for side in (-1, 1))
    brush.limb(left, right, 0.17, clothes)
    for arm in arms:
        if arm not in beyond:
            _draw_arm(brush, figure, trunk.chest, arm)


def _draw_arm(brush: Brush, figure: _Figure, chest: Point, arm: tuple[int, Point]) -> None:
    (ahead, aside, height), (side, hand) = chest, arm
    sleeve = shade(figure.person.clothes, 0.9)
    shoulder = figure.at(ahead, aside + side * 0.2, height - 0.02)
    elbow = figure.at(ahead + 0.1, aside + side * 0.27, height - 0.24)
    brush.limb(shoulder, elbow, 0.1, sleeve)
    brush.limb(elbow, hand, 0.085, shade(sleeve, 1.06))
    brush.ball(hand, 0.045, figure.skin)
    if figure.person.armband and side == -1:
        middle = figure.at(ahead + 0.04, aside - 0.24, height - 0.12)
        brush.limb(middle, figure.at(ahead + 0.06, aside - 0.25, height - 0.16), 0.115, (40, 40, 206))


def _draw_upright(brush: Brush, figure: _Figure, phase: float) -> None:
    is_walking = figure.person.pose is Pose.WALKING
    stride = 0.26 * math.sin(2 * math.pi * phase * 11) if is_walking else 0.0
    for side in (-1, 1):
        knee = figure.at(side * stride * 0.6 + 0.03, side * 0.09, 0.46)
        foot = figure.at(side * stride, side * 0.09, 0.06)
        brush.limb(figure.at(0.0, side * 0.08, 0.86), knee, 0.16, _TROUSERS)
        brush.limb(knee, foot, 0.12, shade(_TROUSERS, 0.85))
        brush.limb(foot, figure.at(side * stride + 0.12, side * 0.09, 0.04), 0.09, (30, 28, 28))
    lean = 0.14 + figure.sway(0.03) if figure.person.pose is Pose.WORKING else 0.02
    aside = figure.sway(0.02)
    trunk = _Trunk((0.0, 0.0, 0.9), (lean, aside, 1.38), 0.14)
    _draw_trunk(brush, figure, trunk, _free_hands(figure, stride, phase))
    _draw_head(brush, figure, (lean + 0.05, aside * 1.3, 1.62 + 0.01 * math.sin(4 * math.pi * phase * 11)))


def _free_hands(figure: _Figure, stride: float, phase: float) -> tuple[Point, Point]:
    if figure.person.pose is Pose.WORKING:
        stroke = 0.1 * math.sin(2 * math.pi * (phase * 9 + figure.person.seed % 5 / 5))
        return figure.at(0.42, -0.12, 1.0), figure.at(0.46 + stroke * 0.4, 0.1 + stroke, 1.02)
    return figure.at(0.06 + stride * 0.7, -0.27, 0.88), figure.at(0.06 - stride * 0.7, 0.27, 0.88)


def _draw_head(brush: Brush, figure: _Figure, head: Point) -> None:
    """Skin first; hair sits behind and above, so that it shows whichever side the camera is on."""
    ahead, aside, height = head
    brush.limb(
        figure.at(ahead - 0.04, aside, height - 0.16), figure.at(ahead, aside, height), 0.1, figure.skin
    )
    hair = figure.at(ahead - 0.035, aside, height + 0.035)
    face = figure.at(ahead + 0.02, aside, height - 0.01)
    parts = [(hair, 0.112, figure.hair), (face, 0.1, figure.skin)]
    if figure.long_hair:
        parts.append((figure.at(ahead - 0.07, aside, height - 0.07), 0.1, shade(figure.hair, 0.9)))
    for centre, radius, colour in sorted(parts, key=lambda part: -brush.lens.distance(part[0])):
        brush.ball(centre, radius, colour)
    brush.ball(figure.at(ahead - 0.03, aside, height + 0.06), 0.092, shade(figure.hair, 1.15))
