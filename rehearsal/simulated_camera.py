"""One simulated camera: its encoder's frames, its faults, and the clients that watch it.

All clients see the same frames at the same time, as with a real camera; each begins at a keyframe.
Everything here runs in the server's one event loop.
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from exam.clock import SECOND_US, Clock
from rehearsal.camera_clock import CameraClock
from rehearsal.camera_picture import EncodedPicture, PictureSource, PictureState
from rehearsal.camera_plan import CameraPlan, Fault
from rehearsal.camera_sound import CameraSound
from rehearsal.h264_loop import Loop
from rehearsal.plain_loop import PlainLoop, PlainSource
from rehearsal.rtp import RTP_CLOCK_HZ, RtpSender
from rehearsal.rtsp_messages import session_description
from rehearsal.sent_log import SentFrame, SentLog, first_counter

_LARGEST_BACKLOG_BYTES: Final = 4_000_000


class Connection(Protocol):
    """What a viewer needs of the client's connection."""

    def send(self, packets: bytes) -> None: ...

    def backlog_bytes(self) -> int: ...

    def close(self) -> None: ...


class _Progress(Enum):
    WAITING_FOR_KEYFRAME = auto()
    WATCHING = auto()


@dataclass(slots=True)
class Viewer:
    """One client that plays."""

    connection: Connection
    sender: RtpSender | None = None
    sound_sender: RtpSender | None = None
    progress: _Progress = _Progress.WAITING_FOR_KEYFRAME
    next_report_us: int = 0
    is_sound_report_due: bool = False


