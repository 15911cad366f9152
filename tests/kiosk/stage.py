"""A kiosk on a stage: a console that answers as told, frames made by hand, a screen on a real socket."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from config.kiosk_screen import load_kiosk_words
from config.settings import Settings
from evidence.kiosk_self_tests import NewSelfTest
from exam.admission_authority import Act
from exam.answers import Answer
from exam.clock import Clock
from exam.kiosk_health import Report
from exam.staff_acts import Offered
from kiosk.acceptance import Acceptance
from kiosk.agent import Agent
from kiosk.console import (
    ActNotDoneError,
    ConsoleFailedError,
    ConsoleRefusedError,
    ConsoleRevokedError,
    ConsoleUnreachableError,
    Heartbeat,
)
from kiosk.local import Local, open_local
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
NOTHING_OFFERED = Offered((), (), ())


def answer(outcome: str, kind: str, title: str, line: str) -> Answer:
    """An answer that admits nobody."""
    return Answer(outcome, kind, title, line, title, "", "", "", "", admitted=False)


@dataclass
class FakeConsole:
    """Answers with `answer` and remembers what it was asked; unreachable while `is_away`."""

    answer: Answer = ADMITTED
    is_away: bool = False
    refuses: bool = False
    refuses_pictures: bool = False
    # Takes them so slowly that the kiosk gives up; how long it waited for each.
    swallows_pictures: bool = False
    patience_s: list[float] = field(default_factory=list)
    # Check-ins with these ticket numbers are never answered.
    swallowed: set[str] = field(default_factory=set)
    is_failing: bool = False
    has_revoked: bool = False
    # How many requests get lost before one is answered.
    lost: int = 0
    forms: tuple[str, ...] = (FORM,)
    # By its own clock; None: the kiosk's clock is right.
    time_us: int | None = None
    out_of_service: bool = False
    secret: int | None = None
    keys_told: dict[str, Any] = field(default_factory=dict)
    # Package and tag by name; one that is not there is not ready.
    packages: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    # Acts of staff, and why none is done; empty: they are.
    acts: list[dict[str, Any]] = field(default_factory=list)
    advice: str = ""
    # What may be done about anybody, and who asked.
    offers: Offered = NOTHING_OFFERED
    looks: list[dict[str, Any]] = field(default_factory=list)
    # Floor plans by digest.
    maps: dict[str, bytes] = field(default_factory=dict)
    # Kind, media type and bytes by digest.
    pictures: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    # Wants the kiosk to ask for this token; what it was asked with.
    token: str = ""
    rolled: list[tuple[int, bytes]] = field(default_factory=list)
    self_tests: list[NewSelfTest] = field(default_factory=list)

    @property
    def heartbeats(self) -> int:
        return len(self.reports)

    def check_in(self, body: Mapping[str, Any]) -> Answer:
        self.asked.append(dict(body))
        self._be_there()
        if self.refuses:
            raise ConsoleRefusedError("refused")
        if self.is_failing:
            raise ConsoleFailedError("status 500")
        if body["ticket_no"] in self.swallowed:
            raise ConsoleUnreachableError("timed out")
        if self.lost > 0:
            self.lost -= 1
            raise ConsoleUnreachableError("lost")
        return self.answer

    def picture(
        self, kind: str, sha256_hex: str, media_type: str, content: bytes, *, timeout_s: float = 1.5
    ) -> None:
        self.patience_s.append(timeout_s)
        self._be_there()
        if self.swallows_pictures:
            raise ConsoleUnreachableError("timed out")
        if self.refuses_pictures:
            raise ConsoleRefusedError("refused")
        self.pictures[sha256_hex] = (kind, media_type, content)

    def act(self, body: Mapping[str, Any]) -> Answer | None:
        self.acts.append(dict(body))
        self._answer_staff()
        return None if body["act"] == Act.UNDO else self.answer

    def offered(self, body: Mapping[str, Any]) -> Offered:
        self.looks.append(dict(body))
        self._answer_staff()
        return self.offers

    def heartbeat(self, report: Report) -> Heartbeat:
        self.reports.append(report)
        self._be_there()
        return Heartbeat(
            server_time_us=report.sent_at_us if self.time_us is None else self.time_us,
            kiosk_label="1号签到机",
            ticket_forms=self.forms,
            out_of_service=self.out_of_service,
            roll_token=bool(self.token),
            secret=self.secret,
            roster_revision=self._revision(),
            day_digest=self._part("day"),
        )

    def keys(self) -> dict[str, Any]:
        self.fetched.append("keys")
        if not self.keys_told:
            raise ConsoleFailedError("no keys")
        return self.keys_told

    def package(self, name: str, tag: str) -> tuple[bytes, str] | None:
        self.fetched.append(name)
        if name not in self.packages:
            raise ConsoleFailedError("not ready")
        return None if self.packages[name][1] == tag else self.packages[name]

    def floor_map(self, sha256_hex: str) -> bytes:
        self.fetched.append("map")
        if sha256_hex not in self.maps:
            raise ConsoleFailedError("status 404")
        return self.maps[sha256_hex]

    def roll(self, asked_at_us: int, signature: bytes) -> str:
        self.rolled.append((asked_at_us, signature))
        if self.is_failing:
            raise ConsoleFailedError("status 409")
        return self.token

    def self_test(self, test: NewSelfTest) -> None:
        self.self_tests.append(test)
        if self.is_failing:
            raise ConsoleFailedError("status 500")
        if self.refuses:
            raise ConsoleRefusedError("refused")

    def _answer_staff(self) -> None:
        self._be_there()
        if self.lost > 0:
            self.lost -= 1
            raise ConsoleUnreachableError("lost")
        if self.refuses:
            raise ConsoleRefusedError("refused")
        if self.advice:
            raise ActNotDoneError(self.advice)

    def _be_there(self) -> None:
        if self.has_revoked:
            raise ConsoleRevokedError("revoked")
        if self.is_away:
            raise ConsoleUnreachableError("away")

    def _revision(self) -> int | None:
        part = self._part("roster")
        return None if part is None else int(part)

    def _part(self, name: str) -> str | None:
        return self.packages[name][1].rpartition("-")[0] if name in self.packages else None


def local_of(console: FakeConsole, folder: Path, clock: Clock) -> Local:
    """A kiosk's own memory in this folder."""
    return open_local(Settings(data_folder=folder), console, clock)


@contextmanager
def agent_of(
    console: FakeConsole, folder: Path, clock: Clock, forms: tuple[str, ...] = (FORM,)
) -> Iterator[Agent]:
    """An agent whose threads do not run yet."""
    local = local_of(console, folder, clock)
    agent = Agent(local.contact, local.asker, Acceptance(forms), load_kiosk_words(), clock)
    try:
        yield agent
    finally:
        agent.stop()
        local.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
