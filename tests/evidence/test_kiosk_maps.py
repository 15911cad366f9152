"""Floor plans for kiosks: small whatever the site drew, each made once, and never more than a kiosk takes."""

import io
import os
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from evidence.kiosk_maps import (
    LARGEST_BYTES,
    LONGEST_SIDE,
    MOST_MAPS,
    MapShelf,
    media_type_of,
    small_enough,
)
from tests.floor_plans import drawn, put_up
from tests.world import World


def size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        return image.size


def named(world: World) -> list[int]:
    shelf = MapShelf()
    with world.exam.read() as connection:
        shelf.tend(connection)
        return [one.room_id for one in shelf.of(connection)]


def test_a_drawing_becomes_a_small_png_of_the_same_shape() -> None:
    small = small_enough(drawn(2800, 1400))
    assert (size(small), media_type_of(small)) == ((LONGEST_SIDE, 700), "image/png")
    assert len(small) <= LARGEST_BYTES
    assert size(small_enough(drawn(400, 300))) == (400, 300)  # never larger than it was


def test_what_does_not_get_small_as_a_drawing_becomes_a_jpeg_that_fits() -> None:
    noise = io.BytesIO()
    Image.frombytes("RGB", (1500, 1500), os.urandom(1500 * 1500 * 3)).save(noise, "PNG")
    small = small_enough(noise.getvalue())
    assert (media_type_of(small), len(small) <= LARGEST_BYTES) == ("image/jpeg", True)


def test_what_is_no_picture_has_no_type() -> None:
    assert media_type_of(b"<svg>") == ""
    with pytest.raises(OSError, match="cannot identify"):
        small_enough(b"<svg>")


def test_rooms_on_one_picture_share_it(world: World, tmp_path: Path) -> None:
    content = drawn()
    put_up(world, tmp_path, world.room_1, content, (200, 300))
    put_up(world, tmp_path, world.room_2, content, None)
    shelf = MapShelf()
    with world.exam.read() as connection:
        assert shelf.of(connection) == ()  # none was made yet
        shelf.tend(connection)
        shelf.tend(connection)
        one, two = shelf.of(connection)
        assert shelf.of(connection) == (one, two)
    assert (one.room_id, one.at_x, one.at_y, one.width, one.height) == (world.room_1, 200, 300, 1600, 900)
    assert (two.at_x, two.sha256) == (None, one.sha256)
    picture = shelf.picture(one.sha256)
    assert picture is not None
    assert sha256(picture).hexdigest() == one.sha256
    assert shelf.picture("0" * 64) is None


def test_a_picture_that_does_not_open_leaves_its_rooms_without(world: World, tmp_path: Path) -> None:
    put_up(world, tmp_path, world.room_1, drawn(), None)
    put_up(world, tmp_path, world.room_2, drawn(shade=120), None)
    with world.exam.write() as connection:
        connection.execute("update floor_map set content = x'00' where id = (select min(id) from floor_map)")
    assert named(world) == [world.room_2]


def test_a_kiosk_gets_no_more_pictures_than_it_takes(world: World, tmp_path: Path) -> None:
    with world.exam.write() as connection:
        rooms = [
            connection.execute(
                "insert into room (code, label, kind, directions) select ?, ?, kind, '' from room limit 1"
                " returning id",
                (f"X{number}", f"第{number + 10}考场"),
            ).fetchone()[0]
            for number in range(MOST_MAPS + 1)
        ]
    for number, room_id in enumerate(rooms):
        put_up(world, tmp_path, room_id, drawn(120, 90, 100 + number), None)
    assert named(world) == rooms[:MOST_MAPS]
