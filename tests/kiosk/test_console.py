"""The console over HTTP: a hand-written server answers well, badly, slowly or not at all."""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evidence.kiosk_self_tests import NewSelfTest
from exam.clock import SystemClock
from exam.kiosk_health import Part, PartState, Report
from exam.self_test import Check, Result, Tried
from kiosk.console import (
    ConsoleFailedError,
    ConsoleRefusedError,
    ConsoleRevokedError,
    ConsoleUnreachableError,
    Heartbeat,
    HttpConsole,
)
from tests.kiosk.stage import ADMITTED, ID_NUMBER, TICKET
from web.tls import ensure_certificates

REQUEST = {"nonce": "nonce-0000000001", "scanned_at_us": 77, "ticket_no": TICKET, "id_number": ID_NUMBER}
REPORT = Report(
    sent_at_us=9,
    queue_length=1,
    needs_human=0,
    roster_revision=None,
    disk_free_bytes=5,
    is_out_of_service=False,
    parts={Part.CAMERA: PartState.OK},
)
ALIVE = json.dumps(
    {
        "server_time_us": 5,
        "kiosk_label": "1",
        "ticket_forms": ["a", "b"],
        "out_of_service": False,
        "roll_token": False,
        "secret": 3,
        "roster_revision": 7,
        "day_digest": None,
        "steps": [],
    }
).encode()


@dataclass
class Door:
    """What the server says, and what it heard."""

    status: int = 200
    body: bytes = json.dumps(asdict(ADMITTED), ensure_ascii=False).encode()
    tag: str = '"0-0"'
    hangs: bool = False
    heard: list[tuple[str, str, str, Any]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)
    address: str = ""


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked = json.loads(self.rfile.read(length)) if length else None
            door.heard.append((self.command, self.path, self.headers["Authorization"], asked))
            if door.hangs:
                door.go_on.wait(60)
                return
            self.send_response(door.status)
            body = b"" if door.status == 304 else door.body
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", door.tag)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - named by the library

        def log_message(self, *args: object) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    door.address = f"http://127.0.0.1:{server.server_port}"
    yield door
    door.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "kiosk.token"
    path.write_text("secret-token\n")
    return path


@pytest.fixture
def console(door: Door, token: Path) -> Iterator[HttpConsole]:
    opened = HttpConsole(door.address, token)
    yield opened
    opened.close()


def test_a_check_in_carries_token_nonce_and_both_numbers_in_the_body(
    console: HttpConsole, door: Door
) -> None:
    assert console.check_in(REQUEST) == ADMITTED
    assert door.heard == [("POST", "/api/kiosk/v1/checkins", "Bearer secret-token", REQUEST)]


def test_a_picture_travels_as_its_bytes_under_its_digest(console: HttpConsole, door: Door) -> None:
    door.status = 201
    console.picture("photo", "ab" * 32, "image/jpeg", b'"bytes"')
    path = f"/api/kiosk/v1/pictures/photo/{'ab' * 32}"
    assert door.heard == [("POST", path, "Bearer secret-token", "bytes")]


def test_a_heartbeat_reports_and_brings_the_forms_and_what_packages_there_are(
    console: HttpConsole, door: Door
) -> None:
    door.body = ALIVE
    heard = console.heartbeat(REPORT)
    assert heard == Heartbeat(5, "1", ("a", "b"), secret=3, roster_revision=7)
    assert (heard.roster_tag, heard.day_tag) == ("7-3", None)
    method, path, _, body = door.heard[0]
    assert (method, path, body["parts"], body["queue_length"]) == (
        "POST",
        "/api/kiosk/v1/heartbeat",
        {"camera": "ok"},
        1,
    )
    assert replace(heard, roster_revision=None, day_digest="ab").day_tag == "ab-3"


def test_keys_and_packages_are_fetched_and_a_package_that_is_held_is_not_sent_again(
    console: HttpConsole, door: Door
) -> None:
    door.body = b'{"kiosk": "k"}'
    assert console.keys() == {"kiosk": "k"}
    door.body, door.tag = b"KZR1 ...", '"7-3"'
    assert console.package("roster", "6-3") == (b"KZR1 ...", "7-3")
    door.status = 304
    assert console.package("roster", "7-3") is None


def test_a_package_that_is_not_ready_is_told_apart_from_a_lost_console(
    console: HttpConsole, door: Door
) -> None:
    door.status = 503
    with pytest.raises(ConsoleFailedError, match="503"):
        console.package("roster", "")


