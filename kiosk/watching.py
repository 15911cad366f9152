"""The eye of the kiosk: opens the camera, reads codes, and opens it again when it was lost."""

import threading
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from exam.clock import Clock
from kiosk.acceptance import Acceptance
from kiosk.attention import Attention
from kiosk.camera import CameraLostError, FrameSource
from kiosk.scanner import Picture, Reading, glance_at
from kiosk.screen import Camera
from kiosk.visit import Hint, Input, NotUsable

RETRY_SECONDS: Final = 2.0
NO_PICTURE_SECONDS: Final = 0.03
COVERED: Final = Camera(works=False, reason="covered or dark", is_covered=True)

_log: Final = structlog.get_logger("kiosk")


class CodeReader(Protocol):
    """Finds codes in a picture."""

    def scan(self, frame: Picture) -> list[Reading]: ...


class Listener(Protocol):
    """Whoever wants to know what the eye sees."""

    def happened(self, what: Input) -> None: ...

    def camera_is(self, camera: Camera) -> None: ...


class Watcher:
    """Looks until stopped. One thread calls `run`; `newest` may be asked from others."""

    def __init__(
        self,
        opened: Callable[[], FrameSource],
        reader: CodeReader,
        acceptance: Acceptance,
        listener: Listener,
        clock: Clock,
    ) -> None:
        """`opened` opens the camera anew; it raises CameraLostError."""
        self._opened, self._reader, self._acceptance = opened, reader, acceptance
        self._listener, self._clock = listener, clock
        self.retry_seconds = RETRY_SECONDS
        self.newest: Picture | None = None
        self._said: Camera | None = None
        self._attention = Attention()

    def run(self, stopping: threading.Event) -> None:
        """Watch; a lost camera is said once and tried again every two seconds."""
        while not stopping.is_set():
            try:
                self._watch(stopping)
            except CameraLostError as error:
                self._say(Camera(works=False, reason=str(error)))
                self.newest = None
                stopping.wait(self.retry_seconds)

    def _watch(self, stopping: threading.Event) -> None:
        source = self._opened()
        self._say(Camera(works=True))
        self._attention = Attention()
        try:
            while not stopping.is_set():
                picture = source.next_picture()
                if picture is None:
                    stopping.wait(NO_PICTURE_SECONDS)
                else:
                    self._look(picture)
        finally:
            source.close()

    def _look(self, picture: Picture) -> None:
        self.newest = picture
        readings = self._reader.scan(picture)
        now_us = self._clock.monotonic_us()
        noticed = self._attention.look(glance_at(picture), now_us, was_read=bool(readings))
        self._say(COVERED if noticed.is_covered else Camera(works=True))
        if noticed.is_unread:
            self._listener.happened(NotUsable(Hint.NOTHING_READ))
        what = self._acceptance.judge(readings, now_us)
        if what is not None:
            self._listener.happened(what)

    def _say(self, camera: Camera) -> None:
        if camera != self._said:
            self._said = camera
            _log.info("camera", works=camera.works, reason=camera.reason)
            self._listener.camera_is(camera)
