"""Conducts a rehearsal inside a console of its own: arms the day, leaves out the hours, presses for people.

The console is the real one over a copy of the day's plan (`evidence.rehearsal_copy`), and the players are
those that stand in the rooms. When every signal had its turn, or somebody ends it, sessions are disarmed and
rooms told, so that no player rings on by what it heard here.
"""

import threading
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Final

import structlog

from evidence.announcements import load_reports
from evidence.day import load_rooms, load_sessions
from evidence.plan_changes import arm_session, disarm_session
from evidence.players import load_players
from evidence.rehearsal_copy import shift_logins
from evidence.rehearsals import keep_rehearsal
from exam.clock import MINUTE_US, SECOND_US, LeapingClock
from exam.course import SessionCourse
from exam.cues import RoomCue, session_cues
from exam.players import PlayerState, can_ring
from exam.presses import PressedRoom
from exam.rehearsal import (
    LEAD_US,
    REPORT_US,
    SILENT_LEAD_US,
    Rehearsed,
    RehearsedSignal,
    leap_us,
    may_come,
    next_moment,
    next_sound,
    not_followed,
    pressed_at,
)
from web.audio import AudioLibrary
from web.rehearsal_outcome import rehearsed_courses, rehearsed_signals
from web.services import ANY_TOPIC, Services, room_topic
from web.signal_emission import give

LOOK_US: Final = SECOND_US // 5
# Players look for the console again within a few seconds after it has started.
GATHER_US: Final = 30 * SECOND_US
# After disarming, until every player has fetched its schedule: it does so at once when woken.
TAKE_BACK_US: Final = 3 * SECOND_US
# Pages are told so often that time went on.
TOLD_US: Final = SECOND_US
ENDED: Final = "演练结束"
FAILED: Final = "演练出错，已经停下；原因请看运行日志"

_log: Final = structlog.get_logger("rehearsal")

