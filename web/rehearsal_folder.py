"""The folder in which a rehearsal lives while it lasts, and what is taken out of it before it goes."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection
from sqlite3 import Error as SqliteError
from typing import Final

from config.procedures import load_procedures
from config.settings import Settings
from evidence.database import DatabaseError, WriterDatabase, writer_lock
from evidence.rehearsal_copy import SessionIds, copy_day
from evidence.reports_set_aside import reports_set_aside
from exam.day import Session
from web.signal_reports import take_report

# Shared with the site: its CA, so that tablets and loudspeakers trust the address, and what forms hang on.
SHARED_KEYS: Final = ("site.key", "ca.crt", "ca.key", "server.crt", "server.key")


def folder_of(settings: Settings) -> Path:
    """Where a rehearsal of this site lives."""
    return settings.data_folder / "rehearsal"


def set_aside_in(settings: Settings) -> Path:
    """Where the rehearsal's own console, of these settings, keeps reports that are not the rehearsal's."""
    return settings.data_folder / "reports_set_aside.jsonl"


def rehearsal_settings(settings: Settings) -> Settings:
    """The site's settings, with everything that is written in the rehearsal's own folder."""
    return settings.model_copy(update={"data_folder": folder_of(settings), "database_reserve_mb": 0})


def lay(settings: Settings, connection: Connection, sessions: Sequence[Session], now_us: int) -> None:
    """Make it anew with the plan of these sessions; readable to whoever runs it, and nobody else."""
    folder = folder_of(settings)
    folder.mkdir(parents=True, mode=0o700)
    (folder / "keys").mkdir(mode=0o700)
    for name in SHARED_KEYS:
        if (settings.keys_folder / name).exists():
            shutil.copy2(settings.keys_folder / name, folder / "keys" / name)
    settings.audio_folder.mkdir(parents=True, exist_ok=True)
    (folder / "audio").symlink_to(settings.audio_folder.absolute())
    copy = WriterDatabase(folder / "exam.db", "exam")
    with closing(copy), copy.write() as written:
        copy_day(connection, written, [one.id for one in sessions], SessionIds.at(now_us))


def clear(settings: Settings, exam: WriterDatabase, now_us: int) -> None:
    """Take into the site's records what is theirs, and remove the folder with its copies of keys and logins.

    Also of one that was killed. The folder stays while its console runs (`WriterBusyError`). Raises OSError
    and what a database raises; then nothing is lost, and it can be called again.
    """
    folder = folder_of(settings)
    if not folder.exists():
        return
    with writer_lock(folder / "exam.db"):
        take_over(settings, exam, now_us)
        shutil.rmtree(folder)


def clear_left(settings: Settings, exam: WriterDatabase, now_us: int) -> str:
    """`clear` for a console that starts, which it does in any case. Returns what is wrong, or nothing."""
    try:
        clear(settings, exam, now_us)
    except (OSError, DatabaseError, SqliteError) as error:
        return f"What an ended rehearsal left in {folder_of(settings)} cannot be cleared ({error})"
    return ""


def take_over(settings: Settings, exam: WriterDatabase, now_us: int) -> None:
    """What players delivered there of real sessions. A report that is there already changes nothing."""
    reports = reports_set_aside(set_aside_in(rehearsal_settings(settings)))
    if not reports:
        return
    procedures = load_procedures(settings.procedures_folder)
    with exam.write() as connection:
        for report in reports:
            take_report(connection, report, procedures, now_us)
