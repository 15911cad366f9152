"""Where the kiosk's pictures come from: a USB camera, an RTSP camera, a folder, a video file.

A source gives the newest picture and never an old one: the scanner is slower than a camera, and a
candidate moves. A source that fails says so; the watcher opens it again.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from exam.clock import SECOND_US, Clock
from kiosk.scanner import WHOLE, Picture, Region, Stream, load_picture, part_of

PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm"})
SILENT_US: Final = 5 * SECOND_US
STOP_SECONDS: Final = 2.0

Opener = Callable[[str | int], Stream]


class CameraLostError(Exception):
    """The camera gives no pictures; the message says why, without any password."""


class FrameSource(Protocol):
    """Gives pictures, newest only."""

    def next_picture(self) -> Picture | None:
        """The newest picture not given yet, or None. Raises CameraLostError."""
        ...

    def close(self) -> None:
        """Give the camera back."""
        ...


def open_source(
    setting: str, clock: Clock, opened: Opener = Stream, *, region: Region = WHOLE
) -> FrameSource:
    """The source that the setting `kiosk.camera` names, cut to the region. Raises CameraLostError."""
    source = _opened(setting, clock, opened)
    return source if region == WHOLE else RegionSource(source, region)


def _opened(setting: str, clock: Clock, opened: Opener) -> FrameSource:
    kind, _, rest = setting.partition(":")
    if kind == "folder":
        return FolderSource(Path(rest))
    if kind == "video":
        return VideoSource(_found(opened(rest), f"video file {rest}"), clock)
    if kind == "usb":
        return LiveSource(_found(opened(int(rest)), f"USB camera {rest}"), f"USB camera {rest}", clock)
    name = f"camera at {urlsplit(setting).hostname}"
    return LiveSource(_found(opened(setting), name), name, clock)


def _found(stream: Stream, name: str) -> Stream:
    if not stream.is_open:
        stream.close()
        raise CameraLostError(f"{name} cannot be opened")
    return stream


class RegionSource:
    """Of every picture of another source the part that matters: the tray."""

    def __init__(self, source: FrameSource, region: Region) -> None:
        self._source, self._region = source, region

    def next_picture(self) -> Picture | None:
        """The newest picture's part."""
        picture = self._source.next_picture()
        return None if picture is None else part_of(picture, self._region)

    def close(self) -> None:
        """Close the other source."""
        self._source.close()


class FolderSource:
    """Picture files as they appear in a folder; what lay there before is not looked at."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last = max(self._files(), default=(0, ""))

    def next_picture(self) -> Picture | None:
        """The newest file, once."""
        newest = max(self._files(), default=(0, ""))
        if newest <= self._last:
            return None
        self._last = newest
        return load_picture(self._folder / newest[1])

    def close(self) -> None:
        """Nothing to give back."""

    def _files(self) -> list[tuple[int, str]]:
        try:
            names = [path for path in self._folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES]
        except OSError as error:
            raise CameraLostError(f"folder {self._folder} cannot be read ({error.strerror})") from error
        return [(age, path.name) for path in names if (age := _changed_ns(path)) is not None]


def _changed_ns(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # taken away since we listed the folder
        return None


class VideoSource:
    """A video file, again and again, at its own speed."""

    def __init__(self, stream: Stream, clock: Clock) -> None:
        self._stream, self._clock = stream, clock
        self._started_us = clock.monotonic_us()
        self._given = 0

    def next_picture(self) -> Picture | None:
        """The picture that is due by now; what was due before is left out."""
        elapsed_us = self._clock.monotonic_us() - self._started_us
        due = int(elapsed_us * self._stream.pictures_per_second / SECOND_US) + 1
        picture = None
        for _ in range(due - self._given):
            picture = self._stream.read()
            if picture is None:
                self._stream.rewind()
                self._started_us, self._given = self._clock.monotonic_us(), 0
                return None
        self._given = due
        return picture

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class LiveSource:
    """A camera that is read all the time in a thread of its own, so that its queue never grows old."""

    def __init__(self, stream: Stream, name: str, clock: Clock) -> None:
        self._stream, self._name, self._clock = stream, name, clock
        self._mutex = threading.Lock()
        self._newest: Picture | None = None
        self._seen_us = clock.monotonic_us()
        self._stopping = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._read, name="kiosk-camera", daemon=True)
        self._thread.start()

    def next_picture(self) -> Picture | None:
        """The newest picture, once. A camera that was silent for five seconds is lost."""
        with self._mutex:
            picture, self._newest = self._newest, None
            silent_us = self._clock.monotonic_us() - self._seen_us
        if picture is None and (self._ended or silent_us > SILENT_US):
            raise CameraLostError(f"{self._name} gives no pictures any more")
        return picture

    def close(self) -> None:
        """Stop reading. A read that hangs in the driver is left to end by itself."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def _read(self) -> None:
        while not self._stopping.is_set():
            picture = self._stream.read()
            if picture is None:
                break
            with self._mutex:
                self._newest, self._seen_us = picture, self._clock.monotonic_us()
        self._ended = True
        self._stream.close()
