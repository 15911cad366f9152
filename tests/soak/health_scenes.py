"""Drawn rooms over time, through a real H.264 encoder, for trying the rules of picture health.

Synthetic: the rooms of `rehearsal` at 640 x 360, one picture per two seconds, with what changes in real
rooms (people, lamps, sun, projector, noise, on-screen clock) and with faults laid over them. Every
picture is encoded as a keyframe by libx264 at the scene's quantiser and decoded by the recorder's decoder.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from evidence.keyframes import CodecSetup
from recorder.picture_decoder import KeyframeDecoder
from recorder.picture_measures import Glance
from rehearsal.camera_plan import SceneKind
from rehearsal.scene_brush import Brush, Lens
from rehearsal.scene_furniture import PlacedFurniture
from rehearsal.scene_layouts import layout
from rehearsal.scene_people import draw_person
from rehearsal.scene_rooms import empty_room

SIZE = (640, 360)
SPACING_S = 2
Image = NDArray[np.uint8]


class Story(StrEnum):
    """What goes on in a room."""

    EMPTY = "empty room"
    CLEAN_SENSOR = "empty room, almost no noise"
    DIM = "empty room, lamps off, daylight"
    NIGHT = "empty room, emergency light"
    STILL = "people still for minutes"
    EXAM = "full exam, proctor walking"
    COMING = "people coming and going"
    LAMPS = "lights switched"
    SUN = "sun moving, clouds"
    PROJECTOR = "projector"
    WORKSHOP = "workshop at work"
    VIVA = "viva room"
    CHECK_IN = "check-in desk"


class Planted(StrEnum):
    """A fault laid over a scene."""

    BLACK = "signal black"
    CAP = "lens cap"
    HAND = "hand or cloth"
    SPRAY = "sprayed over"
    FROZEN = "frozen"
    FROZEN_CLOCK = "frozen, clock runs"
    BLUR = "out of focus"
    BLUR_STRONG = "far out of focus"
    NUDGED = "nudged by 4 %"
    TURNED = "turned away"
    TILTED = "tilted"


_ROOMS = {
    Story.WORKSHOP: SceneKind.WORKSHOP,
    Story.VIVA: SceneKind.VIVA_ROOM,
    Story.CHECK_IN: SceneKind.CHECK_IN,
}
_PEOPLE = {Story.STILL, Story.EXAM, Story.COMING, Story.WORKSHOP, Story.VIVA, Story.CHECK_IN, Story.PROJECTOR}
_NOISE = {Story.CLEAN_SENSOR: 0.6, Story.DIM: 3.0, Story.NIGHT: 5.0}


@dataclass(slots=True)
class KeyframeEncoder:
    """libx264, every picture a keyframe, as a camera's keyframes would be at this quantiser."""

    quantiser: int
    sent_bytes: int = 0
    _decoder: KeyframeDecoder | None = None
    _context: Any = None
    _at: int = 0

    def __post_init__(self) -> None:
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height = SIZE
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, 25)
        context.thread_count = 1
        context.options = {"preset": "superfast", "tune": "zerolatency", "qp": str(self.quantiser), "g": "1"}
        self._context = context

    def through(self, picture: Image) -> Glance:
        """The picture as the recorder sees it."""
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
        frame.pts = self._at
        self._at += 1
        sample = b"".join(bytes(packet) for packet in self._context.encode(frame))
        self.sent_bytes += len(sample)
        if self._decoder is None:
            self._decoder = KeyframeDecoder(CodecSetup("h264", bytes(self._context.extradata or b"")))
        return self._decoder.glance(sample)


