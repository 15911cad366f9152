"""The whole kiosk as a process: folder camera, real console on a real socket, candidate screen."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest

from config.settings import KioskSettings, Settings
from evidence.check_in_pictures import PictureStore
from evidence.kiosk_store import KioskStore
from exam.clock import SECOND_US, SteadyClock, SystemClock
from kiosk.service import ServiceError, serve
from tests.kiosk.paper import bars, face, qr, tray
from tests.kiosk.stage import free_port, served
from tests.world import CLOCK_US, KIOSK_TOKEN, World
from web.app import create_app
from web.services import FootageReader, Services

ROOT = Path(__file__).resolve().parent.parent.parent
# A console on a busy machine is given more time than in earnest, and a page that waits waits for long.
PROGRAM = """
import sys
from functools import partial
from pathlib import Path
from config.settings import load_settings
from exam.clock import SteadyClock, SystemClock
from kiosk import screen_app, service
service.HttpConsole = partial(service.HttpConsole, timeout_s=30)
screen_app.LONGEST_WAIT_S = 600
sys.exit(service.serve(load_settings(Path(sys.argv[1])), SteadyClock(SystemClock(), int(sys.argv[2]))))
"""
OWN = {"X-Kaochang-Kiosk": "test"}
WAIT_US = 60 * SECOND_US
CLOCK = SystemClock()
# Console and kiosk read the same clock: the machine's, set to the morning of the small world.
OFFSET_US = CLOCK_US - CLOCK.boottime_us()


@dataclass
class RunningKiosk:
    """The kiosk process and the folder its camera watches."""

    child: subprocess.Popen[bytes]
    address: str
    folder: Path
    frames: int = 0

    def show(self, frame: Any, folder: str = "tray") -> None:
        self.frames += 1
        path = self.folder / folder / f"frame-{self.frames:04d}.jpg"
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(cv2.imencode(".jpg", frame)[1].tobytes())
        unfinished.rename(path)

    def gives(self, what: str, body: dict[str, Any]) -> None:
        address = f"{self.address}/local/{what}"
        httpx.post(address, json=body, headers=OWN, trust_env=False, timeout=30).raise_for_status()

    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = httpx.get(f"{self.address}/local/state", trust_env=False, timeout=30).json()
        return told

    def until(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline_us = CLOCK.monotonic_us() + WAIT_US
        while CLOCK.monotonic_us() < deadline_us:
            assert self.child.poll() is None, "the kiosk ended"
            try:
                state = self.state()
            except httpx.TransportError:
                state = {"screen": "not there yet"}
            if is_so(state):
                return state
            CLOCK.sleep_us(50_000)
        raise TimeoutError(f"still {state}")


@pytest.fixture
def steps() -> list[str]:
    """What the site asks for before somebody is in."""
    return []


@pytest.fixture
def console(world: World, steps: list[str], tmp_path: Path) -> Iterator[str]:
    policy = tmp_path / "admission.toml"
    policy.write_text(f"steps = {json.dumps(steps)}")
    settings = Settings(data_folder=world.folder, admission_policy=policy)
    clock = SteadyClock(CLOCK, OFFSET_US)
    services = Services(settings, clock, world.exam, FootageReader(Path("nowhere")), world.vault)
    settings.kiosk_token.write_text(KIOSK_TOKEN)
    with world.exam.write() as connection:
        connection.execute("update batch set ticket_form = '2026112200[0-9]{2}'")
    with served(create_app(services)) as address:
        yield address


@pytest.fixture
def kiosk(world: World, console: str, tmp_path: Path) -> Iterator[RunningKiosk]:
    folder, port = tmp_path, free_port()
    for name in ("tray", "face"):
        (folder / name).mkdir()
    settings = tmp_path / "kaochang.toml"
    settings.write_text(
        f'data_folder = "{world.folder}"\n[kiosk]\nport = {port}\nserver = "{console}"\n'
        f'camera = "folder:{folder}/tray"\nface_camera = "folder:{folder}/face"\n'
    )
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(settings), str(OFFSET_US)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    yield RunningKiosk(child, f"http://127.0.0.1:{port}", folder)
    child.terminate()
    output = child.communicate(timeout=60)[0].decode()
    assert child.returncode == 0, output
    assert "Traceback" not in output
    assert world.on_time.id_number not in output


def test_a_ticket_under_the_camera_and_a_typed_number_admit_the_candidate(
    kiosk: RunningKiosk, world: World
) -> None:
    kiosk.until(lambda state: state["screen"] == "idle")
    ticket = tray(
        qr(world.on_time.ticket_no), bars(world.on_time.ticket_no), turn_degrees=12, blur=1.0, noise=6
    )
    for _ in range(3):
        kiosk.show(ticket)
        CLOCK.sleep_us(100_000)
    kiosk.until(lambda state: state["screen"] == "need_id_number")
    kiosk.gives("id-number", {"id_number": world.on_time.id_number})
    shown = kiosk.until(lambda state: state["screen"] == "result")
    assert (shown["outcome"], shown["room_label"], shown["masked_name"]) == (
        "OK_ADMITTED",
        "第1考场",
        "陈*诺",
    )
    with world.exam.read() as connection:
        assert connection.execute("select candidate_id from admission").fetchone()[0] == world.on_time.id
    preview = httpx.get(f"{kiosk.address}/local/preview.jpg", trust_env=False, timeout=30)
    assert preview.content[:2] == b"\xff\xd8"


@pytest.mark.parametrize("steps", [["notice", "photo", "bag", "signature"]])
def test_a_site_that_asks_for_every_step_gets_all_on_record(kiosk: RunningKiosk, world: World) -> None:
    kiosk.until(lambda state: state["screen"] == "idle")
    person = world.on_time
    ticket = tray(qr(person.ticket_no), bars(person.ticket_no))

    def is_read(state: dict[str, Any]) -> bool:
        # What a ticket looks like the kiosk hears from the console first.
        if state["screen"] != "need_id_number":
            kiosk.show(ticket)
        return bool(state["screen"] == "need_id_number")

    kiosk.until(is_read)
    kiosk.gives("id-number", {"id_number": person.id_number})
    kiosk.until(lambda state: state["screen"] == "need_notice")
    kiosk.gives("notice", {})
    kiosk.until(lambda state: state["screen"] == "need_photo")
    kiosk.show(face(blur=6), "face")
    kiosk.until(lambda state: (state["hint"] or {}).get("code") == "blurred")
    kiosk.show(face(), "face")
    kiosk.until(lambda state: state["screen"] == "need_bag")
    kiosk.gives("bag", {"bag_no": "07"})
    kiosk.until(lambda state: state["screen"] == "need_signature")
    strokes = [[[step, step, step] for step in range(20)]]
    kiosk.gives("signature", {"strokes": strokes, "width": 1280, "height": 560})
    assert kiosk.until(lambda state: state["screen"] == "result")["outcome"] == "OK_ADMITTED"
    with world.exam.read() as connection:
        rows = connection.execute(
            "select lower(hex(sha256)) as sha256, photo_sha256, signature_sha256, bag_no, outcome"
            " from checkin_circumstance join checkin_attempt on checkin_attempt.id = attempt_id"
            " left join check_in_picture on lower(hex(sha256)) = photo_sha256 order by attempt_id"
        ).fetchall()
        assert [row["outcome"] for row in rows] == ["NEED_NOTICE", "OK_ADMITTED"]
        assert (rows[1]["bag_no"], rows[1]["sha256"]) == ("07", rows[1]["photo_sha256"])
        store = PictureStore(world.folder / "check_in", world.vault)
        assert store.read(connection, rows[1]["sha256"]).content[:3] == b"\xff\xd8\xff"
        assert json.loads(store.read(connection, rows[1]["signature_sha256"]).content)["strokes"] == strokes


def test_told_to_stop_it_ends_at_once_even_while_a_page_waits(kiosk: RunningKiosk) -> None:
    version = kiosk.until(lambda state: state["screen"] == "idle")["version"]
    with socket.create_connection(("127.0.0.1", httpx.URL(kiosk.address).port or 0)) as waiting:
        waiting.sendall(f"GET /local/state?after={version + 50} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        CLOCK.sleep_us(300_000)
        kiosk.child.send_signal(signal.SIGTERM)
        kiosk.child.wait(120)  # the page would wait for ten minutes


def test_a_database_that_another_kiosk_writes_is_one_clear_sentence(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path, kiosk=KioskSettings(port=free_port()))
    store = KioskStore(settings.kiosk_db)
    with pytest.raises(ServiceError, match=r"kiosk\.db is already being written by another process"):
        serve(settings, SystemClock())
    store.close()


def test_a_damaged_database_is_one_clear_sentence(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path, kiosk=KioskSettings(port=free_port()))
    KioskStore(settings.kiosk_db).close()
    with sqlite3.connect(settings.kiosk_db, isolation_level=None) as connection:
        page = connection.execute("select rootpage from sqlite_schema where name = 'kiosk_state'").fetchone()[
            0
        ]
        page_bytes = connection.execute("pragma page_size").fetchone()[0]
    connection.close()
    with settings.kiosk_db.open("r+b") as file:
        file.seek((page - 1) * page_bytes)
        file.write(b"\xa5" * page_bytes)
    for _ in range(2):  # the first try keeps nothing locked
        with pytest.raises(ServiceError, match=r"kiosk\.db is damaged .+ put it and .+kiosk\.outbox aside"):
            serve(settings, SystemClock())


def test_a_damaged_key_of_the_outbox_is_one_clear_sentence(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path, kiosk=KioskSettings(port=free_port()))
    settings.keys_folder.mkdir()
    settings.kiosk_outbox_key.write_bytes(b"short")
    with pytest.raises(ServiceError, match=r"kiosk\.outbox is damaged: what waits in kiosk\.db"):
        serve(settings, SystemClock())
    KioskStore(settings.kiosk_db).close()  # it was given back


def test_a_port_in_use_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(data_folder=tmp_path, kiosk=KioskSettings(port=port))
        with pytest.raises(
            ServiceError, match=rf"port {port} on 127\.0\.0\.1 cannot be used .+ \[kiosk\] port"
        ):
            serve(settings, SystemClock())
