"""One simulated exam day: machine, players and people on one queue of moments, made from its seed.

The real ticker, keeper, rules and database run on a fake clock; nothing sleeps. Whatever goes wrong is
drawn from the seed, so a day that breaks a law is made again by `soak signal_days --seed N --days 1`.
"""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from evidence.announcements import PlayedReport
from evidence.courses import load_course
from evidence.day import load_rooms, load_session
from evidence.plan_changes import arm_session
from evidence.players import keep_heartbeats
from exam.clock import MINUTE_US, SECOND_US
from exam.course import SessionCourse
from exam.cues import RoomCue
from exam.players import PlayerKind, PlayerState
from tests.soak.signals.judge import Judge
from tests.soak.signals.machine import PROCEDURES, Machine
from tests.soak.signals.player import Player
from tests.soak.signals.site import PlannedSession, close_day, open_day, site, usual_sessions
from tests.soak.signals.truth import (
    SLACK_US,
    RoomTruth,
    Truth,
)
from web.restart_doubt import RestartDoubt
from web.signal_emission import due_now, emit
from web.signal_reports import take_report
from web.signal_schedule import load_room_day, schedule

DAY_US: Final = 1_795_309_200 * SECOND_US  # 2026-11-22 09:00 at the site
BEFORE_US: Final = 70 * MINUTE_US
LONGEST_IDLE_US: Final = 15 * MINUTE_US
_names = itertools.count()


