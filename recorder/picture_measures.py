"""Measuring a small picture: how dark, how detailed, how sharp, how like the last one and the reference view.

Numbers only; what they mean is decided in `recorder.picture_rules`. The picture is cut into blocks of
20 x 20 pixels, and shares of blocks are counted, so that people, projectors and lamps, which change some
of them, weigh less than a hand before the lens, which changes all.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from recorder.picture_rules import Measures

WIDTH: Final = 320
HEIGHT: Final = 180
BLOCK: Final = 20
ROWS: Final = HEIGHT // BLOCK
COLUMNS: Final = WIDTH // BLOCK
# Brightness (0 to 255) up to which a pixel counts as dark; video black is 16.
DARK_LUMA: Final = 34
# Difference of single pixels up to which a block of two keyframes counts as the same picture.
SAME_LUMA: Final = 0.02
# Standard deviation of brightness from which a block has something to recognise in it.
DETAIL_LUMA: Final = 4.0
# Correlation from which a block looks as it did.
LIKE: Final = 0.5
SMOOTHING_PX: Final = 1.0
TINY: Final = 1e-6
# On-screen text stays sharp whatever the lens does: the less sharp quarter of the blocks tells.
LESS_SHARP_PERCENT: Final = 25

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Glance:
    """One keyframe made small. `points` are single pixels of the brightness, `colour` is averaged (BGR)."""

    points: Bytes
    colour: Bytes

    @property
    def grey(self) -> Bytes:
        """Averaged brightness."""
        return cv2.cvtColor(self.colour, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


class Reference:
    """A reference view, prepared for comparing."""

    def __init__(self, grey: Bytes) -> None:
        self.grey = grey
        self._blocks = _blocks(grey)
        self._spread = _spread(grey)
        self.has_detail = self._spread >= DETAIL_LUMA
        self._fineness = _fineness(grey)

    def likeness(self, grey: Bytes) -> float:
        """Share of the blocks with detail that correlate with the reference."""
        now = _blocks(grey)
        products = _centred(now) * _centred(self._blocks)
        spread = now.std(axis=(1, 3)) * self._spread + 1.0
        correlation = products.mean(axis=(1, 3)) / spread
        return _share(correlation[self.has_detail] >= LIKE)

    def detail_kept(self, grey: Bytes) -> float:
        """Share of the blocks with detail that still have some, whatever it is."""
        return _share(_spread(grey)[self.has_detail] >= DETAIL_LUMA)

    def sharpness(self, grey: Bytes) -> float:
        """Fine detail compared with the reference's, over the blocks with detail in both; 1 is as sharp."""
        both = self.has_detail & (_spread(grey) >= DETAIL_LUMA)
        ratio = _fineness(grey)[both] / np.maximum(self._fineness[both], TINY)
        return float(np.percentile(ratio, LESS_SHARP_PERCENT)) if ratio.size else 1.0


def measure(now: Glance, before: Glance | None, reference: Reference | None) -> Measures:
    """Everything that can be said of a picture."""
    grey = now.grey
    change = None if before is None else _change(now.points, before.points)
    return Measures(
        brightness=float(grey.mean()),
        dark_share=float((now.points <= DARK_LUMA).mean()),
        detail=_share(_spread(grey) >= DETAIL_LUMA),
        same_share=None if change is None else _share(change <= SAME_LUMA),
        noise=None if change is None else float(np.median(change)),
        detail_kept=None if reference is None else reference.detail_kept(grey),
        likeness=None if reference is None else reference.likeness(grey),
        sharpness=None if reference is None else reference.sharpness(grey),
    )


def typical(pictures: list[Bytes]) -> Bytes:
    """One picture out of several, pixel by pixel the middle one: who walked through is not in it."""
    middle: Bytes = np.median(np.stack(pictures), axis=0).astype(np.uint8)
    return middle


def png(grey: Bytes) -> bytes:
    """A picture without loss."""
    return cv2.imencode(".png", grey)[1].tobytes()


def from_png(picture: bytes) -> Bytes | None:
    """The picture again, grey and of our size; None when the bytes are none."""
    grey = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return None
    return cv2.resize(grey, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def jpeg(glance: Glance, quality: int) -> bytes:
    """The thumbnail."""
    return cv2.imencode(".jpg", glance.colour, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _blocks(grey: Bytes) -> Floats:
    return grey.reshape(ROWS, BLOCK, COLUMNS, BLOCK).astype(np.float32)


def _centred(blocks: Floats) -> Floats:
    centred: Floats = blocks - blocks.mean(axis=(1, 3), keepdims=True)
    return centred


def _change(points: Bytes, before: Bytes) -> Floats:
    change: Floats = _blocks(cv2.absdiff(points, before).astype(np.uint8, copy=False)).mean(axis=(1, 3))
    return change


def _spread(grey: Bytes) -> Floats:
    spread: Floats = _blocks(grey).std(axis=(1, 3)).astype(np.float32, copy=False)
    return spread


def _fineness(grey: Bytes) -> Floats:
    """Laplacian energy of each block, relative to its contrast: dimmed lamps must not look like blur.

    Smoothed before, or the noise of a dark picture would pass for detail.
    """
    fine = cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), SMOOTHING_PX), cv2.CV_32F, ksize=1)
    energy = (fine * fine).reshape(ROWS, BLOCK, COLUMNS, BLOCK).mean(axis=(1, 3))
    fineness: Floats = (energy / (_spread(grey) ** 2 + 4.0)).astype(np.float32)
    return fineness


def _share(blocks: NDArray[np.bool_]) -> float:
    return float(blocks.mean()) if blocks.size else 0.0
