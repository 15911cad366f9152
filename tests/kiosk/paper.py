"""Paper for the camera tests: tickets drawn from modules, without the console's printer."""

import cv2
import numpy as np
import segno
import zxingcpp
from barcode.codex import Code128
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def bars(text: str, module_px: int = 4, height_px: int = 120) -> Picture:
    """Code 128 with quiet zones, black on white."""
    modules = "0" * 10 + Code128(text).build()[0] + "0" * 10
    row = np.array([0 if module == "1" else 255 for module in modules], np.uint8)
    return np.tile(np.repeat(row, module_px), (height_px, 1))


def qr(content: str | bytes, module_px: int = 6, **options: object) -> Picture:
    """A QR code with its quiet zone, black on white."""
    code = segno.make_qr(content, **options)
    rows = [[0 if module else 255 for module in row] for row in code.matrix_iter(border=4)]
    return np.kron(np.array(rows, np.uint8), np.ones((module_px, module_px), np.uint8))


def printed(symbology: str, text: str, module_px: int = 3) -> Picture:
    """A code of the other kinds, black on white with its quiet zones."""
    name = {"CODE39": "Code39", "ITF": "ITF", "EAN13": "EAN13", "PDF417": "PDF417"}[symbology]
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat[name])
    modules = np.array(made.to_image(scale=module_px, add_hrt=False, add_quiet_zones=True), np.uint8)
    return modules if symbology == "PDF417" else np.tile(modules[len(modules) // 2], (120, 1))


def face(brightness: float = 1.0, blur: float = 0.0) -> Picture:
    """Somebody who looks into the camera, drawn; brighter or darker, out of focus or not."""
    frame = np.full((720, 1280, 3), (150, 160, 165), np.uint8)
    cv2.ellipse(frame, (640, 760), (330, 220), 0, 0, 360, (120, 70, 40), -1)
    cv2.ellipse(frame, (640, 340), (150, 200), 0, 0, 360, (140, 170, 215), -1)
    cv2.ellipse(frame, (640, 200), (160, 90), 0, 180, 360, (35, 35, 40), -1)
    for left in (580, 700):
        cv2.ellipse(frame, (left, 320), (26, 13), 0, 0, 360, (245, 245, 245), -1)
        cv2.circle(frame, (left, 320), 11, (40, 40, 50), -1)
        cv2.line(frame, (left - 30, 285), (left + 30, 285), (45, 45, 55), 7)
    cv2.ellipse(frame, (640, 440), (50, 16), 0, 0, 360, (90, 90, 190), -1)
    cv2.line(frame, (640, 340), (630, 395), (110, 140, 185), 5)
    seen = frame.astype(np.float32) * brightness
    seen = cv2.GaussianBlur(seen, (0, 0), max(0.8, blur))
    seen += np.random.default_rng(3).normal(0, 2.0, seen.shape)
    return np.clip(seen, 0, 255).astype(np.uint8)


def tray(*papers: Picture, turn_degrees: float = 0.0, blur: float = 0.0, noise: float = 0.0) -> Picture:
    """A colour frame of 1280x720 with the papers below one another, seen by an unsteady camera."""
    frame = np.full((720, 1280), 235, np.uint8)
    top = (720 - sum(len(paper) + 20 for paper in papers)) // 2
    for paper in papers:
        height, width = paper.shape
        left = (1280 - width) // 2
        frame[top : top + height, left : left + width] = paper
        top += height + 20
    matrix = cv2.getRotationMatrix2D((640, 360), turn_degrees, 1.0)
    seen = cv2.warpAffine(frame, matrix, (1280, 720), borderValue=(90,)).astype(np.float32)
    if blur:
        seen = cv2.GaussianBlur(seen, (0, 0), blur)
    if noise:
        seen += np.random.default_rng(7).normal(0, noise, seen.shape)
    grey = np.clip(seen, 0, 255).astype(np.uint8)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
