"""Runs the console: one worker with many threads, HTTPS unless it listens on loopback.

Everything that needs a database is opened in the worker, after the fork; what can be refused is
refused before, in one sentence. Stopping is quick: open event streams are ended, not waited for.
"""

import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.workers.gthread import TConn, ThreadWorker

from config.admission import AdmissionPolicyError
from config.procedures import site_faults
from config.settings import Settings
from evidence import logins
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import DatabaseError
from evidence.database_reserve import ReserveKeeper
from evidence.service_start import record_start
from evidence.vault import VaultError
from exam.clock import Clock
from web.addresses import is_loopback, shown_address, site_names
from web.app import create_app
from web.audio import AudioError
from web.console_clock import start_clock
from web.export_desk import open_export_desk
from web.kiosk_enrolment import ensure_local_kiosk
from web.local_desk import Desk
from web.rehearsal_folder import clear_left
from web.roster_keeper import RosterKeeper
from web.services import EXTENSION, Services, open_services
from web.signal_ticker import prepare_audio, start_signals
from web.tls import Certificates, ensure_certificates, fingerprint

STOP_SECONDS: Final = 5
KEEPALIVE_SECONDS: Final = 15
LEDGER: Final = "exam"
# From the master to the worker.
END_SOFTLY: Final = signal.SIGUSR2


class Companion(Protocol):
    """Something that runs in the console's worker, such as a rehearsal."""

    def end(self) -> None:
        """Come to an end; returns at once. Whoever is beside the console stops it afterwards."""
        ...

    def stop(self) -> None:
        """End and wait for it: the console stops."""
        ...


# Starts it in the worker, when all is ready; None: there is nothing to do any more.
Beside = Callable[[Flask, Services], Companion | None]


class ServiceError(RuntimeError):
    """The console cannot start; the message says what is wrong and where."""


def serve(settings: Settings, clock: Clock, beside: Beside | None = None) -> int:
    """Run the console until SIGTERM or SIGINT. Raises ServiceError or TlsError before anything is served.

    With `beside` the first SIGINT lets that come to its end, while the console serves on; the next stops all.
    """
    listener = _listen(settings.web.host, settings.web.port)
    try:
        certificates = _prepare(settings, clock)
    except BaseException:
        listener.close()
        raise
    own_pid = os.getpid()
    try:
        Console(settings, clock, listener, certificates, beside).run()
    except SystemExit as finished:  # how gunicorn ends, also when all is well
        if os.getpid() != own_pid:
            raise  # the worker's end, not the console's: nothing that comes after a console is its business
        return int(finished.code or 0)
    except HaltServer as halted:  # told to stop while its worker was beginning
        return int(halted.exit_status)
    return 0


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"port {port} on {host} cannot be used ({error.strerror}): stop the other program"
            " or change [web] host or port in the settings"
        ) from error
    return listener


def _prepare(settings: Settings, clock: Clock) -> Certificates | None:
    """Everything that is done once, before the worker exists: keys, schema, kiosk, first link."""
    try:
        services = _opened(settings, clock)
    except (AdmissionPolicyError, DatabaseError, VaultError) as error:
        raise ServiceError(str(error)) from error
    clock = services.clock
    for fault in site_faults(settings.procedures_folder):
        say(fault)
    try:
        if left := clear_left(settings, services.exam, clock.wall_us()):
            say(left)
        with closing(Signing(Checkpoints(services.exam, settings.keys_folder, LEDGER), clock)):
            prepare_audio(settings)
            certificates = _certificates(settings, clock)
            ensure_local_kiosk(services)
            with services.exam.write() as connection:
                token = logins.invite_first_administrator(connection, clock.wall_us())
                record_start(connection, "web", clock.wall_us())
    except (AudioError, DatabaseError) as error:
        raise ServiceError(str(error)) from error
    finally:
        services.close()
    address = shown_address(settings.web.host, settings.web.port)
    say(f"Console: {address}")
    if certificates is not None:
        say(f"Tablets trust this site once, at {address}/trust; fingerprint {fingerprint(certificates.ca)}")
    if token is not None:
        say(
            "No account exists yet. Make the first administrator within 24 hours, once:"
            f" {address}/first-administrator/{token}"
        )
    return certificates


