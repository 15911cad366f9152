"""Which cameras record now: starts and stops them by the plan, and lets the keeper know what is owed.

What is owed is decided in `exam.recording_decision`; this module acts on it every two seconds. A camera
of which nothing is owed stands by: no connection, no gap, no alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from evidence.cameras import CameraSource
from evidence.footage import Cause, Recording
from evidence.recording_plan import RecordingPlan
from exam.clock import SECOND_US
from exam.recording_decision import NEVER_US, Decision, Ground, Owed, RoomRecording, decide
from recorder.camera_watch import Moment
from recorder.recorder import Recorder

# What is owed while the plan cannot be read: rather too much footage than too little.
ALWAYS: Final = (Owed(0, NEVER_US, Ground.ALL_DAY),)
# How long exam.db may be unreadable before the cameras known last record whatever was planned. Shorter than
# the lead of an interval, so that no session begins with its cameras standing by.
UNREADABLE_US: Final = 20 * SECOND_US
_IDLE: Final[Mapping[RoomRecording, tuple[Recording, Cause]]] = {
    RoomRecording.STAND_BY: (Recording.STANDBY, Cause.SCHEDULE_OVER),
    RoomRecording.HELD: (Recording.STOPPED, Cause.OPERATOR_STOP),
}

_log: Final = structlog.get_logger("recorder")


@dataclass(slots=True)
class WantedCameras:
    """Applies the plan to the recorder. Called by the recorder's loop only."""

    recorder: Recorder
    began_us: int
    # By camera: the start of the interval in which its absence has been looked at.
    _entered: dict[str, int] = field(default_factory=dict)
    _known: Sequence[CameraSource] = ()
    # Monotonic: since when the cameras cannot be read.
    _unreadable_since_us: int | None = None

    def cannot_tell(self, now: Moment) -> None:
        """The cameras cannot be read: after a while those known last record, lest they miss an exam."""
        if self._unreadable_since_us is None:
            self._unreadable_since_us = now.monotonic_us
        elif now.monotonic_us - self._unreadable_since_us >= UNREADABLE_US and self._known:
            self._apply(self._known, None, now)

    def apply(self, sources: Sequence[CameraSource], plan: RecordingPlan | None, now: Moment) -> None:
        """Record what is wanted now, stop the rest, and write down what is owed and not there."""
        self._known, self._unreadable_since_us = sources, None
        self._apply(sources, plan, now)

    def _apply(self, sources: Sequence[CameraSource], plan: RecordingPlan | None, now: Moment) -> None:
        owed = {
            source.uuid: ALWAYS if plan is None else plan.owed.get(source.room_id, ()) for source in sources
        }
        self.recorder.keeper.owed.set(owed, self.began_us)
        decisions = {uuid: decide(own, now.wall_us) for uuid, own in owed.items()}
        wanted = [one for one in sources if decisions[one.uuid].state is RoomRecording.RECORD]
        self._rest(decisions, now)
        for uuid, own in owed.items():
            self._enter(uuid, own, now)
        self.recorder.set_cameras(wanted, now)

    def _rest(self, decisions: Mapping[str, Decision], now: Moment) -> None:
        idle = self.recorder.idle
        for uuid in [one for one in idle if one not in decisions]:
            del idle[uuid]
        for uuid, decision in decisions.items():
            shown = _IDLE.get(decision.state)
            if shown is None:
                idle.pop(uuid, None)
            elif idle.get(uuid, (None, None, 0))[:2] != shown:
                _log.info("camera_rests", camera=uuid, state=shown[0], until_us=decision.until_us)
                idle[uuid] = (*shown, now.wall_us)

    def _enter(self, uuid: str, owed: Sequence[Owed], now: Moment) -> None:
        """Once in every interval: a camera that does not record from its first second on is absent."""
        interval = next((one for one in owed if one.contains(now.wall_us)), None)
        if interval is None or self._entered.get(uuid) == interval.from_us:
            return
        self._entered[uuid] = interval.from_us
        camera = self.recorder.cameras.get(uuid)
        at_us = min(max(interval.from_us, self.began_us), now.wall_us)
        if camera is None:
            is_held = uuid in self.recorder.idle
            self.recorder.keeper.absent(uuid, at_us, Cause.OPERATOR_STOP if is_held else Cause.STARTING)
        elif camera.watch.state is not Recording.RECORDING:
            self.recorder.keeper.absent(uuid, at_us, camera.watch.cause or Cause.STARTING)
