"""正在核对时间: what the console shows after a restart during an exam until somebody vouches for the time.

Players are answered like those of a console that is away, and ring on by the time they know; what they hold
that time to be is heard in passing (`web.restart_doubt`). The site lead may say what time it is, as his watch
shows it: where a console was told to go on by its own time, that is another one.
"""

from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from exam.clock import SECOND_US
from exam.clock_restart import told_by_person
from exam.clock_step import ASKED_US
from exam.players import MAY_RING_US
from exam.server_time import KNOWN_HEADER, KnownTime
from web.asking import wants_page
from web.logins import cookie_name
from web.restart_doubt import BeforeLastSeenError, RestartDoubt, SettledAlreadyError, open_doubt
from web.services import ANY_TOPIC, services
from web.words import clock_words, date_words, length_words

blueprint: Final = Blueprint("restart", __name__)

# Says to open pages why nothing comes; its value changes when the time that is shown does.
HEADER: Final = "X-Time-In-Doubt"
# What may be opened: nothing that hangs on the time. With a dot one endpoint, else a whole area.
OPEN: Final = frozenset(
    {"static", "look", "health", "metrics", "trust", "restart", "accounts.login", "accounts.logout"}
)
# Where players ask for the time, and tell what they hold it to be.
ASKING: Final = frozenset({"signals.clock", "speaker_api.clock"})
# Rooms answer within seconds: nobody is asked to look at a watch before.
ROOMS_FIRST_US: Final = 15 * SECOND_US
# The time that is confirmed is the one that was seen.
SEEN_US: Final = 2 * SECOND_US
WORD: Final = "正在核对时间"
ADVICE: Final = "控制台的主机重新启动过，正在与各考场的设备核对时间，请稍候。各考场的设备照常打铃。"
UNREAD: Final = "没有看懂填写的时间。请按“时:分:秒”填写手表上的时间，例如 09:30:00。"
TOO_EARLY: Final = (
    "填写的时间早于重新启动前的最后时间（{seen}），或者晚了半天以上。请再看一次手表；"
    "停机确实超过半天的，请先改正本机的日期和时间，再按上面的按钮。"
)
LONG_AGO: Final = (
    "按填写的时间，控制台停了{length}，现在是{date} {clock}。确实如此的，请再按一次；否则请重新填写。"
)
CHANGED: Final = "本机的时间刚刚变了，请再对照一次手表。"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said: by what the console tells the time, or why that cannot be used yet."""

    offset_us: int | None = None
    fault: str = ""
    # What was typed is so far from when the console was last seen that it must be said twice.
    is_far: bool = False


def guard(app: Flask) -> None:
    """Shut everything that hangs on the time while it is in doubt.

    Call it before the gate is put up: a login may look expired by a clock that is wrong.
    """
    app.before_request(_shut)


@blueprint.route("/restart", methods=["GET", "POST"])
def settle() -> AnyResponse:
    """The site lead says that the time shown is right, or what his watch shows."""
    doubt = open_doubt(current_app)
    if doubt is None:
        return redirect(url_for("accounts.home"), 303)
    if request.method != "POST":
        return _page(doubt, Said(), 503)
    said = _typed(doubt) if "time" in request.form else _seen(doubt)
    if said.offset_us is None:
        return _page(doubt, said, 400)
    try:
        doubt.settle(said.offset_us, current_user.account_id)
    except SettledAlreadyError:
        return redirect(url_for("accounts.home"), 303)
    except BeforeLastSeenError:
        return _page(doubt, _too_early(doubt), 400)
    services().bus.publish(ANY_TOPIC)
    return redirect(url_for("accounts.home"), 303)


def _seen(doubt: RestartDoubt) -> Said:
    """The time that was shown, if it is still the same."""
    offset_us, seen_us = doubt.machine_offset_us, request.form.get("seen", type=int)
    if seen_us is None or abs(seen_us - offset_us) > SEEN_US:
        return Said(fault=CHANGED)
    return Said(offset_us)


def _typed(doubt: RestartDoubt) -> Said:
    """What a watch shows at this moment."""
    typed = request.form["time"].strip().replace("：", ":")
    try:
        time_of_day = time.fromisoformat(typed)
    except ValueError:
        return Said(fault=UNREAD)
    watch_us = told_by_person(time_of_day, doubt.kept.kept_at_us + doubt.kept.apart_us)
    if watch_us is None:
        return _too_early(doubt)
    now_us = watch_us - doubt.kept.apart_us
    away_us = now_us - doubt.kept.kept_at_us
    if away_us > MAY_RING_US and request.form.get("sure") != typed:
        length, date, clock = length_words(away_us), date_words(watch_us), clock_words(watch_us)
        return Said(fault=LONG_AGO.format(length=length, date=date, clock=clock), is_far=True)
    return Said(now_us - doubt.clock.boottime_us())


def _too_early(doubt: RestartDoubt) -> Said:
    seen_us = doubt.kept.kept_at_us + doubt.kept.apart_us
    return Said(fault=TOO_EARLY.format(seen=clock_words(seen_us)))


def _shut() -> AnyResponse | None:
    doubt, endpoint = open_doubt(current_app), request.endpoint or ""
    if doubt is None or {endpoint, endpoint.partition(".")[0]} & OPEN:
        return None
    if endpoint in ASKING and (told := KnownTime.from_header(request.headers.get(KNOWN_HEADER, ""))):
        doubt.hear(_player(), told)
    if wants_page():
        return _page(doubt, Said(), 503)
    return _marked(doubt, jsonify(error=WORD, advice=ADVICE, code=503), 503)


def _player() -> str:
    """Whose word it is, so that nobody's counts twice: by token, login or address."""
    of_login = request.cookies.get(cookie_name(current_app))
    return request.headers.get("Authorization") or of_login or request.remote_addr or ""


def _page(doubt: RestartDoubt, said: Said, code: int) -> Response:
    offset_us, apart_us = doubt.machine_offset_us, doubt.kept.apart_us
    facts: dict[str, Any] = {
        "seen": offset_us,
        # What a watch shows that goes by the machine's time.
        "watch_us": offset_us + doubt.clock.boottime_us() + apart_us,
        "last_us": doubt.kept.kept_at_us + apart_us,
        "apart": length_words(apart_us) if abs(apart_us) > ASKED_US else "",
        "is_behind": apart_us > 0,
        "may_ask": doubt.age_us >= ROOMS_FIRST_US or bool(said.fault),
    }
    typed = request.form.get("time", "")
    page = render_template("restart/page.html", word=WORD, said=said, typed=typed, **facts)
    return _marked(doubt, make_response(page), code)


def _marked(doubt: RestartDoubt, answer: Response, code: int) -> Response:
    answer.status_code = code
    is_asked = "asked" if doubt.age_us >= ROOMS_FIRST_US else "waiting"
    answer.headers[HEADER] = f"{is_asked} {doubt.machine_offset_us}"
    answer.headers["Retry-After"] = "1"
    return answer
