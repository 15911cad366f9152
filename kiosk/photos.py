"""The photo at check-in (现场拍照): taken after a countdown, then usable, or taken again.

Brightness and blur are checked, nothing else: whose face it is, people compare. The bytes stay in memory
until the outbox has them with the scan that names them; whoever walks away leaves nothing behind.
"""

import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Final, Protocol

import structlog

from evidence.check_in_pictures import Picture as KeptPicture
from evidence.check_in_pictures import PictureKind
from exam.clock import SECOND_US, Clock
from kiosk.camera import CameraLostError, FrameSource
from kiosk.scanner import Picture, glance_at, part_of, photo_jpeg, sharpness_of
from kiosk.visit import Happened, Hint, Input, PhotoTaken, PhotoUnusable

# Mean shades, of 255, and steepness of edges, between which a face can be compared with a card. Set with made
# pictures (tests/kiosk/test_photos.py); the guide tells how to try them at the site.
DARKEST: Final = 50.0
BRIGHTEST: Final = 215.0
LEAST_SHARP: Final = 6.5
# The middle, where the face is: a lamp or a dark wall at the edge does not count.
MIDDLE: Final = (0.2, 0.1, 0.6, 0.8)
LOOK_SECONDS: Final = 0.1
RETRY_SECONDS: Final = 2.0
# A camera that opens again may need so long; after that nobody waits for it.
PATIENCE_US: Final = 3 * SECOND_US

_log: Final = structlog.get_logger("kiosk")


def fault_of(frame: Picture) -> Hint | None:
    """What is wrong with a photo; None: it can be used."""
    middle = part_of(frame, MIDDLE)
    brightness = glance_at(middle).brightness
    if brightness < DARKEST:
        return Hint.TOO_DARK
    if brightness > BRIGHTEST:
        return Hint.TOO_BRIGHT
    return Hint.BLURRED if sharpness_of(middle) < LEAST_SHARP else None


def photo_of(frame: Picture) -> KeptPicture:
    """The photo as it is kept and sent."""
    content = photo_jpeg(frame)
    return KeptPicture(PictureKind.PHOTO, "image/jpeg", sha256(content).hexdigest(), content)


class Sitter(Protocol):
    """Whoever stands before the camera."""

    def photo_is_due(self) -> bool: ...

    def happened(self, what: Input) -> None: ...


class Photographer:
    """Takes a photo whenever one is due. For one thread."""

    def __init__(self, newest: Callable[[], Picture | None], sitter: Sitter, clock: Clock) -> None:
        """`newest` gives the picture of this moment, or None without a camera."""
        self._newest, self._sitter, self._clock = newest, sitter, clock
        self._waiting_since_us: int | None = None

    def run(self, stopping: threading.Event) -> None:
        """Look ten times a second."""
        while not stopping.wait(LOOK_SECONDS):
            self.turn()

    def turn(self) -> None:
        """Take the photo if it is due."""
        if not self._sitter.photo_is_due():
            self._waiting_since_us = None
            return
        frame = self._newest()
        if frame is None:
            self._miss()
            return
        fault = fault_of(frame)
        if fault is not None:
            _log.info("photo not usable", fault=fault)
        self._sitter.happened(PhotoTaken(photo_of(frame)) if fault is None else PhotoUnusable(fault))

    def _miss(self) -> None:
        now_us = self._clock.monotonic_us()
        if self._waiting_since_us is None:
            self._waiting_since_us = now_us
        elif now_us - self._waiting_since_us >= PATIENCE_US:
            _log.warning("no photo: the camera gives no picture")
            self._sitter.happened(Happened.NO_CAMERA)


class FaceCamera:
    """The camera that looks at faces, where a site has one. One thread calls `run`; others ask `newest`."""

    def __init__(self, opened: Callable[[], FrameSource], told: Callable[[str], None]) -> None:
        """`opened` raises CameraLostError. `told` hears why the camera is lost; empty: it is there."""
        self._opened, self._told = opened, told
        self._said: str | None = None
        self.retry_seconds = RETRY_SECONDS
        self.newest: Picture | None = None

    def run(self, stopping: threading.Event) -> None:
        """Keep the newest picture; a lost camera is opened again."""
        while not stopping.is_set():
            try:
                self._watch(stopping)
            except CameraLostError as error:
                self.newest = None
                self._say(str(error))
                stopping.wait(self.retry_seconds)

    def _watch(self, stopping: threading.Event) -> None:
        source = self._opened()
        try:
            while not stopping.wait(LOOK_SECONDS):
                picture = source.next_picture()
                if picture is not None:
                    self.newest = picture
                    self._say("")
        finally:
            source.close()

    def _say(self, reason: str) -> None:
        if reason != self._said:
            self._said = reason
            self._told(reason)
