"""The console's own clock: goes on by elapsed time when somebody sets the machine's, and asks who is right.

What to do about a step is decided in `exam.clock_step`; a step and what became of it are facts. Called
with every tick of the signals; a second process of the console cannot exist (one writer per database).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Final

import structlog

from evidence.courses import load_course
from evidence.database import WriterDatabase
from evidence.day import load_rooms, load_sessions
from evidence.service_start import boot_id
from evidence.site_clock import (
    keep_clock,
    load_clock,
    load_last_step,
    load_open_step,
    record_decision,
    record_step,
)
from exam.clock import SECOND_US, Clock, SteadyClock
from exam.clock_step import (
    ASKED_US,
    NOTED_US,
    ClockAct,
    KeptClock,
    LastStep,
    StepChoice,
    can_adopt,
    first_offset_us,
    followed_us,
    judge_apart,
)
from exam.cues import about_to_sound, session_cues
from exam.players import MAY_RING_US
from exam.procedure import Procedure
from web.change_desk import ChangeDesk
from web.restart_doubt import RestartDoubt, find_doubt, is_doubted, is_hung_on, new_clock_name
from web.services import ANY_TOPIC, Bus, Services
from web.signal_emission import WINDOW_US, armed_cues

# Where the app keeps it.
KEEPER_EXTENSION: Final = "kaochang.clock"
# How often the present is kept, so that no later start is before it.
KEPT_EVERY_US: Final = 30 * SECOND_US
# No clock is taken over so shortly before a signal: every room must have measured the new one first.
QUIET_US: Final = 30 * SECOND_US

# For so long the answer counts whether somebody is examined.
LIVE_LASTS_US: Final = 10 * SECOND_US

_log: Final = structlog.get_logger("signals")


class DecidedOtherwiseError(Exception):
    """The step somebody decides on is not the one that is open now."""


class TooFarBackError(Exception):
    """The machine's time is that of a dead battery: every session would lie ahead of it by years."""


class TooNearError(Exception):
    """A signal is about to sound, or rooms may have rung it and not told yet: by the clock as it is."""


class RoomsAwayError(Exception):
    """Rooms out of contact would ring by the clock as it is; the message names them."""


def start_clock(
    exam: WriterDatabase, machine: Clock, procedures: Mapping[str, Procedure], boot: str | None = None
) -> SteadyClock:
    """The console's clock as it goes on from the last run.

    After a restart of the machine during an exam nothing is kept of it: the time is in doubt until it is
    settled (`web.restart_doubt`), and in doubt again if the console is killed before.
    """
    this_boot = boot or boot_id()
    with exam.write() as connection:
        kept = load_clock(connection)
        is_same = kept is not None and kept.boot_id == this_boot
        offset_us = first_offset_us(kept, this_boot, machine.wall_us(), machine.boottime_us())
        clock = SteadyClock(machine, offset_us, (kept.name if kept and is_same else "") or new_clock_name())
        if not is_doubted(connection, kept, this_boot, procedures):
            keep_clock(connection, _kept(clock, this_boot, kept.apart_us if kept else 0))
            if kept is not None and not is_same and abs(kept.apart_us) > ASKED_US:
                # Decided for a day that is over: the clock may have been set right since, or not.
                record_step(connection, this_boot, kept.apart_us, clock.wall_us())
    return clock


