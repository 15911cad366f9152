"""Judges a simulated day: what the console recorded and what sounded in rooms, against the laws.

No signal early, stale, double, or lost without somebody being asked. What is right is known from
`tests.soak.signals.truth`, which knows nothing of the product's own rules.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from evidence import announcements
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.ledger import recompute
from exam.clock import SECOND_US
from exam.clock_restart import SURE_US
from exam.course import SessionCourse
from exam.cues import PUNCTUAL_US, RoomCue, session_cues
from exam.procedure import Cue, Trigger
from exam.room_alarms import missed, unheard
from exam.room_signals import room_signals
from exam.timetable import timetable
from tests.soak.signals.machine import PROCEDURES, Machine
from tests.soak.signals.player import Sound
from tests.soak.signals.truth import START, STOP, Given, LawBrokenError, RoomTruth, Truth

if TYPE_CHECKING:
    from tests.soak.signals.day import Day

UNHEARD_US: Final = 6 * SECOND_US
# Twice what a word may be wrong by, and its way.
BEHIND_US: Final = 2 * SURE_US + SECOND_US // 5


@dataclass
class Judge:
    """Raises LawBrokenError."""

    day: "Day"
    # Where the people of a room of a session went on.
    moved: dict[tuple[int, int], int] = field(default_factory=dict)
    _row: int = 0

    @property
    def _truth(self) -> Truth:
        return self.day.truth

    @property
    def _machine(self) -> Machine:
        return self.day.machine

    def scan(self) -> None:
        """Take note of what the console has just recorded, and measure it against the laws."""
        with self.day.database.read() as connection:
            rows = connection.execute(
                "select * from announcement where id > ? order by id", (self._row,)
            ).fetchall()
        for row in rows:
            self._row = row["id"]
            about = (row["room_id"], row["cue_code"], row["occurrence"])
            self.day.count(f"{row['outcome']}_{row['source']}", about)
            cue = PROCEDURES[self.day.kind(row["session_id"])].cue(row["cue_code"])
            assert cue is not None
            room = self._truth.rooms[row["session_id"], row["room_id"]]
            if row["outcome"] == "missed":
                self._take_miss(room, row, cue)
            else:
                self._take_emitted(room, row, cue)

    def _take_miss(self, room: RoomTruth, row: Any, cue: Cue) -> None:
        if self._machine.clock.wall_us() <= row["planned_at_us"] + cue.tolerance_us:
            raise LawBrokenError(f"{cue.code} called missed while it could still sound")
        self._require_task(room, cue.code)
        self._forbid_stale_plan(row, is_audible=cue.is_audible)
        self.day.on_missed(room.session_id, room.room_id, cue.code)

    def _take_emitted(self, room: RoomTruth, row: Any, cue: Cue) -> None:
        true_us = self.day.now_us - (self._machine.clock.wall_us() - row["emitted_at_us"])
        if row["source"] in {"schedule", "room_report"}:
            late_us = row["emitted_at_us"] - row["planned_at_us"]
            if not 0 <= late_us <= cue.tolerance_us:
                raise LawBrokenError(f"{cue.code} recorded {late_us / SECOND_US:.2f} s after its plan")
            if room.is_evacuated and cue.is_audible and row["source"] == "schedule":
                raise LawBrokenError(f"{cue.code} given in an evacuated room")
        else:
            room.pressed.add((cue.code, row["occurrence"]))
        if row["source"] == "by_hand":
            room.by_hand.add((cue.code, row["occurrence"]))
        elif cue.is_audible:
            self.day.at(self.day.now_us + UNHEARD_US, lambda: self._hear(room, row))
        if cue.code in {START, STOP}:
            self._take_signal(room, row, true_us)

    def _take_signal(self, room: RoomTruth, row: Any, true_us: int) -> None:
        is_automatic = row["source"] == "schedule"
        if row["cue_code"] == STOP and is_automatic and room.is_theory:
            given_us = true_us - (row["emitted_at_us"] - row["planned_at_us"])
            self._truth.check_stop(
                room, given_us, self.day.least_slack_us, "the stop given by the console is"
            )
        if row["cue_code"] == STOP and is_automatic and not room.is_theory:
            raise LawBrokenError("a session that people end was ended by the clock")
        standing = room.counting(row["cue_code"])
        if standing is not None and is_automatic:
            raise LawBrokenError(f"{row['cue_code']} given twice in room {room.room_id}")
        # Rooms that ring by themselves sound at the plan, not when the console got round to it.
        is_by_hand = row["source"] == "by_hand"
        room.given.append(Given(true_us, row["cue_code"], row["occurrence"], is_by_hand, self.day.now_us))

    def _forbid_stale_plan(self, row: Any, *, is_audible: bool) -> None:
        """No accepted change may put a signal into its own past."""
        changed_us, plans = self.day.plans_before.get(row["session_id"], (0, set()))
        is_new = (row["room_id"], row["cue_code"], row["planned_at_us"] // SECOND_US) not in plans
        if changed_us and is_audible and is_new and row["planned_at_us"] <= changed_us:
            raise LawBrokenError(f"a change made {row['cue_code']} stale in room {row['room_id']}")

    def _require_task(self, room: RoomTruth, cue_code: str) -> None:
        course = self.day.course(room.session_id)
        cues = [one for one in session_cues(course) if one.room_id == room.room_id]
        steps = timetable(cues, {}, self._machine.clock.wall_us()).steps
        if cue_code not in {step.room_cue.cue.code for step in missed(steps)}:
            raise LawBrokenError(f"{cue_code} is missed in room {room.room_id} and nobody is asked")

    def _hear(self, room: RoomTruth, row: Any) -> None:
        """Five seconds after a signal somebody has reported it, or an alarm is up."""
        sounded = any(
            one.cue == row["cue_code"] and one.occurrence == row["occurrence"] for one in room.sounds
        )
        if sounded or (row["cue_code"], row["occurrence"]) in room.wrong or not self._machine.is_answering:
            return
        self.day.count("unheard")
        course = self.day.course(room.session_id)
        cue = course.procedure.cue(row["cue_code"])
        if cue is None or not cue.is_scheduled:
            return
        now_us = self._machine.clock.wall_us()
        with self.day.database.read() as connection:
            heard = {
                (one.cue_code, one.occurrence)
                for one in announcements.load_reports(connection, room.session_id)
                if one.room_id == room.room_id and one.started_at_us is not None
            }
        cues = [one for one in session_cues(course) if one.room_id == room.room_id]
        steps = timetable(cues, {}, now_us).steps
        mine = [step for step in steps if step.room_cue.cue.code == cue.code and step.room_cue.outcome]
        is_superseded = not mine or mine[0].room_cue.outcome.occurrence != row["occurrence"]  # type: ignore[union-attr]
        is_known = is_superseded or (cue.code, row["occurrence"]) in heard
        if not is_known and cue.code not in {one.room_cue.cue.code for one in unheard(steps, heard, now_us)}:
            if self._has_stepped_since(row):
                return
            raise LawBrokenError(f"{cue.code} was not heard in room {room.room_id} and nobody is asked")

    def _has_stepped_since(self, row: Any) -> bool:
        return self.day.now_us - self._truth.changed_us(0) < UNHEARD_US + SECOND_US and bool(row)

    def hear(self, sound: Sound) -> None:
        """Something sounded in a room: measure it against the laws."""
        self.day.count("sounds", (sound.room_id, sound.cue, sound.occurrence))
        for room in self._sounding(sound):
            cue = PROCEDURES[self.day.kind(sound.session_id)].cue(sound.cue)
            assert cue is not None
            if (sound.cue, sound.occurrence) in room.by_hand:
                raise LawBrokenError(f"{sound.cue} was rung again that people had rung by hand")
            if not self._truth.is_excused(sound):
                self._check_moment(sound, cue.tolerance_us)
                if (sound.cue, sound.occurrence) not in room.pressed and cue.trigger is Trigger.AUTOMATIC:
                    self._check_automatic(room, sound)
            room.sounds.append(sound)

    def _check_automatic(self, room: RoomTruth, sound: Sound) -> None:
        if sound.cue == STOP:
            self._truth.check_stop(room, sound.true_us, self.day.least_slack_us, "a room's stop is")
        if room.is_evacuated and sound.true_us > room.evacuations[-1][0] + SECOND_US:
            raise LawBrokenError(f"{sound.cue} sounded in evacuated room {room.room_id}")
        self._truth.check_twice(room, sound)

    def _check_moment(self, sound: Sound, tolerance_us: int) -> None:
        """By the console's clock, whether its process lives or not; in doubt by what that would be."""
        machine = self._machine
        now_us = machine.continued_us if machine.keeper.is_in_doubt else machine.clock.wall_us()
        late_us = now_us - sound.moment_us
        if late_us < -self.day.slack_us:
            raise LawBrokenError(f"{sound.cue} sounded {-late_us / SECOND_US:.2f} s early in {sound.room_id}")
        if late_us > tolerance_us + self.day.slack_us:
            raise LawBrokenError(f"{sound.cue} sounded {late_us / SECOND_US:.2f} s late in {sound.room_id}")

    def _sounding(self, sound: Sound) -> list[RoomTruth]:
        """The rooms of the session whose people are where it sounded."""
        course = self.day.course(sound.session_id) if len(self.moved) else None
        return [
            room
            for (session_id, room_id), room in self._truth.rooms.items()
            if session_id == sound.session_id and self._where(course, room_id) == sound.room_id
        ]

    def check_told_by_rooms(self) -> None:
        """What the rooms told is the elapsed time that the restart ended: surely not ahead of it."""
        apart_us = self._machine.apart_from_continued_us()
        if not -BEHIND_US <= apart_us <= SECOND_US // 10:
            raise LawBrokenError(f"after the restart the rooms' time is {apart_us / SECOND_US:.2f} s ahead")

    def _where(self, course: SessionCourse | None, room_id: int) -> int:
        if course is None:
            return room_id
        return self.moved.get((course.session.id, room_id), room_id)

    def settle(self) -> None:
        """At the end of the day nothing is forgotten, and the console knows what the rooms know."""
        for session_id in self.day.ids:
            course = self.day.course(session_id)
            if course.session.armed_at_us is not None and course.session.cancelled_at_us is None:
                for one in session_cues(course):
                    self._require_outcome(one, course.session.armed_at_us)
            for room_id in course.session.room_ids:
                self._agree(course, self._truth.rooms[session_id, room_id])
                self._require_true_start(self._truth.rooms[session_id, room_id])
        if self.day.seed % 50 == 0:
            with self.day.database.read() as connection:
                recompute(connection)
                found = list(check_facts(connection, EXAM_FACTS))
            if found:
                raise LawBrokenError(f"facts and ledger differ: {found[0]}")

    def _require_outcome(self, one: RoomCue, armed_at_us: int) -> None:
        is_over = one.closes_at_us + 20 * SECOND_US < self._machine.clock.wall_us()
        if not is_over or armed_at_us >= one.planned_at_us or one.cue.trigger is not Trigger.AUTOMATIC:
            return
        if one.is_automatic and not one.is_warned:
            raise LawBrokenError(f"{one.cue.code} is forgotten in room {one.room_id}")
        outcome = one.outcome
        if (
            outcome is not None
            and outcome.is_missed
            and abs(outcome.planned_at_us - one.planned_at_us) > SECOND_US
        ):
            raise LawBrokenError(f"{one.cue.code} was missed at another plan in room {one.room_id}")

    def _require_true_start(self, room: RoomTruth) -> None:
        """The console's T0 is not later than the bell that people heard, by one and the same clock."""
        start = room.counting(START)
        if start is None or start.is_by_hand:
            return
        known = [true_us for true_us, _ in self._truth.changes[0] if true_us < start.true_us]
        since_us = max(known, default=0)
        rung = [
            one.true_us
            for one in room.sounds
            if (one.cue, one.occurrence) == (START, start.occurrence) and one.true_us >= since_us
        ]
        late_us = start.true_us - min(rung, default=start.true_us)
        if late_us > PUNCTUAL_US + self.day.slack_us:
            raise LawBrokenError(f"T0 of room {room.room_id} noted {late_us / SECOND_US:.2f} s late")

    def _agree(self, course: SessionCourse, room: RoomTruth) -> None:
        signals = room_signals(course.procedure, course.announced_in(room.room_id))
        for cue, told in ((START, signals.start), (STOP, signals.stop)):
            counting = room.counting(cue)
            known = None if told is None else told.occurrence
            if known != (counting and counting.occurrence):
                raise LawBrokenError(
                    f"the console takes {cue} number {known} of room {room.room_id}, not {counting}"
                )
