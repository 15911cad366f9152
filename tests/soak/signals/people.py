"""What people do on a simulated day: arm, press, correct, evacuate, extend, move, record hand bells.

Everything goes through the product's own rules under the writer's lock, as the console's pages do it. What
was refused was refused; people press early, twice, and in the wrong minute.
"""

from dataclasses import dataclass
from typing import Final

from evidence.announcements import record_by_hand
from evidence.given_time import NewDelay, end_delay, record_delay, stop_station
from evidence.plan_changes import arm_session, disarm_session
from evidence.recording_orders import Who
from exam.arming import effects_of_disarming
from exam.changes import Cancel, Change, ChangeDuration, GrantTime, MoveRoom, MoveStart, needs_second_person
from exam.clock import MINUTE_US, SECOND_US
from exam.course import DelayReason, StationStop
from exam.cues import session_cues
from exam.effects import ChangeFacts
from exam.hand_records import HandRecord, Told, judge_record
from exam.lost_time import LossKind, undecided
from exam.presses import PressedRoom
from exam.room_times import room_times
from tests.soak.signals.day import Day
from tests.soak.signals.machine import PROCEDURES
from tests.soak.signals.site import PlannedSession, site
from tests.soak.signals.truth import PRESS_LEAD_US, START, STOP
from web.change_desk import ChangeDesk
from web.signal_emission import give

RETRY_US: Final = 5 * SECOND_US
WHO: Final = "试验"


