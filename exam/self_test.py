"""The kiosk's self-test of the day (每日自检): what it tries, and when it has passed.

Pure. A kiosk tests itself before the first candidate of the day; who answers for the exam sees one colour
for each machine, and years later what it said that morning.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Check(StrEnum):
    """What is tried."""

    CAMERA = "camera"
    FACE_CAMERA = "face_camera"
    SCANNER = "scanner"
    SPEAKER = "speaker"
    CLOCK = "clock"
    DISK = "disk"
    SERVER = "server"
    ROSTER = "roster"


class Result(StrEnum):
    """What came of it."""

    GOOD = "good"
    BAD = "bad"
    # The site has fitted none.
    ABSENT = "absent"


class Standing(StrEnum):
    """The whole self-test in one word."""

    PASSED = "passed"
    FAILED = "failed"
    # Something that must be tried was not.
    INCOMPLETE = "incomplete"


# Every kiosk has these; the others are the site's choice, but something must read tickets.
ALWAYS: Final = frozenset({Check.CLOCK, Check.DISK, Check.SERVER, Check.ROSTER})
READS_TICKETS: Final = frozenset({Check.CAMERA, Check.SCANNER})


@dataclass(frozen=True, slots=True)
class Tried:
    """One check, its result, and what the kiosk said about it, for people."""

    check: Check
    result: Result
    words: str = ""


def standing(tried: Iterable[Tried]) -> Standing:
    """Whether the kiosk may be used today by its own account."""
    results = {one.check: one.result for one in tried}
    if Result.BAD in results.values():
        return Standing.FAILED
    if set(results) != set(Check):
        return Standing.INCOMPLETE
    is_whole = all(results[check] is Result.GOOD for check in ALWAYS)
    reads = any(results[check] is Result.GOOD for check in READS_TICKETS)
    return Standing.PASSED if is_whole and reads else Standing.FAILED
