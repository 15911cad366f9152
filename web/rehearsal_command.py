"""`run.py rehearse`: the signals of an exam day in minutes, with the players that stand in the rooms.

Runs a console over a copy of the day's plan at the site's own address, while the site's console is stopped.
Nothing that happens there comes into the records but what became of every signal.
"""

import argparse
import getpass
import math
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from flask import Flask

from config.logs import configure_logs
from config.procedures import load_procedures
from config.settings import Settings
from evidence import accounts
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import (
    DatabaseError,
    ReaderDatabase,
    WriterBusyError,
    WriterDatabase,
    WriterLock,
    writer_lock,
)
from evidence.day import load_sessions
from evidence.rehearsals import keep_rehearsal, rehearsals_of
from exam.clock import MINUTE_US, SECOND_US, Clock, LeapingClock, SystemClock, site_time
from exam.day import Session
from exam.readiness import day_of, next_exam_day
from exam.rehearsal import KEEP_OFF_US, Rehearsed
from web.access import LEAD
from web.audio import AUDIO_EXTENSION
from web.rehearsal_folder import clear, lay, rehearsal_settings
from web.rehearsal_page import install
from web.rehearsing import Conductor, Wanted
from web.service import LEDGER, ServiceError, say, serve
from web.services import Services
from web.tls import TlsError

FAILED_ONES_SHOWN: Final = 20
# Who pressed Ctrl-C before anything began.
ABANDONED: Final = 130


class RehearsalError(RuntimeError):
    """The rehearsal cannot be done; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to rehearse which day; None: the next one."""

    name: str
    password: str
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is rehearsed, and in whose name."""

    day: date
    sessions: tuple[Session, ...]
    account_id: int


def main(words: list[str], settings_at: Callable[[Path | None], Settings]) -> int:
    """Run the command; returns its exit status: 0 when every signal was heard in every room."""
    chosen = _parser().parse_args(words)
    settings = settings_at(chosen.settings)
    try:
        if not settings.exam_db.exists():
            raise RehearsalError(f"{settings.exam_db} does not exist: take in a site plan first")
        asked = Asked(chosen.by or _asked("Login name of the site lead: "), _password(), chosen.day)
        with kept_closed(settings) as lock:
            return _run(settings, lock, asked, chosen)
    except KeyboardInterrupt:
        say("rehearse: nothing was rehearsed")
        return ABANDONED
    except (RehearsalError, DatabaseError, ServiceError, TlsError) as error:
        say(f"rehearse: {error}")
    except (OSError, sqlite3.Error) as error:
        say(f"rehearse: {error}: see whether the disk is full, and who may write {settings.data_folder}")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py rehearse", description=__doc__)
    parser.add_argument(
        "--day", type=date.fromisoformat, help="exam day, as 2026-11-22 (default: the next one)"
    )
    parser.add_argument("--by", help="login name of who answers for it (default: asked for)")
    parser.add_argument(
        "--speed",
        type=_speed,
        default=0.0,
        help="how many times faster than on the day the time between signals goes (default: it is left out)",
    )
    parser.add_argument(
        "--gather", type=_seconds, default=30, help="seconds in which players may come (default 30)"
    )
    parser.add_argument("--settings", type=Path, help="settings file (default: kaochang.toml)")
    return parser


def _speed(word: str) -> float:
    speed = float(word)
    if not (math.isfinite(speed) and speed >= 1):
        raise ValueError("no speed")
    return speed


def _seconds(word: str) -> int:
    seconds = int(word)
    if seconds < 0:
        raise ValueError("no time")
    return seconds


@contextmanager
def kept_closed(settings: Settings) -> Iterator[WriterLock]:
    """The site's records, closed to every other writer for as long. Raises RehearsalError when one is there.

    A console that its supervisor starts again meanwhile, or a second rehearsal, is refused: it would find the
    rehearsal's folder, or take the place in which the outcome is to be kept.
    """
    with ExitStack() as held:
        try:
            lock = held.enter_context(writer_lock(settings.exam_db))
        except WriterBusyError as error:
            raise RehearsalError(
                "the site's console, or another rehearsal, is running: stop it first,"
                " and start the console again after the rehearsal"
            ) from error
        yield lock


def _run(settings: Settings, lock: WriterLock, asked: Asked, chosen: argparse.Namespace) -> int:
    clock, own_pid = SystemClock(), os.getpid()
    try:
        plan = prepare(settings, lock, clock.wall_us(), asked)
        wanted = Wanted(
            plan.day.isoformat(), plan.account_id, chosen.speed, gather_us=chosen.gather * SECOND_US
        )
        configure_logs()
        return _told(rehearse(settings, lock, clock, wanted))
    finally:
        if os.getpid() == own_pid:  # the console's worker comes by here, too
            with closing(WriterDatabase(settings.exam_db, "exam", held=lock)) as real:
                clear(settings, real, clock.wall_us())


def prepare(settings: Settings, lock: WriterLock, now_us: int, asked: Asked) -> Plan:
    """Check that it can be done and lay the copy of the day. Raises RehearsalError or DatabaseError."""
    real = WriterDatabase(settings.exam_db, "exam", held=lock)
    with closing(real), real.read() as connection:
        account_id = _account(connection, asked.name, asked.password)
        sessions = _sessions(connection, settings, now_us, asked.day)
        clear(settings, real, now_us)
        lay(settings, connection, sessions, now_us)
    return Plan(day_of(sessions[0]), tuple(sessions), account_id)


def rehearse(settings: Settings, lock: WriterLock, clock: Clock, wanted: Wanted) -> Rehearsed:
    """Run the rehearsal's console until it is over, and keep what came of it. Raises as `prepare`."""
    leaping, finished = LeapingClock(clock), partial(stop_console, os.getpid())
    own = rehearsal_settings(settings)
    begun = own.data_folder / "begun"

    def beside(app: Flask, services: Services) -> Conductor | None:
        if begun.exists():  # the worker died, and this is another one: nothing is rehearsed twice
            finished()
            return None
        begun.touch()
        conductor = Conductor(services, leaping, app.extensions[AUDIO_EXTENSION], wanted, finished)
        install(app, conductor)
        conductor.start()
        return conductor

    say(f"Rehearsing {wanted.exam_day}. End it on its page, or with Ctrl-C: rooms are told.")
    serve(own, leaping, beside)
    done = _outcome(own, wanted)
    real = WriterDatabase(settings.exam_db, "exam", held=lock)
    checkpoints = Checkpoints(real, settings.keys_folder, LEDGER)
    with closing(real), closing(Signing(checkpoints, clock)), real.write() as connection:
        keep_rehearsal(connection, done, wanted.account_id)
    return done


