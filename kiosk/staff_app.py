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
from kiosk.staff_desk import Attempt, StaffDesk, Tried

PIN_DIGITS: Final = 6
LONGEST_WORDS: Final = 20
WORDS: Final[Mapping[Tried, str]] = {
    Tried.OPEN: "",
    Tried.WRONG: "口令不正确，还可以试{tries_left}次。",
    Tried.PAUSED: "输错次数过多，请{until}以后再试。",
    Tried.LOCKED: "口令已锁定，请现场负责人在控制台“签到机”页面解锁。",
    Tried.NO_ROOM: "口令正确，但本机没有您负责的考场的名单。",
    Tried.UNKNOWN: "本机没有名单，或没有这个口令。请接通网络后再试。",
}
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
        """Whose PIN is open, who may try, and to whoever has: what a person must look at."""
        people = [{"pin_id": one.pin_id, "name": one.name} for one in desk.people()]
        aside = [
            {"at": f"{site_time(one.scanned_at_us):%m-%d %H:%M}", "problem": one.problem}
            for one in desk.aside()
        ]
        return jsonify(open=desk.name, people=people, aside=aside)

    _add_unlock(app, desk)
    _add_lookup(app, desk)


def _add_unlock(app: Flask, desk: StaffDesk) -> None:
    @app.post("/local/staff/unlock")
    def staff_unlock() -> ResponseReturnValue:
        """Try a PIN."""
        pin_id, pin = _asked("pin_id", int), _asked("pin", str)
        if len(pin) != PIN_DIGITS or not pin.isascii() or not pin.isdigit():
            abort(400)
        try:
            attempt = desk.unlock(pin_id, pin)
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
        return jsonify(found=[asdict(one) for one in found])


def _asked(name: str, kind: type) -> Any:
    body = request.get_json(silent=True)
    value = body.get(name) if isinstance(body, dict) else None
    if type(value) is not kind:
        abort(400)
    return value


def _words(attempt: Attempt) -> str:
    until = "" if attempt.until_us is None else f"{site_time(attempt.until_us):%H:%M}"
    return WORDS[attempt.tried].format(tries_left=attempt.tries_left, until=until)
