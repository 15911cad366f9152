"""Picture health (画面质量): what was wrong with a camera's pictures and when, and its reference view.

The recorder judges and writes; console, certificate and camera wall read. A change is a fact with a
ledger leaf: one when it is noticed, one when it is over.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection, Row

from evidence.ledger import LeafKind, append
from evidence.timeline import Interval


class HealthKind(StrEnum):
    """What can be wrong with pictures that arrive."""

    BLACK = "black"
    COVERED = "covered"
    FROZEN = "frozen"
    BLURRED = "blurred"
    MOVED = "moved"
    SLOW_PICTURES = "slow_pictures"
    RARE_KEYFRAMES = "rare_keyframes"
    THIN_STREAM = "thin_stream"


class ReferenceSource(StrEnum):
    """Who chose a reference view."""

    PREFLIGHT = "preflight"
    FIRST_PICTURES = "first_pictures"


@dataclass(frozen=True, slots=True)
class HealthChange:
    """One trouble of one camera. `ended_at_us` is None while it lasts."""

    id: int
    camera_uuid: str
    kind: HealthKind
    began_at_us: int
    noticed_at_us: int
    ended_at_us: int | None
    measured: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class NewTrouble:
    """A trouble that was just noticed."""

    camera_uuid: str
    kind: HealthKind
    began_at_us: int
    measured: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ReferenceView:
    """What a camera is meant to see: a grey picture as PNG."""

    id: int
    camera_uuid: str
    source: ReferenceSource
    taken_at_us: int
    picture: bytes


def begin_trouble(connection: Connection, new: NewTrouble, now_us: int) -> None:
    """Record that a camera's pictures are in trouble; a trouble that lasts already keeps its row."""
    measured = json.dumps(dict(new.measured), sort_keys=True)
    row = connection.execute(
        "insert into picture_health (camera_uuid, kind, began_at_us, noticed_at_us, measured)"
        " values (?, ?, ?, ?, ?) on conflict do nothing returning id",
        (new.camera_uuid, new.kind, new.began_at_us, now_us, measured),
    ).fetchone()
    if row is None:
        return
    fact = {
        "picture_health_id": row["id"],
        "camera_uuid": new.camera_uuid,
        "kind": new.kind,
        "began_at_us": new.began_at_us,
        "measured_sha256": hashlib.sha256(measured.encode()).hexdigest(),
    }
    append(connection, LeafKind.PICTURE_HEALTH, fact, now_us)


def end_trouble(
    connection: Connection, camera_uuid: str, kind: HealthKind, ended_at_us: int, now_us: int
) -> None:
    """Record that the trouble is over. Does nothing when it was not recorded."""
    row = connection.execute(
        "update picture_health set ended_at_us = max(?, began_at_us)"
        " where camera_uuid = ? and kind = ? and ended_at_us is null returning id, ended_at_us",
        (ended_at_us, camera_uuid, kind),
    ).fetchone()
    if row is None:
        return
    fact = {"picture_health_id": row["id"], "ended_at_us": row["ended_at_us"]}
    append(connection, LeafKind.PICTURE_HEALTH_END, fact, now_us)


def health_changes(footage: Connection, camera_uuid: str, interval: Interval) -> list[HealthChange]:
    """The camera's troubles that touch the interval, earliest first; those that last included."""
    rows = footage.execute(
        "select * from picture_health where camera_uuid = ? and began_at_us < ?"
        " and (ended_at_us is null or ended_at_us > ?) order by began_at_us, id",
        (camera_uuid, interval.until_us, interval.from_us),
    )
    return [_change(row) for row in rows]


def current_health(footage: Connection) -> dict[str, list[HealthChange]]:
    """The troubles that last, by camera, earliest first; cameras without trouble are left out."""
    found: dict[str, list[HealthChange]] = {}
    for row in footage.execute("select * from picture_health where ended_at_us is null order by began_at_us"):
        found.setdefault(row["camera_uuid"], []).append(_change(row))
    return found


def save_reference_view(
    connection: Connection, camera_uuid: str, source: ReferenceSource, picture: bytes, taken_at_us: int
) -> None:
    """Compare this camera's pictures with this one from now on."""
    connection.execute(
        "insert into reference_view (camera_uuid, source, taken_at_us, picture) values (?, ?, ?, ?)",
        (camera_uuid, source, taken_at_us, picture),
    )


def load_reference_views(footage: Connection, after_id: int = 0) -> list[ReferenceView]:
    """The view in force of every camera, as far as it is newer than that row."""
    rows = footage.execute(
        "select * from reference_view where id in (select max(id) from reference_view group by camera_uuid)"
        " and id > ? order by id",
        (after_id,),
    )
    return [
        ReferenceView(
            row["id"],
            row["camera_uuid"],
            ReferenceSource(row["source"]),
            row["taken_at_us"],
            row["picture"],
        )
        for row in rows
    ]


def load_reference_view(footage: Connection, camera_uuid: str) -> ReferenceView | None:
    """The view in force of one camera; None before there was one."""
    return next((view for view in load_reference_views(footage) if view.camera_uuid == camera_uuid), None)


def _change(row: Row) -> HealthChange:
    return HealthChange(
        id=row["id"],
        camera_uuid=row["camera_uuid"],
        kind=HealthKind(row["kind"]),
        began_at_us=row["began_at_us"],
        noticed_at_us=row["noticed_at_us"],
        ended_at_us=row["ended_at_us"],
        measured=json.loads(row["measured"]),
    )
