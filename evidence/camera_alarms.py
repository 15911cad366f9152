"""Camera alarms (摄像机告警): what is wrong with cameras, volumes and the recorder now, and who knows.

An alarm is no row of its own: it lasts as long as the facts of footage.db say so. Only the
acknowledgement is kept, in exam.db with its ledger leaf; it holds for the trouble that lasted then.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from evidence.fixity_rows import open_damages
from evidence.footage import SEAM_US, CameraState, Cause, Recording, camera_states
from evidence.health import current_health
from evidence.index_look import read_look
from evidence.ledger import LeafKind, append
from evidence.mirror import mirror_state
from evidence.volume_rows import volume_states
from exam.clock import SECOND_US

# The recorder rewrites its states every two seconds; silence this long means it does not run.
AWAY_US: Final = 10 * SECOND_US
# A recorder that starts, or a camera that reconnects at once, is no alarm before this.
PATIENCE_US: Final = 5 * SECOND_US
_QUIET: Final = frozenset({Recording.STOPPED, Recording.STANDBY})


class AlarmKind(StrEnum):
    """What an alarm is about."""

    RECORDER_AWAY = "recorder_away"
    VOLUME = "volume"
    NO_FOOTAGE = "no_footage"
    PICTURE = "picture"
    # Files of the camera are damaged, missing or unreadable.
    FOOTAGE = "footage"
    MIRROR = "mirror"
    # footage.db itself has damaged pages.
    INDEX = "index"
    # Something about a check-in kiosk (evidence.kiosk_alarms).
    KIOSK = "kiosk"


@dataclass(frozen=True, slots=True)
class AlarmKey:
    """Which alarm: the same one as long as its trouble lasts."""

    kind: AlarmKind
    # Uuid of the camera or kiosk; folder of the volume or mirror; empty for recorder and index.
    subject: str
    # A code of evidence.health.HealthKind for pictures, of Soundness for footage, of
    # exam.kiosk_health.Trouble for kiosks; else empty.
    code: str = ""


@dataclass(frozen=True, slots=True)
class CameraAlarm:
    """One trouble that lasts. `cause`: why, a code of Cause or Trouble; empty when the key says it all."""

    key: AlarmKey
    since_us: int
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who knows of an alarm, and since when."""

    display_name: str
    acknowledged_at_us: int


def open_alarms(footage: Connection, cameras: Iterable[str], now_us: int) -> list[CameraAlarm]:
    """Every trouble that lasts, the one that explains most first. A silent recorder hides the rest."""
    states = camera_states(footage)
    last_us = max((state.updated_at_us for state in states.values()), default=None)
    if last_us is not None and now_us - last_us > AWAY_US:
        return [CameraAlarm(AlarmKey(AlarmKind.RECORDER_AWAY, ""), last_us)]
    known = list(cameras)
    found = [*_volumes(footage)]
    for camera_uuid in known:
        alarm = _no_footage(footage, states.get(camera_uuid), now_us)
        if alarm is not None:
            found.append(alarm)
    shown = [one for one in known if one not in states or states[one].state not in _QUIET]
    return [*found, *_pictures(footage, shown), *_damages(footage), *_mirror(footage)]


def index_alarms(footage_db: Path) -> list[CameraAlarm]:
    """The trouble of the index itself, which is told from beside it. A silent recorder does not hide it."""
    look = read_look(footage_db)
    if look is None or not look.damage:
        return []
    return [CameraAlarm(AlarmKey(AlarmKind.INDEX, ""), look.since_us)]


def acknowledge(exam: Connection, alarm: CameraAlarm, account_id: int, now_us: int) -> None:
    """Keep that this person knows of the trouble."""
    key = alarm.key
    row = exam.execute(
        "insert into alarm_acknowledgement (kind, subject, code, since_us, acknowledged_by,"
        " acknowledged_at_us) values (?, ?, ?, ?, ?, ?) returning id",
        (key.kind, key.subject, key.code, alarm.since_us, account_id, now_us),
    ).fetchone()
    fact = {
        "alarm_acknowledgement_id": row["id"],
        "kind": key.kind.value,
        # A folder's name may say anything; a camera's uuid is in the ledger anyway.
        "subject_sha256": hashlib.sha256(key.subject.encode()).hexdigest(),
        "code": key.code,
        "since_us": alarm.since_us,
        "account_id": account_id,
    }
    append(exam, LeafKind.ALARM_ACKNOWLEDGED, fact, now_us)