def _opened(settings: Settings, machine: Clock) -> Services:
    """The services by the console's own clock: it goes on by elapsed time when the machine's is set."""
    services = open_services(settings, machine)
    return replace(services, clock=start_clock(services.exam, machine, services.procedures))


def _certificates(settings: Settings, clock: Clock) -> Certificates | None:
    if is_loopback(settings.web.host):
        return None
    return ensure_certificates(settings.keys_folder, site_names(settings.web.host), clock.wall_us())


class ConsoleWorker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's worker, with two habits changed that would hurt an exam day.

    Told to stop, it ends the open event streams instead of waiting for them. And it waits for the
    other side to close a connection in a thread of the pool: gunicorn does so in the loop that
    accepts everybody else, up to two seconds for each client that does not close.
    """

    def handle_exit(self, sig: int, frame: object) -> None:
        if isinstance(self.wsgi, Flask):
            self.wsgi.extensions[EXTENSION].bus.close()
        super().handle_exit(sig, frame)

    def enqueue_req(self, conn: TConn) -> None:
        conn.close = partial(self._close_aside, conn)
        super().enqueue_req(conn)

    def _close_aside(self, conn: TConn, *, graceful: bool = False) -> None:
        if graceful and self.alive:
            self.tpool.submit(TConn.close, conn, graceful=True)
        else:
            TConn.close(conn)


@dataclass(slots=True)
class _Running:
    """What the worker must close when it ends."""

    services: Services
    signing: Signing
    reserve: ReserveKeeper
    rosters: RosterKeeper
    desk: Desk
    stop_ticking: Callable[[], None]
    companion: Companion | None

    def close(self) -> None:
        if self.companion is not None:
            self.companion.stop()
        self.desk.close()
        self.stop_ticking()
        self.rosters.close()
        self.reserve.close()
        self.signing.close()
        self.services.close()


class Console(BaseApplication):  # type: ignore[misc]
    """Gunicorn, configured by our settings alone."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        listener: socket.socket,
        certificates: Certificates | None,
        beside: Beside | None = None,
    ) -> None:
        self._settings, self._clock, self._beside = settings, clock, beside
        self._listener, self._certificates = listener, certificates
        self._running: _Running | None = None
        super().__init__()

    def load_config(self) -> None:
        chosen: dict[str, Any] = {
            "bind": f"fd://{self._listener.detach()}",
            "workers": 1,
            "threads": self._settings.web.threads,
            "worker_class": ConsoleWorker,
            "keepalive": KEEPALIVE_SECONDS,
            "graceful_timeout": STOP_SECONDS,
            "loglevel": "warning",
            "control_socket_disable": True,
            "forwarded_allow_ips": "",
            "proc_name": "kaochang-web",
            "when_ready": self._soften,
            "worker_exit": lambda _server, _worker: self._close(),
        }
        if self._certificates is not None:
            chosen["certfile"] = str(self._certificates.server)
            chosen["keyfile"] = str(self._certificates.server_key)
            chosen["ssl_context"] = _tls_context
        for key, value in chosen.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """In the worker: open the databases, build the app, start ticking."""
        services = _opened(self._settings, self._clock)
        checkpoints = Checkpoints(services.exam, self._settings.keys_folder, LEDGER)
        app = create_app(services)
        signing = Signing(checkpoints, services.clock)
        keeper = ReserveKeeper(services.exam, services.clock)
        rosters = RosterKeeper(services)
        desk = open_export_desk(services)
        stop_ticking = start_signals(app, services)
        companion = self._beside(app, services) if self._beside else None
        if companion is not None:
            _end_softly(companion)
        self._running = _Running(services, signing, keeper, rosters, desk, stop_ticking, companion)
        rosters.start()
        return app

    def _soften(self, arbiter: Arbiter) -> None:
        """In the master: tell the worker of the first SIGINT, and stop with the next."""
        if self._beside is None:
            return
        stop_at_once = arbiter.handle_int

        def first() -> None:
            say("Ending. Once more ends it at once.")
            arbiter.handle_int = stop_at_once
            arbiter.kill_workers(END_SOFTLY)

        arbiter.handle_int = first

    def _close(self) -> None:
        if self._running is not None:
            self._running.close()


def _end_softly(companion: Companion) -> None:
    """In the worker: a terminal sends Ctrl-C to it as well, but the master's word counts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(END_SOFTLY, lambda _number, _frame: companion.end())


def _tls_context(_config: object, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    context = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
