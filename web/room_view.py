"""Puts together what pages show of one room in one session: phase, steps, people, cameras, alarms."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from config.check_in import load_check_in_words
from evidence import announcements, overview
from evidence.check_in_alarms import RoomAlarm, standing_in
from evidence.courses import load_course
from evidence.day import load_rooms, load_sessions
from evidence.footage import CameraState, camera_states
from evidence.health import HealthChange, current_health
from evidence.overview import HeadCount
from evidence.players import load_players
from exam.clock import MINUTE_US, site_time
from exam.course import SessionCourse, room_at
from exam.cues import room_cues
from exam.day import Room, Session
from exam.errands import RoomFacts, visit
from exam.players import PlayerState
from exam.procedure import Audience, Cue, Procedure, Trigger
from exam.room_alarms import corrected, missed, unheard, unticked
from exam.room_phase import RoomPhase, room_phase
from exam.room_times import RoomTimes, room_times
from exam.rounds import Errand, Reason, Visit, pressing
from exam.timetable import Step, StepState, Timetable, cues_for, timetable
from exam.upload_rules import FOR_THE_ROOM
from web.camera_words import CameraView, camera_view
from web.errand_words import reason_words
from web.services import Services

NOBODY: Final = HeadCount(0, 0, 0, 0)
# A session is still looked after this long after its planned end: counting, handing over.
AFTERMATH_US: Final = 120 * MINUTE_US

# Colour, shape and word of each phase. What is usual is never amber or red.
PHASE_WORDS: Final[Mapping[RoomPhase, tuple[str, str, str]]] = {
    RoomPhase.CANCELLED: ("off", "off", "已取消"),
    RoomPhase.PREPARING: ("off", "clock", "准备中"),
    RoomPhase.CHECK_IN: ("good", "person", "签到入场"),
    RoomPhase.AWAITS_START: ("bad", "alarm", "等待开考"),
    RoomPhase.RUNNING: ("good", "good", "考试中"),
    RoomPhase.INTERRUPTED: ("bad", "alarm", "考试中断"),
    RoomPhase.AWAITS_STOP: ("bad", "alarm", "等待终止"),
    RoomPhase.EXTENDED: ("good", "clock", "工位顺延中"),
    RoomPhase.STOPPED: ("off", "wait", "已终止"),
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person must look at. `kind` is bad or wait; `since_us` None when unknown."""

    kind: str
    words: str
    since_us: int | None
    # The cue a press would make good; empty when pressing is no remedy.
    cue_code: str = ""
    # Told by the alarms of cameras, too (web.alarms).
    is_camera: bool = False
    # Seen to on the page of check-in.
    is_check_in: bool = False


