"""A machine becomes a kiosk: over real TLS, by the fingerprint alone; a failure changes nothing."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from config.settings import KioskSettings, Settings, WebSettings
from evidence.kiosk_enrolments import is_signed
from evidence.kiosk_key import load_key, public_bytes
from evidence.kiosk_outbox import NewScan, Outbox
from evidence.kiosk_store import KioskStore
from exam.clock import SystemClock
from exam.enrolment import EnrolmentText, enrolment_message
from kiosk.console import ConsoleUnreachableError, HttpConsole
from kiosk.enrolment import (
    EnrolmentFailedError,
    PlaceDamagedError,
    console_address,
    enrol_from_input,
    enrol_here,
    hardware_facts,
)
from kiosk.service import reachable_address
from web.tls import Certificates, ensure_certificates, fingerprint

TOKEN = "k7qmk7qmk7qmk7qm"
TOLD = {"kiosk_uuid": "u-1", "kiosk_label": "7号签到机", "token": "lasting", "server_time_us": 1}


@dataclass
class Door:
    """A console that lets machines in, or does not."""

    certificates: Certificates
    status: int = 200
    body: bytes = json.dumps(TOLD, ensure_ascii=False).encode()
    heard: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def text(self, mark: str = "") -> str:
        print_of = mark or fingerprint(self.certificates.ca).replace(":", "").lower()
        return EnrolmentText(self.url, TOKEN, print_of).to_line()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(
        ensure_certificates(tmp_path / "console", ["localhost", "127.0.0.1"], SystemClock().wall_us())
    )

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, door.certificates.ca.read_bytes())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            door.heard.append({"path": self.path, **json.loads(body)})
            self._answer(door.status, door.body)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(door.certificates.server, door.certificates.server_key)
    server.socket = shown.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    door.url = f"https://127.0.0.1:{server.server_port}"
    yield door
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_folder=tmp_path / "kiosk")


def files_of(settings: Settings) -> set[str]:
    return {path.name for path in settings.keys_folder.glob("*")}


def test_the_machine_gets_token_key_authority_and_place(door: Door, settings: Settings) -> None:
    place = enrol_here(settings, door.text())
    assert (place.url, place.kiosk_uuid, place.label) == (door.url, "u-1", "7号签到机")
    assert files_of(settings) == {"ca.crt", "kiosk.key", "kiosk.token", "kiosk.place"}
    assert settings.kiosk_token.read_text() == "lasting\n"
    assert settings.kiosk_token.stat().st_mode & 0o777 == 0o600
    assert settings.kiosk_key.stat().st_mode & 0o777 == 0o600
    assert (settings.keys_folder / "ca.crt").read_bytes() == door.certificates.ca.read_bytes()
    assert console_address(settings) == door.url


def test_what_it_sends_is_signed_by_the_key_it_keeps(door: Door, settings: Settings) -> None:
    enrol_here(settings, door.text())
    (sent,) = door.heard
    public = public_bytes(load_key(settings.kiosk_key))
    assert sent["path"] == "/api/kiosk/v1/enrolments"
    assert sent["hardware"] == hardware_facts()
    assert base64.b64decode(sent["public_key"]) == public
    assert is_signed(public, base64.b64decode(sent["signature"]), enrolment_message(TOKEN, public))


def test_nothing_is_sent_to_a_machine_with_another_authority(door: Door, settings: Settings) -> None:
    with pytest.raises(EnrolmentFailedError, match="another machine answers"):
        enrol_here(settings, door.text("ab" * 32))
    assert door.heard == []
    assert not settings.keys_folder.exists()


def test_what_waits_for_one_site_is_never_brought_to_another(door: Door, settings: Settings) -> None:
    enrol_here(settings, door.text())
    store = KioskStore(settings.kiosk_db)
    outbox = Outbox(store.database, settings.kiosk_outbox_key)
    enrol_here(settings, door.text())
    outbox.begin(
        NewScan("n" * 22, "boot-one", 5), {"ticket_no": "T"}, lambda sequence: {"sequence": sequence}
    )
    store.close()
    enrol_here(settings, door.text())
    (settings.keys_folder / "ca.crt").write_text("of another site")
    asked = len(door.heard)
    with pytest.raises(EnrolmentFailedError, match="1 check-ins of the earlier site wait here"):
        enrol_here(settings, door.text())
    assert len(door.heard) == asked
    settings.kiosk_db.unlink()
    enrol_here(settings, door.text())


def test_a_refusal_is_said_in_the_consoles_words_and_changes_nothing(door: Door, settings: Settings) -> None:
    settings.keys_folder.mkdir(parents=True)
    settings.kiosk_token.write_text("before")
    door.status, door.body = 401, json.dumps({"error": "登记码已经用过。"}).encode()
    with pytest.raises(EnrolmentFailedError, match="登记码已经用过"):
        enrol_here(settings, door.text())
    assert settings.kiosk_token.read_text() == "before"
    assert files_of(settings) == {"kiosk.token"}


def test_a_refusal_without_words_names_the_status(door: Door, settings: Settings) -> None:
    door.status, door.body = 500, b"{}"
    with pytest.raises(EnrolmentFailedError, match="status 500"):
        enrol_here(settings, door.text())


def test_an_answer_that_is_lost_says_what_to_do(door: Door, settings: Settings) -> None:
    door.body = b"<html>"
    with pytest.raises(EnrolmentFailedError, match="make a new one"):
        enrol_here(settings, door.text())


def test_nobody_there_is_said(settings: Settings) -> None:
    text = EnrolmentText("https://127.0.0.1:9", TOKEN, "ab" * 32).to_line()
    with pytest.raises(EnrolmentFailedError, match="does not answer"):
        enrol_here(settings, text)


def test_a_console_of_this_machine_is_asked_over_loopback_without_tls(settings: Settings) -> None:
    text = EnrolmentText("http://127.0.0.1:9", TOKEN, "").to_line()
    with pytest.raises(EnrolmentFailedError, match="did not answer"):
        enrol_here(settings, text)


def test_the_authority_of_a_console_is_never_overwritten(door: Door, tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path)
    door.certificates.folder.rename(settings.keys_folder)
    with pytest.raises(EnrolmentFailedError, match="another data_folder"):
        enrol_here(settings, EnrolmentText(door.url, TOKEN, "ab" * 32).to_line())


def test_the_command_asks_and_tells(door: Door, settings: Settings) -> None:
    said: list[str] = []
    assert enrol_from_input(settings, lambda: door.text() + "\n", said.append) == 0
    assert said[-1].startswith(f"Enrolled at {door.url} as 7号签到机")
    assert enrol_from_input(settings, lambda: "nonsense", said.append) == 1
    assert said[-1].startswith("Not enrolled: the text must be")


def test_the_settings_go_before_the_place_of_enrolment(tmp_path: Path) -> None:
    own = Settings(data_folder=tmp_path, web=WebSettings(port=8700))
    assert console_address(own) == "http://127.0.0.1:8700"
    own.keys_folder.mkdir()
    own.kiosk_place.write_text('{"url":"https://a.local"}')
    assert console_address(own) == "https://a.local"
    named = Settings(data_folder=tmp_path, kiosk=KioskSettings(server="https://b.local"))
    assert console_address(named) == "https://b.local"


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[]", b"{}", b'{"url":"nonsense"}', b'{"url":7}', b"\xff\xfe"]
)
def test_a_damaged_place_is_said_with_what_to_do(tmp_path: Path, damaged: bytes) -> None:
    own = Settings(data_folder=tmp_path)
    own.keys_folder.mkdir()
    own.kiosk_place.write_bytes(damaged)
    with pytest.raises(PlaceDamagedError, match="--enrol"):
        console_address(own)


def test_a_kiosk_that_does_not_know_its_console_starts_and_works_alone(tmp_path: Path) -> None:
    own = Settings(data_folder=tmp_path)
    own.keys_folder.mkdir()
    own.kiosk_place.write_text("{")
    own.kiosk_token.write_text(TOKEN)
    assert reachable_address(own) == ""
    lost = HttpConsole("", own.kiosk_token)
    with pytest.raises(ConsoleUnreachableError):
        lost.keys()
    lost.close()
