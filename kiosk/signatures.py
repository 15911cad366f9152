"""The signature at check-in (签名): strokes of a finger on the screen, as canonical JSON by its digest.

Strokes and not a picture: they are drawn again at any size, and carry nothing but the movement.
"""

import json
from hashlib import sha256
from typing import Any, Final

from evidence.check_in_pictures import Picture, PictureKind

# Fewer points are a touch by mistake; more do not come from one signature on our page.
FEWEST_POINTS: Final = 10
MOST_POINTS: Final = 1000
# The page's box, and how long somebody may write.
LARGEST: Final = 4000
LONGEST_MS: Final = 600_000


class NoSignatureError(ValueError):
    """What came is no signature."""


def signature_of(strokes: Any, width: Any, height: Any) -> Picture:
    """The signature as it is kept and sent: `[x, y, milliseconds]` by stroke. Raises NoSignatureError."""
    if not (_is_number(width) and _is_number(height) and isinstance(strokes, list)):
        raise NoSignatureError("no strokes on a box")
    points = [point for stroke in strokes if isinstance(stroke, list) for point in stroke]
    if not FEWEST_POINTS <= len(points) <= MOST_POINTS or not all(map(_is_point, points)):
        raise NoSignatureError("no points of a signature")
    if not all(isinstance(stroke, list) for stroke in strokes):
        raise NoSignatureError("no strokes")
    drawn = {"form": 1, "height": height, "strokes": strokes, "width": width}
    content = json.dumps(drawn, separators=(",", ":"), sort_keys=True).encode("ascii")
    return Picture(PictureKind.SIGNATURE, "application/json", sha256(content).hexdigest(), content)


def _is_number(value: Any, most: int = LARGEST) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_point(point: Any) -> bool:
    if not isinstance(point, list) or len(point) != 3:
        return False
    return _is_number(point[0]) and _is_number(point[1]) and _is_number(point[2], LONGEST_MS)
