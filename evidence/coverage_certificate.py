"""Gathers a session's coverage certificate: its rooms' scheduled intervals and what each camera holds.

Reads only. Rooms, cameras and signals come from exam.db, footage and gaps from footage.db; what may be
stated about them is decided in `exam.certificate` (Art. 11(2), R16).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.courses import load_course
from evidence.coverage import Part, PartKind, coverage
from evidence.day import load_rooms, load_sessions
from evidence.health import HealthChange, health_changes
from evidence.timeline import Interval
from exam.certificate import (
    UNRECORDED,
    Account,
    Reckoning,
    Stretch,
    account_for,
    reckon,
)
from exam.day import Room, Session
from exam.procedure import Procedure
from exam.recording_schedule import Schedule, schedules

# How each kind of part counts.
ACCOUNTS: Final[Mapping[PartKind, Account]] = {
    PartKind.FOOTAGE: Account.RECORDED,
    PartKind.OTHER_CODEC: Account.RECORDED,
    PartKind.GAP: Account.GAP,
    PartKind.DISPOSED: Account.GAP,
    PartKind.UNREADABLE: Account.UNACCOUNTED,
    PartKind.UNRECORDED: Account.UNACCOUNTED,
    PartKind.PENDING: Account.OPEN,
    PartKind.FUTURE: Account.OPEN,
}


@dataclass(frozen=True, slots=True)
class ScheduledCamera:
    """A camera that looked at the room in its scheduled interval, also when it has been retired since."""

    uuid: str
    label: str


@dataclass(frozen=True, slots=True)
class ScheduledRoom:
    """A room of the session, when it must be recorded, and by which cameras."""

    room: Room
    schedule: Schedule
    cameras: tuple[ScheduledCamera, ...]


@dataclass(frozen=True, slots=True)
class SessionSchedule:
    """What a certificate is about. Texts are those of the site plan."""

    site_name: str
    batch_name: str
    session: Session
    rooms: tuple[ScheduledRoom, ...]


@dataclass(frozen=True, slots=True)
class CameraAccount:
    """All scheduled time of one camera, stretch by stretch, and its sums."""

    camera: ScheduledCamera
    stretches: tuple[Stretch, ...]
    sums: Reckoning
    # What was wrong with its pictures meanwhile: footage all the same.
    health: tuple[HealthChange, ...] = ()


@dataclass(frozen=True, slots=True)
class RoomAccount:
    """A room and its cameras' accounts. A room without a camera owes all its time."""

    scheduled: ScheduledRoom
    cameras: tuple[CameraAccount, ...]
    sums: Reckoning


@dataclass(frozen=True, slots=True)
class Certificate:
    """The whole session at one moment."""

    head: SessionSchedule
    rooms: tuple[RoomAccount, ...]
    sums: Reckoning
    made_at_us: int

    @property
    def is_provisional(self) -> bool:
        """Whether any scheduled second is still open, or the end of a room's time is."""
        is_running = any(room.scheduled.schedule.is_open_ended for room in self.rooms)
        return is_running or self.sums.is_provisional


def load_schedule(
    connection: Connection, session_id: int, procedures: Mapping[str, Procedure], now_us: int
) -> SessionSchedule | None:
    """The session's rooms with their scheduled intervals, from exam.db; None for an unknown session.

    A room that the session moved to is a room of its own here (R21).
    """
    session = next((one for one in load_sessions(connection) if one.id == session_id), None)
    if session is None:
        return None
    site_name, batch_name = connection.execute(
        "select site.name, batch.name from site, batch where batch.id = ?", (session.batch_id,)
    ).fetchone()
    rooms = load_rooms(connection)
    scheduled = tuple(
        ScheduledRoom(rooms[one.room_id], one, _cameras(connection, one.room_id, one))
        for one in schedules(load_course(connection, session, procedures), now_us)
    )
    return SessionSchedule(site_name, batch_name, session, scheduled)


def certify(footage: Connection | None, head: SessionSchedule, now_us: int) -> Certificate:
    """What footage.db holds of the scheduled intervals at this moment. None: no recorder ever ran here."""
    rooms = tuple(_room_account(footage, scheduled, now_us) for scheduled in head.rooms)
    return Certificate(head, rooms, _total(room.sums for room in rooms), now_us)


def _cameras(connection: Connection, room_id: int, interval: Schedule) -> tuple[ScheduledCamera, ...]:
    rows = connection.execute(
        "select uuid, label from camera where room_id = ? and (retired_at_us is null or retired_at_us > ?)"
        " and (added_at_us is null or added_at_us < ?) order by id",
        (room_id, interval.from_us, interval.until_us),
    )
    return tuple(ScheduledCamera(*row) for row in rows)


def _room_account(footage: Connection | None, scheduled: ScheduledRoom, now_us: int) -> RoomAccount:
    cameras = []
    for camera in scheduled.cameras:
        stretches = _stretches(footage, camera.uuid, scheduled.schedule, now_us)
        health = _health(footage, camera.uuid, scheduled.schedule)
        cameras.append(CameraAccount(camera, stretches, reckon(stretches), health))
    sums = _total(camera.sums for camera in cameras)
    if not cameras:
        sums = reckon(_without_footage(scheduled.schedule, now_us))
    return RoomAccount(scheduled, tuple(cameras), sums)


def _stretches(
    footage: Connection | None, camera_uuid: str, interval: Schedule, now_us: int
) -> tuple[Stretch, ...]:
    if footage is None:
        return _without_footage(interval, now_us)
    parts = coverage(footage, camera_uuid, Interval(interval.from_us, interval.until_us), now_us)
    return account_for(interval, map(_stretch, parts))


def _health(footage: Connection | None, camera_uuid: str, interval: Schedule) -> tuple[HealthChange, ...]:
    if footage is None:
        return ()
    return tuple(health_changes(footage, camera_uuid, Interval(interval.from_us, interval.until_us)))


def _stretch(part: Part) -> Stretch:
    account = ACCOUNTS[part.kind]
    reason = "" if account is Account.RECORDED else part.reason
    return Stretch(account, part.from_us, part.until_us, reason)


def _without_footage(interval: Schedule, now_us: int) -> tuple[Stretch, ...]:
    return account_for(
        interval,
        [
            Stretch(Account.UNACCOUNTED, interval.from_us, now_us, UNRECORDED),
            Stretch(Account.OPEN, max(now_us, interval.from_us), interval.until_us, str(PartKind.FUTURE)),
        ],
    )


def _total(sums: Iterator[Reckoning]) -> Reckoning:
    return sum(sums, start=Reckoning())