@dataclass
class Day:
    """Run it with `live`; raises LawBrokenError."""

    seed: int
    sessions: list[PlannedSession] = field(default_factory=lambda: usual_sessions(DAY_US))
    counts: dict[str, int] = field(default_factory=dict)
    truth: Truth = field(default_factory=Truth)
    trail: list[str] = field(default_factory=list)
    # The console's moment of the last change of a session, and its plan before.
    plans_before: dict[int, tuple[int, set[tuple[int, str, int]]]] = field(default_factory=dict)
    # Whoever sees that a signal was missed: session, room, cue.
    on_missed: Callable[[int, int, str], None] = lambda *_: None

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.now_us = DAY_US - BEFORE_US
        self.queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.judge = Judge(self)
        self.database, self.ids = open_day(f"day-{self.seed}-{next(_names)}", self.sessions)
        self.machine = Machine(self.database, self.dice, self.now_us)
        with self.database.read() as connection:
            self.rooms = load_rooms(connection)
        for plan, session_id in zip(self.sessions, self.ids, strict=True):
            for code in plan.rooms:
                room_id = site().rooms[code]
                self.truth.rooms[session_id, room_id] = RoomTruth(
                    session_id, room_id, plan.duration_us, plan.kind == "theory"
                )
        used = {room_id for _, room_id in self.truth.rooms} | {site().rooms["S01"]}
        self.players = {room_id: Player(room_id, self.rooms[room_id].code, self.now_us) for room_id in used}
        self._rings: dict[int, int] = {}
        self._tick_us = -1

    # ---- The queue --------------------------------------------------------------------------

    def at(self, true_us: int, act: Callable[[], None]) -> None:
        """Do it at that moment."""
        heapq.heappush(self.queue, (max(true_us, self.now_us), next(self._order), act))

    def soon(self, least_us: int, most_us: int, act: Callable[[], None]) -> None:
        """Do it after a while."""
        self.at(self.now_us + self.dice.randint(least_us, most_us), act)

    def live(self, until_us: int) -> None:
        """The whole day, then the last laws."""
        try:
            self.at(self.now_us, self.tick)
            for at_us in range(self.now_us + 15 * SECOND_US, until_us, 60 * MINUTE_US):
                self.at(at_us, self.beat)
            for player in self.players.values():
                self.soon(0, 10 * SECOND_US, lambda player=player: self.refresh(player))  # type: ignore[misc]
            while self.queue and self.queue[0][0] <= until_us:
                true_us, _, act = heapq.heappop(self.queue)
                self.machine.to(true_us)
                self.now_us = true_us
                act()
            self.machine.to(until_us)
            self.judge.settle()
        finally:
            close_day(self.database)

    def count(self, what: str, about: object = "") -> None:
        """Count what happened, and put it on the trail that explains a broken law."""
        self.counts[what] = self.counts.get(what, 0) + 1
        console_us = self.machine.clock.wall_us() - self.now_us
        minutes = (self.now_us - DAY_US) / MINUTE_US
        self.trail.append(f"{minutes:9.3f} min, console {console_us / SECOND_US:+9.2f} s: {what} {about}")

    # ---- The console ------------------------------------------------------------------------

    def tick(self) -> None:
        """One look of the console, and the next one where something is to come."""
        if self.machine.doubt is not None:
            self._look_for_time(self.machine.doubt)
        if not self.machine.is_answering:
            return
        followed_us = self.machine.clock.offset_us
        self.machine.ticker.tick()
        moved_us = abs(self.machine.clock.offset_us - followed_us)
        if moved_us > SECOND_US // 10:
            self.take_clock_over()
            self.count("clock_adopted")
            self.wake()
        self.judge.scan()
        self._tick_at(self.now_us + self._until_next_us())

    def _look_for_time(self, doubt: RestartDoubt) -> None:
        """Ten times a second, until the rooms have told the time or a person has."""
        doubt.look()
        if doubt.is_open:
            self._tick_at(self.now_us + SECOND_US // 10 + self.dice.randrange(SECOND_US // 10))
        else:
            self.judge.check_told_by_rooms()
            self.settled()
            self.wake()

    def settled(self) -> None:
        """The console goes on after a restart: what it lost cannot be undone, or another clock counts."""
        apart_us = self.machine.apart_from_continued_us()
        self.count("time_settled", apart_us / SECOND_US)
        if abs(apart_us) > 2 * SECOND_US:
            self.take_clock_over()
        else:
            self.machine.lost_at_boots_us += abs(apart_us)

    def take_clock_over(self) -> None:
        """Another clock counts from here on, for everything that was planned before as well."""
        self.truth.change(0, self.now_us)
        self.plans_before.clear()

    def tick_soon(self) -> None:
        """The console looks every tenth of a second."""
        self._tick_at(self.now_us + self.dice.randrange(SECOND_US // 10))

    def _tick_at(self, true_us: int) -> None:
        """One look is planned at a time: the earliest that anything asked for."""
        if self.now_us <= self._tick_us <= true_us:
            return
        self._tick_us = true_us

        def tick() -> None:
            if self._tick_us == true_us:
                self._tick_us = -1
                self.tick()

        self.at(true_us, tick)

    def next_cue_us(self) -> int | None:
        """How long until the console lets the next cue sound by itself."""
        now_us = self.machine.clock.wall_us()
        ahead = [one.planned_at_us - now_us for one in self._automatic() if one.planned_at_us > now_us]
        return min(ahead, default=None)

    def _automatic(self) -> list[RoomCue]:
        return [
            one
            for after_us, cues in self.machine.ticker._cues
            for one in cues
            if one.is_automatic and after_us < one.planned_at_us
        ]

    def _until_next_us(self) -> int:
        now_us = self.machine.clock.wall_us()
        is_late = any(one.planned_at_us <= now_us for one in self._automatic())
        next_us = min(self.next_cue_us() or LONGEST_IDLE_US, 7 * SECOND_US if is_late else LONGEST_IDLE_US)
        # The console looks ten times a second, so it is up to a tenth late, and now and then more.
        slow_us = self.dice.randrange(SECOND_US) if self.dice.random() < 0.02 else 0
        return next_us + self.dice.randrange(SECOND_US // 10) + slow_us

    # ---- Rooms ------------------------------------------------------------------------------

    def refresh(self, player: Player) -> None:
        """The player asks for its schedule; without the console it tries again."""
        if self.machine.doubt is not None and player.is_there and player.is_connected:
            self._tell_time(player, self.machine.doubt)
            return
        if not (player.is_there and player.is_connected and self.machine.is_answering):
            return
        now_us, name = self.machine.clock.told()
        player.measure(self.now_us, now_us, self.dice.randrange(1_000, 120_000), name)
        with self.database.read() as connection:
            day = load_room_day(connection, self.rooms[player.room_id], PROCEDURES, now_us)
        told = schedule(day, {}, now_us) | {"clock": name}
        player.take_schedule(self.now_us, told, self.dice.randrange(1_000, 120_000))
        player.seen_us = self.now_us
        self.ring(player)
        self.send(player)

    def _tell_time(self, player: Player, doubt: RestartDoubt) -> None:
        """Its question is not answered, but what it holds the time to be is heard; it asks every second."""
        known = player.time.known_time(player.own_us(self.now_us))
        if known is not None:
            self.at(
                self.now_us + self.dice.randrange(1_000, 120_000), lambda: doubt.hear(player.room_code, known)
            )
            self.tick_soon()
        self.soon(SECOND_US, 2 * SECOND_US, lambda: self.refresh(player))

    def wake(self) -> None:
        """Open pages are told to look again."""
        for player in self.players.values():
            self.soon(30_000, 400_000, lambda player=player: self.refresh(player))  # type: ignore[misc]

    def ring(self, player: Player) -> None:
        """Sound what is to sound now, be it a little late, and look again when more may come."""
        for sound in player.ring(self.now_us):
            self.judge.hear(sound)
            self.soon(10_000, 300_000, lambda: self.send(player))
        self._plan_ring(player)

    def _plan_ring(self, player: Player) -> None:
        next_us = player.next_ring_us(self.now_us)
        if next_us is None:
            return
        token = self._rings[player.room_id] = next(self._order)
        late_us = self.dice.randrange(30_000) + (
            self.dice.randrange(1_500_000) if self.dice.random() < 0.01 else 0
        )

        def ring() -> None:
            if self._rings[player.room_id] == token:
                self.ring(player)

        self.at(next_us + late_us, ring)

    def send(self, player: Player) -> None:
        """Reports go out; they may arrive twice, and wait while nobody answers."""
        if not player.unsent or not player.is_there:
            return
        if not (player.is_connected and self.machine.is_answering):
            return  # sent when the player is connected again
        twice = self.dice.random() < 0.1
        with self.database.write() as connection:
            now_us = self.machine.clock.wall_us()
            emit(connection, due_now(connection, PROCEDURES, now_us), now_us)
            for report in [one for _, one in player.unsent] * (2 if twice else 1):
                take_report(connection, report, PROCEDURES, now_us)
        for _, report in player.unsent:
            if report.ended_at_us is None and self.dice.random() < 0.4:
                self.soon(18 * SECOND_US, 60 * SECOND_US, lambda one=report: self._send_end(player, one))  # type: ignore[misc]
        player.unsent.clear()
        self.judge.scan()

    def _send_end(self, player: Player, report: PlayedReport) -> None:
        player.report(player.ended(report))
        self.send(player)

    def beat(self) -> None:
        """What the console knows of its players just now: heartbeats come every five seconds."""
        console_us = self.machine.clock.wall_us()
        states = []
        for player in self.players.values():
            if player.is_there and player.is_connected:
                player.seen_us = max(player.seen_us, self.now_us - self.dice.randrange(5 * SECOND_US))
            if player.seen_us:
                states.append(_state(player, console_us - (self.now_us - player.seen_us)))
        with self.database.write() as connection:
            keep_heartbeats(connection, states)

    # ---- Everything else --------------------------------------------------------------------

    def course(self, session_id: int) -> SessionCourse:
        """The session as the console has it."""
        with self.database.read() as connection:
            session = load_session(connection, session_id)
            assert session is not None
            return load_course(connection, session, PROCEDURES)

    def arm(self, session_id: int) -> None:
        """The site lead arms a session; later when nobody answers."""
        if not self.machine.is_answering:
            self.soon(5 * SECOND_US, 20 * SECOND_US, lambda: self.arm(session_id))
            return
        with self.database.write() as connection:
            arm_session(connection, session_id, site().accounts["lead"], self.machine.clock.wall_us())
        self.wake()
        self.tick_soon()

    @property
    def slack_us(self) -> int:
        """Measuring, what small steps were followed by, and what restarts of the machine took."""
        return self.least_slack_us + self.truth.followed_us

    @property
    def least_slack_us(self) -> int:
        """What must be granted where no small step counts."""
        return SLACK_US + self.machine.lost_at_boots_us

    def kind(self, session_id: int) -> str:
        return self.sessions[self.ids.index(session_id)].kind


def _state(player: Player, seen_at_us: int) -> PlayerState:
    return PlayerState(
        room_id=player.room_id,
        player=f"player-{player.room_code}",
        kind=PlayerKind.PAGE,
        label="",
        seen_at_us=seen_at_us,
        offset_us=0,
        error_us=5_000,
        audio_ready=1,
        audio_wanted=1,
        is_allowed=True,
        is_awake=True,
        has_output=True,
        is_audible=None,
        played_key=None,
        played_at_us=None,
        played_error="",
    )
