"""Doubts in the small world, with photos, and a second proctor who can look at them."""

import io
from hashlib import sha256

from PIL import Image, ImageDraw

from evidence.check_in_pictures import Picture, PictureKind, PictureStore, record_picture
from evidence.floor_maps import FloorMap, keep_map
from evidence.photo_files import looked_at
from exam.admission_facts import Provided
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from tests.evidence.check_ins import Desk, second_kiosk
from tests.web.console import account_with
from tests.world import CLOCK_US, Person, World
from web.access import Role


def face(number: int) -> bytes:
    """A JPEG that looks a little like a face, another one for each number."""
    image = Image.new("RGB", (480, 600), (188, 198, 205))
    draw = ImageDraw.Draw(image)
    skin = (226 - number * 9 % 40, 190 - number * 5 % 30, 160)
    draw.ellipse((-40, 470, 520, 900), fill=(60 + number * 40 % 120, 80, 110))
    draw.ellipse((120, 90, 360, 420), fill=skin)
    draw.chord((110, 60, 370, 330), 180, 360, fill=(40, 34 + number * 12 % 40, 30))
    for left in (180, 270):
        draw.ellipse((left, 240, left + 30, 262), fill=(30, 30, 30))
    draw.arc((190, 300, 290, 360), 20, 160, fill=(120, 40, 40), width=6)
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=70)
    return kept.getvalue()


def keep_photo(world: World, content: bytes) -> str:
    """The photo as a kiosk sent it; returns the digest that attempts name."""
    digest = sha256(content).hexdigest()
    picture = Picture(PictureKind.PHOTO, "image/jpeg", digest, content)
    cipher = PictureStore(world.folder / "check_in", world.vault).write(picture)
    with world.exam.write() as connection:
        record_picture(connection, picture, cipher, world.kiosk_id, CLOCK_US)
    return digest


def file_photo(world: World, person: Person, content: bytes) -> str:
    """The photo of his registration, as the roster brought it; returns its digest."""
    digest = keep_photo(world, content)
    with world.exam.write() as connection:
        connection.execute(
            "insert into file_photo (candidate_id, picture_id, recorded_at_us)"
            " select ?, id, ? from check_in_picture where sha256 = ?",
            (person.id, CLOCK_US, bytes.fromhex(digest)),
        )
    return digest


def show_way(world: World) -> bytes:
    """A floor plan on which the door of 第2考场 is marked; returns the picture."""
    image = Image.new("RGB", (900, 420), (246, 246, 242))
    draw = ImageDraw.Draw(image)
    for column in range(5):
        draw.rectangle((30 + column * 170, 40, 180 + column * 170, 170), outline=(60, 60, 60), width=4)
        draw.rectangle((30 + column * 170, 250, 180 + column * 170, 380), outline=(60, 60, 60), width=4)
    kept = io.BytesIO()
    image.save(kept, "PNG")
    floor = FloorMap(looked_at("二楼.png", kept.getvalue()), kept.getvalue(), *image.size)
    with world.exam.write() as connection:
        connection.execute(
            "insert into room_map (room_id, map_id, at_x, at_y) values (?, ?, 500, 400)",
            (world.room_2, keep_map(connection, floor)),
        )
    return kept.getvalue()


def second_proctor(world: World, name: str = "刘洋") -> int:
    """Another proctor of 第1考场, with a badge of his own; returns the account."""
    with world.exam.write() as connection:
        row = connection.execute(
            "insert into staff (name, badge_no) values (?, 'JK002') returning id", (name,)
        ).fetchone()
        connection.execute(
            "insert into duty (staff_id, session_id, room_id, role) values (?, ?, ?, 'proctor')",
            (row["id"], world.session_id, world.room_1),
        )
    return account_with(world, Role.PROCTOR, staff_id=row["id"])


def lay_doubts(world: World) -> None:
    """陈一诺 in at two kiosks, with photos of two people; 赵迟 and 周远 outside, not like their photos."""
    desk = Desk(world)
    photos = [keep_photo(world, face(number)) for number in (1, 2, 3)]
    other = second_kiosk(world)
    desk.upload(world.on_time, CLOCK_US, now_us=CLOCK_US, provided=Provided(photos[0]))
    later_us = CLOCK_US + MINUTE_US
    desk.upload(world.on_time, later_us, now_us=later_us, kiosk_id=other, provided=Provided(photos[1]))
    desk.ask(world.late, later_us, declared=frozenset({Outcome.FACE_DOUBT}), provided=Provided(photos[2]))
    desk.ask(world.other_room, later_us, declared=frozenset({Outcome.FACE_DOUBT}))
    world.clock.sleep_us(5 * MINUTE_US)
