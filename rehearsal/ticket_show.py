"""Holding printed tickets under a simulated kiosk camera.

Takes the PDF that the console printed and the positions it published (`tickets.json`), cuts out one
ticket and makes the pictures a camera above the tray would see while an unsteady hand puts the
paper down: turned, in perspective, blurred, unevenly lit, noisy. The same seed gives the same
pictures. Frames are 1280x720 and appear whole in the folder that the kiosk watches.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

FRAME_SIZE: Final = (1280, 720)
PRINT_DPI: Final = 150
MM_PER_INCH: Final = 25.4
# How much of the frame's width an upright ticket fills.
USUAL_FILL: Final = 0.78
KEPT_FRAMES: Final = 4


class SheetError(Exception):
    """The printed sheet cannot be shown; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class View:
    """How the camera sees the paper in one frame."""

    turn_degrees: float
    fill: float = USUAL_FILL
    shift_px: tuple[float, float] = (0.0, 0.0)
    # How far the corners are pulled out of the rectangle, as a share of the paper's size.
    tilt: float = 0.0
    blur_px: float = 0.0
    noise: float = 0.0
    # Brightness of the darkest corner against the brightest.
    shade: float = 1.0


class PrintedSheet:
    """The pages of one tickets PDF and where each ticket lies on them."""

    def __init__(self, pages: Sequence[Picture], positions: Mapping[str, Any]) -> None:
        """`positions` is the console's tickets.json as published."""
        self._pages = pages
        self._page_mm: tuple[float, float] = tuple(positions["page_mm"])
        self._tickets = {ticket["ticket_no"]: ticket for ticket in positions["tickets"]}

    @property
    def ticket_numbers(self) -> list[str]:
        """Every ticket on the sheets, in printed order."""
        return list(self._tickets)

    def ticket(self, ticket_no: str) -> Picture:
        """The paper of one ticket, cut along the lines. Raises SheetError."""
        place = self._tickets.get(ticket_no)
        if place is None or place["page"] > len(self._pages):
            raise SheetError(f"ticket {ticket_no} is not on the printed sheets")
        page = self._pages[place["page"] - 1]
        per_mm = page.shape[1] / self._page_mm[0]
        left, top, width, height = (round(length * per_mm) for length in place["box_mm"])
        paper: Picture = page[top : top + height, left : left + width]
        return paper


def rasterised(pdf: Path, folder: Path) -> list[Picture]:
    """The pages of a PDF as grey pictures, by poppler. Raises SheetError when it cannot be read."""
    stem = folder / "page"
    command = ["pdftoppm", "-r", str(PRINT_DPI), "-gray", str(pdf), str(stem)]
    finished = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if finished.returncode:
        raise SheetError(
            f"{pdf.name} cannot be rasterised: {finished.stderr.decode(errors='replace').strip()}"
        )
    pages = sorted(folder.glob("page-*.pgm"), key=lambda path: int(path.stem.rsplit("-", 1)[1]))
    return [_grey(path) for path in pages]


def _grey(path: Path) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise SheetError(f"{path.name} is not a picture")
    return np.asarray(picture, np.uint8)


def hand_movement(seed: int, frames: int = 12, *, turn_degrees: float | None = None) -> Iterator[View]:
    """How somebody puts a ticket down: it comes in blurred and turned, then lies nearly still.

    Without `turn_degrees` the paper ends within 15 degrees of upright, as usual.
    """
    dice = np.random.default_rng(seed)
    rest = float(dice.uniform(-15, 15)) if turn_degrees is None else turn_degrees
    shift = dice.uniform(-30, 30, 2)
    tilt, shade = float(dice.uniform(0.0, 0.05)), float(dice.uniform(0.55, 0.95))
    for index in range(frames):
        moving = max(0.0, 1.0 - index / 4)
        jitter = dice.normal(0, 1, 3)
        yield View(
            turn_degrees=rest + 20 * moving + float(jitter[0]) * 0.6,
            shift_px=(
                float(shift[0] + 260 * moving + 3 * jitter[1]),
                float(shift[1] + 140 * moving + 3 * jitter[2]),
            ),
            tilt=tilt,
            blur_px=0.6 + 2.4 * moving + abs(float(jitter[1])) * 0.35,
            noise=6.0,
            shade=shade,
        )


def seen(paper: Picture, view: View, seed: int) -> Picture:
    """The camera's picture of the paper on the tray, in colour."""
    dice = np.random.default_rng(seed)
    width, height = FRAME_SIZE
    matrix = _projection(paper.shape[1], paper.shape[0], view, dice)
    tray = np.full((height, width), 70, np.float32)
    lit = cv2.warpPerspective(
        paper.astype(np.float32), matrix, FRAME_SIZE, tray, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT
    )
    if view.blur_px > 0:
        lit = cv2.GaussianBlur(lit, (0, 0), view.blur_px)
    across = np.linspace(1.0, view.shade, width, dtype=np.float32)[None, :]
    lit = lit * across * 0.92 + dice.normal(0, view.noise, (height, width)).astype(np.float32)
    grey = np.clip(lit, 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)


def _projection(width: int, height: int, view: View, dice: np.random.Generator) -> NDArray[np.float32]:
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    scale = FRAME_SIZE[0] * view.fill / width
    angle = np.radians(view.turn_degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centred = (corners - corners.mean(axis=0)) * scale
    centred *= 1 + dice.uniform(-view.tilt, view.tilt, centred.shape)
    goal = centred @ turn.T + np.array(FRAME_SIZE) / 2 + np.array(view.shift_px)
    return cv2.getPerspectiveTransform(corners, goal.astype(np.float32)).astype(np.float32)


class FolderCamera:
    """Writes frames into the folder that a kiosk with `camera = "folder:..."` watches."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._number = 0

    def show(self, picture: Picture) -> None:
        """Put one frame there, whole at once, and take away the ones nobody will look at any more."""
        self._number += 1
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
        unfinished = self._folder / f".frame-{self._number:08d}"
        unfinished.write_bytes(jpeg.tobytes())
        unfinished.rename(self._folder / f"frame-{self._number:08d}.jpg")
        (self._folder / f"frame-{self._number - KEPT_FRAMES:08d}.jpg").unlink(missing_ok=True)
