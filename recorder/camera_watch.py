"""Deciding, for one camera, when to connect, when to lose patience and what to show.

Pure rules over moments: this module decides, `recorder.camera_recorder` acts. Patience runs on the
monotonic clock, so that setting the wall clock neither kills a healthy camera nor spares a dead one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence.footage import Cause, Recording
from exam.clock import SECOND_US

# From order to first picture: login, description and one interval between keyframes.
CONNECT_PATIENCE_US: Final = 20 * SECOND_US
STALL_WARNING_US: Final = 3 * SECOND_US
# Later than the child's own patience, which ends up to 3.9 s after the last packet and so up to 4.9 s after
# the last report: a child that is interrupted while it waits begins its wait anew, is killed, and its last
# fragment is lost.
STALL_PATIENCE_US: Final = 6 * SECOND_US
# How long a child asked to stop may take to write its last fragment.
STOP_PATIENCE_US: Final = 3 * SECOND_US // 2
# From the start of one attempt to the next, at least: one that hung as long is followed at once. For ever,
# and never slower than the last: an exam does not wait.
RETRY_US: Final = (1 * SECOND_US, 1 * SECOND_US, 2 * SECOND_US)
# Between the end of a child and the next one: a camera may need a moment to notice that it was left.
BREATH_US: Final = SECOND_US // 4
# One attempt in so many has patience with a slow camera. One that answered without it gets it more rarely,
# because a patient attempt that hangs costs footage when the camera comes back meanwhile; one that needed it
# gets it in every other attempt, the first after a good run among them.
PATIENT_ONE_IN: Final = {None: 4, True: 12, False: 2}
# The camera answered at once, and no: more patience would not have helped.
ANSWERED: Final = frozenset({Cause.REFUSED, Cause.UNAUTHORIZED, Cause.TOO_MANY_SESSIONS})
# First pictures this soon after the start of a patient attempt do not make a quick camera a slow one.
SOON_US: Final = 6 * SECOND_US
# A run this long counts as success: the next fault starts with the shortest wait again.
PROVEN_US: Final = 10 * SECOND_US
# The camera's media may lead or lag our clock by this much before its timestamps have jumped.
JUMP_US: Final = 8 * SECOND_US
# Reports come every second; one that comes later than this was held up.
LATE_REPORT_US: Final = 2 * SECOND_US
# How much the usual lead follows per report of about a second: a thousand parts per million, more than
# any camera's clock drifts.
SLEW_US: Final = 1000


# After these nothing is started again: a camera that is wanted later begins anew.
FINAL_CAUSES: Final = frozenset({Cause.OPERATOR_STOP, Cause.CAMERA_RETIRED, Cause.SCHEDULE_OVER})


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant by both clocks."""

    wall_us: int
    monotonic_us: int


class Order(StrEnum):
    """What is to be done with a camera's child now."""

    NOTHING = "nothing"
    START = "start"
    STOP = "stop"
    KILL = "kill"