# Session, room and cue.
_Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to rehearse, and whose name stands for what people do on the day.

    `speed`: how many times faster than on the day the time between signals goes; 0: it is left out.
    """

    exam_day: str
    account_id: int
    speed: float = 0.0
    gather_us: int = GATHER_US
    lead_us: int = LEAD_US


@dataclass(slots=True)
class Conductor:
    """Runs once, in a thread of its own, and keeps what came of it in the rehearsal's database."""

    services: Services
    clock: LeapingClock
    library: AudioLibrary
    wanted: Wanted
    # Called when it is over and rooms were told.
    finished: Callable[[], None]
    # What it does now, in words, and the rehearsed moment of the signal that comes next.
    state: str = "等待考室设备连接"
    is_done: bool = False
    next_us: int | None = None
    reached_us: int = 0
    _began_at_us: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._began_at_us = self._true_us()
        self._thread = threading.Thread(target=self._run, name="rehearsal", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Let it come to its end now; returns at once. Safe in a signal handler."""
        self._ending.set()

    def stop(self) -> None:
        """End it and wait: for a console that stops."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def is_over(self) -> bool:
        """Whether it ends, by itself or because somebody wants so."""
        return self._ending.is_set() or self.is_done

    def signals(self) -> list[RehearsedSignal]:
        """What became of every signal so far."""
        with self.services.exam.read() as connection:
            return rehearsed_signals(connection, self.services.procedures, self.reached_us)

    def _run(self) -> None:
        words = ENDED
        try:
            self._gather()
            self._arm()
            self._go_through()
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: rooms must be told in any case
            _log.exception("rehearsal_failed", error=str(error))
            words = FAILED
        try:
            self._take_back(words)
        finally:
            self.finished()

    def _gather(self) -> None:
        """Wait for players: as long as is given, or until every room has one that can ring."""
        until_us = self.clock.monotonic_us() + self.wanted.gather_us
        while self.clock.monotonic_us() < until_us and not self.is_over():
            with self.services.exam.read() as connection:
                wanted = {room_id for one in load_sessions(connection) for room_id in one.room_ids}
                now_us = self._now_us()
                able = {one.room_id for one in load_players(connection, now_us) if can_ring(one, now_us)}
            if wanted <= able:
                return
            self._wait(SECOND_US)

    def _arm(self) -> None:
        with self.services.exam.write() as connection:
            for session in load_sessions(connection):
                arm_session(connection, session.id, self.wanted.account_id, self._now_us())
        self._wake()

    def _go_through(self) -> None:
        self.reached_us = self._now_us()
        while not self.is_over():
            cues = self._cues()
            moment_us = next_moment(cues, self.reached_us)
            if moment_us is None:
                return
            self.next_us = next_sound(cues, self.reached_us)
            self._approach(moment_us)
            self._until(moment_us)
            if self.is_over():
                return
            self._press(moment_us)
            self._hear_out({_key(one) for one in _at(cues, moment_us)})
            self.reached_us = moment_us

    def _approach(self, moment_us: int) -> None:
        """Leave out the time before, and see whether every player notices before the next sound."""
        if self.wanted.speed:
            self.state = "等待（时间加快）"
            self._wait(round(self._leap_us(moment_us) / self.wanted.speed))
        leapt_us = self._leap_us(moment_us)
        if not leapt_us or self.is_over():
            return
        self.state = "已跳过中间的时间，等待考室设备核准时间"
        with self.services.exam.write() as connection:
            before = load_players(connection, self._now_us())
            shift_logins(connection, leapt_us)
        # Only now: whoever reads a login later than this moment finds it shifted, and nobody is shut out.
        self.clock.leap(leapt_us)
        leapt_at_us, behind = self._now_us(), before
        self._wake()
        if moment_us != self.next_us:
            return  # nothing sounds: they measure by the way
        while behind and not self.is_over() and self._now_us() < moment_us - SECOND_US:
            self._wait(LOOK_US)
            with self.services.exam.read() as connection:
                now = load_players(connection, self._now_us())
            behind = not_followed(before, now, leapt_us, leapt_at_us)
        for one in behind:
            _log.warning("player_did_not_follow", room=one.room_id, player=one.player)

    def _leap_us(self, moment_us: int) -> int:
        """As much as leaves every player its time before the next sound."""
        if self.next_us is None or moment_us == self.next_us:
            return leap_us(self._now_us(), moment_us, self.wanted.lead_us if self.next_us else SILENT_LEAD_US)
        return min(
            leap_us(self._now_us(), moment_us, SILENT_LEAD_US),
            leap_us(self._now_us(), self.next_us, self.wanted.lead_us),
        )

    def _until(self, moment_us: int) -> None:
        self.state = "等待信号"
        while not self.is_over() and (left_us := moment_us - self._now_us()) > 0:
            self._wait(min(left_us, TOLD_US))
            self.services.bus.publish(ANY_TOPIC)

    def _press(self, moment_us: int) -> None:
        """Give what people give on the day."""
        with self.services.exam.write() as connection:
            for course in rehearsed_courses(connection, self.services.procedures):
                for one in pressed_at(session_cues(course), moment_us):
                    self._give(connection, course, one)
        self._wake()

    def _give(self, connection: Connection, course: SessionCourse, one: RoomCue) -> None:
        pressed = PressedRoom(course, one.room_id)
        verdict = give(connection, pressed, one.cue.code, self.wanted.account_id, self._now_us())
        if verdict.refusal:
            _log.warning("press_refused", cue=one.cue.code, room=one.room_id, refusal=verdict.refusal)

    def _hear_out(self, keys: Set[_Key]) -> None:
        """Until all of these were given, and every player that is there has told how they ended."""
        self.state = "信号响起，等待考室报告"
        until_us = self.clock.monotonic_us() + self._longest_us(keys) + REPORT_US
        while not self.is_over() and self.clock.monotonic_us() < until_us and self._is_awaited(keys):
            self._wait(LOOK_US)

    def _longest_us(self, keys: Set[_Key]) -> int:
        """How long the longest of these sounds takes, a minute at most."""
        with self.services.exam.read() as connection:
            courses = rehearsed_courses(connection, self.services.procedures)
            codes = {course.session.id: course.procedure.code for course in courses}
        sounds = [self.library.get((codes[session_id], cue)) for session_id, _, cue in keys]
        return min(max((one.duration_us for one in sounds if one), default=0), MINUTE_US)

    def _is_awaited(self, keys: Set[_Key]) -> bool:
        with self.services.exam.read() as connection:
            now_us = self._now_us()
            able = [one for one in load_players(connection, now_us) if can_ring(one, now_us)]
            courses = rehearsed_courses(connection, self.services.procedures)
            return any(self._is_open(connection, course, keys, able) for course in courses)

    def _is_open(
        self, connection: Connection, course: SessionCourse, keys: Set[_Key], able: Sequence[PlayerState]
    ) -> bool:
        """Whether one of these is still to be given, or to be told of by a player that can ring."""
        reports = load_reports(connection, course.session.id)
        over = [one for one in reports if one.ended_at_us is not None or one.started_at_us is None]
        told = {(one.room_id, one.cue_code, one.player) for one in over}
        mine = [one for one in session_cues(course) if _key(one) in keys]
        players = [(one.room_id, one.player) for one in able]
        wanted = {
            (one.room_id, one.cue.code, player)
            for one in mine
            for room_id, player in players
            if one.cue.is_audible and room_id == one.room_id
        }
        return any(one.outcome is None for one in mine) or not wanted <= told

    def _take_back(self, words: str) -> None:
        """Nothing sounds any more: every session is disarmed, rooms are told in time, the outcome is kept."""
        signals = self.signals()
        self.state, self.next_us, self.is_done = words, None, True
        day = Rehearsed(self.wanted.exam_day, self._began_at_us, self._true_us(), tuple(signals))
        with self.services.exam.write() as connection:
            for session in load_sessions(connection):
                disarm_session(connection, session.id, self.wanted.account_id, self._now_us(), words)
            keep_rehearsal(connection, day, self.wanted.account_id)
        self._wake()
        self.clock.sleep_us(TAKE_BACK_US)

    def _wake(self) -> None:
        with self.services.exam.read() as connection:
            rooms = list(load_rooms(connection))
        for room_id in rooms:
            self.services.bus.publish(room_topic(room_id))

    def _wait(self, duration_us: int) -> None:
        """True time; cut short when somebody ends the rehearsal."""
        self._ending.wait(duration_us / SECOND_US)

    def _now_us(self) -> int:
        return self.services.clock.wall_us()

    def _true_us(self) -> int:
        return self.clock.wall_us() - self.clock.leapt_us

    def _cues(self) -> list[RoomCue]:
        with self.services.exam.read() as connection:
            courses = rehearsed_courses(connection, self.services.procedures)
            return [one for course in courses for one in session_cues(course)]


def _at(cues: list[RoomCue], moment_us: int) -> list[RoomCue]:
    """What comes at that moment by the plan, heard or only shown."""
    return [one for one in cues if one.planned_at_us == moment_us and may_come(one)]


def _key(one: RoomCue) -> _Key:
    return one.session_id, one.room_id, one.cue.code
