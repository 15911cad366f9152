"""Camera preflights of the small world: ordered by its site lead, answered as a recorder would."""

import io
from collections.abc import Mapping

from PIL import Image, ImageDraw

from evidence.preflight import NewPreflight, Source, add_preflight
from evidence.work_orders import NewOrder, OrderKind, Report, WorkState, give_order, write_report
from exam.preflight import Measured, Reach, judge
from tests.exam.test_preflight import LIMITS, SOUND_CAMERA
from tests.world import World


def view_of(number: int, size: tuple[int, int] = (480, 270)) -> bytes:
    """A JPEG that looks a little like a room, another one for each number."""
    image = Image.new("RGB", size, (150 + number * 7 % 80, 160, 150 + number * 13 % 60))
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.rectangle((0, height * 2 // 3, width, height), fill=(120, 100, 80))
    for column in range(6):
        x = column * width // 6 + 8
        draw.rectangle((x, height // 2, x + width // 9, height * 3 // 4), fill=(70, 60 + number % 40, 50))
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=70)
    return kept.getvalue()


def order_check(world: World) -> int:
    """The site lead presses the button."""
    new = NewOrder(OrderKind.CAMERA_PREFLIGHT, {"cameras": []}, "考前摄像机检查", world.site_lead_account_id)
    with world.exam.write() as connection:
        return give_order(connection, new, world.clock.wall_us())


def check_cameras(world: World, but: Mapping[str, Measured | Reach] | None = None) -> int:
    """A finished check: every camera as it should be, except those named in `but`."""
    order_id, now_us = order_check(world), world.clock.wall_us()
    with world.exam.read() as connection:
        cameras = [row["uuid"] for row in connection.execute("select uuid from camera order by id")]
    with world.footage.write() as connection:
        for number, camera in enumerate(cameras):
            found = (but or {}).get(camera, SOUND_CAMERA)
            measured = found if isinstance(found, Measured) else None
            reach = found if isinstance(found, Reach) else Reach.ANSWERED
            findings = judge(reach, measured, LIMITS, has_picture=measured is not None)
            picture = None if measured is None else view_of(number)
            new = NewPreflight(order_id, camera, Source.CONNECTION, findings, measured, picture)
            add_preflight(connection, new, now_us)
        made = Report(order_id, WorkState.DONE, len(cameras), len(cameras), outcome={})
        write_report(connection, made, now_us)
    return order_id
