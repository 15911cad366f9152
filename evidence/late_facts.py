"""Facts that the database refused, kept in a file beside it until it takes them.

A recorder that has to stop while its database refuses (a full disk, a damaged page) would otherwise
forget why cameras were away. Each fact is one line, durable before it is relied on; the next start
records the lines in their order, each once, and puts the file aside.
"""

import json
import os
import sqlite3
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection

from evidence.adoption import UNKNOWN_BOOT
from evidence.database import WriterDatabase
from evidence.footage import Cause
from evidence.footage_rows import (
    NewRun,
    add_clock_step,
    add_run,
    end_absence,
    end_run,
    has_open_gap,
    last_footage_us,
    note_absence,
)
from exam.clock import Clock


class LateKind(StrEnum):
    """Which facts can be kept."""

    RUN_OVER = "run_over"
    ABSENT = "absent"
    CLOCK_STEP = "clock_step"


@dataclass(frozen=True, slots=True)
class LateFact:
    """One fact. `camera_uuid` and `cause` are empty for a clock step, `run_uuid` but for a run's end.

    `owed_from_us`: of no moment before this one does an absence speak; 0 when everything was owed.
    """

    uuid: str
    kind: LateKind
    at_us: int
    camera_uuid: str = ""
    run_uuid: str = ""
    cause: str = ""
    step_us: int = 0
    owed_from_us: int = 0


def keep_fact(path: Path, fact: LateFact) -> None:
    """Add the fact to the file, durably. Raises OSError."""
    # A line that a full disk cut short must not take this one with it.
    line = b"\n" + json.dumps(asdict(fact)).encode() + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def kept_facts(path: Path) -> list[LateFact]:
    """What the file holds, in its order; a line torn by a crash is left out."""
    facts: list[LateFact] = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            fields = json.loads(line)
            fact = LateFact(**{**fields, "kind": LateKind(fields["kind"])})
            if fact.cause:
                Cause(fact.cause)  # of a newer program: not ours to tell
            facts.append(fact)
        except (ValueError, TypeError, KeyError):
            continue
    return facts


def mark_recorded(connection: Connection, uuid: str, now_us: int) -> None:
    """The kept fact is in the database now: written in the fact's own transaction."""
    connection.execute(
        "insert into late_fact (uuid, recorded_at_us) values (?, ?) on conflict (uuid) do nothing",
        (uuid, now_us),
    )


def record_kept_facts(database: WriterDatabase, path: Path, clock: Clock) -> tuple[int, list[LateFact]]:
    """Record what the file holds, each fact once, and put it aside: how many, and what is refused for good.

    Raises sqlite3.Error when the database refuses still; nothing is lost then, and nothing is done twice.
    """
    facts = kept_facts(path)
    recorded, refused = 0, []
    for fact in facts:
        try:
            with database.write() as connection:
                recorded += _record_once(connection, fact, clock.wall_us())
        except sqlite3.IntegrityError:
            refused.append(fact)
    if facts:
        path.replace(path.with_suffix(".recorded"))
    return recorded, refused


def record_clock_step(connection: Connection, noticed_at_us: int, step_us: int) -> None:
    """The host's wall clock jumped. Absences that now seem to begin in the future begin anew."""
    add_clock_step(connection, noticed_at_us, step_us)
    rows = connection.execute(
        "select camera_uuid, cause from gap where ended_at_us is null and started_at_us > ?", (noticed_at_us,)
    ).fetchall()
    for camera_uuid, cause in rows:
        end_absence(connection, camera_uuid, noticed_at_us - step_us, noticed_at_us)
        note_absence(connection, camera_uuid, noticed_at_us, Cause(cause), noticed_at_us)


def _record_once(connection: Connection, fact: LateFact, now_us: int) -> bool:
    known = connection.execute("select 1 from late_fact where uuid = ?", (fact.uuid,)).fetchone()
    if known is not None:
        return False
    mark_recorded(connection, fact.uuid, now_us)
    if fact.kind is LateKind.CLOCK_STEP:
        record_clock_step(connection, fact.at_us, fact.step_us)
        return True
    cause = Cause(fact.cause)
    if fact.run_uuid:
        # Its row may have been refused as well: its files, adopted after this, must find it over.
        run = NewRun(fact.run_uuid, fact.camera_uuid, UNKNOWN_BOOT, fact.at_us, 0)
        end_run(connection, add_run(connection, run), fact.at_us, cause)
    if cause is Cause.CAMERA_RETIRED:
        end_absence(connection, fact.camera_uuid, fact.at_us, now_us)
        return True
    last_us = last_footage_us(connection, fact.camera_uuid)
    from_us = fact.at_us
    if has_open_gap(connection, fact.camera_uuid):
        if cause is Cause.STARTING:  # known already why there was nothing
            return True
    elif last_us is not None:
        from_us = min(max(last_us, fact.owed_from_us), fact.at_us)
    note_absence(connection, fact.camera_uuid, from_us, cause, now_us)
    return True
