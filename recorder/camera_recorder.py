"""One camera: its child, its current run, and what becomes of what the child says.

Acts on what `recorder.camera_watch` decides; hands everything slow to the keeper. Called by one
thread only, the recorder's loop.
"""

import zlib
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

import structlog

from evidence.cameras import CameraSource
from evidence.footage import CameraState, Cause, Recording
from evidence.footage_rows import NewRun
from evidence.picture_time import ClockBreak, Ending
from evidence.volumes import Volume
from exam.clock import SECOND_US
from recorder.camera_watch import FINAL_CAUSES, CameraWatch, MediaWatch, Moment, Order
from recorder.capture_command import (
    PATIENT_TIMEOUT_US,
    SHORT_TIMEOUT_US,
    Rotation,
    capture_address,
    capture_command,
    secrets_of,
)
from recorder.capture_words import (
    ClosedLine,
    FrameCount,
    MediaTime,
    StillGoing,
    cause_of,
    scrubbed,
    understand,
)
from recorder.keeper import FileClosed, Keeper, RunOnDisk, RunOver
from recorder.sound_choice import SoundChoice

# Enough of a child's last words to tell why it ended.
LAST_WORDS: Final = 20
# How long after a disk hung reports may still speak of pictures that waited for it.
DISK_BACKLOG_US: Final = 4 * SECOND_US
# How the child marks lines that tell of no trouble.
_INFORMATION: Final = "[info]"
# Over how long the shown bit rate is averaged, in readings of about two seconds.
RATE_READINGS: Final = 6

_log: Final = structlog.get_logger("recorder")


class Child(Protocol):
    """A running capture program."""

    def interrupt(self) -> None:
        """Ask it to finish its file and end."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class Launcher(Protocol):
    """Starts capture programs and delivers what they say to the camera that owns them."""

    def launch(self, camera: "CameraRecorder", command: list[str], address: str, folder: Path) -> Child:
        """Start the program in a folder, with the address on its standard input. Raises OSError."""
        ...


class Volumes(Protocol):
    """The footage folders, as a camera sees them."""

    def choose(self) -> Volume | Cause:
        """Where to begin a file; or why nowhere."""
        ...

    def blame(self, volume: Volume) -> None:
        """A file could not be written there."""
        ...

    def cause_to_leave(self, volume: Volume) -> Cause | None:
        """Why a camera must not go on writing there; None when it may."""
        ...

    def is_slow(self, volume: Volume) -> bool:
        """Whether the disk hangs at this moment."""
        ...


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all cameras share."""

    launcher: Launcher
    keeper: Keeper
    boot_id: str
    segment_seconds: int
    records_sound: bool
    volumes: Volumes


