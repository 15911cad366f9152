"""What the site lead looks at before a session is armed: its signals, and what stands against them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Final

from flask import current_app

from evidence.day import load_rooms
from evidence.players import Heard, last_checks, load_players
from exam.arming import ArmedSignal, ArmingPlan, SignalState, arming_plan, changed_since, differences
from exam.arming_warnings import Against, ArmingWarning
from exam.clock import site_time
from exam.course import SessionCourse, room_at
from exam.day import Room
from exam.players import CHECK_LASTS_US, can_ring
from exam.procedure import Cue
from web.audio import AUDIO_EXTENSION, AudioLibrary
from web.clock_check_view import todays_check
from web.own_sounds import is_recording_unusable
from web.timetable_page import GIVER_WORDS
from web.words import clock_words

SHOWN_ROOMS: Final = 6
SILENT: Final = ArmingWarning(
    Against.SILENT_ROOM,
    is_grave=True,
    words="现在没有能响铃的设备",
    advice="请在考室打开考场播报页面或音箱，或备好手铃。",
)
UNHEARD: Final = ArmingWarning(
    Against.UNHEARD_ROOM, is_grave=False, words="没有人确认听到试音", advice="请试音，由在场的人确认。"
)


@dataclass(frozen=True, slots=True)
class SignalLine:
    """One cue at one moment, and the rooms in which it sounds then."""

    cue: Cue
    signal: ArmedSignal
    where: str

    @property
    def giver(self) -> str:
        return GIVER_WORDS[self.cue.trigger]


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One signal that is not as it was shown, before and now."""

    title: str
    where: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that should be put right before signals sound; `endpoint`: where. Nothing forbids arming."""

    warning: ArmingWarning
    endpoint: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class ArmingView:
    """A session as it would be armed now."""

    course: SessionCourse
    plan: ArmingPlan
    lines: tuple[SignalLine, ...]
    warnings: tuple[Warned, ...]
    rooms: Mapping[int, Room]

    @property
    def against(self) -> list[ArmingWarning]:
        """The warnings themselves, without where to go."""
        return [one.warning for one in self.warnings]


def plan_now(course: SessionCourse, now_us: int) -> ArmingPlan:
    """The plan of the session with the sounds that rooms are given now."""
    code = course.procedure.code
    return arming_plan(
        course, {cue: audio.name for (of, cue), audio in _library().items() if of == code}, now_us
    )


def arming_view(connection: Connection, course: SessionCourse, now_us: int, clock_wrong: str) -> ArmingView:
    """The session's signals, and what stands against them, the gravest first.

    `clock_wrong` is what `console_alarm` says: it may ask a program, which must not be waited for with the
    writer's lock in hand.
    """
    rooms, plan = load_rooms(connection), plan_now(course, now_us)
    lines = tuple(_lines(course, plan.signals, rooms))
    warnings = (
        *_silent_rooms(connection, course, rooms, now_us),
        *_sounds(course),
        *_clocks(connection, course, now_us, clock_wrong),
        *_unheard_rooms(connection, course, rooms, now_us),
    )
    return ArmingView(course, plan, lines, warnings, rooms)


def changed_lines(view: ArmingView, before: ArmingPlan) -> list[ChangedLine]:
    """What differs from what was shown; of an armed session, what will sound otherwise than when it was."""
    is_armed = view.course.session.armed_at_us is not None
    found = changed_since(before, view.plan) if is_armed else differences(before, view.plan)
    rooms: dict[tuple[str, str, str], list[int]] = {}
    for one in found:
        title = _title(view.course, one.shown.cue_code)
        key = (title, _signal_words(one.before), _signal_words(one.after))
        rooms.setdefault(key, []).append(one.shown.place_id)
    changed = [
        ChangedLine(title, _where(view.course, places, view.rooms), *_told_apart(then, now))
        for (title, then, now), places in rooms.items()
    ]
    if before.procedure_sha256 != view.plan.procedure_sha256:
        changed.append(ChangedLine("考试流程文件", "全部", "原来的", "已更换，请重新核对全部信号"))
    return changed


def _told_apart(before: str, after: str) -> tuple[str, str]:
    """Where time and state are the same, it is the sound or the room that differs."""
    return (before, after) if before != after else (before, f"{after}，声音或考室不同")


def _signal_words(one: ArmedSignal | None) -> str:
    if one is None:
        return "没有"
    moment = f"{'预计' if one.is_projected else ''}{clock_words(one.at_us)}"
    return (
        moment
        + {
            SignalState.TO_COME: "",
            SignalState.LEFT_TO_PEOPLE: "，不会自动响铃",
            SignalState.GIVEN: "，已发出",
        }[one.state]
    )


def _title(course: SessionCourse, cue_code: str) -> str:
    cue = course.procedure.cue(cue_code)
    return cue.title if cue else cue_code


def _lines(
    course: SessionCourse, signals: Iterable[ArmedSignal], rooms: Mapping[int, Room]
) -> Iterable[SignalLine]:
    """Earliest first; rooms with the same moment and state stand on one line."""
    together: dict[tuple[object, ...], list[ArmedSignal]] = {}
    for one in signals:
        key = (one.cue_code, one.at_us, one.is_projected, one.state)
        together.setdefault(key, []).append(one)
    cues = {cue.code: cue for cue in course.procedure.cues}
    for found in together.values():
        where = _where(course, [one.place_id for one in found], rooms)
        yield SignalLine(cues[found[0].cue_code], found[0], where)


def _where(course: SessionCourse, places: Iterable[int], rooms: Mapping[int, Room]) -> str:
    here = dict.fromkeys(places)
    if len(here) > SHOWN_ROOMS and set(here) == set(course.session.room_ids):
        return f"全部{len(here)}个考场"
    return "、".join(rooms[room_id].label for room_id in here)


def _silent_rooms(
    connection: Connection, course: SessionCourse, rooms: Mapping[int, Room], now_us: int
) -> Iterable[Warned]:
    able = {one.room_id for one in load_players(connection, now_us) if can_ring(one, now_us)}
    silent = [room_id for room_id in _places(course, now_us) if room_id not in able]
    if silent:
        yield Warned(_in_rooms(SILENT, course, silent, rooms), "players.page", "看播放设备")


def _sounds(course: SessionCourse) -> Iterable[Warned]:
    audible = [cue for cue in course.procedure.cues if cue.is_audible]
    without = [cue.title for cue in audible if (course.procedure.code, cue.code) not in _library()]
    if without:
        advice = "控制台没有备好声音，请系统管理员重新启动控制台。"
        words = f"没有声音：{'、'.join(without)}"
        yield Warned(
            ArmingWarning(Against.NO_SOUND, is_grave=True, words=words, advice=advice, subjects=(*without,))
        )
    rendered = [cue.title for cue in audible if is_recording_unusable(cue.text)]
    if rendered:
        warning = ArmingWarning(
            Against.RECORDING_UNUSABLE,
            is_grave=False,
            words=f"自备录音不能再用，将播放合成语音：{'、'.join(rendered)}",
            advice="要用自己的录音，请重新上传并听过确认。",
            subjects=(*rendered,),
        )
        yield Warned(warning, "own_sounds.page", "去试听")


def _clocks(connection: Connection, course: SessionCourse, now_us: int, wrong: str) -> Iterable[Warned]:
    if wrong:
        words, advice = f"考点时间不准：{wrong}", "信号按考点时间发出，请先校准。"
        warning = ArmingWarning(Against.CLOCK_WRONG, is_grave=True, words=words, advice=advice)
        yield Warned(warning, "clock_check.page", "去核对")
    is_today = site_time(now_us).date() == site_time(course.session.planned_start_us).date()
    if not is_today:
        words, advice = "今天不是考试日", "考试当天还要核对时钟。"
        yield Warned(ArmingWarning(Against.NOT_THE_DAY, is_grave=False, words=words, advice=advice))
    elif todays_check(connection, now_us) is None:
        words, advice = "今天还没有核对时钟", "请核对并记录。"
        warning = ArmingWarning(Against.CLOCK_UNCHECKED, is_grave=False, words=words, advice=advice)
        yield Warned(warning, "clock_check.page", "去核对")


def _unheard_rooms(
    connection: Connection, course: SessionCourse, rooms: Mapping[int, Room], now_us: int
) -> Iterable[Warned]:
    checks = last_checks(connection, now_us - CHECK_LASTS_US)
    heard = {room_id for room_id, check in checks.items() if check.outcome is Heard.HEARD}
    unheard = [room_id for room_id in _places(course, now_us) if room_id not in heard]
    if unheard:
        yield Warned(_in_rooms(UNHEARD, course, unheard, rooms), "players.page", "去试音")


def _in_rooms(
    warning: ArmingWarning, course: SessionCourse, room_ids: list[int], rooms: Mapping[int, Room]
) -> ArmingWarning:
    """The warning about these rooms; on record each of them stands by name."""
    labels = tuple(rooms[room_id].label for room_id in room_ids)
    return replace(warning, words=f"{warning.words}：{_where(course, room_ids, rooms)}", subjects=labels)


def _places(course: SessionCourse, now_us: int) -> list[int]:
    """Where the session sits from now on."""
    here = [room_at(course, room_id, now_us) for room_id in course.session.room_ids]
    return list(dict.fromkeys(here))


def _library() -> AudioLibrary:
    library: AudioLibrary = current_app.extensions.get(AUDIO_EXTENSION, {})
    return library
