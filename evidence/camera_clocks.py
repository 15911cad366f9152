"""What cameras' own clocks said, measured from time to time: the first thing that a reviewer disputes."""

from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection


class ClockOrigin(StrEnum):
    """How a camera's clock was read."""

    ONVIF = "onvif"
    RTCP = "rtcp"


@dataclass(frozen=True, slots=True)
class ClockFound:
    """A camera's clock against ours: camera minus ours, exact to about half of the round trip."""

    camera_uuid: str
    offset_us: int
    round_trip_us: int
    source: ClockOrigin
    at_us: int


def add_camera_clock(connection: Connection, found: ClockFound) -> None:
    """Record one measurement."""
    connection.execute(
        "insert into camera_clock (camera_uuid, offset_us, round_trip_us, source, at_us)"
        " values (?, ?, ?, ?, ?)",
        (found.camera_uuid, found.offset_us, found.round_trip_us, found.source, found.at_us),
    )


def latest_camera_clock(connection: Connection, camera_uuid: str) -> ClockFound | None:
    """The latest measurement of a camera's clock; None when it never told."""
    row = connection.execute(
        "select camera_uuid, offset_us, round_trip_us, source, at_us from camera_clock"
        " where camera_uuid = ? order by at_us desc limit 1",
        (camera_uuid,),
    ).fetchone()
    return None if row is None else ClockFound(row[0], row[1], row[2], ClockOrigin(row[3]), row[4])
