"""Final coverage certificates (录像覆盖证明), kept once per session with their leaf in the ledger.

The recorder keeps one when everything is settled; nobody changes it afterwards. Pages compute the
certificate anew as well and say where the two differ.
"""

import hashlib
import json
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from evidence.coverage_certificate import (
    CameraAccount,
    Certificate,
    RoomAccount,
    ScheduledCamera,
    ScheduledRoom,
    SessionSchedule,
)
from evidence.health import HealthChange, HealthKind
from evidence.ledger import Body, LeafKind, append
from exam.certificate import Account, Reckoning, Stretch
from exam.day import Room, RoomKind, Session
from exam.recording_schedule import Schedule


@dataclass(frozen=True, slots=True)
class KeptCertificate:
    """A certificate as it was kept; `sha256` is of `content` in UTF-8, in hex."""

    session_id: int
    content: str
    sha256: str
    leaf_index: int
    made_at_us: int

    def certificate(self, session: Session) -> Certificate:
        """The certificate as it was kept, for showing it."""
        facts = json.loads(self.content)
        rooms = tuple(_kept_room(room) for room in facts["rooms"])
        head = SessionSchedule(
            facts["site"], facts["batch"], session, tuple(room.scheduled for room in rooms)
        )
        return Certificate(head, rooms, Reckoning(**facts["sums"]), self.made_at_us)

    def agrees_with(self, certificate: Certificate) -> bool:
        """Whether the same facts would be certified today."""
        return _facts_of(self.content) == _facts_of(content_of(certificate))


def content_of(certificate: Certificate) -> str:
    """The certificate as canonical JSON: facts and times, no names of people."""
    session = certificate.head.session
    return json.dumps(
        {
            "site": certificate.head.site_name,
            "batch": certificate.head.batch_name,
            "session_id": session.id,
            "session_code": session.code,
            "kind": session.kind,
            "planned_start_us": session.planned_start_us,
            "cancelled_at_us": session.cancelled_at_us,
            "made_at_us": certificate.made_at_us,
            "sums": _sums(certificate.sums),
            "rooms": [_room(room) for room in certificate.rooms],
        },
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )


def keep_certificate(connection: Connection, certificate: Certificate, now_us: int) -> int:
    """Keep a certificate that is final, with its leaf; returns the leaf's index."""
    content = content_of(certificate)
    digest = hashlib.sha256(content.encode())
    session_id = certificate.head.session.id
    body: Body = {"session_id": session_id, "sha256": digest.hexdigest(), **_sums(certificate.sums)}
    leaf_index = append(connection, LeafKind.COVERAGE_CERTIFICATE, body, now_us)
    connection.execute(
        "insert into coverage_certificate (session_id, content, sha256, leaf_index, made_at_us)"
        " values (?, ?, ?, ?, ?)",
        (session_id, content, digest.digest(), leaf_index, now_us),
    )
    return leaf_index


def kept_certificates(connection: Connection) -> dict[int, KeptCertificate]:
    """All kept certificates by the session's id."""
    rows = connection.execute(
        "select session_id, content, lower(hex(sha256)), leaf_index, made_at_us from coverage_certificate"
    )
    return {row[0]: KeptCertificate(*row) for row in rows}


def _facts_of(content: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(content)
    return {name: value for name, value in facts.items() if name != "made_at_us"}


def _room(room: RoomAccount) -> dict[str, Any]:
    schedule = room.scheduled.schedule
    return {
        "id": room.scheduled.room.id,
        "code": room.scheduled.room.code,
        "label": room.scheduled.room.label,
        "kind": room.scheduled.room.kind,
        "from_us": schedule.from_us,
        "until_us": schedule.until_us,
        "started_at_us": schedule.started_at_us,
        "stopped_at_us": schedule.stopped_at_us,
        "sums": _sums(room.sums),
        "cameras": [_camera(camera, schedule) for camera in room.cameras],
    }


def _camera(account: CameraAccount, schedule: Schedule) -> dict[str, Any]:
    stretches = [
        {"account": one.account, "from_us": one.from_us, "until_us": one.until_us, "reason": one.reason}
        for one in account.stretches
    ]
    return {
        "uuid": account.camera.uuid,
        "label": account.camera.label,
        "sums": _sums(account.sums),
        "stretches": stretches,
        "health": [
            {
                "kind": one.kind,
                "from_us": max(one.began_at_us, schedule.from_us),
                # One that lasts is certified to the end of the schedule: its end later changes nothing.
                "until_us": min(one.ended_at_us or schedule.until_us, schedule.until_us),
            }
            for one in account.health
        ],
    }


def _kept_room(kept: dict[str, Any]) -> RoomAccount:
    room = Room(kept["id"], kept["code"], kept["label"], RoomKind(kept["kind"]))
    schedule = Schedule(
        kept["from_us"], kept["until_us"], kept["started_at_us"], kept["stopped_at_us"], kept["id"]
    )
    cameras = tuple(_kept_camera(camera) for camera in kept["cameras"])
    scheduled = ScheduledRoom(room, schedule, tuple(one.camera for one in cameras))
    return RoomAccount(scheduled, cameras, Reckoning(**kept["sums"]))


def _kept_camera(kept: dict[str, Any]) -> CameraAccount:
    stretches = tuple(
        Stretch(Account(one["account"]), one["from_us"], one["until_us"], one["reason"])
        for one in kept["stretches"]
    )
    health = tuple(
        HealthChange(
            0, kept["uuid"], HealthKind(one["kind"]), one["from_us"], one["from_us"], one["until_us"], {}
        )
        for one in kept["health"]
    )
    camera = ScheduledCamera(kept["uuid"], kept["label"])
    return CameraAccount(camera, stretches, Reckoning(**kept["sums"]), health)


def _sums(sums: Reckoning) -> dict[str, int]:
    return {
        "recorded_us": sums.recorded_us,
        "gap_us": sums.gap_us,
        "unaccounted_us": sums.unaccounted_us,
        "open_us": sums.open_us,
    }
