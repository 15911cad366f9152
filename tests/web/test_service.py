import json
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

import pytest

from config.settings import KioskSettings, Settings, WebSettings
from evidence import accounts, ledger, logins
from evidence.accounts import NewAccount
from evidence.check_facts import EXAM_FACTS, check_facts
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import ReaderDatabase
from evidence.site_clock import keep_clock
from exam.clock import SECOND_US, SystemClock
from exam.clock_step import KeptClock
from exam.server_time import KNOWN_HEADER, KnownTime
from tests.recorder.live import wait_until
from tests.web.console import CHEAP_HASH, token_for
from tests.web.signal_site import spoken_audio
from tests.world import START_US, build_world
from web.service import ServiceError, serve
from web.services import open_services

# Whatever keeps a stop waiting keeps it waiting for longer than a busy machine needs.
PROGRAM = """
import sys
from pathlib import Path
from config.settings import load_settings
from exam.clock import SystemClock
from web import service
service.STOP_SECONDS = 60
sys.exit(service.serve(load_settings(Path(sys.argv[1])), SystemClock()))
"""
ROOT = Path(__file__).resolve().parents[2]


class RunningConsole:
    """The console in a process of its own, as in earnest."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder, self.host, self.port = folder, host, free_port(host)
        folder.mkdir(exist_ok=True)
        if host == "127.0.0.1":  # the one for the whole network speaks its announcements itself
            (folder / "audio").symlink_to(spoken_audio())
        settings = folder / "kaochang.toml"
        settings.write_text(
            f'data_folder = "{folder}"\n[web]\nhost = "{host}"\nport = {self.port}\nthreads = 12\n'
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(settings)], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        self.said: list[str] = []

    @property
    def address(self) -> str:
        scheme = "http" if self.host == "127.0.0.1" else "https"
        return f"{scheme}://{self.host}:{self.port}"

    def hear(self, word: str) -> str:
        """The first line on standard error that holds the word."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if word in line:
                return line
        raise AssertionError("".join(self.said))

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        context = ssl.create_default_context()
        if (self.folder / "keys" / "ca.crt").exists():
            context.load_verify_locations(self.folder / "keys" / "ca.crt")
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
        for _ in range(600):
            try:
                with opener.open(
                    Request(self.address + path, headers=dict(headers or {})), timeout=60
                ) as answer:
                    return bytes(answer.read())
            except ConnectionError:
                SystemClock().sleep_us(SECOND_US // 20)
            except OSError as error:
                if not isinstance(getattr(error, "reason", None), ConnectionError):
                    raise
                SystemClock().sleep_us(SECOND_US // 20)
        raise AssertionError("the console never answered")

    def status(self, path: str, headers: Mapping[str, str] | None = None) -> int:
        """How the console answers the path; redirections are followed."""
        try:
            self.get(path, headers)
        except HTTPError as refusal:
            return refusal.code
        return 200

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(100)
        finally:
            self.process.kill()
            if self.process.stderr is not None:
                self.process.stderr.close()
        return code


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Callable[[str], RunningConsole]]:
    started: list[RunningConsole] = []

    def start(host: str) -> RunningConsole:
        started.append(RunningConsole(tmp_path / "site", host))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop()


def test_it_stops_at_once_although_streams_are_open(
    console: Callable[[str], RunningConsole], tmp_path: Path
) -> None:
    settings = Settings(data_folder=tmp_path / "site")
    seeded = open_services(settings, SystemClock())
    checkpoints = Checkpoints(seeded.exam, settings.keys_folder, "exam")
    with closing(Signing(checkpoints, seeded.clock)), seeded.exam.write() as connection:
        new = NewAccount("lead", "李强", CHEAP_HASH, ["site_lead"])
        token = logins.open_login(
            connection, accounts.create_account(connection, new, 1), seeded.clock.wall_us()
        )
    seeded.close()
    running = console("127.0.0.1")
    running.hear("Console")
    running.get("/healthz")
    with ExitStack() as open_streams:
        for _ in range(3):
            wanted = Request(f"{running.address}/overview/stream", headers={"Cookie": f"kaochang={token}"})
            stream = open_streams.enter_context(build_opener(ProxyHandler({})).open(wanted, timeout=60))
            assert stream.readline() == b"retry: 1000\n"
        clock = SystemClock()
        before_us = clock.monotonic_us()
        assert running.stop() == 0
        assert clock.monotonic_us() - before_us < 45 * SECOND_US


def test_on_loopback_it_speaks_plain_http_and_offers_the_first_link(
    console: Callable[[str], RunningConsole],
) -> None:
    running = console("127.0.0.1")
    link = running.hear("first-administrator")
    assert json.loads(running.get("/healthz"))["healthy"] is True
    assert re.search(r"http://127\.0\.0\.1:\d+/first-administrator/\S{32}", link)
    assert not (running.folder / "keys" / "ca.crt").exists()
    assert running.stop() == 0


def test_beyond_loopback_it_speaks_https_only_under_the_site_ca(
    console: Callable[[str], RunningConsole],
) -> None:
    running = console("127.0.0.2")
    said = running.hear("fingerprint")
    assert json.loads(running.get("/healthz"))["healthy"] is True
    page = running.get("/trust").decode()
    assert said.strip().split(" ")[-1] in page
    assert running.get("/trust/ca.crt") == (running.folder / "keys" / "ca.crt").read_bytes()
    for key in ("ca.key", "server.key", "site.key", "kiosk.token"):
        assert (running.folder / "keys" / key).stat().st_mode & 0o777 == 0o600
    plain = build_opener(ProxyHandler({}))
    with pytest.raises((OSError, HTTPError)):
        plain.open(f"http://127.0.0.2:{running.port}/healthz", timeout=60)
    assert running.stop() == 0


def test_after_a_restart_during_an_exam_it_asks_the_rooms_for_the_time(
    console: Callable[[str], RunningConsole], tmp_path: Path
) -> None:
    """The machine's clock is days ahead of the day on which T1 goes on; it has been up for hours."""
    world = build_world(tmp_path / "site")
    with world.exam.write() as connection:
        keep_clock(connection, KeptClock("the boot before", 0, 0, START_US, "its-name"))
    token = token_for(world, world.proctor_account_id)
    with world.exam.write() as connection:
        connection.execute("update login set opened_at_us = ?1, last_used_at_us = ?1", (START_US,))
    world.close()
    running = console("127.0.0.1")
    running.hear("Console")
    assert running.status("/overview") == 503
    word = KnownTime("its-name", START_US + 30 * SECOND_US, 2_000)
    headers = {KNOWN_HEADER: word.in_header(), "Cookie": f"kaochang={token}"}
    assert running.status("/api/clock", headers) == 503
    wait_until(lambda: running.status("/api/clock", {"Cookie": f"kaochang={token}"}) == 200)
    assert running.status("/login") == 200
    assert running.stop() == 0
    with closing(ReaderDatabase(tmp_path / "site" / "exam.db")) as database, database.read() as connection:
        [row] = connection.execute("select source, words, settled_at_us from console_clock_restart")
        assert (row["source"], row["words"]) == ("rooms", 1)
        assert START_US + 30 * SECOND_US < row["settled_at_us"] < START_US + 20 * 60 * SECOND_US
        assert list(check_facts(connection, EXAM_FACTS)) == []


def test_a_port_in_use_is_named_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        settings = Settings(data_folder=tmp_path, web=WebSettings(port=port))
        with pytest.raises(ServiceError, match=f"port {port} on 127.0.0.1 cannot be used"):
            serve(settings, SystemClock())
    assert not list(tmp_path.iterdir())


def test_a_second_console_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    settings = Settings(
        data_folder=tmp_path,
        web=WebSettings(port=free_port("127.0.0.1")),
        kiosk=KioskSettings(enabled=False),
    )
    first = open_services(settings, SystemClock())
    with pytest.raises(ServiceError, match="already being written by another process"):
        serve(settings, SystemClock())
    first.close()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path, web=WebSettings(port=free_port("127.0.0.1")))
    open_services(settings, SystemClock()).close()
    settings.site_key.chmod(0o644)
    with pytest.raises(ServiceError, match="can be read by others"):
        serve(settings, SystemClock())


def test_a_ledger_without_its_checkpoints_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path, web=WebSettings(port=free_port("127.0.0.1")))
    services = open_services(settings, SystemClock())
    with services.exam.write() as connection:
        ledger.append(connection, ledger.LeafKind.CLOCK_STEP, {}, 1)
    services.close()
    with pytest.raises(ServiceError, match=r"checkpoints_lost: exam\.db has 1 ledger rows"):
        serve(settings, SystemClock())


def test_clients_that_do_not_close_keep_nobody_waiting(console: Callable[[str], RunningConsole]) -> None:
    running = console("127.0.0.1")
    running.hear("Console")
    running.get("/healthz")
    clock = SystemClock()
    before_us = clock.monotonic_us()
    with ExitStack() as sluggards:
        for _ in range(25):
            one = sluggards.enter_context(socket.create_connection((running.host, running.port), timeout=60))
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert one.recv(12) == b"HTTP/1.1 200"
        running.get("/healthz")
        assert clock.monotonic_us() - before_us < 40 * SECOND_US, "not two seconds for each of them"
    assert running.stop() == 0
