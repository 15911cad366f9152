"""Reading ticket codes from pictures. The one file that knows OpenCV and zbar.

It turns frames into readings; whether a reading is a ticket is decided in `kiosk.acceptance`.
Every frame gets the raw pass and one more pass, another one each time: a hard ticket is read within
a few frames, and no single frame takes long enough for the candidate to notice (kiosks.md 4.2).
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pyzbar import wrapper as zbar

Picture = NDArray[np.uint8]
Pass = Callable[[Picture], Picture | None]

GREY_FORMAT: Final = int.from_bytes(b"Y800", "little")
# zbar's ZBAR_CFG_BINARY has no name in pyzbar, whose CFG_NUM carries the same value. Without it zbar
# guesses the encoding of a QR code and turns Chinese into Japanese.
BINARY_CONFIG: Final = 4
WIDEST_PASS_PX: Final = 1600
LOCATE_WIDTH_PX: Final = 320
SMEAR_PX: Final = 15
WHITE: Final = 255
PREVIEW_WIDTH_PX: Final = 640
PREVIEW_QUALITY: Final = 60
WISHED_WIDTH_PX: Final = 1280
STREAM_PATIENCE_MS: Final = 5000


@dataclass(frozen=True, slots=True)
class Reading:
    """One code as found in one frame."""

    symbology: str
    text: str


class ZbarEngine:
    """zbar with the wanted symbologies and nothing else. One engine per thread."""

    def __init__(self, symbologies: Sequence[str]) -> None:
        self._scanner = zbar.zbar_image_scanner_create()
        self._set(0, zbar.ZBarConfig.CFG_ENABLE, 0)
        for name in symbologies:
            self._set(zbar.ZBarSymbol[name], zbar.ZBarConfig.CFG_ENABLE, 1)
        self._set(zbar.ZBarSymbol.QRCODE, BINARY_CONFIG, 1)

    def read(self, grey: Picture) -> list[Reading]:
        """Every code in a grey picture, each once."""
        height, width = grey.shape[:2]
        pixels = np.ascontiguousarray(grey)
        image = zbar.zbar_image_create()
        try:
            zbar.zbar_image_set_format(image, GREY_FORMAT)
            zbar.zbar_image_set_size(image, width, height)
            zbar.zbar_image_set_data(image, pixels.ctypes.data_as(ctypes.c_void_p), pixels.size, None)
            zbar.zbar_scan_image(self._scanner, image)
            return list(dict.fromkeys(_readings(image)))
        finally:
            zbar.zbar_image_destroy(image)

    def close(self) -> None:
        """Give the native scanner back."""
        zbar.zbar_image_scanner_destroy(self._scanner)

    def _set(self, symbology: int, config: int, value: int) -> None:
        zbar.zbar_image_scanner_set_config(self._scanner, symbology, config, value)


def _readings(image: Any) -> Iterator[Reading]:
    symbol = zbar.zbar_image_first_symbol(image)
    while symbol:
        raw = ctypes.string_at(zbar.zbar_symbol_get_data(symbol), zbar.zbar_symbol_get_data_length(symbol))
        yield Reading(zbar.ZBarSymbol(symbol.contents.type).name, text_of(raw))
        symbol = zbar.zbar_symbol_next(symbol)


def text_of(raw: bytes) -> str:
    """The text of a code whose encoding nobody declared: UTF-8 or GB18030, whichever gives more Chinese.

    Strict UTF-8 first is not enough: 2 % of two-character GBK names are valid UTF-8 too.
    """
    if raw.isascii():
        return raw.decode("ascii")
    candidates = [text for text in (_decoded(raw, "utf-8"), _decoded(raw, "gb18030")) if text is not None]
    return max(candidates, key=_chinese_share, default=raw.decode("latin-1"))


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _chinese_share(text: str) -> float:
    return sum("\u4e00" <= character <= "\u9fff" for character in text) / len(text)


class Scanner:
    """Reads codes frame by frame: the raw picture first, then one more pass, another one each frame."""

    def __init__(self, symbologies: Sequence[str]) -> None:
        self._engine = ZbarEngine(symbologies)
        self._turn = 0

    def scan(self, frame: Picture) -> list[Reading]:
        """Every code found in this frame, each once. A frame that the raw pass reads costs no more."""
        grey = grey_of(frame)
        found = self._engine.read(grey)
        if found:
            return found
        treat = PASSES[self._turn % len(PASSES)]
        self._turn += 1
        treated = treat(grey)
        return [] if treated is None else self._engine.read(treated)

    def close(self) -> None:
        """Give the native scanner back."""
        self._engine.close()


class Stream:
    """Pictures from a camera or a video file, one after the other."""

    def __init__(self, address: str | int) -> None:
        """`address` is a device number, an RTSP address or a file. Ask `is_open` before reading."""
        cv2.utils.logging.setLogLevel(
            cv2.utils.logging.LOG_LEVEL_SILENT
        )  # a missing camera is said in our own words, once
        if isinstance(address, int):
            self._capture = cv2.VideoCapture(address, cv2.CAP_V4L2)
        else:
            patience = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, STREAM_PATIENCE_MS]
            self._capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, patience)
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, WISHED_WIDTH_PX)

    @property
    def is_open(self) -> bool:
        """Whether there is a camera or file at all."""
        return bool(self._capture.isOpened())

    @property
    def pictures_per_second(self) -> float:
        """The rate of a file; 25 when it does not say."""
        return float(self._capture.get(cv2.CAP_PROP_FPS)) or 25.0

    def read(self) -> Picture | None:
        """The next picture; None when there is none any more. Waits for a live camera."""
        there, picture = self._capture.read()
        return np.asarray(picture, np.uint8) if there else None

    def rewind(self) -> None:
        """Start a file again."""
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()


def load_picture(path: Path) -> Picture | None:
    """The picture in a file; None when it is not one."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if picture is None else np.asarray(picture, np.uint8)


