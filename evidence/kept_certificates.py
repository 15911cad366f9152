"""Final coverage certificates (录像覆盖证明), kept once per session with their leaf in the ledger.

The recorder keeps one when everything is settled; nobody changes it afterwards. Pages compute the
certificate anew as well and say where the two differ.
"""

import hashlib
import json
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from evidence.coverage_certificate import CameraAccount, Certificate, RoomAccount
from evidence.ledger import Body, LeafKind, append
from exam.certificate import Reckoning


@dataclass(frozen=True, slots=True)
class KeptCertificate:
    """A certificate as it was kept; `sha256` is of `content` in UTF-8, in hex."""

    session_id: int
    content: str
    sha256: str
    leaf_index: int
    made_at_us: int

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
        "code": room.scheduled.room.code,
        "label": room.scheduled.room.label,
        "from_us": schedule.from_us,
        "until_us": schedule.until_us,
        "started_at_us": schedule.started_at_us,
        "stopped_at_us": schedule.stopped_at_us,
        "sums": _sums(room.sums),
        "cameras": [_camera(camera) for camera in room.cameras],
    }


def _camera(account: CameraAccount) -> dict[str, Any]:
    stretches = [
        {"account": one.account, "from_us": one.from_us, "until_us": one.until_us, "reason": one.reason}
        for one in account.stretches
    ]
    return {
        "uuid": account.camera.uuid,
        "label": account.camera.label,
        "sums": _sums(account.sums),
        "stretches": stretches,
    }


def _sums(sums: Reckoning) -> dict[str, int]:
    return {
        "recorded_us": sums.recorded_us,
        "gap_us": sums.gap_us,
        "unaccounted_us": sums.unaccounted_us,
        "open_us": sums.open_us,
    }
