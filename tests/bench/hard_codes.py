"""Codes as a kiosk camera may meet them at worst: turned, blurred, noisy, small, crumpled, on screens.

Each sequence is one paper (or phone) that somebody holds under the camera for a while: the kind of
trouble stays, hand, blur and noise change from frame to frame. The same seed gives the same
pictures. Frames are 1280x720. Whoever tunes the scanner uses other seeds than whoever reports.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

from web.ticket_sheet import bar_modules

Picture = NDArray[np.uint8]
Shades = NDArray[np.float32]

FRAME_SIZE: Final = (1280, 720)
FRAMES: Final = 15
# The paper is drawn this many pixels to a module and then seen from further away.
DRAWN_PX: Final = 8
QUIET_MODULES: Final = {"CODE128": 12, "QRCODE": 4}
TICKET_DIGITS: Final = 15


class Trouble(StrEnum):
    """What makes a sequence hard."""

    TURNED = "turned"
    BLURRED = "blurred"
    NOISY = "noisy"
    GLARE = "glare"
    SMALL = "small"
    SCREEN = "screen"
    CRUMPLED = "crumpled"


@dataclass(frozen=True, slots=True)
class Scene:
    """One paper in front of the camera; lengths in pixels of the frame."""

    symbology: str
    text: str
    trouble: Trouble
    module_px: float
    turn_degrees: float
    tilt: float
    blur_px: float
    noise: float
    contrast: float
    seed: int


# (low, high) of module size, blur in modules and noise, by trouble; what is not named takes the usual.
USUAL: Final = {"module": (2.2, 3.6), "blur": (0.2, 0.4), "noise": (2.0, 6.0), "turn": (-16.0, 16.0)}
WORSE: Final[dict[Trouble, dict[str, tuple[float, float]]]] = {
    Trouble.TURNED: {"turn": (-180.0, 180.0)},
    Trouble.BLURRED: {"blur": (0.28, 0.56)},
    Trouble.NOISY: {"noise": (6.0, 20.0)},
    Trouble.GLARE: {},
    Trouble.SMALL: {"module": (1.3, 2.0), "blur": (0.25, 0.4)},
    Trouble.SCREEN: {},
    Trouble.CRUMPLED: {},
}
# A QR code needs more pixels to a module than bars do, which are the same all the way down.
QR_GROWTH: Final = 1.5
GLARE_MODULES: Final = {"CODE128": (9, 20), "QRCODE": (2.5, 6)}
CRUMPLE: Final = {"CODE128": 1.0, "QRCODE": 0.2}


def scene(symbology: str, seed: int) -> Scene:
    """The scene of a seed; the troubles take turns."""
    dice = np.random.default_rng([seed, len(symbology)])
    trouble = list(Trouble)[seed % len(Trouble)]
    ranges = {**USUAL, **WORSE[trouble]}
    chosen = {name: float(dice.uniform(*between)) for name, between in ranges.items()}
    module_px = chosen["module"] * (QR_GROWTH if symbology == "QRCODE" else 1.0)
    return Scene(
        symbology=symbology,
        text="".join(map(str, dice.integers(0, 10, TICKET_DIGITS))),
        trouble=trouble,
        module_px=module_px,
        turn_degrees=chosen["turn"],
        tilt=float(dice.uniform(0.0, 0.06)),
        blur_px=chosen["blur"] * module_px,
        noise=chosen["noise"],
        contrast=float(dice.uniform(0.4, 0.95)),
        seed=seed,
    )


def frames(what: Scene, count: int = FRAMES) -> Iterator[Picture]:
    """What the camera sees, frame by frame, in grey."""
    dice = np.random.default_rng([what.seed, 7])
    paper = _paper(what, dice)
    shift = dice.uniform(-120, 120, 2) * (1.0, 0.5)
    corners = 1 + dice.uniform(-what.tilt, what.tilt, (4, 2))
    for _ in range(count):
        hand = dice.normal(0, 1, 4)
        matrix = _projection(paper, what, corners, shift + 2.5 * hand[:2], float(hand[2]))
        yield _camera(paper, matrix, what, abs(float(hand[3])), dice)


def _paper(what: Scene, dice: np.random.Generator) -> Shades:
    code = _code(what)
    margin = 10 * DRAWN_PX
    height, width = code.shape
    paper = np.full((height + 12 * margin // 4, width + 2 * margin), 245, np.float32)
    paper[margin : margin + height, margin : margin + width] = code
    _print_lines(paper, margin + height, dice)
    return _crumpled(what, paper, dice) if what.trouble is Trouble.CRUMPLED else paper


def _code(what: Scene) -> Shades:
    if what.symbology == "QRCODE":
        matrix = segno.make_qr(what.text, error="q", boost_error=False).matrix_iter(
            border=QUIET_MODULES["QRCODE"]
        )
        rows = np.array([[0.0 if module else 1.0 for module in row] for row in matrix], np.float32)
    else:
        quiet = "0" * QUIET_MODULES["CODE128"]
        modules = quiet + bar_modules(what.text) + quiet
        row = [0.0 if module == "1" else 1.0 for module in modules]
        rows = np.tile(np.array(row, np.float32), (max(24, len(modules) // 4), 1))
    return np.kron(15 + 230 * rows, np.ones((DRAWN_PX, DRAWN_PX), np.float32)).astype(np.float32)


def _print_lines(paper: Shades, top: int, dice: np.random.Generator) -> None:
    # Print below the code: short dark marks of the size of characters.
    height = 3 * DRAWN_PX
    for left in range(6 * DRAWN_PX, paper.shape[1] - 8 * DRAWN_PX, 4 * DRAWN_PX):
        if dice.random() < 0.8:
            mark = paper[top + height : top + 2 * height, left : left + 3 * DRAWN_PX]
            mark -= 200 * (dice.random(mark.shape) > 0.5)


def _crumpled(what: Scene, paper: Shades, dice: np.random.Generator) -> Shades:
    height, width = paper.shape
    bumps = [_smooth(dice, (5, 5), (height, width)) for _ in range(2)]
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    reach = CRUMPLE[what.symbology] * DRAWN_PX
    bent = cv2.remap(
        paper, across + reach * bumps[0], down + reach * bumps[1], cv2.INTER_LINEAR, borderValue=245
    )
    light = 1.0 + 0.12 * _smooth(dice, (6, 9), (height, width))
    return np.asarray(bent * light, np.float32)


def _smooth(dice: np.random.Generator, knots: tuple[int, int], shape: tuple[int, int]) -> Shades:
    rough = dice.normal(0, 1, knots).astype(np.float32)
    return np.asarray(cv2.resize(rough, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def _projection(
    paper: Shades, what: Scene, corners: NDArray[np.float64], shift: NDArray[np.float64], wobble: float
) -> NDArray[np.float64]:
    height, width = paper.shape
    own = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    scale = what.module_px / DRAWN_PX
    angle = np.radians(what.turn_degrees + 0.5 * wobble)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    goal = ((own - own.mean(axis=0)) * scale * corners) @ turn.T + np.array(FRAME_SIZE) / 2 + shift
    return np.asarray(cv2.getPerspectiveTransform(own, goal.astype(np.float32)), np.float64)


def _camera(
    paper: Shades, matrix: NDArray[np.float64], what: Scene, unrest: float, dice: np.random.Generator
) -> Picture:
    # Averaging over what falls into one pixel first: a camera does so, a plain warp does not.
    own = cv2.GaussianBlur(paper, (0, 0), 0.45 * DRAWN_PX / what.module_px)
    tray = np.full((FRAME_SIZE[1], FRAME_SIZE[0]), 80, np.float32)
    seen = cv2.warpPerspective(own, matrix, FRAME_SIZE, tray, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
    if what.trouble is Trouble.SCREEN:
        seen = _screen(seen, what, dice)
    seen = _blurred(seen, what, what.blur_px * (0.85 + 0.3 * unrest))
    seen = 128 + (seen - 128) * what.contrast
    if what.trouble is Trouble.GLARE:
        seen = _glare(seen, what, dice)
    seen = seen + dice.normal(0, what.noise, seen.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


def _blurred(seen: Shades, what: Scene, blur_px: float) -> Shades:
    """Out of focus (a disc) or moved (a line); `blur_px` is the standard deviation either has."""
    reach = round(2 * blur_px) + 1
    across, down = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    if what.seed % 2:
        kernel = np.clip(2 * blur_px + 0.5 - np.hypot(across, down), 0, 1)
    else:
        angle = np.random.default_rng([what.seed, 17]).uniform(0, np.pi)
        along, beside = (
            across * np.cos(angle) + down * np.sin(angle),
            down * np.cos(angle) - across * np.sin(angle),
        )
        kernel = np.clip(1.7 * blur_px + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(beside), 0, 1)
    return np.asarray(cv2.filter2D(seen, -1, kernel / kernel.sum()), np.float32)


def _screen(seen: Shades, what: Scene, dice: np.random.Generator) -> Shades:
    # The camera's and the screen's pixels beat: stripes in two directions, wandering with the hand.
    height, width = seen.shape
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    lasting = np.random.default_rng([what.seed, 11])
    period, lean = lasting.uniform(2.5, 9.0), lasting.uniform(0, np.pi)
    depth = lasting.uniform(0.15, 0.4)
    stripes = np.zeros_like(seen)
    for angle, length in ((lean, period), (lean + 1.5, period * 1.3)):
        along = across * np.cos(angle) + down * np.sin(angle)
        stripes += np.sin(2 * np.pi * along / length + dice.uniform(0, 2 * np.pi)).astype(np.float32)
    return np.asarray(30 + (seen - 30) * (0.85 + 0.5 * depth * stripes), np.float32)


def _glare(seen: Shades, what: Scene, dice: np.random.Generator) -> Shades:
    height, width = seen.shape
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    lasting = np.random.default_rng([what.seed, 13])
    centre = np.array(FRAME_SIZE) / 2 + lasting.uniform(-100, 100, 2) * (1, 0.6) + dice.normal(0, 6, 2)
    reach = lasting.uniform(*GLARE_MODULES[what.symbology]) * what.module_px
    far = ((across - centre[0]) / (1.8 * reach)) ** 2 + ((down - centre[1]) / reach) ** 2
    return np.asarray(seen + 260 * np.exp(-far), np.float32)