class _Phase(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"


@dataclass(slots=True)
class CameraWatch:
    """The patience with one camera. `stop_cause` tells why the child is being stopped, if it is."""

    since_us: int
    state: Recording = Recording.CONNECTING
    cause: Cause | None = Cause.STARTING
    last_bytes_at_us: int | None = None
    stop_cause: Cause | None = None
    is_wanted: bool = True
    _phase: _Phase = _Phase.WAITING
    _changed_at_us: int = 0  # monotonic: when the phase began, or when the next attempt is due
    _started_at_us: int = 0  # monotonic
    _advanced_at_us: int | None = None
    _failures: int = 0
    _unanswered: int = 0
    _is_patient: bool = False
    # Whether its latest pictures came without patience; None: it has sent none yet.
    _is_quick: bool | None = None

    @property
    def needs_patience(self) -> bool:
        """Whether the next attempt should wait longer for answers than the last one did."""
        one_in = PATIENT_ONE_IN[self._is_quick]
        return self._unanswered % one_in == one_in - 1

    @property
    def is_finished(self) -> bool:
        """Whether nothing runs and nothing will be started."""
        return self._phase is _Phase.FINISHED

    @property
    def has_advanced(self) -> bool:
        """Whether this connection has brought pictures."""
        return self._advanced_at_us is not None

    @property
    def impatience(self) -> Cause:
        """Why patience was lost, when it was."""
        return Cause.STALLED if self.has_advanced else Cause.UNREACHABLE

    def decide(self, now: Moment) -> Order:
        """What to do now. Shows a stall from its first warning on."""
        if self._phase is _Phase.WAITING:
            return Order.START if now.monotonic_us >= self._changed_at_us else Order.NOTHING
        if self._phase is _Phase.STOPPING:
            is_late = now.monotonic_us - self._changed_at_us >= STOP_PATIENCE_US
            return Order.KILL if is_late else Order.NOTHING
        if self._phase is _Phase.RUNNING and self._lost_patience(now):
            return Order.STOP
        return Order.NOTHING

    def _lost_patience(self, now: Moment) -> bool:
        if self._advanced_at_us is None:
            return now.monotonic_us - self._changed_at_us >= CONNECT_PATIENCE_US
        silence_us = now.monotonic_us - self._advanced_at_us
        if silence_us >= STALL_WARNING_US:
            self._show(Recording.STALLED, Cause.STALLED, now)
        return silence_us >= STALL_PATIENCE_US

    def started(self, now: Moment) -> None:
        """A child was started."""
        self._is_patient = self.needs_patience
        self._phase = _Phase.RUNNING
        self._changed_at_us = self._started_at_us = now.monotonic_us
        self._advanced_at_us = self.stop_cause = None

    def advanced(self, arrived: Moment, now: Moment) -> None:
        """The camera has brought pictures, the last of them at that moment."""
        if self._advanced_at_us is None:
            self._is_quick = self._is_quick_now(now)
        self._advanced_at_us = arrived.monotonic_us
        self.last_bytes_at_us = arrived.wall_us
        is_fresh = now.monotonic_us - arrived.monotonic_us < STALL_WARNING_US
        if self._phase is _Phase.RUNNING and is_fresh:
            self._show(Recording.RECORDING, None, now)

    def _is_quick_now(self, now: Moment) -> bool:
        """Whether the camera needed no patience; one known as quick may be given some without need."""
        is_soon = now.monotonic_us - self._started_at_us < SOON_US
        return not self._is_patient or (self._is_quick is True and is_soon)

    def stopping(self, cause: Cause, now: Moment) -> None:
        """The child was told to stop, or there is none and none shall be started for now."""
        self.stop_cause = cause
        self.is_wanted = self.is_wanted and cause not in FINAL_CAUSES
        if self._phase is _Phase.RUNNING:
            self._phase, self._changed_at_us = _Phase.STOPPING, now.monotonic_us
        elif self._phase is _Phase.WAITING and not self.is_wanted:
            self._finish(now)

    def is_proven(self, now: Moment) -> bool:
        """Whether this connection has lasted long enough to count as success."""
        return self.has_advanced and now.monotonic_us - self._started_at_us >= PROVEN_US

    def failed(self, cause: Cause, now: Moment) -> None:
        """The child is gone, or could not be started. The next attempt follows soon, for ever."""
        if not self.is_wanted:
            self._finish(now)
            return
        if self.is_proven(now):
            self._failures = self._unanswered = 0
        was_started = self._phase is not _Phase.WAITING
        begun_us = self._started_at_us if was_started else now.monotonic_us
        due_us = begun_us + RETRY_US[min(self._failures, len(RETRY_US) - 1)]
        self._failures += 1
        self._unanswered += cause not in ANSWERED
        self._phase, self._changed_at_us = _Phase.WAITING, max(due_us, now.monotonic_us + BREATH_US)
        self._show(Recording.DOWN, cause, now)

    def forgive(self, late_us: int) -> None:
        """We ourselves were late, not the camera: do not count that time against it."""
        if self._phase is _Phase.WAITING:
            return
        self._changed_at_us += late_us
        if self._advanced_at_us is not None:
            self._advanced_at_us += late_us

    def _finish(self, now: Moment) -> None:
        self._phase = _Phase.FINISHED
        self._show(Recording.STOPPED, self.stop_cause, now)

    def _show(self, state: Recording, cause: Cause | None, now: Moment) -> None:
        if self.state is not state:
            self.since_us = now.wall_us
        self.state, self.cause = state, cause


@dataclass(slots=True)
class MediaWatch:
    """Follows how far the media of one run has come, and notices when the camera's timestamps leap."""

    # When the last picture of the last report arrived, and how far the media had come with it.
    arrived: Moment | None = None
    media_us: int = 0
    _usual_lead_us: int = 0

    def observe(self, media_us: int, now: Moment) -> bool:
        """Take one report. True when the timestamps leapt.

        A report that comes late was held up by a silent camera and speaks of pictures from before the
        silence: they arrived as long after those of the last report as their media says.
        """
        if self.arrived is None:
            self._usual_lead_us = media_us - now.monotonic_us
            self.arrived, self.media_us = now, media_us
            return False
        ago_us = now.monotonic_us - self.arrived.monotonic_us
        if ago_us > LATE_REPORT_US:
            ago_us -= max(0, min(ago_us, media_us - self.media_us))
            self.arrived = Moment(now.wall_us - ago_us, now.monotonic_us - ago_us)
        else:
            self.arrived = now
        self.media_us = media_us
        off_us = media_us - self.arrived.monotonic_us - self._usual_lead_us
        self._usual_lead_us += max(-SLEW_US, min(SLEW_US, off_us))
        return abs(off_us) > JUMP_US

    def ended_at_us(self, media_us: int) -> int | None:
        """Our wall clock when the media had come that far, from the last report. None before any."""
        return None if self.arrived is None else self.arrived.wall_us + media_us - self.media_us
