"""Understanding what a capture child says: closed files and progress, and why it gave up."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from evidence.footage import Cause
from exam.clock import SECOND_US

_LOGIN: Final = re.compile(r"(?<=://)[^/\s@']*@")

# The first pattern found in the child's last words decides; the order is from the most telling.
_CAUSES: Final = (
    (re.compile(r"No space left on device|Disk quota exceeded"), Cause.DISK_FULL),
    (
        re.compile(
            r"Read-only file system|Failed to open segment|Permission denied"
            r"|write_frame\(\): Input/output error"
        ),
        Cause.DISK_FAULT,
    ),
    (re.compile(r"\b40[13]\b|[Uu]nauthorized|Forbidden"), Cause.UNAUTHORIZED),
    (re.compile(r"Connection refused"), Cause.REFUSED),
    (
        re.compile(r"\b453\b|\b503\b|Not Enough Bandwidth|Service Unavailable"),
        Cause.TOO_MANY_SESSIONS,
    ),
    (re.compile(r"\b4\d\d [A-Z]|\b5\d\d [A-Z]|Server returned [45]"), Cause.REFUSED),
    (
        # The last: it announced pictures, and none came before the child's patience ended.
        re.compile(
            r"timed out|No route to host|unreachable|resolve hostname|not known|Host is down"
            r"|dimensions not set"
        ),
        Cause.UNREACHABLE,
    ),
    (
        re.compile(
            r"supported in container|Could not write header|matches no streams|not find codec parameters"
            r"|Too many packets buffered"
        ),
        Cause.UNPLAYABLE,
    ),
)


@dataclass(frozen=True, slots=True)
class ClosedLine:
    """The child finished one file; times count from the start of the run's media."""

    file_name: str
    ended_media_us: int


@dataclass(frozen=True, slots=True)
class FrameCount:
    """Pictures written so far."""

    frames: int


@dataclass(frozen=True, slots=True)
class MediaTime:
    """How far the run's media has come."""

    media_us: int


@dataclass(frozen=True, slots=True)
class StillGoing:
    """The report is complete, and it was not the last."""


# What counts of a report; each has a dozen lines, every second, for every camera.
_REPORTED: Final = frozenset({"frame", "out_time_us", "progress"})
Word = ClosedLine | FrameCount | MediaTime | StillGoing


def understand(line: str) -> Word | None:
    """What a line of standard output means; None for the many that mean nothing here."""
    key, is_pair, value = line.partition("=")
    if is_pair:
        return _reported(key, value.strip()) if key in _REPORTED else None
    parts = line.strip().split(",")
    if len(parts) == 3 and parts[0].endswith(".mp4"):
        return ClosedLine(parts[0], round(float(parts[2]) * SECOND_US))
    return None


def _reported(key: str, value: str) -> Word | None:
    if key == "frame" and value.isdigit():
        return FrameCount(int(value))
    if key == "out_time_us" and value.lstrip("-").isdigit():
        return MediaTime(int(value))
    return StillGoing() if (key, value) == ("progress", "continue") else None


def cause_of(last_words: Iterable[str], *, has_recorded: bool) -> Cause:
    """Why a child ended by itself, from what it wrote to standard error. Its exit status says nothing.

    A camera that takes the connection and never answers leaves no telling word: it counts as unreachable.
    """
    text = "\n".join(last_words)
    for pattern, cause in _CAUSES:
        if pattern.search(text):
            return cause
    return Cause.CAMERA_CLOSED if has_recorded else Cause.UNREACHABLE


def scrubbed(line: str, secrets: Collection[str]) -> str:
    """The line without any login: neither the one in addresses nor these secrets anywhere."""
    clean = _LOGIN.sub("***@", line)
    for secret in sorted(secrets, key=len, reverse=True):  # one may be a part of another
        clean = clean.replace(secret, "***")
    return clean