class CameraRecorder:
    """Keeps one camera recording."""

    def __init__(self, source: CameraSource, workshop: Workshop, now: Moment) -> None:
        self.source = source
        self.watch = CameraWatch(now.wall_us)
        self._workshop = workshop
        self._child: Child | None = None
        self._where: RunOnDisk | None = None
        self._media = MediaWatch()
        self._sequence = 0
        self._frames = 0
        self._has_new_frames = False
        self._is_recorded = False
        self._clock_break: ClockBreak | None = None
        self._disk_hung_at_us: int | None = None  # monotonic
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._readings: deque[tuple[int, int]] = deque(maxlen=RATE_READINGS)
        self._closed_bytes = 0
        self._began_media_us = 0  # of the growing file, in its run
        self._closed: list[FileClosed] = []
        self._secrets: list[str] = []
        self._sound = SoundChoice(workshop.records_sound, before=workshop.keeper.last_sound(source.uuid))

    @property
    def volume(self) -> Volume | None:
        """Where the current run writes."""
        return None if self._where is None else self._where.volume

    @property
    def is_stopping(self) -> bool:
        """Whether the child was told to end and has not yet."""
        return self._child is not None and self.watch.stop_cause is not None

    def tick(self, now: Moment) -> None:
        """Do what is due: connect, stop a stalled child, kill one that does not end."""
        order = self.watch.decide(now)
        if order is Order.START:
            self._start(now)
        elif order is Order.STOP:
            self.stop(self.watch.impatience, now)
        elif order is Order.KILL and self._child is not None:
            self._child.kill()
        elif self._child is not None and self._sound.is_to_be_left_out and not self.is_stopping:
            self.stop(Cause.UNPLAYABLE, now)

    def disk_hangs(self, late_us: int, now: Moment) -> None:
        """The disk takes nothing at the moment: its silence is not the camera's."""
        self._disk_hung_at_us = now.monotonic_us
        self.watch.forgive(late_us)

    def stop(self, cause: Cause, now: Moment) -> None:
        """End the current run. Unless the cause is final, a new one begins soon."""
        is_final = cause in FINAL_CAUSES
        if self._child is None and is_final and not self.watch.is_finished:
            self._workshop.keeper.absent(self.source.uuid, now.wall_us, cause)
        self.watch.stopping(cause, now)
        if self._child is not None:
            _log.info("stopping", camera=self.source.uuid, cause=cause)
            self._child.interrupt()

    def clock_stepped(self, clock_break: ClockBreak, now: Moment) -> None:
        """The wall clock was set: what this run records from now on would be dated by two clocks."""
        if self._child is not None:
            self._clock_break = clock_break
            self.stop(Cause.CLOCK_STEP, now)

    def on_output(self, line: str, now: Moment) -> None:
        """One line of the child's standard output."""
        match understand(line):
            case FrameCount(frames):
                self._has_new_frames = frames > self._frames
                self._frames = frames
            case MediaTime(media_us) if self._has_new_frames:
                self._advanced(media_us, now)
            case ClosedLine() as closed:
                self._file_closed(closed, now)
            case StillGoing():
                self._hand_over(Ending.NEXT_KEYFRAME)

    def on_error_line(self, line: str) -> None:
        """One line of the child's standard error."""
        self._sound.heard(line)
        if _INFORMATION in line:  # about the streams; what goes wrong is told louder
            return
        # The child may still know a password that has been changed since.
        self._last_words.append(scrubbed(line, {*self._secrets, *secrets_of(self.source)}))

    def on_ended(self, now: Moment) -> None:
        """The child is gone. Unless it was told to go, that is a fault, whatever its exit status."""
        cause = self.watch.stop_cause or self._cause_of_fault()
        is_hanging = self.watch.stop_cause is Cause.UNREACHABLE
        if self.watch.stop_cause is None or is_hanging or cause is Cause.STALLED:
            self._sound.ended(cause, is_proven=self.watch.is_proven(now), is_hanging=is_hanging)
        assert self._where is not None
        # A camera that stays away is told once, not every two seconds.
        if self.watch.stop_cause is None and cause is not self.watch.cause:
            _log.warning(
                "run_ended", camera=self.source.uuid, cause=cause, last_words=list(self._last_words)[-3:]
            )
        self._hand_over(Ending.INTERRUPTED if self.watch.stop_cause else Ending.CAMERA_SILENT)
        if self.watch.stop_cause is None and cause in (Cause.DISK_FULL, Cause.DISK_FAULT):
            self._workshop.volumes.blame(self._where.volume)
        over = RunOver(self._sequence, now.wall_us, cause, self._clock_break, self._began_by_us())
        self._workshop.keeper.run_over(self._where, over)
        self._child = self._where = None
        self.watch.failed(cause, now)

    def _cause_of_fault(self) -> Cause:
        if self.watch.state is Recording.STALLED:  # the child's own patience ended before ours
            return Cause.STALLED
        return cause_of(self._last_words, has_recorded=self.watch.has_advanced)

    def growing_file(self) -> Path | None:
        """The file being written."""
        return None if self._where is None else self._where.growing(self._sequence)

    @property
    def shown(self) -> tuple[Recording, Cause | None]:
        """What it does, and why not."""
        return self.watch.state, self.watch.cause or self._workshop.keeper.trouble_of(self.source.uuid)

    def state(self, now: Moment) -> CameraState:
        """What to show on the console."""
        recording, cause = self.shown
        return CameraState(
            camera_uuid=self.source.uuid,
            state=recording,
            since_us=self.watch.since_us,
            last_bytes_at_us=self.watch.last_bytes_at_us,
            cause=cause,
            bitrate_bps=self._bitrate_bps(now),
            updated_at_us=now.wall_us,
        )

    def _start(self, now: Moment) -> None:
        volume = self._workshop.volumes.choose()
        if isinstance(volume, Cause):
            self._not_started(volume, now)
            return
        run = NewRun(str(uuid4()), self.source.uuid, self._workshop.boot_id, now.wall_us, now.monotonic_us)
        sound = self._sound.begin()
        command = capture_command(self.source.uuid, run.uuid, self._rotation(), sound)
        timeout_us = PATIENT_TIMEOUT_US if self.watch.needs_patience else SHORT_TIMEOUT_US
        address = capture_address(self.source, timeout_us, sound=sound)
        self._secrets = secrets_of(self.source)
        try:
            self._child = self._workshop.launcher.launch(self, command, address, volume.growing)
        except OSError as error:
            _log.exception("capture_not_started", camera=self.source.uuid, error=str(error))
            self._not_started(Cause.DISK_FAULT, now)
            return
        self._where = RunOnDisk(run, volume)
        self._media = MediaWatch()
        self._sequence = self._frames = self._closed_bytes = self._began_media_us = 0
        self._is_recorded, self._has_new_frames, self._clock_break = False, False, None
        self._last_words.clear()
        self._readings.clear()
        self.watch.started(now)

    def _not_started(self, cause: Cause, now: Moment) -> None:
        self._workshop.keeper.absent(self.source.uuid, now.wall_us, cause)
        self.watch.failed(cause, now)

    def _rotation(self) -> Rotation:
        # The same second of the minute for the life of a camera, another one than its neighbours'.
        seconds = self._workshop.segment_seconds
        return Rotation(seconds, round(zlib.crc32(self.source.uuid.encode()) % 1000 * seconds / 1000, 3))

    def _advanced(self, media_us: int, now: Moment) -> None:
        assert self._where is not None
        self._has_new_frames = False
        if not self._is_recorded:
            self._is_recorded = True
            self._workshop.keeper.begin_run(self._where.run)
        has_leapt = self._media.observe(media_us, now)
        self.watch.advanced(self._arrival(now), now)
        if has_leapt and not self.is_stopping:
            self.stop(Cause.TIMESTAMP_JUMP, now)

    def _arrival(self, now: Moment) -> Moment:
        """When the last picture arrived; after a disk hung, pictures that waited behind it count as new."""
        hung_us = self._disk_hung_at_us
        if self._media.arrived is None or (hung_us and now.monotonic_us - hung_us < DISK_BACKLOG_US):
            return now
        return self._media.arrived

    def _file_closed(self, line: ClosedLine, now: Moment) -> None:
        assert self._where is not None
        if line.file_name != self._where.growing(self._sequence).name:
            _log.error("unexpected_file", camera=self.source.uuid, file=line.file_name)
            return
        self._closed_bytes += _size(self._where.growing(self._sequence))
        arrived_by_us = None
        if self.watch.state is Recording.STALLED:
            arrived_by_us = self._media.ended_at_us(line.ended_media_us)
        began_by_us = self._began_by_us()
        self._closed.append(
            FileClosed(self._sequence, now.wall_us, arrived_by_us=arrived_by_us, began_by_us=began_by_us)
        )
        self._sequence += 1
        self._began_media_us = line.ended_media_us

    def _began_by_us(self) -> int | None:
        return self._media.ended_at_us(self._began_media_us)

    def _hand_over(self, ending: Ending) -> None:
        # Only the words after a closed file tell whether a keyframe closed it or the end of the run.
        assert self._where is not None
        for closed in self._closed:
            self._workshop.keeper.file_closed(
                self._where, replace(closed, ending=ending, clock_break=self._clock_break)
            )
        self._closed.clear()

    def _bitrate_bps(self, now: Moment) -> int:
        path = self.growing_file()
        if path is None or self.watch.state is not Recording.RECORDING:
            self._readings.clear()
            return 0
        self._readings.append((now.monotonic_us, self._closed_bytes + _size(path)))
        (from_us, from_bytes), (until_us, until_bytes) = self._readings[0], self._readings[-1]
        if until_us <= from_us:
            return 0
        return max(0, (until_bytes - from_bytes) * 8_000_000 // (until_us - from_us))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # being closed or moved at this moment, or on a disk that fails: only a shown figure
        return 0
