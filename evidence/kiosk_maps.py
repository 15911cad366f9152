"""Floor plans for kiosks (平面图): made small on the console, named in the day part, fetched beforehand.

A kiosk shows one to whoever is sent to another room. At most `MOST_MAPS` pictures of `LARGEST_BYTES`, so that
neither a heartbeat nor a kiosk's disk is burdened; rooms on further pictures have none at kiosks.
"""

import io
import threading
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection, Row
from typing import Final

import structlog
from PIL import Image

MOST_MAPS: Final = 24
LARGEST_BYTES: Final = 256 * 1024
# More than a kiosk's screen shows of it.
LONGEST_SIDE: Final = 1400
# A drawing has few colours; what is a photo all the same becomes a JPEG.
COLOURS: Final = 64
QUALITY: Final = 70
SHRUNK: Final = 0.7
MEDIA_TYPES: Final = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}

_log: Final = structlog.get_logger("web")


@dataclass(frozen=True, slots=True)
class DayMap:
    """Where a room is shown: size in pixels, its door in thousandths; None: nothing is marked."""

    room_id: int
    # Of the bytes that the kiosk gets, hex.
    sha256: str
    width: int
    height: int
    at_x: int | None
    at_y: int | None


class MapShelf:
    """Pictures as they were made small, each once. Safe for several threads.

    Making one takes up to a second: `tend` does it in the background, and until then its rooms have none.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        # By the digest of the site's own picture; None: it cannot be opened.
        self._made: dict[bytes, bytes | None] = {}

    def tend(self, connection: Connection) -> None:
        """Make those small that a room names, and forget those that none names any more."""
        wanted = list(dict.fromkeys((row["map_id"], row["sha256"]) for row in _rooms(connection)))[:MOST_MAPS]
        made = {digest: self._small(connection, map_id, digest) for map_id, digest in wanted}
        with self._mutex:
            self._made = made

    def of(self, connection: Connection) -> tuple[DayMap, ...]:
        """On which pictures the rooms are, by room, as far as these were made."""
        rows = _rooms(connection)
        with self._mutex:
            made = {digest: sha256(small).hexdigest() for digest, small in self._made.items() if small}
        return tuple(
            DayMap(row["room_id"], made[row["sha256"]], row["width"], row["height"], row["at_x"], row["at_y"])
            for row in rows
            if row["sha256"] in made
        )

    def picture(self, sha256_hex: str) -> bytes | None:
        """The picture that the day part names so; None: it names none."""
        with self._mutex:
            made = [one for one in self._made.values() if one is not None]
        return next((one for one in made if sha256(one).hexdigest() == sha256_hex), None)

    def _small(self, connection: Connection, map_id: int, digest: bytes) -> bytes | None:
        if digest in self._made:
            return self._made[digest]
        row = connection.execute("select content from floor_map where id = ?", (map_id,)).fetchone()
        try:
            return small_enough(row["content"])
        except OSError as error:
            _log.warning("floor plan not sent to kiosks", map_id=map_id, reason=str(error))
            return None


def _rooms(connection: Connection) -> list[Row]:
    return connection.execute(
        "select room_id, sha256, width, height, at_x, at_y, map_id from room_map"
        " join floor_map on floor_map.id = map_id order by room_id"
    ).fetchall()


def small_enough(content: bytes) -> bytes:
    """The picture as a kiosk gets it: within `LONGEST_SIDE` and `LARGEST_BYTES`. Raises OSError."""
    with Image.open(io.BytesIO(content)) as opened:
        image = opened.convert("RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    kept = _encoded(image.quantize(COLOURS, Image.Quantize.FASTOCTREE), "PNG")
    while len(kept) > LARGEST_BYTES:
        kept = _encoded(image, "JPEG")
        image = image.resize((max(1, int(image.width * SHRUNK)), max(1, int(image.height * SHRUNK))))
    return kept


def media_type_of(content: bytes) -> str:
    """As what a picture is told; what is neither is no picture."""
    return next((told for head, told in MEDIA_TYPES.items() if content.startswith(head)), "")


def _encoded(image: Image.Image, form: str) -> bytes:
    kept = io.BytesIO()
    image.save(kept, form, optimize=True, quality=QUALITY)
    return kept.getvalue()