@dataclass
class People:
    """Everybody at the site."""

    day: Day

    def plan(self) -> None:
        """What everybody means to do today, as far as it is known in the morning."""
        dice = self.day.dice
        self.day.on_missed = self.see_missed
        for plan, session_id in zip(self.day.sessions, self.day.ids, strict=True):
            if dice.random() < 0.97:
                early_us = dice.randint(2, 55) * MINUTE_US
                self.day.at(plan.start_us - early_us, lambda s=session_id: self.day.arm(s))  # type: ignore[misc]
            if plan.kind != "theory":
                self._plan_presses(plan, session_id)
            for act in dice.sample(self._unusual(), k=dice.choice((0, 0, 1, 1, 2, 3))):
                at_us = self._moment(plan)
                self.day.at(at_us, lambda a=act, p=plan, s=session_id: a(p, s))  # type: ignore[misc]

    def _moment(self, plan: PlannedSession) -> int:
        """Anywhere in the session, or in the seconds before a signal."""
        dice = self.day.dice
        if dice.random() < 0.3:
            before_us = dice.choice((15 * MINUTE_US, 5 * MINUTE_US, 0))
            end_us = plan.start_us + dice.choice((0, plan.duration_us))
            return end_us - before_us - dice.randint(-SECOND_US, 20 * SECOND_US)
        return plan.start_us + dice.randint(-50 * MINUTE_US, plan.duration_us + 5 * MINUTE_US)

    def _unusual(self) -> list:  # type: ignore[type-arg]
        return [
            self.move_start,
            self.change_duration,
            self.evacuate,
            self.extend,
            self.move_room,
            self.delay,
            self.rearm,
            self.cancel,
            self.correct,
            *(self.wrong_stop, self.wrong_stop, self.wrong_stop),
            self.hand_bell,
        ]

    # ---- Presses ----------------------------------------------------------------------------

    def _plan_presses(self, plan: PlannedSession, session_id: int) -> None:
        dice = self.day.dice
        who = "assessor" if plan.kind == "practical" else "chair"
        room_id = site().rooms[plan.rooms[0]]
        start_us = plan.start_us + dice.randint(-MINUTE_US, 8 * MINUTE_US)
        for again_us in (0, 20 * SECOND_US, 90 * SECOND_US):
            self.day.at(start_us + again_us, lambda: self.press(session_id, room_id, START, who))
        self.day.at(start_us + plan.duration_us, lambda: self.press_stop(session_id, room_id, who))

    def press(self, session_id: int, room_id: int, cue: str, who: str) -> bool:
        """Somebody presses; the press may be delivered twice. Pressed again later when nobody answers."""
        if not self.day.machine.is_answering:
            self.day.soon(RETRY_US, 3 * RETRY_US, lambda: self.press(session_id, room_id, cue, who) and None)
            return False
        times = 2 if self.day.dice.random() < 0.1 else 1
        given = False
        for _ in range(times):
            with self.day.database.write() as connection:
                pressed = PressedRoom(self.day.course(session_id), room_id)
                now_us = self.day.machine.clock.wall_us()
                verdict = give(connection, pressed, cue, site().accounts[who], now_us)
            given = given or verdict.press is not None
        if given:
            self.day.count(f"pressed_{cue}", room_id)
            self._note(session_id, room_id, cue)
            self._after()
        return given

    def press_stop(self, session_id: int, room_id: int, who: str) -> None:
        """The assessor ends the room when its time is over, and then its extended stations."""
        course = self.day.course(session_id)
        times = room_times(course, room_id)
        console_us = self.day.machine.clock.wall_us()
        if course.session.cancelled_at_us or times.finished_at_us is not None:
            return
        if times.stopped_at_us is not None:
            self._stop_stations(session_id, room_id)
            return
        left_us = (times.ends_at_us or console_us + MINUTE_US) - console_us
        if times.is_held or left_us > 0:
            again_us = max(10 * SECOND_US, left_us) if not times.is_held else MINUTE_US
            self.day.soon(
                again_us, again_us + 20 * SECOND_US, lambda: self.press_stop(session_id, room_id, who)
            )
            return
        self.press(session_id, room_id, STOP, who)
        self.day.soon(MINUTE_US, 2 * MINUTE_US, lambda: self.press_stop(session_id, room_id, who))

    def _stop_stations(self, session_id: int, room_id: int) -> None:
        times = room_times(self.day.course(session_id), room_id)
        console_us = self.day.machine.clock.wall_us()
        if not self.day.machine.is_answering:
            self.day.soon(RETRY_US, RETRY_US, lambda: self._stop_stations(session_id, room_id))
            return
        for one in times.going_on:
            if one.ends_at_us is not None and one.ends_at_us <= console_us:
                with self.day.database.write() as connection:
                    stop = StationStop(room_id, one.place_id, console_us)
                    stop_station(connection, session_id, stop, site().accounts["assessor"], console_us)
                self.day.count("station_stopped")
        if room_times(self.day.course(session_id), room_id).going_on:
            self.day.soon(MINUTE_US, 5 * MINUTE_US, lambda: self._stop_stations(session_id, room_id))

    def _note(self, session_id: int, room_id: int, cue: str) -> None:
        room = self.day.truth.rooms[session_id, room_id]
        at_us = self.day.now_us + PRESS_LEAD_US
        self.day.judge.scan()
        if cue == "X1":
            room.corrected_us.append(at_us)
        elif cue == "X2" and not room.is_evacuated:
            room.evacuations.append([at_us])
        elif cue == "X3" and room.is_evacuated:
            room.evacuations[-1].append(at_us)
        self.day.truth.change(session_id, self.day.now_us)

    def _after(self) -> None:
        self.day.judge.scan()
        self.day.wake()
        self.day.tick_soon()

    # ---- The site lead's unusual hours ------------------------------------------------------

    def correct(self, _plan: PlannedSession, session_id: int) -> None:
        """铃声有误 in one room: whatever sounded there last is taken back, if it was lately."""
        room_id = self._room(session_id)
        self.press(session_id, room_id, "X1", "lead")

    def wrong_stop(self, plan: PlannedSession, session_id: int) -> None:
        """The working time was entered too short; the bell rings, is corrected, and the time set right."""
        room = self.day.truth.rooms[session_id, self._room(session_id)]
        times = room_times(self.day.course(session_id), room.room_id)
        if plan.kind != "theory" or times.ends_at_us is None or times.stopped_at_us is not None:
            return
        console_us = self.day.machine.clock.wall_us()
        short_us = console_us - (times.started_at_us or 0) + 16 * MINUTE_US
        right_us = self.day.course(session_id).session.duration_us
        if not 0 < short_us < right_us or not self.change(session_id, ChangeDuration(short_us)):
            return
        self._set_duration(session_id, short_us)

        def put_right() -> None:
            for room_id in self._rooms(session_id):
                self.press(session_id, room_id, "X1", "lead")
            self.day.soon(20 * SECOND_US, 60 * SECOND_US, lambda: self._restore(session_id, right_us))

        self.day.soon(16 * MINUTE_US + 10 * SECOND_US, 17 * MINUTE_US, put_right)

    def _restore(self, session_id: int, right_us: int) -> None:
        if self.change(session_id, ChangeDuration(right_us)):
            self._set_duration(session_id, right_us)
            self.day.count("wrong_stop_put_right")

    def evacuate(self, _plan: PlannedSession, session_id: int) -> None:
        """One room, or all of the session, for a while."""
        everywhere = self.day.dice.random() < 0.5
        rooms = self._rooms(session_id) if everywhere else [self._room(session_id)]
        for room_id in rooms:
            self.press(session_id, room_id, "X2", "lead")
        self.day.soon(MINUTE_US, 25 * MINUTE_US, lambda: self._resume(session_id, rooms))

    def _resume(self, session_id: int, rooms: list[int]) -> None:
        for room_id in rooms:
            is_out = self.day.truth.rooms[session_id, room_id].is_evacuated
            if is_out and not self.press(session_id, room_id, "X3", "lead"):
                self.day.soon(5 * SECOND_US, 9 * SECOND_US, lambda: self._resume(session_id, rooms))
                return
        self.day.soon(20 * SECOND_US, 3 * MINUTE_US, lambda: self.decide(session_id))

    def decide(self, session_id: int) -> None:
        """What wrong bells and interruptions took is given back, or not."""
        for one in undecided(self.day.course(session_id)):
            granted_us = self.day.dice.choice((0, one.proposed_us, one.proposed_us + MINUTE_US))
            change = GrantTime(one.loss.room_id, granted_us, one.loss, one.lost_us)
            if not self.change(session_id, change):
                continue
            room = self.day.truth.rooms[session_id, one.loss.room_id]
            if one.kind is LossKind.INTERRUPTION:
                room.decided[one.loss.occurrence - 1] = granted_us
            else:
                room.granted_us += granted_us

    def hand_bell(self, plan: PlannedSession, session_id: int) -> None:
        """A room heard nothing: its hand bell is rung some seconds after the start, and recorded."""
        room_id = self._room(session_id)
        rung_us = plan.start_us + self.day.dice.randint(10, 60) * SECOND_US
        told_us = rung_us + self.day.dice.choice((0, 0, 1, 5, 30, 200)) * SECOND_US
        self.day.at(told_us, lambda: self._record(session_id, room_id, START, min(rung_us, self.day.now_us)))

    def extend(self, _plan: PlannedSession, session_id: int) -> None:
        """A room gets more time."""
        change = GrantTime(self._room(session_id), self.day.dice.randint(1, 20) * MINUTE_US)
        if self.change(session_id, change):
            self.day.truth.rooms[session_id, change.room_id].granted_us += change.granted_us

    def move_start(self, _plan: PlannedSession, session_id: int) -> None:
        """Another planned start."""
        by_us = self.day.dice.randint(-20, 40) * MINUTE_US
        self.change(session_id, MoveStart(self.day.course(session_id).session.planned_start_us + by_us))

    def change_duration(self, _plan: PlannedSession, session_id: int) -> None:
        """Another working time."""
        to_us = self.day.course(session_id).session.duration_us + self.day.dice.randint(-15, 20) * MINUTE_US
        if self.change(session_id, ChangeDuration(to_us)):
            self._set_duration(session_id, to_us)

    def move_room(self, _plan: PlannedSession, session_id: int) -> None:
        """A room of the session goes on in the contingency hall."""
        room_id = self._room(session_id)
        at_us = self.day.machine.clock.wall_us() + self.day.dice.randint(0, 5) * MINUTE_US
        if self.change(session_id, MoveRoom(room_id, site().rooms["S01"], at_us)):
            move = self.day.course(session_id).moves[-1]
            wait_us = max(0, move.counts_from_us - self.day.machine.clock.wall_us())
            where = {(session_id, room_id): site().rooms["S01"]}
            self.day.at(self.day.now_us + wait_us, lambda: self.day.judge.moved.update(where))

    def cancel(self, _plan: PlannedSession, session_id: int) -> None:
        """Rarely."""
        if self.day.dice.random() < 0.2:
            self.change(session_id, Cancel())

    def rearm(self, _plan: PlannedSession, session_id: int) -> None:
        """Disarmed for a while, where the rule allows it."""
        if not self.day.machine.is_answering:
            return
        self.day.beat()
        course = self.day.course(session_id)
        if course.session.armed_at_us is None:
            return
        with self.day.database.write() as connection:
            now_us = self.day.machine.clock.wall_us()
            untold = ChangeDesk(connection, PROCEDURES, now_us).untold(course)
            is_accepted = effects_of_disarming(course, ChangeFacts(now_us, untold)).is_accepted
            if is_accepted:
                disarm_session(connection, session_id, site().accounts["lead"], now_us, WHO)
        self.day.count("disarmed" if is_accepted else "disarming_refused", session_id)
        if not is_accepted:
            return
        self.day.truth.change(session_id, self.day.now_us, is_guarded=True)
        self._after()
        self.day.soon(MINUTE_US, 15 * MINUTE_US, lambda: self._arm_again(session_id))

    def _arm_again(self, session_id: int) -> None:
        if self.day.machine.is_answering:
            with self.day.database.write() as connection:
                now_us = self.day.machine.clock.wall_us()
                arm_session(connection, session_id, site().accounts["lead"], now_us)
            self.day.truth.change(session_id, self.day.now_us)
            self._after()

    def delay(self, plan: PlannedSession, session_id: int) -> None:
        """A station stands still for a while (practical), recorded by the assessor."""
        if plan.kind != "practical" or not self.day.machine.is_answering:
            return
        room_id = self._room(session_id)
        now_us = self.day.machine.clock.wall_us()
        place_id = self.day.dice.choice(site().places[room_id])
        new = NewDelay(session_id, room_id, place_id, DelayReason.EQUIPMENT, now_us - 1, "见证人")
        with self.day.database.write() as connection:
            delay_id = record_delay(connection, new, site().accounts["assessor"], now_us)
        self.day.count("delay")
        self.day.soon(MINUTE_US, 40 * MINUTE_US, lambda: self._end_delay(delay_id))

    def _end_delay(self, delay_id: int) -> None:
        if not self.day.machine.is_answering:
            self.day.soon(RETRY_US, 3 * RETRY_US, lambda: self._end_delay(delay_id))
            return
        with self.day.database.write() as connection:
            now_us = self.day.machine.clock.wall_us()
            end_delay(connection, delay_id, now_us, site().accounts["assessor"], now_us)

    # ---- Doing and trying again -------------------------------------------------------------

    def change(self, session_id: int, change: Change) -> bool:
        """The site lead asks for a change; made when its effects allow it."""
        if not self.day.machine.is_answering:
            return False
        self.day.beat()
        now_us = self.day.machine.clock.wall_us()
        course = self.day.course(session_id)
        plans = {(one.room_id, one.cue.code, one.planned_at_us // SECOND_US) for one in session_cues(course)}
        agreed = site().accounts["second"] if needs_second_person(course, change) else None
        with self.day.database.write() as connection:
            desk = ChangeDesk(connection, PROCEDURES, now_us)
            proposal = desk.propose(course, change)
            if proposal.is_accepted:
                desk.make(proposal, Who(site().accounts["lead"], WHO, agreed))
        name = type(change).__name__
        self.day.count(f"{name}{'' if proposal.is_accepted else '_refused'}", change)
        if proposal.is_accepted:
            self.day.plans_before[session_id] = (now_us, plans)
            self.day.truth.change(session_id, self.day.now_us, is_guarded=True)
            self._after()
        return proposal.is_accepted

    def see_missed(self, session_id: int, room_id: int, cue: str) -> None:
        """A red task: most people do something about it."""
        if cue in {START, STOP} and self.day.dice.random() < 0.7:
            self.day.soon(5 * SECOND_US, 2 * MINUTE_US, lambda: self.make_good(session_id, room_id, cue))

    def make_good(self, session_id: int, room_id: int, cue: str) -> None:
        """Somebody saw the red task: the bell is pressed again, or a hand bell rung and recorded."""
        if self.day.dice.random() < 0.5:
            self.press(session_id, room_id, cue, "lead")
            return
        rung_us = self.day.now_us
        self.day.soon(2 * SECOND_US, 60 * SECOND_US, lambda: self._record(session_id, room_id, cue, rung_us))

    def _record(self, session_id: int, room_id: int, cue: str, rung_us: int) -> None:
        if not self.day.machine.is_answering:
            self.day.soon(RETRY_US, 3 * RETRY_US, lambda: self._record(session_id, room_id, cue, rung_us))
            return
        now_us = self.day.machine.clock.wall_us()
        told = Told(room_id, cue, now_us - (self.day.now_us - rung_us), is_lead=True)
        found = judge_record(self.day.course(session_id), told, now_us)
        if not isinstance(found, HandRecord):
            return
        with self.day.database.write() as connection:
            record_by_hand(connection, found, site().accounts["proctor"], now_us)
        self.day.truth.change(session_id, self.day.now_us)
        self.day.plans_before.pop(session_id, None)  # a start at another moment moves the plan as well
        self._after()

    def _room(self, session_id: int) -> int:
        return self.day.dice.choice(self._rooms(session_id))

    def _rooms(self, session_id: int) -> list[int]:
        return [room_id for one, room_id in self.day.truth.rooms if one == session_id]

    def _set_duration(self, session_id: int, to_us: int) -> None:
        for room_id in self._rooms(session_id):
            self.day.truth.rooms[session_id, room_id].duration_us = to_us