@dataclass(slots=True)
class Room:
    """One camera's room, drawn at any moment."""

    story: Story
    seed: int
    chance: random.Random = field(init=False)
    noise: Any = field(init=False)
    _empty: Image = field(init=False)
    _lens: Lens = field(init=False)
    _people: Any = field(init=False)
    _look: Any = field(init=False)
    _frozen: Image | None = None
    _lamps: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.story}/{self.seed}")
        plan = layout(_ROOMS.get(self.story, SceneKind.CLASSROOM), self.seed)
        self._lens = Lens(plan.eye, plan.target, plan.wide_degrees, SIZE)
        ground = empty_room(plan.look, self._lens, SIZE)
        brush = Brush(self._lens, ground)
        pieces = [(piece.centre, PlacedFurniture(piece, brush)) for piece in plan.furniture]
        for _centre, piece in sorted(pieces, key=lambda each: -self._distance(each[0])):
            piece.draw(brush)
        self._empty, self._look = ground, plan.look
        self._people = sorted(plan.people, key=lambda person: -self._distance((person.x, person.y)))
        self.noise = np.random.default_rng(self.seed * 1000 + len(self.story))
        sigma = _NOISE.get(self.story, self.chance.choice([1.2, 2.0, 3.0]))
        self._fields = [
            (self.noise.standard_normal((SIZE[1] + 64, SIZE[0] + 64)).astype(np.float32) * sigma)
            for _ in range(4)
        ]

    _fields: list[Any] = field(default_factory=list)

    def _distance(self, place: Any) -> float:
        return self._lens.distance((place[0], place[1], 0.6))

    def reference(self) -> Image:
        """The empty room in good light, as preflight sees it."""
        return self._noisy(self._empty.astype(np.float32))

    def picture(self, at: int, planted: Planted | None) -> Image:
        """The picture number `at`, with a fault or without."""
        if planted in (Planted.FROZEN, Planted.FROZEN_CLOCK) and self._frozen is not None:
            return self._with_clock(self._frozen, at) if planted is Planted.FROZEN_CLOCK else self._frozen
        scene = self._lit(self._drawn(at), at)
        picture = self._noisy(_faulty(scene, planted, self.chance.random() if planted else 0.0))
        if planted is Planted.BLACK:
            picture[:] = 0
        if planted is not Planted.FROZEN:
            picture = self._with_clock(picture, at)
        self._frozen = picture if planted in (Planted.FROZEN, Planted.FROZEN_CLOCK) else None
        return picture

    def _drawn(self, at: int) -> Image:
        picture = self._empty.copy()
        if self.story is Story.PROJECTOR:
            self._project(picture, at)
        brush = Brush(self._lens, picture)
        for number, person in enumerate(self._present(at)):
            if self.story is Story.STILL:
                phase = at // 90 * 0.37 + number + 0.0005 * math.sin(at + number)
            else:
                phase = at * SPACING_S / 240 + number * 0.1
            draw_person(brush, person, phase % 1.0)
        return picture

    def _present(self, at: int) -> Any:
        if self.story not in _PEOPLE:
            return []
        count = len(self._people)
        if self.story is Story.COMING:
            count = round(count * (0.5 - 0.5 * math.cos(at / 280)))
        if self.story is Story.PROJECTOR:
            count = min(count, 8)
        return self._people[len(self._people) - count :]

    def _project(self, picture: Image, at: int) -> None:
        look = self._look
        middle = look.width / 2
        corners = [(middle - 1.6, 0.06, 2.5), (middle + 1.6, 0.06, 2.5), (middle + 1.6, 0.06, 0.9)]
        corners.append((middle - 1.6, 0.06, 0.9))
        slide = random.Random(at // 15 + self.seed * 7919)
        kind = slide.random()
        colour = (8, 8, 8) if kind < 0.15 else tuple(slide.randint(90, 255) for _ in range(3))
        brush = Brush(self._lens, picture)
        brush.face(corners, colour)
        for line in range(slide.randint(0, 6) if kind >= 0.15 else 0):
            top = 2.3 - line * 0.2
            end = middle - 1.4 + slide.random() * 2.6
            brush.face(
                [
                    (middle - 1.4, 0.07, top),
                    (end, 0.07, top),
                    (end, 0.07, top - 0.08),
                    (middle - 1.4, 0.07, top - 0.08),
                ],
                (30, 30, 30),
            )

    def _lit(self, picture: Image, at: int) -> Any:
        light = picture.astype(np.float32)
        if self.story is Story.DIM:
            light *= 0.28
        elif self.story is Story.NIGHT:
            light *= 0.13
        elif self.story is Story.LAMPS:
            light *= random.Random(at // 110 * 31 + self.seed).choice([1.0, 0.75, 0.5, 0.3])
        elif self.story is Story.SUN:
            self._shine(light, at)
        else:
            light *= 1 + 0.04 * math.sin(at / 300)
        return light

    def _shine(self, light: Any, at: int) -> None:
        clouds = 0.75 + 0.25 * math.sin(at / 37) * math.sin(at / 11)
        light *= 0.55 + 0.35 * math.sin(at / 1800 * math.pi) * clouds
        mask = np.zeros((SIZE[1], SIZE[0]), np.float32)
        for window in range(3):
            x = 60 + window * 190 + at * 0.12
            patch = np.array([[x, 150], [x + 80, 140], [x + 130, 290], [x + 30, 300]], np.int32)
            cv2.fillConvexPoly(mask, patch, 1.0)
        mask = cv2.GaussianBlur(mask, (0, 0), 3)
        light *= 1 + (0.7 * max(clouds - 0.5, 0) * mask)[:, :, np.newaxis]

    def _noisy(self, light: Any) -> Image:
        rows, columns = (int(each) for each in self.noise.integers(0, 64, 2))
        grain = self._fields[int(self.noise.integers(0, 4))][
            rows : rows + SIZE[1], columns : columns + SIZE[0]
        ]
        return cv2.add(light, cv2.merge([grain, grain, grain]), dtype=cv2.CV_8U)  # type: ignore[return-value]

    def _with_clock(self, picture: Image, at: int) -> Image:
        shown = picture.copy()
        words = f"2026-11-22 {at // 1800 % 24:02}:{at // 30 % 60:02}:{at * 2 % 60:02}"
        cv2.putText(shown, words, (12, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
        return shown


_DEFOCUS = {Planted.BLUR: 4.5, Planted.BLUR_STRONG: 12.0}
_TURNS = {
    Planted.NUDGED: (26.0, 6.0, 0.0),
    Planted.TURNED: (190.0, 40.0, 3.0),
    Planted.TILTED: (10.0, 20.0, 12.0),
}


def _faulty(scene: Any, planted: Planted | None, chance: float) -> Any:
    """The light that falls on the sensor when something is wrong with the lens or the mount."""
    if planted is Planted.CAP:
        return np.full_like(scene, 3.0 + 6 * chance)
    if planted is Planted.HAND:
        skin = np.array([40, 45, 60], np.float32) * (0.6 + 0.1 * chance)
        return cv2.GaussianBlur(scene, (0, 0), 90) * 0.25 + skin
    if planted is Planted.SPRAY:
        return cv2.GaussianBlur(scene, (0, 0), 60) * 0.5 + 80
    if planted in _DEFOCUS:
        return cv2.GaussianBlur(scene, (0, 0), _DEFOCUS[planted])
    if planted in _TURNS:
        return _turned(scene, *_TURNS[planted])
    return scene


def _turned(scene: Any, right: float, down: float, degrees: float) -> Any:
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), degrees, 1.0)
    turn[:, 2] += (right, down)
    return cv2.warpAffine(scene, turn, SIZE, borderMode=cv2.BORDER_REFLECT)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """When which fault lies over a scene: (first picture, last picture + 1, fault)."""

    faults: tuple[tuple[int, int, Planted], ...]

    def at(self, number: int) -> Planted | None:
        """The fault of a picture."""
        return next((fault for begin, end, fault in self.faults if begin <= number < end), None)


FAULT_PICTURES = 40
RECOVERY_PICTURES = 25


def plan(story: Story, pictures: int, seed: int) -> FaultPlan:
    """Faults one after the other, all kinds in turn over the seeds, each for 80 s, well apart.

    By emergency light alone a picture has too little detail left to tell focus: none is put out of it there.
    """
    apart = 170
    order = [each for each in Planted if story is not Story.NIGHT or each not in _DEFOCUS]
    starts = range(120, pictures - FAULT_PICTURES - RECOVERY_PICTURES, apart)
    return FaultPlan(
        tuple(
            (start, start + FAULT_PICTURES, order[(seed * 5 + number) % len(order)])
            for number, start in enumerate(starts)
        )
    )


def glances(room: Room, encoder: KeyframeEncoder, pictures: int, faults: FaultPlan) -> Iterator[Glance]:
    """The pictures of one camera, encoded and decoded."""
    for number in range(pictures):
        yield encoder.through(room.picture(number, faults.at(number)))