class SimulatedCamera:
    """Sends frames while anybody watches, and obeys the faults that are switched on."""

    def __init__(
        self,
        plan: CameraPlan,
        loop: Loop | PlainLoop,
        clock: Clock,
        index: int = 0,
        log: SentLog | None = None,
    ) -> None:
        self.plan = plan
        self.faults = set(plan.faults)
        self._clock = clock
        self._log = log
        self.camera_clock = CameraClock.started(clock, plan.clock_offset_s, plan.clock_drift_ppm, plan.fps)
        self._counter_at_start = first_counter(clock.wall_us(), plan.fps, index)
        digest = hashlib.sha256(plan.name.encode()).digest()
        self.ssrc = int.from_bytes(digest[:4], "big")
        self._rtp_start = int.from_bytes(digest[4:8], "big") if plan.rtp_start is None else plan.rtp_start
        self._clock_step_us = 0
        self._source = _source(loop, plan.label)
        # What the microphone sends; None: this camera has none.
        self.sound: CameraSound | None = None
        self._viewers: list[Viewer] = []
        self._watched = asyncio.Event()

    @property
    def loop(self) -> Loop | PlainLoop:
        """The loop that new connections are told about."""
        return self._source.wanted_loop

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def camera_us(self) -> int:
        """The camera's own time now."""
        frame = self.camera_clock.next_frame(self._clock.monotonic_us())
        return self.camera_clock.frame_camera_us(frame) + self._clock_step_us

    def new_sender(self, channel: int) -> RtpSender:
        return RtpSender(self.ssrc, channel, self.ssrc & 0xFFFF)

    def new_sound_sender(self, channel: int) -> RtpSender | None:
        """The sender of the second track; None when this camera has no sound."""
        if self.sound is None:
            return None
        return RtpSender(self.ssrc ^ 1, channel, 0, self.sound.loop.format.payload_type)

    def description(self) -> str:
        """What new connections are told."""
        sound = () if self.sound is None else self.sound.loop.description()
        return session_description(self.loop.description(), sound)

    def play(self, viewer: Viewer) -> None:
        """The viewer gets frames from the next keyframe on."""
        self._viewers.append(viewer)
        self._watched.set()

    def leave(self, viewer: Viewer) -> None:
        if viewer in self._viewers:
            self._viewers.remove(viewer)
        if not self._viewers:
            self._watched.clear()

    def change_loop(self, loop: Loop | PlainLoop) -> None:
        """Show another loop from the next keyframe on, even with another picture size.

        Another codec needs another connection: the caller sends everybody away.
        """
        if isinstance(loop, Loop) and isinstance(self._source, PictureSource):
            self._source.wanted_loop = loop
        else:
            self._source = _source(loop, self.plan.label)

    def jump_timestamps(self, seconds: float) -> None:
        """RTP timestamps leap; the camera's clock does not."""
        self._rtp_start += round(seconds * RTP_CLOCK_HZ)

    def step_clock(self, seconds: float) -> None:
        """The camera's clock is set; RTP timestamps run on."""
        self._clock_step_us += round(seconds * SECOND_US)

    async def run(self) -> None:
        """Send frames for ever."""
        while True:
            await self._watched.wait()
            self._source.forget()
            frame = self.camera_clock.next_frame(self._clock.monotonic_us())
            while self._viewers:
                await asyncio.sleep(self._until_due_s(frame))
                self._send(frame)
                frame += 1

    def _until_due_s(self, frame: int) -> float:
        return max(0, self.camera_clock.frame_due_us(frame) - self._clock.monotonic_us()) / SECOND_US

    def _send(self, frame: int) -> None:
        picture = self._source.picture(frame, self._picture_state(frame))
        if picture is None or Fault.STALL in self.faults:
            self._make_viewers_wait()
            return
        sent = self._record_of(frame, picture)
        for viewer in list(self._viewers):
            self._send_to(viewer, picture, sent)
            if viewer.progress is _Progress.WATCHING and viewer.sound_sender is not None:
                self._send_sound(viewer, viewer.sound_sender, frame)
        if self._log is not None and any(viewer.progress is _Progress.WATCHING for viewer in self._viewers):
            self._log.append(sent)

    def _picture_state(self, frame: int) -> PictureState:
        return PictureState(
            counter=(self._counter_at_start + frame) % (1 << 24),
            camera_us=self.camera_clock.frame_camera_us(frame) + self._clock_step_us,
            frozen=Fault.FROZEN in self.faults,
            black=Fault.BLACK in self.faults,
        )

    def _record_of(self, frame: int, picture: EncodedPicture) -> SentFrame:
        return SentFrame(
            sent_at_us=self._clock.wall_us(),
            camera_us=self.camera_clock.frame_camera_us(frame) + self._clock_step_us,
            counter=picture.counter,
            rtp_timestamp=self._rtp_timestamp(frame + picture.shown_later),
            is_keyframe=picture.is_keyframe,
        )

    def _rtp_timestamp(self, frame: int) -> int:
        return (self._rtp_start + frame * RTP_CLOCK_HZ // self.plan.fps) & 0xFFFFFFFF

    def _send_to(self, viewer: Viewer, picture: EncodedPicture, sent: SentFrame) -> None:
        if viewer.connection.backlog_bytes() > _LARGEST_BACKLOG_BYTES:
            viewer.progress = _Progress.WAITING_FOR_KEYFRAME
        elif picture.is_keyframe:
            viewer.progress = _Progress.WATCHING
        if viewer.progress is _Progress.WAITING_FOR_KEYFRAME or viewer.sender is None:
            return
        packets = b""
        now_us = self._clock.monotonic_us()
        if self._reports_are_sent() and now_us >= viewer.next_report_us:
            viewer.next_report_us = now_us + round(self.plan.report_interval_s * SECOND_US)
            viewer.is_sound_report_due = True
            packets = viewer.sender.sender_report(sent.camera_us, sent.rtp_timestamp)
        payloads = picture.payloads
        if Fault.GARBAGE in self.faults:
            payloads = tuple(secrets.token_bytes(len(payload)) for payload in payloads)
        viewer.connection.send(packets + viewer.sender.frame(payloads, sent.rtp_timestamp))

    def _send_sound(self, viewer: Viewer, sender: RtpSender, frame: int) -> None:
        assert self.sound is not None
        if Fault.SOUND_STOPS in self.faults:
            return
        packets = b""
        if viewer.is_sound_report_due:
            viewer.is_sound_report_due = False
            camera_us = self.camera_clock.frame_camera_us(frame) + self._clock_step_us
            packets = sender.sender_report(camera_us, self.sound.timestamp(frame))
        for payload, timestamp in self.sound.due(frame):
            sent = secrets.token_bytes(len(payload)) if Fault.SOUND_GARBAGE in self.faults else payload
            packets += sender.frame([sent], timestamp)
        if packets:
            viewer.connection.send(packets)

    def _reports_are_sent(self) -> bool:
        return self.plan.sender_reports and Fault.NO_SENDER_REPORTS not in self.faults

    def _make_viewers_wait(self) -> None:
        for viewer in self._viewers:
            viewer.progress = _Progress.WAITING_FOR_KEYFRAME


def _source(loop: Loop | PlainLoop, label: str) -> PictureSource | PlainSource:
    return PictureSource(loop, label) if isinstance(loop, Loop) else PlainSource(loop)
