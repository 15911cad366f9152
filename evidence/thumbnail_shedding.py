"""Giving up old thumbnails: the only deleting code of the memory besides disposal, and never of footage.

Thumbnails can be made again from the footage and are not evidence: they go by age, and before anything
else when their disk runs short. Only files with the names of `evidence.thumbnails` below its own root,
which holds nothing else, are touched; no approval is asked and no ledger leaf is written.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from exam.clock import from_us

_CAMERA: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_HOUR: Final = re.compile(r"\d{2}\.(?:pack|index)")


def shed_thumbnails(root: Path, keep_from_us: int, is_short: Callable[[], bool]) -> int:
    """Delete the hours before a moment, and further ones, oldest first, while the disk is short.

    Returns how many files went. The hour being written may go too: its writer begins it again.
    """
    oldest_kept = f"{from_us(keep_from_us):%Y-%m-%d/%H}"
    shed = 0
    for path in sorted(_hours(root), key=_hour_name):
        if _hour_name(path) >= oldest_kept and not is_short():
            break
        path.unlink(missing_ok=True)
        shed += 1
    return shed


def _hour_name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _hours(root: Path) -> Iterator[Path]:
    for path in root.glob("*/*/*"):
        camera, day = path.parent.parent.name, path.parent.name
        if _CAMERA.fullmatch(camera) and _DAY.fullmatch(day) and _HOUR.fullmatch(path.name):
            yield path
