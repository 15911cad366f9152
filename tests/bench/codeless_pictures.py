"""Pictures without any code: pages of Chinese text, stripes, drawn faces. Nothing may be read in them."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rehearsal.fonts import chinese_font

Picture = NDArray[np.uint8]

WIDTH, HEIGHT = 1280, 720
WORDS = (
    "理论知识考试操作技能考核综合评审准考证身份证考生监考人员请按时参加并遵守考场规则第一二三四五六七八九十题"
)


def page(dice: np.random.Generator) -> Picture:
    """Print in several sizes, with a table."""
    sheet = Image.new("L", (WIDTH, HEIGHT), 245)
    pen = ImageDraw.Draw(sheet)
    top = 10
    while top < HEIGHT - 60:
        size = int(dice.integers(14, 44))
        line = "".join(WORDS[at] for at in dice.integers(0, len(WORDS), WIDTH // size))
        pen.text((12, top), line, fill=int(dice.integers(0, 90)), font=chinese_font(size))
        top += int(size * 1.5)
        if dice.random() < 0.3:
            pen.line((0, top, WIDTH, top), fill=30, width=int(dice.integers(1, 4)))
    for left in range(0, WIDTH, int(dice.integers(60, 200))):
        pen.line((left, HEIGHT // 2, left, HEIGHT), fill=30, width=2)
    return np.asarray(sheet, np.uint8)


def stripes(dice: np.random.Generator) -> Picture:
    """Bars of random width that mean nothing, as of a shirt or a radiator."""
    widths = dice.integers(1, 12, WIDTH)
    shades = np.where(np.arange(WIDTH) % 2, 235, 25)
    row = np.repeat(shades, widths)[:WIDTH].astype(np.uint8)
    return np.tile(row, (HEIGHT, 1))


def face(dice: np.random.Generator) -> Picture:
    """Somebody who looks into the camera."""
    frame = np.full((HEIGHT, WIDTH), int(dice.integers(60, 140)), np.uint8)
    x, y, tall = int(dice.integers(420, 860)), int(dice.integers(300, 420)), int(dice.integers(150, 260))
    cv2.ellipse(frame, (x, y), (tall * 3 // 4, tall), 0, 0, 360, 200, -1)
    cv2.ellipse(frame, (x, y - tall // 2), (tall * 4 // 5, tall // 2), 0, 180, 360, 30, -1)
    for side in (-1, 1):
        eye = (x + side * tall // 3, y - tall // 6)
        cv2.ellipse(frame, eye, (tall // 8, tall // 14), 0, 0, 360, 245, -1)
        cv2.circle(frame, eye, tall // 18, 20, -1)
        cv2.rectangle(
            frame, (eye[0] - tall // 5, eye[1] - tall // 8), (eye[0] + tall // 5, eye[1] + tall // 8), 40, 3
        )
    cv2.ellipse(frame, (x, y + tall // 2), (tall // 4, tall // 12), 0, 0, 180, 90, -1)
    return frame


KINDS: dict[str, Callable[[np.random.Generator], Picture]] = {"page": page, "stripes": stripes, "face": face}


def codeless(kind: str, seed: int) -> Picture:
    """One picture as a camera sees it: turned a little, not quite sharp, noisy."""
    dice = np.random.default_rng([seed, len(kind)])
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), float(dice.uniform(-25, 25)), 1.0)
    seen = cv2.warpAffine(KINDS[kind](dice), matrix, (WIDTH, HEIGHT), borderValue=(90,))
    blurred = cv2.GaussianBlur(seen, (0, 0), float(dice.uniform(0.4, 1.5)))
    return np.clip(blurred + dice.normal(0, 5, blurred.shape), 0, 255).astype(np.uint8)
