"""Pictures: from cameras and files, without colour, and small for the screen."""

from pathlib import Path
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

PREVIEW_WIDTH_PX: Final = 640
PREVIEW_QUALITY: Final = 60
PHOTO_WIDTH_PX: Final = 960
PHOTO_QUALITY: Final = 88
WISHED_WIDTH_PX: Final = 1280
STREAM_PATIENCE_MS: Final = 5000


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


def photo_jpeg(frame: Picture) -> bytes:
    """A photo as it is kept: large enough to compare a face, far below what the console takes."""
    height, width = frame.shape[:2]
    if width > PHOTO_WIDTH_PX:
        frame = cast(Picture, cv2.resize(frame, (PHOTO_WIDTH_PX, max(1, height * PHOTO_WIDTH_PX // width))))
    _, jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, PHOTO_QUALITY])
    return jpeg.tobytes()


def preview_jpeg(frame: Picture) -> bytes:
    """A small picture for the candidate screen, so that hands find the tray."""
    height, width = frame.shape[:2]
    small = cv2.resize(frame, (PREVIEW_WIDTH_PX, max(1, height * PREVIEW_WIDTH_PX // width)))
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, PREVIEW_QUALITY])
    return jpeg.tobytes()
