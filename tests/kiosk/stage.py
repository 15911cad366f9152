"""A kiosk on a stage: a console that answers as told, frames made by hand, a screen on a real socket."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask
from werkzeug.serving import make_server

from exam.answers import Answer
from kiosk.console import CheckIn, ConsoleRefusedError, ConsoleUnreachableError, Heartbeat
from tests.world import invented_number

TICKET = "202611220001"
FORM = "20261122[0-9]{4}"
ID_NUMBER = invented_number(1)

ADMITTED = Answer(
    outcome="OK_ADMITTED",
    kind="A",
    title="签到成功",
    line="请到第1考场（一楼东侧），12号座位。",
    voice="签到成功，请到第1考场，12号座位。",
    room_label="第1考场",
    place_label="12",
    masked_name="陈*诺",
    id_tail=ID_NUMBER[-4:],
    admitted=True,
    title_en="Checked in",
    line_en="Please go to 第1考场 (一楼东侧), seat 12.",
    voice_en="Checked in. Please go to 第1考场, seat 12.",
)


def answer(outcome: str, kind: str, title: str, line: str) -> Answer:
    """An answer that admits nobody."""
    return Answer(outcome, kind, title, line, title, "", "", "", "", admitted=False)


@dataclass
class FakeConsole:
    """Answers with `answer` and remembers what it was asked; unreachable while `is_away`."""

    answer: Answer = ADMITTED
    is_away: bool = False
    refuses: bool = False
    # How many requests get lost before one is answered.
    lost: int = 0
    forms: tuple[str, ...] = (FORM,)
    asked: list[CheckIn] = field(default_factory=list)
    heartbeats: int = 0

    def check_in(self, request: CheckIn) -> Answer:
        self.asked.append(request)
        if self.refuses:
            raise ConsoleRefusedError("refused")
        if self.is_away or self.lost > 0:
            self.lost -= 1
            raise ConsoleUnreachableError("away")
        return self.answer

    def heartbeat(self) -> Heartbeat:
        self.heartbeats += 1
        if self.is_away:
            raise ConsoleUnreachableError("away")
        return Heartbeat(1, "1号签到机", self.forms)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app on a free loopback port; yields its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
