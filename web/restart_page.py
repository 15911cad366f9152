"""正在核对时间: what the console shows after a restart during an exam until somebody vouches for the time.

Players are answered like those of a console that is away, and ring on by the time they know; what they hold
that time to be is heard in passing (`web.restart_doubt`). The site lead may say what time it is, as his watch
shows it.
"""

import re
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

from exam.clock import MINUTE_US, SECOND_US
from exam.clock_restart import told_by_person
from exam.clock_step import ASKED_US
from exam.server_time import KNOWN_HEADER, KnownTime
from web.asking import wants_page
from web.restart_doubt import EXTENSION, BeforeLastSeenError, RestartDoubt, SettledAlreadyError, open_doubt
from web.services import ANY_TOPIC, services
from web.words import clock_words, date_words, length_words

blueprint: Final = Blueprint("restart", __name__)

# Says to open pages why nothing comes; its value changes when the time that is shown does.
HEADER: Final = "X-Time-In-Doubt"
# What may be opened: nothing that hangs on the time. With a dot one endpoint, else a whole area.
OPEN: Final = frozenset(
    {
        *("static", "look", "health", "metrics", "trust", "restart", "accounts.login", "accounts.logout"),
        # Where players, known as such, ask for the time, and tell what they hold it to be.
        *("signals.clock", "speaker_api.clock"),
    }
)
# Rooms answer within seconds: nobody is asked to look at a watch before.
ROOMS_FIRST_US: Final = 15 * SECOND_US
# As a watch shows it.
TIME_OF_DAY: Final = re.compile(r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}")
# The time that is confirmed is the one that was seen.
SEEN_US: Final = 2 * SECOND_US
WORD: Final = "正在核对时间"
ADVICE: Final = "控制台的主机重新启动过，正在与各考场的设备核对时间，请稍候。各考场的设备照常打铃。"
UNREAD: Final = "没有看懂填写的时间。请按“时:分:秒”填写手表上的时间，例如 09:30:00。"
TOO_EARLY: Final = (
    "填写的时间早于重新启动前的最后时间（{seen}），或者晚了半天以上。请再看一次手表；"
    "停机确实超过半天的，请先改正本机的日期和时间，再按上面的按钮。"
)
AGAIN: Final = (
    "按填写的时间，现在是{date} {clock}，比本机的时间{which}{length}，控制台停了{away}。"
    "考试就按它结束：确实如此的，请再按一次；否则请重新填写。"
)
MACHINES: Final = "注意：这是主机时钟的时间，考试一直没有按它进行。"
CHANGED: Final = "本机的时间刚刚变了，请再对照一次手表。"


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said: by what the console tells the time, or why that cannot be used yet."""

    offset_us: int | None = None
    fault: str = ""
    # What was typed goes on by this, once it is said again: it is not the time that was shown.
    again_us: int | None = None


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
    """What a watch shows at this moment: said twice, because an exam ends by it."""
    typed = _typed_words()
    sure_us = request.form.get("sure", type=int)
    if sure_us is not None and request.form.get("said") == typed:
        return Said(sure_us)
    if not TIME_OF_DAY.fullmatch(typed):
        return Said(fault=UNREAD)
    try:
        hour, minute, second = map(int, typed.split(":"))
        now_us = told_by_person(time(hour, minute, second), doubt.kept.kept_at_us)
    except ValueError:
        return Said(fault=UNREAD)
    if now_us is None:
        return _too_early(doubt)
    return Said(fault=_consequence(doubt, now_us), again_us=now_us - doubt.clock.boottime_us())


def _typed_words() -> str:
    return request.form.get("time", "").strip().replace("：", ":")


def _consequence(doubt: RestartDoubt, now_us: int) -> str:
    """What it means to go on by this time."""
    shown_us = doubt.machine_offset_us + doubt.clock.boottime_us()
    words = AGAIN.format(
        date=date_words(now_us),
        clock=clock_words(now_us),
        length=length_words(now_us - shown_us),
        which="晚" if now_us > shown_us else "早",
        away=length_words(now_us - doubt.kept.kept_at_us),
    )
    is_machines = abs(now_us - shown_us - doubt.kept.apart_us) < MINUTE_US and _is_apart(doubt)
    return words + (MACHINES if is_machines else "")


def _is_apart(doubt: RestartDoubt) -> bool:
    """Whether the console goes by its own time, and not by the machine's, because somebody said so."""
    return abs(doubt.kept.apart_us) > ASKED_US


def _too_early(doubt: RestartDoubt) -> Said:
    return Said(fault=TOO_EARLY.format(seen=clock_words(doubt.kept.kept_at_us)))


def _shut() -> AnyResponse | None:
    doubt, endpoint = open_doubt(current_app), request.endpoint or ""
    if doubt is None or {endpoint, endpoint.partition(".")[0]} & OPEN:
        return None
    if wants_page():
        return _page(doubt, Said(), 503)
    return _marked(doubt, jsonify(error=WORD, advice=ADVICE, code=503), 503)


def hear_player(player: str) -> Response | None:
    """A player, known as such, asks for the time: hear what it holds it to be. An answer: there is none."""
    found: RestartDoubt | None = current_app.extensions.get(EXTENSION)
    told = KnownTime.from_header(request.headers.get(KNOWN_HEADER, ""))
    if found is None:
        return None
    if not found.is_open:
        if told is not None and found.hear_late(told):
            services().bus.publish(ANY_TOPIC)
        return None
    if told is not None:
        found.hear(player, told)
    return _marked(found, jsonify(error=WORD, advice=ADVICE, code=503), 503)


def _page(doubt: RestartDoubt, said: Said, code: int) -> Response:
    facts: dict[str, Any] = {
        "seen": doubt.machine_offset_us,
        "shown_us": doubt.machine_offset_us + doubt.clock.boottime_us(),
        "last_us": doubt.kept.kept_at_us,
        "apart": length_words(doubt.kept.apart_us) if _is_apart(doubt) else "",
        "is_ahead": doubt.kept.apart_us > 0,
        "is_contradicted": doubt.is_contradicted,
        "may_ask": _had_rooms_time(doubt) or bool(said.fault),
    }
    page = render_template("restart/page.html", word=WORD, said=said, typed=_typed_words(), **facts)
    return _marked(doubt, make_response(page), code)


def _had_rooms_time(doubt: RestartDoubt) -> bool:
    """Whether rooms that are in contact would have answered by now."""
    return doubt.age_us >= ROOMS_FIRST_US


def _marked(doubt: RestartDoubt, answer: Response, code: int) -> Response:
    answer.status_code = code
    state = "asked" if _had_rooms_time(doubt) else "waiting"
    answer.headers[HEADER] = f"{state} {doubt.machine_offset_us}"
    answer.headers["Retry-After"] = "1"
    return answer