def acknowledged(exam: Connection, alarms: Iterable[CameraAlarm]) -> dict[AlarmKey, Acknowledgement]:
    """Which of these alarms somebody knows of: said since their trouble began."""
    found = {}
    for alarm in alarms:
        row = exam.execute(
            "select display_name, acknowledged_at_us from alarm_acknowledgement"
            " join account on account.id = acknowledged_by"
            " where kind = ? and subject = ? and code = ? and acknowledged_at_us >= ?"
            " order by acknowledged_at_us limit 1",
            (alarm.key.kind, alarm.key.subject, alarm.key.code, alarm.since_us),
        ).fetchone()
        if row is not None:
            found[alarm.key] = Acknowledgement(row["display_name"], row["acknowledged_at_us"])
    return found


def _volumes(footage: Connection) -> Iterator[CameraAlarm]:
    for state in volume_states(footage):
        if state.trouble:
            yield CameraAlarm(AlarmKey(AlarmKind.VOLUME, str(state.path)), state.since_us, state.trouble)


def _pictures(footage: Connection, cameras: Iterable[str]) -> Iterator[CameraAlarm]:
    health = current_health(footage)
    for camera_uuid in cameras:
        for change in health.get(camera_uuid, ()):
            yield CameraAlarm(AlarmKey(AlarmKind.PICTURE, camera_uuid, change.kind), change.began_at_us)


def _damages(footage: Connection) -> Iterator[CameraAlarm]:
    """One alarm for a camera and a kind, as of the latest file: another one found is told anew."""
    told = set()
    for damage in open_damages(footage):
        key = AlarmKey(AlarmKind.FOOTAGE, damage.camera_uuid, damage.kind)
        if key not in told:
            told.add(key)
            yield CameraAlarm(key, damage.found_at_us)


def _mirror(footage: Connection) -> Iterator[CameraAlarm]:
    state = mirror_state(footage)
    if state is not None and state.trouble is not None:
        yield CameraAlarm(AlarmKey(AlarmKind.MIRROR, state.path), state.since_us, state.trouble)


def _no_footage(footage: Connection, state: CameraState | None, now_us: int) -> CameraAlarm | None:
    if state is None:
        return None
    # Footage is owed, and people ordered none: a mode or a stop that was forgotten costs an exam.
    is_held = state.state is Recording.STOPPED and state.cause is Cause.OPERATOR_STOP
    if state.state in _QUIET and not is_held:
        return None
    cause = "" if state.cause is None else state.cause.value
    key = AlarmKey(AlarmKind.NO_FOOTAGE, state.camera_uuid)
    if is_held or state.state in (Recording.STALLED, Recording.DOWN):
        return CameraAlarm(key, _absent_since(footage, state.camera_uuid) or state.since_us, cause)
    if state.state is Recording.RECORDING:
        return None
    since_us = _absent_since(footage, state.camera_uuid)
    if since_us is None or now_us - since_us <= PATIENCE_US or state.cause is Cause.STARTING:
        return None
    return CameraAlarm(key, since_us, cause)


def _absent_since(footage: Connection, camera_uuid: str) -> int | None:
    """When the absence that lasts began: gaps that follow one another with other causes are one absence."""
    since_us: int | None = None
    rows = footage.execute(
        "select started_at_us, ended_at_us from gap where camera_uuid = ?"
        " order by started_at_us desc, id desc",
        (camera_uuid,),
    )
    for started_at_us, ended_at_us in rows:
        if since_us is None and ended_at_us is not None:
            return None
        if since_us is not None and since_us - ended_at_us > SEAM_US:
            return since_us
        since_us = started_at_us
    return since_us