def stop_console(console: int) -> None:
    """From its worker. A console that was killed is not the parent any more: that would be somebody else."""
    if os.getppid() == console:
        os.kill(console, signal.SIGTERM)


def _account(connection: Connection, name: str, password: str) -> int:
    account_id = accounts.proven_account(connection, name, password)
    account = None if account_id is None else accounts.load_account(connection, account_id)
    if account is None:
        raise RehearsalError("login name or password is wrong; nothing was rehearsed")
    if not LEAD & set(account.roles):
        raise RehearsalError("a rehearsal is for the site lead or the exams officer to run")
    return account.id


def _sessions(connection: Connection, settings: Settings, now_us: int, day: date | None) -> list[Session]:
    """The day's sessions that lie ahead. RehearsalError: none does, or an exam is near or armed."""
    planned = [one for one in load_sessions(connection) if one.cancelled_at_us is None]
    for one in planned:
        _check_apart(one, now_us)
    chosen = day or next_exam_day(
        (one for one in planned if one.planned_start_us > now_us), site_time(now_us).date()
    )
    ahead = [one for one in planned if day_of(one) == chosen and one.planned_start_us > now_us]
    if not ahead:
        raise RehearsalError(f"no session lies ahead on {chosen}" if chosen else "no exam day lies ahead")
    procedures = load_procedures(settings.procedures_folder)
    unknown = [one for one in ahead if one.procedure_code not in procedures]
    if unknown:
        named = ", ".join(f"{one.code} ({one.procedure_code})" for one in unknown)
        raise RehearsalError(
            f"no usable procedure for {named}: these would not ring on the day either;"
            " mend the file in procedures_folder, or cancel them"
        )
    return ahead


def _check_apart(one: Session, now_us: int) -> None:
    ends_us = one.planned_start_us + one.duration_us
    if one.planned_start_us - KEEP_OFF_US <= now_us <= ends_us + KEEP_OFF_US:
        raise RehearsalError(
            f"session {one.code} is too near: rehearse no later than {KEEP_OFF_US // MINUTE_US} minutes"
            " before an exam begins, and no sooner than that after it ends"
        )
    if one.armed_at_us is not None and now_us < one.planned_start_us:
        raise RehearsalError(
            f"session {one.code} is armed: its rooms would ring it by the rehearsal's time."
            " Disarm it first, and arm it after the rehearsal"
        )


def _outcome(own: Settings, wanted: Wanted) -> Rehearsed:
    reader = ReaderDatabase(own.exam_db)
    with closing(reader), reader.read() as connection:
        kept = rehearsals_of(connection, wanted.exam_day)
    if not kept:
        raise RehearsalError("it was ended from outside; nothing was recorded. Start the console again")
    return kept[0].rehearsed


def _told(done: Rehearsed) -> int:
    """The sum on the terminal; pages have it in full."""
    had_turn = [one for one in done.signals if one.had_turn]
    say(f"{len(had_turn)} of {len(done.signals)} signals rehearsed, {len(done.failed)} not heard.")
    for one in done.failed[:FAILED_ONES_SHOWN]:
        moment = f"{site_time(one.sounds_at_us):%H:%M:%S}"
        say(f"  {moment} {one.session} {one.room} {one.cue}: {one.trouble or one.became}")
    say("Recorded. Start the console again: python3 run.py serve")
    return 0 if done.is_whole and not done.failed else 1


def _asked(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")
