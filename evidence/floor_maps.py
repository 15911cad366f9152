"""Floor plans of the site (平面图): pictures that the site plan names for rooms, kept with it.

They show no person and no secret; whoever works at the site may see them, and they open without a network.
"""

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from sqlite3 import Connection

from PIL import Image

from evidence.photo_files import looked_at
from exam.file_photos import PhotoFile


@dataclass(frozen=True, slots=True)
class FloorMap:
    """One picture of a floor, checked."""

    file: PhotoFile
    content: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class RoomMap:
    """Where a room is on its picture. Size in pixels; the place in thousandths, None: nothing is marked."""

    room_id: int
    width: int
    height: int
    at_x: int | None
    at_y: int | None


class FloorMapError(Exception):
    """The picture cannot be used; the message says why, in words."""


def read_map(folder: Path, name: str) -> FloorMap:
    """The picture that a site plan in this folder names. Raises FloorMapError."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise FloorMapError("须是考点安排文件旁边的图片，不能指向别处")
    try:
        content = (folder / path).read_bytes()
    except OSError as error:
        raise FloorMapError(f"图片“{name}”无法读取（{error.strerror}）") from error
    file = looked_at(name, content)
    if file.fault:
        raise FloorMapError(f"图片“{name}”：{file.fault}")
    with Image.open(io.BytesIO(content)) as image:
        return FloorMap(file, content, *image.size)


def keep_map(connection: Connection, floor: FloorMap) -> int:
    """The id of the picture's row; the same bytes are kept once."""
    digest = bytes.fromhex(floor.file.sha256_hex)
    connection.execute(
        "insert into floor_map (sha256, media_type, width, height, content) values (?, ?, ?, ?, ?)"
        " on conflict do nothing",
        (digest, floor.file.media_type, floor.width, floor.height, floor.content),
    )
    row = connection.execute("select id from floor_map where sha256 = ?", (digest,)).fetchone()
    return int(row["id"])


def drop_unused_maps(connection: Connection) -> None:
    """Forget the pictures that no room names any more."""
    connection.execute("delete from floor_map where id not in (select map_id from room_map)")


def maps_of(connection: Connection, room_ids: Collection[int]) -> Mapping[int, RoomMap]:
    """The rooms of these that are on a picture."""
    rows = connection.execute(
        "select room_id, width, height, at_x, at_y from room_map join floor_map on floor_map.id = map_id"
    )
    return {row["room_id"]: RoomMap(*row) for row in rows if row["room_id"] in room_ids}


def read_picture(connection: Connection, room_id: int) -> tuple[bytes, str] | None:
    """Bytes and media type of the room's picture; None: it has none."""
    row = connection.execute(
        "select content, media_type from floor_map join room_map on floor_map.id = map_id where room_id = ?",
        (room_id,),
    ).fetchone()
    return None if row is None else (row["content"], row["media_type"])
