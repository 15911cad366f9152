"""演练: the signals of the exam day with the real players, as they come; and rehearsals on record.

During a rehearsal the console shows its own page here and keeps every door shut behind which something would
be written that is lost with the rehearsal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from evidence.day import load_sessions
from evidence.rehearsals import find_rehearsal, rehearsals_of
from exam.clock import site_time
from exam.readiness import next_exam_day
from exam.rehearsal import Became, RehearsedSignal
from web.rehearsal_running import EXTENSION, running
from web.rehearsing import Conductor
from web.services import ANY_TOPIC, services
from web.stream import event_stream

blueprint: Final = Blueprint("rehearsal", __name__, url_prefix="/rehearsal")

# What goes on in a rehearsal: rooms, players, proctors' pages. With a dot one endpoint, else a whole area.
OPEN: Final = frozenset(
    {
        *("static", "look", "health", "trust", "rehearsal", "signals", "signal_actions", "players"),
        *("speaker_api", "overview", "rounds", "clock_page", "timetable_page", "proctor", "hand_signals"),
        *("alarms", "accounts.home", "accounts.login", "accounts.logout"),
    }
)
# Within those areas, what would be lost with the rehearsal: who was let in, put out, or heard the test tone.
NOT_OPEN: Final = frozenset({"players.invite", "players.revoke", "players.check", "speaker_api.enrol"})
SHUT: Final = (
    "正在演练，不是考试。这里做的事会随演练一起消失，所以演练期间不开放；演练结束、重新启动控制台后再办。"
)

# Colour, shape and word of what became of a signal.
BECAME_WORDS: Final[Mapping[Became, tuple[str, str]]] = {
    Became.HEARD: ("good", "已播放"),
    Became.SILENT: ("bad", "没有播放"),
    Became.MISSED: ("bad", "没有发出"),
    Became.NOT_REACHED: ("off", "未轮到"),
}
TROUBLE_WORDS: Final[Mapping[str, str]] = {
    "autoplay_refused": "设备上没有点“启用声音”",
    "audio_missing": "声音文件没有取到",
    "too_late": "设备来不及播放",
    "not_played": "设备没有播放",
    "no_output": "没有声音输出",
    "rooms_differ": "几个考室时间不一致，共用音箱没有播放",
    "interrupted": "播放被打断",
}


@dataclass(frozen=True, slots=True)
class SessionTable:
    """The signals of one session: a row for each room, a column for each signal."""

    session: str
    cues: tuple[tuple[str, str, int], ...]
    rows: tuple[tuple[str, tuple[RehearsedSignal | None, ...]], ...]


def tables(signals: Sequence[RehearsedSignal]) -> list[SessionTable]:
    """One table a session, in the order of the day."""
    codes = dict.fromkeys(one.session for one in signals)
    return [_table(code, [one for one in signals if one.session == code]) for code in codes]


def _table(code: str, signals: Sequence[RehearsedSignal]) -> SessionTable:
    at: dict[str, tuple[str, int]] = {}
    for one in signals:
        at.setdefault(one.cue, (one.title, one.sounds_at_us))
    cells = {(one.room, one.cue): one for one in signals}
    rooms = sorted({one.room for one in signals})
    return SessionTable(
        code,
        tuple((cue, *facts) for cue, facts in at.items()),
        tuple((room, tuple(cells.get((room, cue)) for cue in at)) for room in rooms),
    )


@blueprint.get("/")
def page() -> str:
    conductor = running()
    if conductor is not None:
        return render_template("rehearsal/running.html", **_running(conductor))
    with services().exam.read() as connection:
        day = next_exam_day(load_sessions(connection), site_time(services().clock.wall_us()).date())
        kept = rehearsals_of(connection, day.isoformat()) if day else []
    return render_template("rehearsal/page.html", day=day, kept=kept)


@blueprint.get("/live")
def live() -> str:
    return render_template("rehearsal/live.html", **_running(running() or abort(404)))


@blueprint.get("/stream")
def stream() -> Response:
    return event_stream(ANY_TOPIC)


@blueprint.post("/end")
def end() -> AnyResponse:
    """No further signal; what was rehearsed so far is kept."""
    (running() or abort(404)).end()
    return redirect(url_for(".page"), 303)


@blueprint.get("/<int:rehearsal_id>")
def kept(rehearsal_id: int) -> str:
    with services().exam.read() as connection:
        found = find_rehearsal(connection, rehearsal_id) or abort(404)
    return render_template("rehearsal/kept.html", kept=found, **_shown(found.rehearsed.signals))


def install(app: Flask, conductor: Conductor) -> None:
    """Make the app a rehearsal's: marked on every page, shut where something would be lost."""
    app.extensions[EXTENSION] = conductor
    app.context_processor(lambda: {"is_rehearsal": True})
    # Before the gate: a kiosk that is unknown here must not take itself for shut out.
    shut: Callable[[], AnyResponse | None] = _shut
    app.before_request_funcs.setdefault(None, []).insert(0, shut)


def _shut() -> AnyResponse | None:
    endpoint = request.endpoint
    if endpoint is None or _is_open(endpoint):
        return None
    page = render_template("refusal.html", code=503, word="正在演练", advice=SHUT)
    return make_response(page, 503)


def _is_open(endpoint: str) -> bool:
    return endpoint not in NOT_OPEN and bool({endpoint, endpoint.partition(".")[0]} & OPEN)


def _running(conductor: Conductor) -> dict[str, Any]:
    signals = conductor.signals()
    return {"conductor": conductor, **_shown(signals)}


def _shown(signals: Sequence[RehearsedSignal]) -> dict[str, Any]:
    count = {became: sum(one.became is became for one in signals) for became in Became}
    return {
        "tables": tables(signals),
        "count": count,
        "failed": [one for one in signals if one.has_failed],
        "became_words": BECAME_WORDS,
        "trouble_words": TROUBLE_WORDS,
    }