def grey_of(frame: Picture) -> Picture:
    """The frame without colour."""
    return frame if frame.ndim == 2 else cast(Picture, cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))


def preview_jpeg(frame: Picture) -> bytes:
    """A small picture for the candidate screen, so that hands find the tray."""
    height, width = frame.shape[:2]
    small = cv2.resize(frame, (PREVIEW_WIDTH_PX, max(1, height * PREVIEW_WIDTH_PX // width)))
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, PREVIEW_QUALITY])
    return jpeg.tobytes()


def _median(grey: Picture) -> Picture:
    return cast(Picture, cv2.medianBlur(grey, 3))


def _doubled(grey: Picture) -> Picture | None:
    scale = min(2.0, WIDEST_PASS_PX / grey.shape[1])
    if scale <= 1.0:
        return None
    return cast(Picture, cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))


def _halved(grey: Picture) -> Picture:
    return cast(Picture, cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def _evened(grey: Picture) -> Picture:
    return cast(Picture, cv2.createCLAHE(2.0, (8, 8)).apply(grey))


def _thresholded(grey: Picture) -> Picture:
    return cast(
        Picture,
        cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 31, 8),
    )


def _sharpened(grey: Picture) -> Picture:
    return cast(Picture, cv2.addWeighted(grey, 2.5, cv2.GaussianBlur(grey, (0, 0), 2.0), -1.5, 0))


def _inverted(grey: Picture) -> Picture:
    return WHITE - grey


def _turned(degrees: float) -> Pass:
    def turn(grey: Picture) -> Picture:
        return _rotated(grey, degrees)

    return turn


def _rotated(grey: Picture, degrees: float) -> Picture:
    height, width = grey.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cast(
        Picture, cv2.warpAffine(grey, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=WHITE)
    )


def _located(grey: Picture) -> Picture | None:
    """The region that looks most like bars, turned upright and smeared along the bars.

    A linear code is where gradients are strong and all point one way: the structure tensor shows the
    place and the angle. Along its bars a code is constant, so smearing that way removes the noise
    that zbar cannot stand and leaves every edge where it is.
    """
    bars = _bars(grey)
    if bars is None:
        return None
    (x, y), degrees, reach = bars
    scale = min(2.0, WIDEST_PASS_PX / (2 * reach))
    width = int(2 * reach * scale)
    height = max(96, width // 2)
    matrix = cv2.getRotationMatrix2D((x, y), degrees, scale)
    matrix[0, 2] += width / 2 - x
    matrix[1, 2] += height / 2 - y
    upright = cv2.warpAffine(grey, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=WHITE)
    return cast(Picture, cv2.blur(upright, (1, SMEAR_PX)))


def _bars(grey: Picture) -> tuple[tuple[float, float], float, float] | None:
    scale = LOCATE_WIDTH_PX / grey.shape[1]
    # Bars one pixel wide vanish in a small copy, their gradients do not: take those first, then shrink.
    across = cv2.Scharr(grey, cv2.CV_32F, 1, 0)
    down = cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    tensor = [
        cv2.GaussianBlur(
            cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), (0, 0), 5.0
        )
        for part in (across * across, down * down, across * down)
    ]
    difference, twice = tensor[0] - tensor[1], 2 * tensor[2]
    one_way = np.sqrt(difference**2 + twice**2)
    strength = one_way**2 / (tensor[0] + tensor[1] + 1e-3)
    peak = np.unravel_index(int(strength.argmax()), strength.shape)
    if not strength[peak]:
        return None
    degrees = float(np.degrees(0.5 * np.arctan2(twice[peak], difference[peak])))
    region = (strength > 0.25 * strength[peak]).astype(np.uint8)
    _, labels, sizes, centres = cv2.connectedComponentsWithStats(region)
    label = labels[peak]
    reach = float(np.hypot(sizes[label, cv2.CC_STAT_WIDTH], sizes[label, cv2.CC_STAT_HEIGHT]))
    middle = (float(centres[label][0]) / scale, float(centres[label][1]) / scale)
    return middle, degrees, (0.6 * reach + 8) / scale


# Every second turn goes to the located pass, which reads most linear codes at any angle; the others
# help QR codes and codes that something more striped than they are has drawn attention from.
PASSES: Final[tuple[Pass, ...]] = tuple(
    treat
    for other in (
        _median,
        _halved,
        _doubled,
        _turned(20),
        _turned(-20),
        _thresholded,
        _sharpened,
        _turned(40),
        _turned(-40),
        _evened,
        _inverted,
    )
    for treat in (_located, other)
)
