"""GET /metrics: the site's figures in Prometheus text format, read from the databases at each scrape.

Loopback is answered without a login, for a monitoring agent on this machine; others must be
administrators. Labels name cameras by uuid, label and room, never by address, and no person.
"""

import ipaddress
from collections.abc import Iterable
from datetime import time
from typing import Final

from flask import Blueprint, Response, abort, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from evidence import camera_alarms, day, overview
from evidence.database import ReaderDatabase
from evidence.footage import CameraState, Recording, camera_states
from evidence.health import current_health
from evidence.ledger import tree_size
from evidence.metric_facts import (
    FilesToday,
    checkpoint_age_us,
    files_since,
    gaps_since,
    kiosk_ages_us,
)
from evidence.volume_rows import volume_states
from exam.clock import SECOND_US, site_time, to_us
from web.access import ADMINISTRATION, roles
from web.metric_families import Sheet
from web.services import Services, services

blueprint: Final = Blueprint("metrics", __name__)

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@blueprint.get("/metrics")
def text() -> Response:
    if not (_is_local() or roles() & ADMINISTRATION):
        abort(403)
    registry = CollectorRegistry()
    registry.register(_SiteCollector(services()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE)


def _is_local() -> bool:
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


class _SiteCollector(Collector):
    """Reads everything anew whenever it is asked; keeps nothing."""

    def __init__(self, site: Services) -> None:
        self._site = site

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return Sheet().families()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        sheet, now_us = Sheet(), self._site.clock.wall_us()
        cameras = self._exam(sheet, now_us)
        footage = self._site.footage()
        if footage is None:
            sheet.add("recorder_up", (), 0)
            return sheet.families()
        self._footage(sheet, footage, cameras, now_us)
        return sheet.families()

    def _exam(self, sheet: Sheet, now_us: int) -> dict[str, tuple[str, str, str]]:
        """The exam side; the labels of every camera by its uuid."""
        with self._site.exam.read() as connection:
            rooms, by_room = day.load_rooms(connection), overview.room_cameras(connection)
            sheet.add("ledger_leaves", ("exam",), tree_size(connection))
            for label, silence_us in kiosk_ages_us(connection, now_us).items():
                sheet.add("kiosk_silence_seconds", (label,), silence_us / SECOND_US)
        for ledger in ("exam", "footage"):
            age_us = checkpoint_age_us(self._site.settings.data_folder, ledger, now_us)
            sheet.add("ledger_checkpoint_age_seconds", (ledger,), _seconds(age_us))
        return {
            camera.uuid: (camera.uuid, camera.label, rooms[room_id].label)
            for room_id, cameras in by_room.items()
            for camera in cameras
        }

    def _footage(
        self, sheet: Sheet, footage: ReaderDatabase, cameras: dict[str, tuple[str, str, str]], now_us: int
    ) -> None:
        with footage.read() as connection:
            sheet.add("ledger_leaves", ("footage",), tree_size(connection))
            states, troubles = camera_states(connection), current_health(connection)
            sheet.add("recorder_up", (), _is_up(states.values(), now_us))
            for uuid, labels in cameras.items():
                _state(sheet, labels, states.get(uuid), now_us)
                _files(sheet, labels, files_since(connection, uuid, _day_us(now_us)))
                for cause, gaps in gaps_since(connection, uuid, _day_us(now_us), now_us).items():
                    sheet.add("camera_gaps_today", (*labels, cause), gaps.count)
                    sheet.add("camera_gap_seconds_today", (*labels, cause), gaps.absent_us / SECOND_US)
                for change in troubles.get(uuid, ()):
                    sheet.add("camera_picture_trouble", (*labels, change.kind), 1)
            for volume in volume_states(connection):
                where = (volume.path, "reserve" if volume.is_reserve else "normal")
                sheet.add("volume_usable", where, volume.trouble is None)
                free_bytes = None if volume.space is None else volume.space.free_bytes
                sheet.add("volume_free_bytes", where, free_bytes)
                sheet.add("volume_hours_left", where, volume.hours_left)
            alarms = camera_alarms.open_alarms(connection, cameras, now_us)
        alarms += camera_alarms.index_alarms(self._site.settings.footage_db)
        self._alarms(sheet, alarms)

    def _alarms(self, sheet: Sheet, alarms: list[camera_alarms.CameraAlarm]) -> None:
        with self._site.exam.read() as connection:
            known = camera_alarms.acknowledged(connection, alarms)
        for kind in camera_alarms.AlarmKind:
            for is_known in (False, True):
                chosen = [one for one in alarms if one.key.kind is kind and (one.key in known) is is_known]
                sheet.add("alarms_open", (kind, "yes" if is_known else "no"), len(chosen))


def _is_up(states: Iterable[CameraState], now_us: int) -> bool:
    last_us = max((state.updated_at_us for state in states), default=0)
    return now_us - last_us <= camera_alarms.AWAY_US


def _state(sheet: Sheet, labels: tuple[str, str, str], state: CameraState | None, now_us: int) -> None:
    if state is None:
        return
    for one in Recording:
        sheet.add("camera_state", (*labels, one), state.state is one)
    if state.last_bytes_at_us is not None:
        sheet.add(
            "camera_last_bytes_age_seconds", labels, max(0, now_us - state.last_bytes_at_us) / SECOND_US
        )
    sheet.add("camera_bitrate_bps", labels, state.bitrate_bps)


def _files(sheet: Sheet, labels: tuple[str, str, str], files: FilesToday) -> None:
    sheet.add("camera_segments_today", labels, files.count)
    sheet.add("camera_bytes_today", labels, files.size_bytes)
    sheet.add("camera_ingest_lag_seconds", labels, _seconds(files.ingest_lag_us))
    sheet.add("camera_clock_offset_seconds", labels, _seconds(files.clock_offset_us))


def _seconds(duration_us: int | None) -> float | None:
    return None if duration_us is None else duration_us / SECOND_US


def _day_us(now_us: int) -> int:
    """When this day began at the site."""
    moment = site_time(now_us)
    return to_us(moment.combine(moment.date(), time(), moment.tzinfo))
