"""正在核对时间: what the console shows after a restart during an exam until somebody vouches for the time.

Players are answered like those of a console that is away, and ring on by the time they know; what they hold
that time to be is heard in passing (`web.restart_doubt`). The site lead may say what time it is.
"""

from datetime import time
from typing import Final

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

from exam.clock_restart import told_by_person
from exam.server_time import KnownTime
from web.asking import wants_page
from web.restart_doubt import BeforeLastSeenError, RestartDoubt, SettledAlreadyError
from web.services import ANY_TOPIC, services
from web.words import clock_words

blueprint: Final = Blueprint("restart", __name__)

EXTENSION: Final = "kaochang.restart"
# Says to open pages why nothing comes.
HEADER: Final = "X-Time-In-Doubt"
# What may be opened: nothing that hangs on the time. With a dot one endpoint, else a whole area.
OPEN: Final = frozenset(
    {"static", "look", "health", "metrics", "trust", "restart", "accounts.login", "accounts.logout"}
)
# Where players ask for the time, and tell what they hold it to be.
ASKING: Final = frozenset({"signals.clock", "speaker_api.clock"})
WORD: Final = "正在核对时间"
ADVICE: Final = "控制台的主机重新启动过，正在与各考场的设备核对时间，请稍候几秒。各考场的设备照常打铃。"
UNREAD: Final = "没有看懂填写的时间。请按“时:分:秒”填写手表上的时间，例如 09:30:00。"
TOO_EARLY: Final = "填写的时间早于重新启动前的最后时间（{seen}）。请再看一次手表，重新填写。"
_MOST: Final = 2**53


def guard(app: Flask) -> None:
    """Shut everything that hangs on the time while it is in doubt.

    Call it before the gate is put up: a login may look expired by a clock that is wrong.
    """
    app.before_request(_shut)


@blueprint.post("/restart")
def settle() -> AnyResponse:
    """The site lead says that the time shown is right, or what his watch shows."""
    doubt = _doubt()
    if doubt is None:
        return redirect(url_for("accounts.home"), 303)
    moment_us, fault = _said(doubt, request.form.get("time"))
    if moment_us is None:
        return _page(fault, 400)
    try:
        doubt.settle(moment_us, current_user.account_id)
    except SettledAlreadyError:
        return redirect(url_for("accounts.home"), 303)
    except BeforeLastSeenError:
        return _page(_too_early(doubt), 400)
    services().bus.publish(ANY_TOPIC)
    return redirect(url_for("accounts.home"), 303)


def _said(doubt: RestartDoubt, typed: str | None) -> tuple[int | None, str]:
    """The moment that is vouched for, or why it cannot be used. Nothing typed: the one that is shown."""
    if typed is None:
        return services().clock.wall_us(), ""
    try:
        time_of_day = time.fromisoformat(typed.strip().replace("：", ":"))
    except ValueError:
        return None, UNREAD
    moment_us = told_by_person(time_of_day, doubt.kept.kept_at_us)
    return moment_us, "" if moment_us else _too_early(doubt)


def _too_early(doubt: RestartDoubt) -> str:
    return TOO_EARLY.format(seen=clock_words(doubt.kept.kept_at_us))


def _doubt() -> RestartDoubt | None:
    found: RestartDoubt | None = current_app.extensions.get(EXTENSION)
    return found if found is not None and found.is_open else None


def _shut() -> AnyResponse | None:
    doubt, endpoint = _doubt(), request.endpoint
    if doubt is None or endpoint is None or {endpoint, endpoint.partition(".")[0]} & OPEN:
        return None
    if endpoint in ASKING and (told := _told()):
        doubt.hear(told)
    if wants_page():
        return _page("", 503)
    answer = jsonify(error=WORD, advice=ADVICE, code=503)
    return _marked(answer, 503)


def _told() -> KnownTime | None:
    """What the player says, if it says anything that can be read."""
    try:
        now_us, error_us = int(request.args["now_us"]), int(request.args["error_us"])
    except (KeyError, ValueError):
        return None
    is_moment = 0 < now_us < _MOST and 0 <= error_us < _MOST
    return KnownTime(request.args.get("clock", ""), now_us, error_us) if is_moment else None


def _page(fault: str, code: int) -> Response:
    typed = request.form.get("time", "")
    page = render_template("restart/page.html", word=WORD, fault=fault, typed=typed)
    return _marked(make_response(page), code)


def _marked(answer: Response, code: int) -> Response:
    answer.status_code = code
    answer.headers[HEADER] = "1"
    answer.headers["Retry-After"] = "1"
    return answer
