"""Runs this machine's check-in kiosk: camera, agent and the candidate screen on loopback."""

import socket
import threading
from collections.abc import Callable
from typing import Final

import structlog
import waitress

from config.kiosk_screen import load_kiosk_words
from config.settings import Settings
from config.stop_signals import once_on_signals
from evidence.database import DatabaseError
from evidence.kiosk_outbox import OutboxKeyError
from exam.clock import Clock, SteadyClock
from exam.kiosk_health import Part
from kiosk.acceptance import Acceptance
from kiosk.agent import FACE_CAMERA, Agent
from kiosk.camera import open_source
from kiosk.clips import Clips
from kiosk.console import HttpConsole
from kiosk.device_keeping import Bench, keepers
from kiosk.enrolment import PlaceDamagedError, console_address
from kiosk.intake import Intake
from kiosk.local import Local, open_local
from kiosk.photos import FaceCamera, Photographer
from kiosk.scan_text import SetupSheet
from kiosk.scanner import Picture, Scanner
from kiosk.screen_app import create_screen
from kiosk.staff_app import add_staff
from kiosk.watching import Watcher

HOST: Final = "127.0.0.1"
THREADS: Final = 8

_log: Final = structlog.get_logger("kiosk")


class ServiceError(RuntimeError):
    """The kiosk cannot start; the message says what is wrong and where."""


def serve(settings: Settings, clock: Clock) -> int:
    """Run the kiosk until SIGTERM or SIGINT. Raises ServiceError when its port or its database is taken."""
    listener = _listen(settings.kiosk.port)
    address = reachable_address(settings)
    console = HttpConsole(address, settings.kiosk_token, settings.keys_folder / "ca.crt")
    # Whoever sets the machine's clock in the middle of the day moves no scan.
    clock = SteadyClock(clock)
    local = _open_local(settings, console, clock, listener)
    acceptance = Acceptance()
    agent = Agent(local.contact, local.asker, acceptance, load_kiosk_words(), clock, has_place=bool(address))
    scanner = Scanner(settings.kiosk.symbologies)
    watcher = Watcher(
        lambda: open_source(settings.kiosk.camera, clock, region=settings.kiosk.region),
        scanner,
        acceptance,
        agent,
        clock,
    )
    intake = Intake(
        acceptance, agent, clock, SetupSheet(settings.kiosk.scan_prefix, settings.kiosk.scan_suffix)
    )
    bench = Bench(clock, intake, lambda: watcher.newest, agent.wants_number)
    devices = keepers(settings.kiosk, bench, agent.board)
    clips = Clips(settings.clips_folder, agent.words.clips, settings.kiosk.spoken, settings.kiosk.volume)
    faces, eyes = _faces(settings, agent, lambda: watcher.newest)
    screen = create_screen(agent, lambda: watcher.newest, intake, clips, faces)
    add_staff(screen, local.desk)
    server = waitress.create_server(screen, sockets=[listener], threads=THREADS, ident=None)
    _stop_on_signals(agent)
    agent.start(watcher.run, clips.run, *eyes, *(keeper.run for keeper in devices))
    _log.info("kiosk listens", port=settings.kiosk.port)
    try:
        server.run()
    finally:
        agent.stop()
        server.close()
        scanner.close()
        console.close()
        local.close()
    return 0


def reachable_address(settings: Settings) -> str:
    """Empty when it is not known any more: the kiosk then works alone, and says what people must do."""
    try:
        return console_address(settings)
    except PlaceDamagedError as error:
        _log.error("no console", reason=str(error))
        return ""


def _faces(
    settings: Settings, agent: Agent, tray: Callable[[], Picture | None]
) -> tuple[Callable[[], Picture | None], list[Callable[[threading.Event], None]]]:
    """Where photos come from, and what has to run for it: a second camera, or the one over the tray."""
    address, clock = settings.kiosk.face_camera, agent.clock
    if not address:
        return tray, [Photographer(tray, agent, clock).run]
    agent.board.fit(FACE_CAMERA, Part.FACE_CAMERA)
    face = FaceCamera(lambda: open_source(address, clock), agent.face_camera_is)
    return lambda: face.newest, [face.run, Photographer(lambda: face.newest, agent, clock).run]


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"port {port} on {HOST} cannot be used ({error.strerror}): stop the other program"
            " or change [kiosk] port in the settings"
        ) from error
    return listener


def _open_local(settings: Settings, console: HttpConsole, clock: Clock, listener: socket.socket) -> Local:
    try:
        return open_local(settings, console, clock)
    except (DatabaseError, OutboxKeyError, OSError) as error:
        listener.close()
        console.close()
        raise ServiceError(str(error)) from error


def _stop_on_signals(agent: Agent) -> None:
    def stop() -> None:
        agent.let_go()  # first, or waitress would wait for a page that waits for us
        raise SystemExit(0)  # waitress ends its loop and its threads on this

    once_on_signals(stop)
