"""All cameras together: which ones there are, ticking them, and noticing that the clock was set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from evidence.cameras import CameraSource
from evidence.database import WriterDatabase
from evidence.footage import CameraState, Cause, Recording
from evidence.footage_rows import write_states
from evidence.picture_time import ClockBreak
from evidence.presence import keep_presence
from evidence.volume_rows import VolumeFound, write_volume_states
from evidence.volumes import Volume
from exam.clock import SECOND_US
from recorder.camera_recorder import CameraRecorder, Workshop
from recorder.camera_watch import Moment
from recorder.keeper import Keeper

# More than this between the clocks is a step: somebody or NTP set the wall clock.
STEP_US: Final = SECOND_US // 2
# A tick that comes this late says that we slept, not that the cameras did.
LATE_TICK_US: Final = 2 * SECOND_US

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class Recorder:
    """Every camera of the site. Called by one thread, except `states`."""

    workshop: Workshop
    keeper: Keeper
    cameras: dict[str, CameraRecorder] = field(default_factory=dict)
    # Cameras of the site that are not wanted now: what to show, why they stopped, and since when.
    idle: dict[str, tuple[Recording, Cause, int]] = field(default_factory=dict)
    _last: Moment | None = None
    _leaving: list[CameraRecorder] = field(default_factory=list)

    def set_cameras(self, sources: Iterable[CameraSource], now: Moment) -> None:
        """Record these cameras from now on: new ones start, changed ones reconnect, missing ones stop."""
        wanted = {source.uuid: source for source in sources}
        for uuid, camera in list(self.cameras.items()):
            if uuid not in wanted:
                camera.stop(self.idle[uuid][1] if uuid in self.idle else Cause.CAMERA_RETIRED, now)
                self._leaving.append(self.cameras.pop(uuid))
            elif camera.source != wanted[uuid]:
                camera.source = wanted[uuid]
                camera.stop(Cause.CAMERA_CHANGED, now)
        for uuid, source in wanted.items():
            if uuid not in self.cameras:
                _log.info("camera_added", camera=uuid)
                self.keeper.absent(uuid, now.wall_us, Cause.STARTING)
                self.cameras[uuid] = CameraRecorder(source, self.workshop, now)

    def tick(self, now: Moment) -> bool:
        """Let every camera do what is due. True when the wall clock was set since the last tick."""
        elapsed_us = 0 if self._last is None else now.monotonic_us - self._last.monotonic_us
        has_stepped = self._look_at_clocks(now)
        self._look_at_volumes(elapsed_us, now)
        for camera in self.everybody():
            camera.tick(now)
        if self.keeper.has_changed_formats:
            self._leave_outdated_files(now)
        self._leaving = [camera for camera in self._leaving if not camera.watch.is_finished]
        return has_stepped

    def sync(self) -> None:
        """Make growing files durable."""
        self.keeper.sync([path for _camera, path in self._growing()])

    def look_into_files(self) -> None:
        """Have it looked whether growing files describe what they hold; a tick leaves those that do not."""
        self.keeper.look_into([path for _camera, path in self._growing()])

    def _growing(self) -> list[tuple[CameraRecorder, Path]]:
        return [
            (camera, path)
            for camera in self.everybody()
            if not camera.is_stopping and (path := camera.growing_file()) is not None
        ]

    def _leave_outdated_files(self, now: Moment) -> None:
        for camera, path in self._growing():
            if self.keeper.has_changed_format(path):
                camera.stop(Cause.FORMAT_CHANGE, now)

    def stop_all(self, now: Moment) -> None:
        """End every run; `is_finished` turns true when the last child is gone."""
        for camera in self.everybody():
            camera.stop(Cause.OPERATOR_STOP, now)

    @property
    def is_finished(self) -> bool:
        """Whether no child runs and none will be started."""
        return all(camera.watch.is_finished for camera in self.everybody())

    def states(self, now: Moment) -> list[CameraState]:
        """What to show for every camera."""
        resting = [
            CameraState(
                uuid, state, since_us, None, None if state is Recording.STANDBY else cause, 0, now.wall_us
            )
            for uuid, (state, cause, since_us) in list(self.idle.items())
        ]
        return [*(camera.state(now) for camera in list(self.cameras.values())), *resting]

    def shown(self) -> list[tuple[str, Recording, Cause | None]]:
        """What people look at: it is worth a row at once when this changes."""
        resting = [(uuid, state, cause) for uuid, (state, cause, _) in self.idle.items()]
        return [*((uuid, *camera.shown) for uuid, camera in self.cameras.items()), *resting]

    def write_rates(self, states: Iterable[CameraState]) -> list[tuple[Volume | None, int]]:
        """Where each camera writes, and how many bits per second."""
        bps = {state.camera_uuid: state.bitrate_bps for state in states}
        return [(camera.volume, bps.get(uuid, 0)) for uuid, camera in list(self.cameras.items())]

    def everybody(self) -> list[CameraRecorder]:
        """All cameras, those that are being stopped for good included."""
        return [*self.cameras.values(), *self._leaving]

    def _look_at_volumes(self, elapsed_us: int, now: Moment) -> None:
        volumes = self.workshop.volumes
        found: dict[Volume, tuple[Cause | None, bool]] = {}
        for camera in self.everybody():
            volume = camera.volume
            if volume is None or camera.is_stopping:
                continue
            if volume not in found:  # once for all cameras that write there
                found[volume] = volumes.cause_to_leave(volume), volumes.is_slow(volume)
            cause, is_slow = found[volume]
            if cause is not None:
                camera.stop(cause, now)
            elif is_slow:  # the disk's silence is not the camera's
                camera.disk_hangs(elapsed_us, now)

    def _look_at_clocks(self, now: Moment) -> bool:
        last, self._last = self._last, now
        if last is None:
            return False
        elapsed_us = now.monotonic_us - last.monotonic_us
        if elapsed_us > LATE_TICK_US:
            _log.warning("tick_late", late_us=elapsed_us)
            for camera in self.everybody():
                camera.watch.forgive(elapsed_us)
        step_us = now.wall_us - last.wall_us - elapsed_us
        has_stepped = abs(step_us) > STEP_US
        if has_stepped:
            _log.warning("clock_step", step_us=step_us)
            self.keeper.clock_stepped(now.wall_us, step_us)
            for camera in self.everybody():
                camera.clock_stepped(ClockBreak(step_us, last.wall_us), now)
        return has_stepped


@dataclass(frozen=True, slots=True)
class Beside:
    """What is shown beside the cameras: that the service is there, and its volumes."""

    presence_id: int
    volumes: Sequence[VolumeFound]
    now_us: int


def write_camera_states(
    database: WriterDatabase, states: Sequence[CameraState], beside: Beside | None = None
) -> None:
    """Show the console what every camera does, all in one transaction."""
    with database.write() as connection:
        write_states(connection, states)
        if beside is not None:
            keep_presence(connection, beside.presence_id, beside.now_us)
            write_volume_states(connection, beside.volumes, beside.now_us)
