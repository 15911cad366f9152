"""Arrivals at a real kiosk with a real console, both killed (SIGKILL) in between: no record is lost."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from evidence.database import ReaderDatabase, SchemaError
from exam.clock import SECOND_US, SystemClock
from tests.kiosk.stage import free_port
from tests.web.crowd import fill_first_room
from tests.world import CLOCK_US, KIOSK_TOKEN, build_world

pytestmark = [pytest.mark.live, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parents[2]
CLOCK = SystemClock()
# Console and kiosk read the machine's clock, set to the morning of the small world.
OFFSET_US = CLOCK_US - CLOCK.boottime_us()
PROGRAM = (
    "import sys; from pathlib import Path; from config.settings import load_settings;"
    " from exam.clock import SteadyClock, SystemClock; from {package}.service import serve;"
    " sys.exit(serve(load_settings(Path(sys.argv[1])), SteadyClock(SystemClock(), int(sys.argv[2]))))"
)
OWN = {"X-Kaochang-Kiosk": "test"}
PATIENCE_US = 90 * SECOND_US


@dataclass
class Site:
    """A console and a kiosk, each a process group of its own that can be killed."""

    folder: Path
    settings: Path
    port: int
    people: list[tuple[str, str]]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    answers: dict[str, list[str]] = field(default_factory=dict)

    def start(self, package: str) -> None:
        program = [sys.executable, "-c", PROGRAM.format(package=package), str(self.settings), str(OFFSET_US)]
        with (self.folder / f"{package}.log").open("ab") as log:
            self.running[package] = subprocess.Popen(
                program, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, package: str) -> None:
        child = self.running.pop(package)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(10)

    def state(self) -> dict[str, Any]:
        try:
            told: dict[str, Any] = httpx.get(self._address("state"), trust_env=False, timeout=30).json()
        except httpx.TransportError:
            return {"screen": "not there"}
        return told

    def until(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline_us = CLOCK.monotonic_us() + PATIENCE_US
        state = self.state()
        while not is_so(state):
            assert CLOCK.monotonic_us() < deadline_us, f"still {state}"
            CLOCK.sleep_us(SECOND_US // 50)
            state = self.state()
        return state

    def comes(self, person: tuple[str, str], then: Callable[[], None] = lambda: None) -> None:
        """Somebody shows both documents until the kiosk answers; `then` happens when the second was read."""
        ticket_no, id_number = person
        while True:
            try:
                self._post("touch", {"touch": "restart"})
                self._post("scan", {"texts": [ticket_no]})
                self.until(lambda state: state["screen"] == "need_id_number")
                self._post("id-number", {"id_number": id_number})
                then()
                screen = self.until(lambda state: state["screen"] in {"result", "not there", "idle"})
            except httpx.TransportError:
                screen = {"screen": "not there"}
            if screen["screen"] == "result":
                self.answers.setdefault(ticket_no, []).append(screen["outcome"])
                return
            then = lambda: None  # noqa: E731 - it happens once
            self.until(lambda state: state["screen"] == "idle")

    def rows(self, database: str, question: str) -> list[tuple[Any, ...]]:
        """What a database says; nothing while it is not made yet."""
        try:
            reader = ReaderDatabase(self.folder / database)
        except SchemaError:
            return []
        try:
            with reader.read() as connection:
                return [tuple(row) for row in connection.execute(question)]
        except sqlite3.OperationalError:
            return []
        finally:
            reader.close()

    def _post(self, name: str, body: dict[str, Any]) -> None:
        httpx.post(
            self._address(name), json=body, headers=OWN, trust_env=False, timeout=30
        ).raise_for_status()

    def _address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/local/{name}"


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = lay_site(folder)
        yield made
        for package in list(made.running):
            made.kill(package)


def lay_site(folder: Path) -> Site:
    """The small world with thirty seats taken in its first room."""
    world = build_world(folder)
    fill_first_room(world)
    with world.exam.write() as connection:
        connection.execute("update batch set ticket_form = '2026112[23][0-9]{4}'")
        rows = connection.execute("select ticket_no, id_number_cipher from candidate order by id").fetchall()
    people = [(row["ticket_no"], world.vault.decrypt(row["id_number_cipher"], "id_number")) for row in rows]
    world.close()
    (folder / "keys" / "kiosk.token").write_text(KIOSK_TOKEN)
    (folder / "camera").mkdir()
    settings, port = folder / "kaochang.toml", free_port()
    settings.write_text(
        f'data_folder = "{folder}"\n[web]\nport = {free_port()}\nthreads = 8\n'
        f'[kiosk]\nport = {port}\ncamera = "folder:{folder}/camera"\n'
    )
    return Site(folder, settings, port, people)


def arrive(site: Site) -> None:
    """Thirty people, one after the other, whatever is running just then."""
    first, second, third, fourth = (site.people[start : start + 7] for start in range(0, 28, 7))
    for person in [*first, *second[:-1]]:
        site.comes(person)
    site.comes(second[-1], then=lambda: site.kill("web"))
    for person in third[:-1]:
        site.comes(person)

    def kiosk_dies() -> None:
        site.kill("kiosk")
        site.start("kiosk")

    site.comes(third[-1], then=kiosk_dies)
    site.comes(fourth[0])
    assert site.state()["alone"]
    site.start("web")
    # Killed once more as soon as the first of the kiosk's own decisions was brought.
    brought = "select 1 from checkin_circumstance where decided_by = 'kiosk'"
    site.until(lambda _: bool(site.rows("exam.db", brought)))
    site.kill("web")
    for person in fourth[1:]:
        site.comes(person)
    site.start("web")
    site.until(lambda state: state.get("queue") == 0 and not state["alone"])
    for person in site.people[28:]:
        site.comes(person)


def test_killed_console_and_killed_kiosk_cost_nobody_his_entry_and_no_record(site: Site) -> None:
    site.start("web")
    site.start("kiosk")
    site.until(lambda _: len(site.rows("kiosk.db", "select kind from kept_package")) == 2)
    site.until(lambda state: state["screen"] == "idle")
    arrive(site)
    outcomes = [answers[-1] for answers in site.answers.values()]
    assert len(outcomes) == len(site.people)
    assert set(outcomes) <= {"OK_ADMITTED", "OK_OFFLINE", "OK_ALREADY_HERE"}
    assert outcomes.count("OK_OFFLINE") >= 10
    admitted = site.rows("exam.db", "select candidate_id from admission order by candidate_id")
    assert len(admitted) == len(set(admitted)) == len(site.people)
    kept = site.rows("kiosk.db", "select nonce, scanned_at_us, state from scan order by nonce")
    assert {state for _, _, state in kept} == {"delivered"}
    on_record = site.rows("exam.db", "select nonce, scanned_at_us from checkin_attempt order by nonce")
    assert on_record == [(nonce, scanned_at_us) for nonce, scanned_at_us, _ in kept]
    assert len(site.rows("exam.db", "select id from kiosk_self_test")) == 2, "one for each start"
    logs = "".join((site.folder / f"{name}.log").read_text() for name in ("web", "kiosk"))
    assert "Traceback" not in logs
    assert not [number for _, number in site.people if number in logs]
