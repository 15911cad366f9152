"""Alarms about check-in kiosks: what needs a person, read from their last words whenever it is asked."""

from sqlite3 import Connection

from evidence.camera_alarms import AlarmKey, AlarmKind, CameraAlarm
from evidence.kiosk_states import load_beats
from evidence.kiosks import load_kiosks
from exam.kiosk_health import troubles


def kiosk_alarms(connection: Connection, now_us: int) -> list[CameraAlarm]:
    """Every trouble of every kiosk that is not revoked."""
    beats = load_beats(connection)
    return [
        CameraAlarm(AlarmKey(AlarmKind.KIOSK, kiosk.uuid, found.trouble), found.since_us)
        for kiosk in load_kiosks(connection)
        if kiosk.id in beats
        for found in troubles(beats[kiosk.id], now_us)
    ]
