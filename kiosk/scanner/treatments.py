"""What can be done to a picture so that a decoder reads what it could not read before. Pure functions."""

from typing import Final, cast

import cv2
import numpy as np

from kiosk.scanner.pictures import Picture

WIDEST_PX: Final = 1600
WHITE: Final = 255
GROWN_PX: Final = 560
LARGEST_GROWTH: Final = 4.0
# Larger parts are halved before: their modules are wide enough, and time is short.
LARGEST_PART_PX: Final = 420
PADDING: Final = 16
NOISE_SHARE: Final = 0.02


def median(grey: Picture) -> Picture:
    """Without single wrong pixels."""
    return cast(Picture, cv2.medianBlur(grey, 3))


def doubled(grey: Picture) -> Picture | None:
    """Twice as large; None when it is large enough."""
    scale = min(2.0, WIDEST_PX / grey.shape[1])
    if scale <= 1.0:
        return None
    return cast(Picture, cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))


def halved(grey: Picture) -> Picture:
    """Half as large."""
    return cast(Picture, cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def evened(grey: Picture) -> Picture:
    """With the same contrast everywhere."""
    return cast(Picture, cv2.createCLAHE(2.0, (8, 8)).apply(grey))


def thresholded(grey: Picture) -> Picture:
    """Black and white, each place by its own surroundings."""
    return cast(
        Picture,
        cv2.adaptiveThreshold(grey, WHITE, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 31, 8),
    )


def sharpened(grey: Picture, reach_px: float = 2.0, amount: float = 1.5) -> Picture:
    """With steeper edges."""
    smooth = cv2.GaussianBlur(grey, (0, 0), reach_px)
    return cast(Picture, cv2.addWeighted(grey, 1 + amount, smooth, -amount, 0))


def inverted(grey: Picture) -> Picture:
    """Black for white."""
    return WHITE - grey


def rotated(grey: Picture, degrees: float) -> Picture:
    """Turned about its middle; corners are lost."""
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cast(
        Picture, cv2.warpAffine(grey, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=WHITE)
    )


def grown(part: Picture) -> Picture:
    """A small part of a picture enlarged to the size at which decoders work best."""
    scale = min(LARGEST_GROWTH, GROWN_PX / max(part.shape))
    if scale <= 1.0:
        return part
    return cast(Picture, cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))


def _smoothed(part: Picture, reach_px: float) -> Picture:
    return cast(Picture, cv2.GaussianBlur(part, (0, 0), reach_px))


def crisp(part: Picture) -> Picture:
    """Enlarged, its grain smoothed and its edges drawn out again."""
    return sharpened(grown(_smoothed(part, 0.8)), 6.0, 3.0)


def focused(part: Picture, blur_px: float) -> Picture:
    """Enlarged, with a blur of `blur_px` (its standard deviation) undone as far as the noise allows.

    Wiener's filter for a round blur. Real lenses and hands blur otherwise; near enough to help.
    """
    if max(part.shape) > LARGEST_PART_PX:
        part, blur_px = halved(part), blur_px / 2
    padded = np.pad(part.astype(np.float32), PADDING, mode="edge")
    down = np.fft.fftfreq(padded.shape[0])[:, None]
    across = np.fft.rfftfreq(padded.shape[1])[None, :]
    passed = np.exp(-2 * (np.pi * blur_px) ** 2 * (down**2 + across**2))
    undone = passed / (passed**2 + NOISE_SHARE)
    sharp = np.fft.irfft2(np.fft.rfft2(padded) * undone, padded.shape)
    kept = sharp[PADDING:-PADDING, PADDING:-PADDING]
    return grown(np.clip(kept, 0, WHITE).astype(np.uint8))


def focused_bars(bars: Picture, blur_px: float) -> Picture:
    """Upright bars with a blur across them undone; every row by itself."""
    padded = np.pad(bars.astype(np.float32), ((0, 0), (PADDING, PADDING)), mode="edge")
    passed = np.exp(-2 * (np.pi * blur_px * np.fft.rfftfreq(padded.shape[1])) ** 2)
    undone = passed / (passed**2 + NOISE_SHARE / 2)
    sharp = np.fft.irfft(np.fft.rfft(padded, axis=1) * undone, padded.shape[1], axis=1)
    return np.clip(sharp[:, PADDING:-PADDING], 0, WHITE).astype(np.uint8)


def split(part: Picture) -> Picture:
    """Enlarged, then black and white by the surroundings."""
    large = grown(_smoothed(part, 0.7))
    return cast(
        Picture,
        cv2.adaptiveThreshold(large, WHITE, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 51, 2),
    )


def leaned(part: Picture, across: float = 0.0, down: float = 0.0) -> Picture:
    """As if its upper edge were nearer or further: a decoder samples crumpled paper elsewhere then.

    `across` and `down` are shares of the width and height by which the upper corners move.
    """
    height, width = part.shape
    right, low = across * width, down * height
    own = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = np.array([[right, low], [width - right, -low], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(own, moved)
    return cast(Picture, cv2.warpPerspective(part, matrix, (width, height), borderValue=WHITE))