@dataclass(frozen=True, slots=True)
class RoomView:
    """One room in one session, ready to be shown."""

    session: Session
    room: Room
    procedure: Procedure
    phase: RoomPhase
    times: RoomTimes
    table: Timetable
    count: HeadCount
    cameras: tuple[CameraView, ...]
    alarms: tuple[Alarm, ...]
    # Duty roles of the person who looks.
    roles: frozenset[str]
    # Why somebody must go there now.
    visit: Visit
    # Where the people of the room are now, when the session moved; None: in their room.
    moved_to: Room | None = None

    @property
    def to_confirm(self) -> tuple[Step, ...]:
        """The steps that wait for this person's tick, oldest first; other people's are only shown."""
        return tuple(step for step in self.table.to_confirm if step.room_cue.cue.roles & self.roles)

    @property
    def by_hand(self) -> tuple[Cue, ...]:
        """Starts and stops that nobody heard: given by hand bell, one press records when."""
        codes = {one.about for one in self.visit.reasons if one.errand is Errand.GIVE_SIGNAL}
        return tuple(cue for cue in self.procedure.cues if cue.code in codes)

    @property
    def phase_words(self) -> tuple[str, str, str]:
        """Colour, shape and word."""
        word = PHASE_WORDS[self.phase][2]
        return ("wait", "clock", word) if self._is_people_start else PHASE_WORDS[self.phase]

    @property
    def turning_point(self) -> tuple[str, int] | None:
        """What people count down to: the start, then the stop."""
        if self.phase in {RoomPhase.PREPARING, RoomPhase.CHECK_IN}:
            return "距开考", self.session.planned_start_us
        if self.phase is RoomPhase.RUNNING and self.times.ends_at_us is not None:
            return "距终止", self.times.ends_at_us
        return None

    @property
    def is_red(self) -> bool:
        return any(alarm.kind == "bad" for alarm in self.alarms)

    @property
    def _is_people_start(self) -> bool:
        """Waiting for an assessor's or chair's press is usual and no alarm."""
        return (
            self.phase in {RoomPhase.AWAITS_START, RoomPhase.AWAITS_STOP}
            and self.procedure.start_mode is not Trigger.AUTOMATIC
        )


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What all rooms of a session share, read once."""

    course: SessionCourse
    heard: frozenset[tuple[int, str, int]]
    counts: Mapping[int, HeadCount]
    cameras: Mapping[int, Sequence[overview.RoomCamera]]
    states: Mapping[str, CameraState]
    # Troubles of the pictures that last, by camera.
    troubles: Mapping[str, Sequence[HealthChange]]
    # The players that were heard of within a day, by room.
    players: Mapping[int, Sequence[PlayerState]]
    # About check-in, what its room must see to.
    check_in: Sequence[RoomAlarm]

    @property
    def session(self) -> Session:
        return self.course.session

    @property
    def procedure(self) -> Procedure:
        return self.course.procedure


def todays_sessions(connection: Connection, now_us: int) -> list[Session]:
    """The sessions of this day at the site, and one from yesterday that is not over."""
    today = site_time(now_us).date()
    return [
        session
        for session in load_sessions(connection)
        if site_time(session.planned_start_us).date() == today
        or session.planned_start_us < now_us < session.planned_start_us + session.duration_us + AFTERMATH_US
    ]


def read_cameras(services: Services) -> Mapping[str, CameraState]:
    """The latest state of every camera; empty while no recorder has ever run here."""
    footage = services.footage()
    if footage is None:
        return {}
    with footage.read() as connection:
        return camera_states(connection)


def read_troubles(services: Services) -> Mapping[str, Sequence[HealthChange]]:
    """What is wrong with the pictures of cameras now; empty while no recorder has ever run here."""
    footage = services.footage()
    if footage is None:
        return {}
    with footage.read() as connection:
        return current_health(connection)


def session_facts(
    connection: Connection, services: Services, session: Session, states: Mapping[str, CameraState]
) -> SessionFacts:
    """Read what the rooms of the session share."""
    players: dict[int, list[PlayerState]] = defaultdict(list)
    for state in load_players(connection, services.clock.wall_us()):
        players[state.room_id].append(state)
    return SessionFacts(
        course=load_course(connection, session, services.procedures),
        heard=frozenset(
            (report.room_id, report.cue_code, report.occurrence)
            for report in announcements.load_reports(connection, session.id)
            if report.started_at_us is not None
        ),
        counts=overview.head_counts(connection, session.id),
        cameras=overview.room_cameras(connection),
        states=states,
        troubles=read_troubles(services),
        players=players,
        check_in=standing_in(connection, session.id, FOR_THE_ROOM),
    )


def room_view(
    connection: Connection, facts: SessionFacts, room_id: int, roles: frozenset[str], now_us: int
) -> RoomView:
    """The room as people with these duty roles see it."""
    rooms, session = load_rooms(connection), facts.session
    here_id = room_at(facts.course, room_id, now_us)
    times = room_times(facts.course, room_id)
    cues = sorted(room_cues(facts.course, room_id), key=lambda one: one.planned_at_us)
    confirmed = announcements.load_confirmed(connection, session.id, room_id)
    cameras = tuple(
        camera_view(camera, facts.states.get(camera.uuid), now_us, facts.troubles.get(camera.uuid, ()))
        for camera in facts.cameras.get(here_id, ())
    )

    def table(seen_by: frozenset[str]) -> Timetable:
        return timetable(cues_for(cues, room_id, seen_by), confirmed, now_us, session.armed_at_us)

    whole = table(_all_roles(facts.procedure))
    heard = _heard_in(facts, room_id)
    todo = pressing(
        visit(RoomFacts(facts.course, room_id, whole.steps, heard, facts.players.get(here_id, ())), now_us),
        now_us,
    )
    return RoomView(
        session=session,
        room=rooms[room_id],
        moved_to=None if here_id == room_id else rooms[here_id],
        procedure=facts.procedure,
        phase=room_phase(facts.procedure, session, times, now_us),
        times=times,
        table=table(roles),
        count=facts.counts.get(room_id, NOBODY),
        cameras=cameras,
        alarms=(
            *_check_in_alarms(facts.check_in, room_id),
            *_signal_alarms(whole, heard, now_us),
            *_sound_alarms(todo.reasons, facts.procedure),
            *_camera_alarms(cameras),
            *_people_alarms(facts.counts.get(room_id, NOBODY)),
        ),
        roles=roles,
        visit=todo,
    )


def _heard_in(facts: SessionFacts, room_id: int) -> frozenset[tuple[str, int]]:
    return frozenset((cue, occurrence) for room, cue, occurrence in facts.heard if room == room_id)


def _all_roles(procedure: Procedure) -> frozenset[str]:
    return frozenset(role for cue in procedure.cues for role in cue.all_roles)


def _signal_alarms(table: Timetable, heard: frozenset[tuple[str, int]], now_us: int) -> list[Alarm]:
    found = [
        Alarm(
            "bad", f"{step.room_cue.cue.title}：未发出", step.room_cue.planned_at_us, step.room_cue.cue.code
        )
        for step in missed(table.steps)
    ]
    found += [
        Alarm("bad", f"{step.room_cue.cue.title}：考室未报告已播放", step.room_cue.planned_at_us)
        for step in unheard(table.steps, heard, now_us)
    ]
    found += [
        Alarm(
            "bad", f"{step.room_cue.cue.title}：已更正，请修改时间安排或重新发出", step.room_cue.planned_at_us
        )
        for step in corrected(table.steps)
    ]
    found += [
        Alarm(
            "wait",
            f"{step.room_cue.cue.title}：时间已过，未自动发出",
            step.room_cue.planned_at_us,
            step.room_cue.cue.code,
        )
        for step in table.steps
        if step.state is StepState.LEFT_TO_PEOPLE and step.room_cue.cue.is_audible
    ]
    return found + [
        Alarm("wait", f"未确认：{step.room_cue.cue.confirmation}", step.room_cue.planned_at_us)
        for step in unticked(table.steps, now_us)
        if Audience.TABLET in step.room_cue.cue.audience
    ]


def _sound_alarms(reasons: Sequence[Reason], procedure: Procedure) -> list[Alarm]:
    """What else somebody must go there for; a player that would still ring is amber."""
    return [
        Alarm(
            "wait" if reason.errand is Errand.LOOK_AT_PLAYER else "bad",
            reason_words(reason, procedure).what,
            reason.since_us,
        )
        for reason in reasons
        if reason.errand not in {Errand.GIVE_SIGNAL, Errand.SAY_ALOUD}
    ]


def _camera_alarms(cameras: Sequence[CameraView]) -> list[Alarm]:
    """One alarm for all cameras with the same trouble: a dead recorder is one thing to see to, not thirty."""
    by_word: dict[str, list[CameraView]] = defaultdict(list)
    for camera in cameras:
        if camera.is_alarm:
            by_word[f"{camera.word}：{camera.act}" if camera.act else camera.word].append(camera)
    return [
        Alarm(
            "bad",
            f"摄像机{''.join(f'“{camera.label}”' for camera in troubled)}{word}",
            since_us := min((one.since_us for one in troubled if one.since_us is not None), default=None),
            # A camera that nobody ever recorded has no alarm of its own.
            is_camera=since_us is not None,
        )
        for word, troubled in by_word.items()
    ]


def _check_in_alarms(standing: Sequence[RoomAlarm], room_id: int) -> list[Alarm]:
    """What the room must see to about somebody in it: a task until somebody says that it is done."""
    words = load_check_in_words().alarms
    return [
        Alarm(
            "bad",
            f"{one.place_label}号：{words[one.kind].title}。{words[one.kind].act}",
            one.raised_at_us,
            is_check_in=True,
        )
        for one in standing
        if one.room_id == room_id
    ]


def _people_alarms(count: HeadCount) -> list[Alarm]:
    if not count.referred:
        return []
    return [Alarm("bad", f"{count.referred}名考生转到人工窗口，等待处理", None)]
