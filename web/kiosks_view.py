"""What the page 签到机 shows: every kiosk's state in words, and whether there are enough of them today."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from evidence.day import load_rooms, load_sessions
from evidence.kiosk_enrolments import is_out_of_service, wants_roll
from evidence.kiosk_self_tests import SelfTest, self_tests_of_day
from evidence.kiosk_states import load_beats
from evidence.kiosks import Kiosk, Scope, load_kiosks, scope_of
from evidence.roster_revisions import current_revision
from evidence.staff_pins import load_pins
from exam.clock import SECOND_US, site_time
from exam.day import Room, Session
from exam.kiosk_capacity import Need, Wave, need
from exam.kiosk_health import LOST_US, Beat, Part, PartState, Trouble, is_lost, troubles
from exam.self_test import Check, Result, Standing
from web.room_view import todays_sessions
from web.services import services
from web.words import minute_words

PART_WORDS: Final[Mapping[Part, str]] = {
    Part.CAMERA: "扫码摄像头",
    Part.FACE_CAMERA: "人像摄像头",
    Part.SCANNER: "扫码枪",
    Part.ID_READER: "身份证读卡器",
    Part.SPEAKER: "扬声器",
}
PART_STATE_WORDS: Final = {PartState.LOST: "没有响应", PartState.COVERED: "被遮挡或过暗"}
TROUBLE_WORDS: Final[Mapping[Trouble, str]] = {
    Trouble.LOST_WITH_QUEUE: "离线，有记录未上传",
    Trouble.CLOCK: "时钟不准",
    Trouble.STALE_ROSTER: "离线名单未更新",
    Trouble.NEEDS_HUMAN: "有记录须人工处理",
    Trouble.DISK: "磁盘空间不足",
}
CHECK_WORDS: Final[Mapping[Check, str]] = {
    Check.CAMERA: "扫码摄像头",
    Check.FACE_CAMERA: "人像摄像头",
    Check.SCANNER: "扫码枪",
    Check.SPEAKER: "扬声器",
    Check.CLOCK: "时钟",
    Check.DISK: "磁盘",
    Check.SERVER: "控制台连接",
    Check.ROSTER: "离线名单",
}
SHOWN_ROOMS: Final = 6


@dataclass(frozen=True, slots=True)
class Said:
    """One thing about a kiosk: the kind of state, and the word."""

    kind: str
    word: str


@dataclass(frozen=True, slots=True)
class KioskView:
    """One kiosk as people read it."""

    kiosk: Kiosk
    state: Said
    facts: tuple[Said, ...]
    self_test: Said
    failed: tuple[str, ...]
    last_seen_at_us: int | None
    where: str
    scope: Scope
    is_out: bool
    is_rolling: bool
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LockedPin:
    """Somebody whose PIN was tried wrongly again and again at a kiosk; the site lead lifts the wait there."""

    account_id: int
    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KiosksView:
    """Everything on the page."""

    kiosks: tuple[KioskView, ...]
    revoked: tuple[tuple[int, str, int], ...]
    locked: tuple[LockedPin, ...]
    needs: tuple[Need, ...]
    rooms: Mapping[int, Room]
    sessions: tuple[Session, ...]

    @property
    def well(self) -> int:
        """How many kiosks are in order."""
        return sum(view.state.kind == "good" for view in self.kiosks)


def load_view(connection: Connection, now_us: int) -> KiosksView:
    """The page as of now."""
    rooms = load_rooms(connection)
    today = [one for one in todays_sessions(connection, now_us) if one.cancelled_at_us is None]
    beats, tests = load_beats(connection), self_tests_of_day(connection, now_us)
    kiosks = load_kiosks(connection)
    views = tuple(
        _kiosk_view(connection, one, (beats.get(one.id), tests.get(one.id)), rooms, now_us) for one in kiosks
    )
    return KiosksView(
        tuple(sorted(views, key=lambda view: view.state.kind != "bad")),
        tuple(_revoked(connection)),
        tuple(_locked(connection, kiosks, beats)),
        tuple(_needs(connection, today, [view for view in views if not view.is_out], now_us)),
        rooms,
        tuple(_coming(connection, now_us)),
    )


def need_words(one: Need, rooms: Mapping[int, Room]) -> str:
    """Whether the kiosks suffice for one start, in a sentence."""
    wave = one.wave
    minutes = wave.window_us // (60 * SECOND_US)
    facts = (
        f"{minute_words(wave.start_us)} 开考 {wave.candidates} 人，{minutes} 分钟签到，"
        f"每人约 {one.cycle_us // SECOND_US} 秒：需要 {one.needed} 台，现有 {one.available} 台"
    )
    if one.unserved:
        labels = [rooms[room].label for room in one.unserved[:SHOWN_ROOMS] if room in rooms]
        more = f"等{len(one.unserved)}个考场" if len(one.unserved) > SHOWN_ROOMS else ""
        return f"{facts}。{'、'.join(labels)}{more}没有签到机，请添加，或改为服务全考点。"
    if one.is_short:
        return f"{facts}。不够用，请增加签到机，或安排工作人员在人工窗口同时核验。"
    return f"{facts}。"


def _kiosk_view(
    connection: Connection,
    kiosk: Kiosk,
    told: tuple[Beat | None, SelfTest | None],
    rooms: Mapping[int, Room],
    now_us: int,
) -> KioskView:
    beat, test = told
    (last_seen_at_us,) = connection.execute(
        "select last_seen_at_us from kiosk where id = ?", (kiosk.id,)
    ).fetchone()
    is_out = is_out_of_service(connection, kiosk.id)
    scope = scope_of(connection, kiosk.id)
    present = current_revision(connection, kiosk.id)
    state = Said("off", "人工停用") if is_out else _state(beat, last_seen_at_us, now_us)
    return KioskView(
        kiosk=kiosk,
        state=state,
        facts=() if beat is None else tuple(_facts(beat, None if present is None else present.number)),
        self_test=_self_test(test),
        failed=() if test is None else tuple(_failed(test)),
        last_seen_at_us=last_seen_at_us,
        where=_where(scope, rooms),
        scope=scope,
        is_out=is_out,
        is_rolling=wants_roll(connection, kiosk.id),
        versions={} if beat is None else beat.report.versions,
    )


def _state(beat: Beat | None, last_seen_at_us: int | None, now_us: int) -> Said:
    if last_seen_at_us is None:
        return Said("off", "尚未联系")
    found = [] if beat is None else troubles(beat, now_us)
    if found:
        return Said("bad", TROUBLE_WORDS[found[0].trouble])
    silent = now_us - last_seen_at_us > LOST_US if beat is None else is_lost(beat, now_us)
    if silent:
        return Said("wait", "离线")
    return Said("good", "正常") if beat is None else _working_state(beat)


def _working_state(beat: Beat) -> Said:
    if beat.report.is_out_of_service:
        return Said("wait", "本机暂停使用")
    if any(state in PART_STATE_WORDS for state in beat.report.parts.values()):
        return Said("wait", "设备故障")
    return Said("good", "正常")


def _facts(beat: Beat, present: int | None) -> Iterator[Said]:
    report = beat.report
    if report.queue_length:
        yield Said("wait", f"待上传 {report.queue_length} 条")
    if report.needs_human:
        yield Said("bad", f"须人工处理 {report.needs_human} 条")
    if report.roster_revision is None:
        yield Said("wait", "没有离线名单")
    elif report.roster_revision == present:
        yield Said("good", f"名单第 {report.roster_revision} 版")
    else:
        yield Said("wait", f"名单第 {report.roster_revision} 版，应为第 {present} 版")
    if Trouble.CLOCK in beat.since:
        direction = "快" if beat.offset_us > 0 else "慢"
        yield Said("bad", f"时钟{direction} {abs(beat.offset_us) // SECOND_US} 秒")
    for part, state in report.parts.items():
        if state in PART_STATE_WORDS:
            yield Said("bad", f"{PART_WORDS[part]}{PART_STATE_WORDS[state]}")


def _self_test(test: SelfTest | None) -> Said:
    if test is None:
        return Said("off", "今天未自检")
    at = minute_words(test.received_at_us)
    match test.standing:
        case Standing.PASSED:
            return Said("good", f"自检合格 {at}")
        case Standing.FAILED:
            return Said("bad", f"自检不合格 {at}")
        case Standing.INCOMPLETE:
            return Said("wait", f"自检未做完 {at}")


def _failed(test: SelfTest) -> Iterator[str]:
    for one in test.tried:
        if one.result is Result.BAD:
            yield f"{CHECK_WORDS[one.check]}：{one.words}" if one.words else CHECK_WORDS[one.check]


def _where(scope: Scope, rooms: Mapping[int, Room]) -> str:
    labels = [rooms[room].label for room in scope.rooms if room in rooms]
    if not labels:
        return "全考点"
    more = f"等{len(labels)}个考场" if len(labels) > SHOWN_ROOMS else ""
    return "、".join(labels[:SHOWN_ROOMS]) + more


def _revoked(connection: Connection) -> Iterator[tuple[int, str, int]]:
    for row in connection.execute(
        "select id, label, revoked_at_us from kiosk where revoked_at_us is not null order by label"
    ):
        yield row["id"], row["label"], row["revoked_at_us"]


def _locked(
    connection: Connection, kiosks: Iterable[Kiosk], beats: Mapping[int, Beat]
) -> Iterator[LockedPin]:
    labels: dict[int, list[str]] = defaultdict(list)
    for kiosk in kiosks:
        beat = beats.get(kiosk.id)
        for pin_id in () if beat is None else beat.report.locked_pins:
            labels[pin_id].append(kiosk.label)
    for pin in load_pins(connection):
        if pin.id in labels:
            yield LockedPin(pin.account_id, pin.display_name, tuple(labels[pin.id]))


def _coming(connection: Connection, now_us: int) -> Iterator[Session]:
    """The sessions of today and of later days, which a kiosk may be bound to."""
    today = site_time(now_us).date()
    for session in load_sessions(connection):
        if session.cancelled_at_us is None and site_time(session.planned_start_us).date() >= today:
            yield session


def _needs(
    connection: Connection, sessions: Iterable[Session], kiosks: Iterable[KioskView], now_us: int
) -> Iterator[Need]:
    """One for each start that is still to come, or has not passed its check-in yet."""
    starts: dict[int, list[Session]] = defaultdict(list)
    for session in sessions:
        if session.planned_start_us > now_us and session.procedure_code in services().procedures:
            starts[session.planned_start_us].append(session)
    steps = services().policy.steps
    serving = list(kiosks)
    for start_us, together in sorted(starts.items()):
        window_us = min(services().procedures[one.procedure_code].check_in_opens_us for one in together)
        ids = {one.id for one in together}
        own = [
            frozenset(view.scope.rooms)
            for view in serving
            if not view.scope.sessions or ids & set(view.scope.sessions)
        ]
        wave = Wave(start_us, window_us, _candidates(connection, ids))
        if wave.candidates and window_us > 0:
            yield need(wave, own, steps)


def _candidates(connection: Connection, sessions: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    for session_id in sessions:
        rows = connection.execute(
            "select place.room_id, count(*) from seating join place on place.id = place_id"
            " where session_id = ? group by place.room_id",
            (session_id,),
        )
        for room_id, count in rows:
            found[room_id] += count
    return dict(found)
