"""`run.py speaker`: enrols this machine as a loudspeaker, or lets it sound until it is told to stop."""

import argparse
import fcntl
import json
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import httpx
import structlog

from config.logs import configure_logs
from config.settings import Settings, SpeakerSettings
from config.stop_signals import once_on_signals
from evidence.small_files import replace_whole
from exam.clock import SystemClock
from exam.enrolment import EnrolmentText, EnrolmentTextError, parse
from kiosk.enrolment import EnrolmentFailedError, authority_of
from kiosk.speaker import Loudspeaker, Speaker
from kiosk.speaker_console import PREFIX, ConsoleAwayError, HttpSpeakerConsole, ShutOutError
from kiosk.speaker_link import SpeakerLink
from kiosk.speaker_outputs import open_output
from kiosk.speaker_programs import ProgramLoudspeaker, command_of
from kiosk.speaker_store import SpeakerStore
from kiosk.speaker_stream import Stream

STREAMED: Final = frozenset({"auto", "pulse", "alsa"})
ASK: Final = "Paste the text of the console's 声音 page, then press Enter:"
TIMEOUT_S: Final = 10.0
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

_log: Final = structlog.get_logger("speaker")


class SpeakerError(RuntimeError):
    """The speaker cannot start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the speaker belongs: written by its enrolment."""

    url: str
    token: str


def main(words: list[str], settings_at: Callable[[Path | None], Settings]) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="run.py speaker", description=__doc__)
    parser.add_argument("--enrol", action="store_true", help="enrol with the text that the console shows")
    parser.add_argument("--server", help="address of the console (default: where it enrolled)")
    rooms = parser.add_mutually_exclusive_group()
    rooms.add_argument("--room", action="append", help="sound in this room only; may be repeated")
    rooms.add_argument("--all", action="store_true", help="sound in every room it was enrolled for (default)")
    parser.add_argument("--player", help="auto, pulse, alsa, pw-play, paplay, aplay or a command with {file}")
    parser.add_argument("--device", help="name of the sound output")
    parser.add_argument("--settings", type=Path, help="settings file (default: kaochang.toml)")
    chosen = parser.parse_args(words)
    settings = settings_at(chosen.settings)
    configure_logs()
    try:
        if chosen.enrol:
            return enrol_here(settings, sys.stdin, chosen.server)
        return serve(settings, _wanted(settings.speaker, chosen), frozenset(chosen.room or ()), chosen.server)
    except (SpeakerError, EnrolmentFailedError, EnrolmentTextError) as error:
        _say(f"speaker: {error}")
        return 1


def enrol_here(settings: Settings, read: TextIO, server: str | None = None) -> int:
    """Exchange the pasted text for a token kept here. Raises EnrolmentTextError or EnrolmentFailedError."""
    _say(ASK)
    asked = parse(read.readline())
    if server:
        asked = EnrolmentText(server, asked.token, asked.fingerprint)
    authority = authority_of(asked)
    trusted = ssl.create_default_context(cadata=authority) if authority else ssl.create_default_context()
    try:
        with httpx.Client(verify=trusted, timeout=TIMEOUT_S, trust_env=False) as client:
            answer = client.post(f"{asked.url}{PREFIX}/enrol", json={"code": asked.token})
    except httpx.HTTPError as error:
        raise EnrolmentFailedError(f"the console did not answer ({type(error).__name__})") from error
    if not answer.is_success:
        raise EnrolmentFailedError("the text is too old, was used, or is not for a speaker: make a new one")
    settings.speaker_folder.mkdir(parents=True, exist_ok=True)
    if authority:
        replace_whole(settings.speaker_folder / "ca.crt", authority.encode(), 0o644)
    place = json.dumps({"url": asked.url, "token": answer.json()["token"]})
    replace_whole(settings.speaker_folder / "place.json", place.encode(), 0o600)
    _say(f"Enrolled at {asked.url}. Start it with: python3 run.py speaker")
    return 0


def serve(settings: Settings, wanted: SpeakerSettings, rooms: frozenset[str], server: str | None) -> int:
    """Sound until SIGTERM or SIGINT. Raises SpeakerError when it is not enrolled, or runs already."""
    folder = settings.speaker_folder
    place = _place(folder)
    with _only_one(folder):
        console = HttpSpeakerConsole(server or place.url, place.token, folder / "ca.crt")
        clock, stopping = SystemClock(), threading.Event()
        loudspeaker = make_loudspeaker(wanted, clock)
        speaker = Speaker(SpeakerStore(folder), loudspeaker, clock, rooms or None)
        boot_id = BOOT_ID.read_text(encoding="ascii").strip()
        speaker.remember(boot_id)
        link = SpeakerLink(speaker, console, boot_id)
        speaker.on_report = link.wake
        _check_rooms(console, rooms)
        once_on_signals(stopping.set)
        work(speaker, link, stopping)
        console.close()
    return 0


def work(speaker: Speaker, link: SpeakerLink, stopping: threading.Event) -> None:
    """All threads of a speaker, until told to stop."""
    for target in (speaker.loudspeaker.run, link.run, link.listen):
        threading.Thread(target=target, args=(stopping,), name="speaker", daemon=True).start()
    _log.info("speaker_runs", trouble=speaker.loudspeaker.trouble())
    speaker.run(stopping)


def make_loudspeaker(wanted: SpeakerSettings, clock: SystemClock) -> Loudspeaker:
    """An always open stream, or a program for each sound."""
    if wanted.player in STREAMED:
        return Stream(lambda: open_output(wanted.player, wanted.device), clock)
    return ProgramLoudspeaker(command_of(wanted.player), clock)


def _wanted(settings: SpeakerSettings, chosen: argparse.Namespace) -> SpeakerSettings:
    player = settings.player if chosen.player is None else chosen.player
    return SpeakerSettings(player=player, device=settings.device if chosen.device is None else chosen.device)


def _check_rooms(console: HttpSpeakerConsole, rooms: frozenset[str]) -> None:
    """Refuse rooms it was not enrolled for, if the console is there to ask."""
    try:
        known = {room["room"]["code"] for room in console.schedules()["rooms"]}
    except ConsoleAwayError:
        return
    except ShutOutError as error:
        raise SpeakerError(str(error)) from error
    if rooms - known:
        raise SpeakerError(f"not enrolled for {', '.join(sorted(rooms - known))}; it has {sorted(known)}")


def _place(folder: Path) -> Place:
    try:
        return Place(**json.loads((folder / "place.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SpeakerError("this machine is not enrolled: python3 run.py speaker --enrol") from error


def _only_one(folder: Path) -> TextIO:
    """Two programs on one loudspeaker would ring twice."""
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise SpeakerError(f"another speaker runs already with the folder {folder}") from error
    return lock


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
