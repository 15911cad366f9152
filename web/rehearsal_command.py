"""`run.py rehearse`: the signals of an exam day in minutes, with the players that stand in the rooms.

Runs a console over a copy of the day's plan at the site's own address, while the site's console is stopped.
Nothing that happens there comes into the records but what became of every signal.
"""

import argparse
import getpass
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from sqlite3 import Connection
from typing import Final

from flask import Flask

from config.logs import configure_logs
from config.procedures import load_procedures
from config.settings import Settings
from evidence import accounts
from evidence.checkpoints import Checkpoints, Signing
from evidence.database import DatabaseError, ReaderDatabase, WriterBusyError, WriterDatabase
from evidence.day import load_sessions
from evidence.rehearsal_copy import SessionIds, copy_day
from evidence.rehearsals import keep_rehearsal, rehearsals_of
from exam.clock import MINUTE_US, SECOND_US, Clock, LeapingClock, SystemClock, site_time
from exam.day import Session
from exam.readiness import day_of, next_exam_day
from exam.rehearsal import KEEP_OFF_US, Rehearsed
from web.access import LEAD
from web.audio import AUDIO_EXTENSION
from web.rehearsal_page import install
from web.rehearsing import Conductor, Wanted
from web.service import LEDGER, ServiceError, say, serve
from web.services import Services
from web.tls import TlsError

# Shared with the site: its CA, so that tablets and loudspeakers trust the address, and what forms hang on.
SHARED_KEYS: Final = ("site.key", "ca.crt", "ca.key", "server.crt", "server.key")
FAILED_ONES_SHOWN: Final = 20


class RehearsalError(RuntimeError):
    """The rehearsal cannot be done; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is rehearsed, and in whose name."""

    day: date
    sessions: tuple[Session, ...]
    account_id: int


def main(words: list[str], settings_at: Callable[[Path | None], Settings]) -> int:
    """Run the command; returns its exit status: 0 when every signal was heard in every room."""
    parser = argparse.ArgumentParser(prog="run.py rehearse", description=__doc__)
    parser.add_argument(
        "--day", type=date.fromisoformat, help="exam day, as 2026-11-22 (default: the next one)"
    )
    parser.add_argument("--by", help="login name of who answers for it (default: asked for)")
    parser.add_argument(
        "--speed",
        type=float,
        default=0.0,
        help="how many times faster than on the day the time between signals goes (default: it is left out)",
    )
    parser.add_argument(
        "--gather", type=int, default=30, help="seconds in which players may come (default 30)"
    )
    parser.add_argument("--settings", type=Path, help="settings file (default: kaochang.toml)")
    chosen = parser.parse_args(words)
    settings = settings_at(chosen.settings)
    clock, own_pid = SystemClock(), os.getpid()
    try:
        name = chosen.by or _asked("Login name of the site lead: ")
        password = _password()
        plan = prepare(settings, clock, name, password, chosen.day)
        wanted = Wanted(
            plan.day.isoformat(), plan.account_id, max(chosen.speed, 0.0), chosen.gather * SECOND_US
        )
        configure_logs()
        done = rehearse(settings, clock, wanted)
        return _told(done)
    except (RehearsalError, DatabaseError, ServiceError, TlsError) as error:
        say(f"rehearse: {error}")
        return 1
    finally:
        if os.getpid() == own_pid:  # the console's worker comes by here, too
            shutil.rmtree(folder_of(settings), ignore_errors=True)


def folder_of(settings: Settings) -> Path:
    """Where a rehearsal lives while it lasts."""
    return settings.data_folder / "rehearsal"


def prepare(settings: Settings, clock: Clock, name: str, password: str, day: date | None) -> Plan:
    """Check that it can be done and lay the copy of the day. Raises RehearsalError or DatabaseError."""
    if not settings.exam_db.exists():
        raise RehearsalError(f"{settings.exam_db} does not exist: take in a site plan first")
    try:
        real = WriterDatabase(settings.exam_db, "exam")
    except WriterBusyError as error:
        raise RehearsalError(
            "the site's console is running: stop it first, and start it again after the rehearsal"
        ) from error
    with closing(real), real.read() as connection:
        account_id = _account(connection, name, password)
        sessions = _sessions(connection, settings, clock.wall_us(), day)
        plan = Plan(day_of(sessions[0]), tuple(sessions), account_id)
        _lay(settings, connection, plan, clock.wall_us())
    return plan