def test_another_token_is_asked_for_with_a_signature(console: HttpConsole, door: Door) -> None:
    door.body = b'{"token": "fresh"}'
    assert console.roll(7, b"signed") == "fresh"
    assert door.heard[0][1::2] == ("/api/kiosk/v1/token", {"asked_at_us": 7, "signature": "c2lnbmVk"})


def test_a_self_test_is_told_check_by_check(console: HttpConsole, door: Door) -> None:
    console.self_test(NewSelfTest("nonce-0000000001", 7, [Tried(Check.DISK, Result.GOOD, "剩余9 MiB")]))
    assert door.heard[0][1::2] == (
        "/api/kiosk/v1/self-tests",
        {
            "nonce": "nonce-0000000001",
            "tested_at_us": 7,
            "checks": [{"check": "disk", "result": "good", "words": "剩余9 MiB"}],
        },
    )


def test_a_kiosk_that_was_shut_out_hears_it(console: HttpConsole, door: Door) -> None:
    door.status, door.body = 403, b'{"outcome": "SYS_REVOKED"}'
    with pytest.raises(ConsoleRevokedError):
        console.heartbeat(REPORT)
    door.body = b"<html>of a proxy</html>"
    with pytest.raises(ConsoleFailedError, match="403"):
        console.heartbeat(REPORT)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_an_answer_that_is_none_means_unreachable(console: HttpConsole, door: Door, status: int) -> None:
    door.status = status
    with pytest.raises(ConsoleUnreachableError, match=str(status)):
        console.check_in(REQUEST)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[1]", b'"text"'])
def test_somebody_elses_answer_means_unreachable(console: HttpConsole, door: Door, body: bytes) -> None:
    door.body = body
    with pytest.raises(ConsoleUnreachableError, match="not one of our console"):
        console.check_in(REQUEST)
    with pytest.raises(ConsoleUnreachableError):
        console.heartbeat(REPORT)


@pytest.mark.parametrize("status", [400, 413])
def test_a_request_the_console_will_not_judge_is_told_apart(
    console: HttpConsole, door: Door, status: int
) -> None:
    door.status = status
    with pytest.raises(ConsoleRefusedError):
        console.check_in(REQUEST)


def test_a_console_that_hangs_is_given_up_after_its_time(door: Door, token: Path) -> None:
    door.hangs = True
    impatient = HttpConsole(door.address, token, timeout_s=0.2)
    with pytest.raises(ConsoleUnreachableError, match="ReadTimeout"):
        impatient.check_in(REQUEST)
    impatient.close()


def test_a_closed_port_is_unreachable_and_the_message_holds_no_number(token: Path) -> None:
    closed = HttpConsole("http://127.0.0.1:9", token)
    with pytest.raises(ConsoleUnreachableError) as error:
        closed.check_in(REQUEST)
    assert ID_NUMBER not in str(error.value)
    closed.close()


@pytest.fixture
def sealed(door: Door, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The door's address over HTTPS, and the site's CA."""
    files = ensure_certificates(tmp_path / "keys", ["127.0.0.1", "localhost"], SystemClock().wall_us())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.server, files.server_key)

    class Sealed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(door.body)))
            self.end_headers()
            self.wfile.write(door.body)

        do_POST = do_GET  # noqa: N815 - named by the library

        def log_message(self, *args: object) -> None:
            del args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sealed)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", files.ca
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_site_ca_is_trusted_as_soon_as_the_console_has_written_it(
    door: Door, sealed: tuple[str, Path], token: Path, tmp_path: Path
) -> None:
    door.body = ALIVE
    address, ca = sealed
    authority = tmp_path / "later.crt"
    console = HttpConsole(address, token, authority)
    with pytest.raises(ConsoleUnreachableError, match="ConnectError"):
        console.heartbeat(REPORT)
    authority.write_text("half a certificate")
    with pytest.raises(ConsoleUnreachableError, match=r"later\.crt cannot be read"):
        console.heartbeat(REPORT)
    authority.write_bytes(ca.read_bytes())
    assert console.heartbeat(REPORT).kiosk_label == "1"
    assert console.heartbeat(REPORT).kiosk_label == "1"
    console.close()


def test_before_the_console_has_written_the_token_it_counts_as_unreachable(
    door: Door, tmp_path: Path
) -> None:
    early = HttpConsole(door.address, tmp_path / "kiosk.token")
    with pytest.raises(ConsoleUnreachableError, match=r"kiosk\.token"):
        early.heartbeat(REPORT)
    assert door.heard == []
    early.close()


def test_a_rolled_token_is_used_without_a_restart(console: HttpConsole, door: Door, token: Path) -> None:
    token.write_text("newer")
    console.check_in(REQUEST)
    assert door.heard[0][2] == "Bearer newer"