@dataclass(slots=True)
class ClockKeeper:
    """Looks at both clocks with every tick."""

    exam: WriterDatabase
    clock: SteadyClock
    bus: Bus
    procedures: Mapping[str, Procedure]
    boot: str = field(default_factory=boot_id)
    # Open: the machine restarted during an exam, and nobody has vouched for its clock yet.
    doubt: RestartDoubt | None = None
    _last: LastStep | None = None
    _is_read: bool = False
    _kept_us: int = 0
    _looked_us: int = 0
    _is_following: bool = False
    # When it was last asked whether somebody is examined, and the answer.
    _asked_live_us: int = -LIVE_LASTS_US
    _was_live: bool = True

    @property
    def is_in_doubt(self) -> bool:
        """Whether nothing may hang on the time yet."""
        return self.doubt is not None and self.doubt.is_open

    def look(self) -> None:
        """Notice what happened to the machine's clock since the last look, and do what the rule says."""
        if self.doubt is not None and self.is_in_doubt:
            self.doubt.look()
            return
        if not self._is_read:
            with self.exam.read() as connection:
                self._last = load_last_step(connection)
            self._is_read, self._looked_us = True, self.clock.boottime_us()
        apart_us = self.clock.apart_us()
        act = judge_apart(apart_us, self._last, is_live=not self._may_follow_ahead(apart_us))
        if act is ClockAct.FOLLOW:
            self._follow(apart_us)
        else:
            self._is_following = False
            if act is not ClockAct.NOTHING:
                self._settle()
        self._looked_us = self.clock.boottime_us()
        if self._looked_us - self._kept_us >= KEPT_EVERY_US:
            with self.exam.write() as connection:
                self._keep(connection)

    def _may_follow_ahead(self, apart_us: int) -> bool:
        """Whether the machine is a little ahead and nobody is examined; looked at every few seconds."""
        if not NOTED_US < apart_us <= ASKED_US:
            return False
        if self.clock.boottime_us() - self._asked_live_us >= LIVE_LASTS_US:
            self._asked_live_us, self._was_live = self.clock.boottime_us(), self._is_live()
        return not self._was_live

    def open_step(self) -> LastStep | None:
        """The step the site lead is asked about; None: nothing to decide."""
        with self.exam.read() as connection:
            return load_open_step(connection)

    def decide(self, step_id: int, choice: StepChoice, account_id: int) -> None:
        """The site lead says which clock is right. Raises DecidedOtherwiseError when another step is open.

        TooFarBackError, TooNearError and RoomsAwayError: the machine's time cannot be taken over now; to keep
        the console's goes always.
        """
        with self.exam.write() as connection:
            step = load_open_step(connection)
            if step is None or step.id != step_id:
                raise DecidedOtherwiseError
            if choice is StepChoice.ADOPTED and not can_adopt(step.apart_us):
                raise TooFarBackError
            if choice is StepChoice.ADOPTED and self._is_about_to_sound(connection):
                raise TooNearError
            if choice is StepChoice.ADOPTED and (away := self._rooms_away(connection)):
                raise RoomsAwayError("、".join(away))
            self._record(connection, step, choice, account_id)

    def _is_about_to_sound(self, connection: Connection) -> bool:
        now_us = self.clock.wall_us()
        armed = armed_cues(connection, self.procedures, now_us)
        return any(about_to_sound(cues, after_us, now_us, QUIET_US) for after_us, cues in armed)

    def _rooms_away(self, connection: Connection) -> list[str]:
        """Labels of the rooms that hold signals by the clock as it is, and would not hear of another."""
        now_us = self.clock.wall_us()
        desk = ChangeDesk(connection, self.procedures, now_us)
        away: set[int] = set()
        for session in load_sessions(connection):
            is_near = abs(session.planned_start_us - now_us) <= WINDOW_US
            if not is_near or session.armed_at_us is None or session.procedure_code not in self.procedures:
                continue
            course = load_course(connection, session, self.procedures)
            coming = about_to_sound(session_cues(course), session.armed_at_us, now_us, MAY_RING_US)
            away |= desk.untold(course) & {one.room_id for one in coming}
        return [room.label for room in load_rooms(connection).values() if room.id in away]

    def _settle(self) -> None:
        """Judge again under the writer's lock, where nobody decides meanwhile, and act."""
        is_live = self._is_live()
        with self.exam.write() as connection:
            self._last = load_last_step(connection)
            apart_us = self.clock.apart_us()
            act = judge_apart(apart_us, self._last, is_live=is_live)
            if act is ClockAct.AGREE and self._last is not None:
                self._record(connection, self._last, StepChoice.AGREES_AGAIN, None)
            elif act in {ClockAct.ASK, ClockAct.ADOPT}:
                self._note(connection, apart_us, StepChoice.ADOPTED if act is ClockAct.ADOPT else None)
        self.bus.publish(ANY_TOPIC)

    def _follow(self, apart_us: int) -> None:
        if abs(apart_us) > NOTED_US and not self._is_following:
            with self.exam.write() as connection:
                self._note(connection, apart_us, StepChoice.FOLLOWED)
        self._is_following = True
        self.clock.adopt(followed_us(apart_us, self.clock.boottime_us() - self._looked_us))

    def _note(self, connection: Connection, apart_us: int, choice: StepChoice | None) -> None:
        _log.warning("console_clock_step", apart_us=apart_us, choice=choice or "asked")
        step_id = record_step(connection, self.boot, apart_us, self.clock.wall_us())
        self._last = LastStep(step_id, apart_us, None)
        if choice is None:
            self._keep(connection)
        else:
            self._record(connection, self._last, choice, None)

    def _record(self, connection: Connection, step: LastStep, choice: StepChoice, by: int | None) -> None:
        """What became of the step; the clock moves under the writer's lock, together with all moments."""
        record_decision(connection, step, choice, by, self.clock.wall_us())
        is_moved = choice is StepChoice.ADOPTED
        shift_us, name, last = step.apart_us if is_moved else 0, self.clock.name, self._last
        self.clock.adopt(shift_us, new_clock_name() if is_moved else None)
        self._last = LastStep(step.id, step.apart_us, choice)  # what is kept tells of it
        try:
            self._keep(connection)
        except BaseException:
            self.clock.adopt(-shift_us, name)
            self._last = last
            raise

    def _keep(self, connection: Connection) -> None:
        """Only what somebody knows of is carried over a restart: a step in progress is found again."""
        believed_us = self._last.expected_us if self._last else 0
        keep_clock(connection, _kept(self.clock, self.boot, believed_us))
        self._kept_us = self.clock.boottime_us()

    def _is_live(self) -> bool:
        with self.exam.read() as connection:
            return is_hung_on(connection, self.procedures, self.clock.wall_us())


def _kept(clock: SteadyClock, boot: str, apart_us: int) -> KeptClock:
    return KeptClock(boot, clock.offset_us, apart_us, clock.wall_us(), clock.name)


def clock_keeper(services: Services) -> ClockKeeper | None:
    """The keeper of the console's clock; None where the clock is not a steady one."""
    if not isinstance(services.clock, SteadyClock):
        return None
    boot = boot_id()
    doubt = find_doubt(services.exam, services.clock, boot)
    return ClockKeeper(services.exam, services.clock, services.bus, services.procedures, boot, doubt)
