"""Floor plans of the small world: drawn here, named for its rooms."""

import io
from hashlib import sha256
from pathlib import Path

from PIL import Image, ImageDraw

from evidence.floor_maps import keep_map, read_map
from tests.world import World


def drawn(width: int = 1600, height: int = 900, shade: int = 230) -> bytes:
    """A corridor with rooms on both sides."""
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((20, 20, width - 20, height - 20), outline="black", width=8)
    for column in range(5):
        left = 20 + column * (width - 40) // 5
        for top in (20, height * 3 // 5):
            pen.rectangle(
                (left, top, left + (width - 40) // 5, top + height * 2 // 5 - 20), (shade,) * 3, "black", 6
            )
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()


def put_up(world: World, folder: Path, room_id: int, content: bytes, at: tuple[int, int] | None) -> str:
    """Show the room on this picture; returns the digest of the picture itself."""
    (folder / "平面图.png").write_bytes(content)
    with world.exam.write() as connection:
        map_id = keep_map(connection, read_map(folder, "平面图.png"))
        connection.execute(
            "insert into room_map (room_id, map_id, at_x, at_y) values (?, ?, ?, ?)",
            (room_id, map_id, *(at or (None, None))),
        )
    return sha256(content).hexdigest()
