"""The staff page of the kiosk and its loopback interface: PIN, looking people up, locking.

PIN and what is looked up travel in bodies only. The caller guards the app: loopback and our own page alone.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from flask import Flask, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from exam.clock import site_time
from exam.doubt_cases import SEEN_DOUBTS
from exam.outcomes import outcome_of
from kiosk.staff_acting import Whom, doubts
from kiosk.staff_desk import Attempt, StaffDesk, Tried

PIN_DIGITS: Final = 6
LONGEST_WORDS: Final = 20
WORDS: Final[Mapping[Tried, str]] = {
    Tried.OPEN: "",
    Tried.WRONG: "工号或口令不正确。",
    Tried.PAUSED: "本机输错次数过多。",
    Tried.NO_ROOM: "口令正确，但本机没有您负责的考场的名单。",
    Tried.UNKNOWN: "本机没有名单，或没有这个口令。请接通网络后再试。",
}
WAIT: Final = "请{}以后再试；急用请换一台签到机，或在控制台办理。"
BROKEN: Final = "本机硬盘写不进去，不能核验口令。请换一台签到机，报告系统管理员。"
LOCKED: Final = "已锁定，请重新输入口令。"


def add_staff(app: Flask, desk: StaffDesk) -> None:
    """Serve the staff page and what it asks for."""

    @app.get("/staff")
    def staff() -> str:
        """The page for staff."""
        return render_template("staff.html")

    @app.get("/local/staff/state")
    def staff_state() -> ResponseReturnValue:
        """Whose PIN is open, whether one can be tried, and with one open: what a person must look at.

        Nobody else is named: anybody can open this page.
        """
        aside = [
            {"at": f"{site_time(one.scanned_at_us):%m-%d %H:%M}", "problem": one.problem}
            for one in desk.aside()
        ]
        return jsonify(open=desk.name, ready=desk.is_ready, aside=aside)

    _add_unlock(app, desk)
    _add_lookup(app, desk)


def _add_unlock(app: Flask, desk: StaffDesk) -> None:
    @app.post("/local/staff/unlock")
    def staff_unlock() -> ResponseReturnValue:
        """Try a PIN."""
        number, pin = _asked("number", int), _asked("pin", str)
        if len(pin) != PIN_DIGITS or not pin.isascii() or not pin.isdigit():
            abort(400)
        try:
            attempt = desk.unlock(number, pin)
        except sqlite3.Error:
            return jsonify(tried="broken", words=BROKEN), 503
        return jsonify(
            tried=attempt.tried, words=_words(attempt)
        ), 200 if attempt.tried is Tried.OPEN else 403

    @app.post("/local/staff/lock")
    def staff_lock() -> ResponseReturnValue:
        """Close what was opened."""
        desk.lock()
        return jsonify(open="")


def _add_lookup(app: Flask, desk: StaffDesk) -> None:
    @app.post("/local/staff/lookup")
    def staff_lookup() -> ResponseReturnValue:
        """Who is meant by a seat or by the tail of a number."""
        words = _asked("words", str)
        if not 0 < len(words) <= LONGEST_WORDS:
            abort(400)
        found = desk.find(words)
        if found is None:
            return jsonify(words=LOCKED), 403
        return jsonify(found=[asdict(one) for one in found], doubts=doubts() if desk.may_let_in else [])

    @app.post("/local/staff/let-in")
    def staff_let_in() -> ResponseReturnValue:
        """Let somebody in with a doubt, by the console's rule; the words say what came of it."""
        whom = Whom(_asked("candidate_id", int), _asked("session_id", int))
        doubt = outcome_of(_asked("doubt", str))
        if doubt not in SEEN_DOUBTS:
            abort(400)
        acted = desk.let_in(whom, doubt)
        if acted is None:
            return jsonify(words=LOCKED), 403
        return jsonify(done=acted.is_done, words=acted.words), 200 if acted.is_done else 409


def _asked(name: str, kind: type) -> Any:
    body = request.get_json(silent=True)
    value = body.get(name) if isinstance(body, dict) else None
    if type(value) is not kind:
        abort(400)
    return value


def _words(attempt: Attempt) -> str:
    wait = "" if attempt.until_us is None else WAIT.format(f"{site_time(attempt.until_us):%H:%M:%S}")
    return WORDS[attempt.tried] + wait