def rehearse(settings: Settings, clock: Clock, wanted: Wanted) -> Rehearsed:
    """Run the rehearsal's console until it is over, and keep what came of it. Raises as `prepare`."""
    leaping = LeapingClock(clock)
    own = rehearsal_settings(settings)

    def beside(app: Flask, services: Services) -> Callable[[], None]:
        def finished() -> None:
            os.kill(os.getppid(), signal.SIGTERM)

        conductor = Conductor(services, leaping, app.extensions[AUDIO_EXTENSION], wanted, finished)
        install(app, conductor)
        conductor.start()
        return conductor.stop

    say(f"Rehearsing {wanted.exam_day}. End it on its page, so that rooms are told; Ctrl-C ends it at once.")
    serve(own, leaping, beside)
    done = _outcome(own, wanted)
    real = WriterDatabase(settings.exam_db, "exam")
    checkpoints = Checkpoints(real, settings.keys_folder, LEDGER)
    with closing(real), closing(Signing(checkpoints, clock)), real.write() as connection:
        keep_rehearsal(connection, done, wanted.account_id)
    return done


def rehearsal_settings(settings: Settings) -> Settings:
    """The site's settings, with everything that is written in the rehearsal's own folder."""
    return settings.model_copy(update={"data_folder": folder_of(settings), "database_reserve_mb": 0})


def _account(connection: Connection, name: str, password: str) -> int:
    found = accounts.password_hash_of(connection, name.strip().lower())
    is_right = accounts.is_password(found[1] if found else None, password)
    account = accounts.load_account(connection, found[0]) if found and is_right else None
    if account is None:
        raise RehearsalError("login name or password is wrong; nothing was rehearsed")
    if not LEAD & set(account.roles):
        raise RehearsalError("a rehearsal is for the site lead or the exams officer to run")
    return account.id


def _sessions(connection: Connection, settings: Settings, now_us: int, day: date | None) -> list[Session]:
    """The day's sessions that lie ahead. Raises RehearsalError where none does, or an exam is near."""
    procedures = load_procedures(settings.procedures_folder)
    planned = [one for one in load_sessions(connection) if one.cancelled_at_us is None]
    for one in planned:
        ends_us = one.planned_start_us + one.duration_us
        if one.planned_start_us - KEEP_OFF_US <= now_us <= ends_us + KEEP_OFF_US:
            raise RehearsalError(
                f"session {one.code} is too near: rehearse no later than {KEEP_OFF_US // MINUTE_US} minutes"
                " before an exam begins, and no sooner than that after it ends"
            )
    chosen = day or next_exam_day(
        (one for one in planned if one.planned_start_us > now_us), site_time(now_us).date()
    )
    ahead = [one for one in planned if day_of(one) == chosen and one.planned_start_us > now_us]
    known = [one for one in ahead if one.procedure_code in procedures]
    if not known:
        raise RehearsalError(f"no session lies ahead on {chosen}" if chosen else "no exam day lies ahead")
    return known


def _lay(settings: Settings, connection: Connection, plan: Plan, now_us: int) -> None:
    folder = folder_of(settings)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "keys").mkdir(parents=True, mode=0o700)
    for name in SHARED_KEYS:
        if (settings.keys_folder / name).exists():
            shutil.copy2(settings.keys_folder / name, folder / "keys" / name)
    settings.audio_folder.mkdir(parents=True, exist_ok=True)
    (folder / "audio").symlink_to(settings.audio_folder.absolute())
    copy = WriterDatabase(folder / "exam.db", "exam")
    with closing(copy), copy.write() as written:
        copy_day(connection, written, [one.id for one in plan.sessions], SessionIds.at(now_us))


def _outcome(own: Settings, wanted: Wanted) -> Rehearsed:
    reader = ReaderDatabase(own.exam_db)
    with closing(reader), reader.read() as connection:
        kept = rehearsals_of(connection, wanted.exam_day)
    if not kept:
        raise RehearsalError("it was ended from outside; nothing was recorded. Start the console again")
    return kept[0].rehearsed


def _told(done: Rehearsed) -> int:
    """The sum on the terminal; pages have it in full."""
    had_turn = [one for one in done.signals if one.became != "not_reached"]
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
