"""Results of camera preflights (摄像机检查): one row and one ledger leaf per camera and check run.

The recorder writes, pages read. A check that is taken up again after a crash finds what it has
already done and adds the rest.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from sqlite3 import Connection, Row

from evidence.ledger import Body, LeafKind, append, canonical
from exam.preflight import CheckFinding, Grade, Measured, codes, from_code, overall


class Source(StrEnum):
    """Where the pictures that were judged came from."""

    RECORDING = "recording"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class NewPreflight:
    """One camera, checked."""

    order_id: int
    camera_uuid: str
    source: Source
    findings: Sequence[CheckFinding]
    measured: Measured | None
    # A JPEG; None when no picture came.
    picture: bytes | None


@dataclass(frozen=True, slots=True)
class CameraPreflight:
    """One camera's result as it was written. The picture is read apart."""

    order_id: int
    camera_uuid: str
    checked_at_us: int
    source: Source
    grade: Grade
    findings: tuple[CheckFinding, ...]
    measured: Measured | None
    picture_sha256: bytes | None


def add_preflight(footage: Connection, new: NewPreflight, now_us: int) -> None:
    """Write the result and its leaf, unless this run already has one of this camera."""
    if new.camera_uuid in {found.camera_uuid for found in preflights(footage, new.order_id)}:
        return
    digest = None if new.picture is None else hashlib.sha256(new.picture).digest()
    grade, words = overall(new.findings), list(codes(new.findings))
    measured = None if new.measured is None else canonical(asdict(new.measured))
    footage.execute(
        "insert into camera_preflight (order_id, camera_uuid, checked_at_us, source, grade, findings,"
        " measured, picture, picture_sha256) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(new.order_id, new.camera_uuid, now_us, new.source, grade),
            *(json.dumps(words, separators=(",", ":")), measured, new.picture, digest),
        ),
    )
    body: Body = {
        "work_order_id": new.order_id,
        "camera_uuid": new.camera_uuid,
        "checked_at_us": now_us,
        "source": new.source.value,
        "grade": grade.value,
        "findings": words,
        "picture_sha256": None if digest is None else digest.hex(),
    }
    append(footage, LeafKind.CAMERA_PREFLIGHT, body, now_us)


def preflights(footage: Connection, order_id: int) -> list[CameraPreflight]:
    """The results of one check run, as they came in."""
    rows = footage.execute("select * from camera_preflight where order_id = ? order by id", (order_id,))
    return [_preflight(row) for row in rows]


def latest_preflights(footage: Connection) -> dict[str, CameraPreflight]:
    """The last result of every camera, by its uuid."""
    rows = footage.execute(
        "select * from camera_preflight"
        " where id in (select max(id) from camera_preflight group by camera_uuid)"
    )
    return {row["camera_uuid"]: _preflight(row) for row in rows}


def preflight_picture(footage: Connection, order_id: int, camera_uuid: str) -> bytes | None:
    """The JPEG that a check took of this camera."""
    row = footage.execute(
        "select picture from camera_preflight where order_id = ? and camera_uuid = ?", (order_id, camera_uuid)
    ).fetchone()
    return None if row is None else row["picture"]


def _preflight(row: Row) -> CameraPreflight:
    return CameraPreflight(
        order_id=row["order_id"],
        camera_uuid=row["camera_uuid"],
        checked_at_us=row["checked_at_us"],
        source=Source(row["source"]),
        grade=Grade(row["grade"]),
        findings=tuple(from_code(word) for word in json.loads(row["findings"])),
        measured=None if row["measured"] is None else Measured(**json.loads(row["measured"])),
        picture_sha256=row["picture_sha256"],
    )
