"""kill -9 of every service in the middle of the exam: nothing acknowledged is lost, no signal repeats."""

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from exam.clock import SECOND_US, SystemClock
from tests.day.demo_day import DemoDayRun, demo_day

pytestmark = [pytest.mark.day, pytest.mark.timeout(600)]

# Two starts of the services and one camera connection, with room for a busy machine.
LONGEST_GAP_S = 40.0
# One fragment: a keyframe interval of the simulated cameras; and what a busy machine had yet to take.
FRAGMENT_US = 3 * SECOND_US

ACKNOWLEDGED = {
    "exam.db": (
        "checkin_attempt",
        "admission",
        "announcement",
        "announcement_report",
        "confirmation",
        "log_entry",
    ),
    "footage.db": ("segment",),
}


def rows(day: DemoDayRun) -> dict[str, set[tuple[object, ...]]]:
    found = {}
    for database, tables in ACKNOWLEDGED.items():
        connection = sqlite3.connect(f"{(day.folder / 'site' / database).as_uri()}?mode=ro", uri=True)
        for table in tables:
            found[table] = {tuple(row) for row in connection.execute(f"select * from {table}")}
        connection.close()
    return found


def ends_of_footage(day: DemoDayRun) -> dict[str, tuple[int, int]]:
    """Start and end of each camera's gap with the cause of a crash."""
    connection = sqlite3.connect(f"{(day.folder / 'site' / 'footage.db').as_uri()}?mode=ro", uri=True)
    gaps = {
        camera: (started, ended)
        for camera, started, ended in connection.execute(
            "select camera_uuid, started_at_us, ended_at_us from gap where cause = 'recorder_crash'"
        )
    }
    connection.close()
    return gaps


def test_a_day_survives_the_death_of_every_service(tmp_path: Path) -> None:
    with demo_day(tmp_path) as day:
        day.wait_until(31)
        before = rows(day)
        victims = day.services()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        killed_at_us = SystemClock().wall_us()
        summary = day.finish()
        after = rows(day)
        gaps = ends_of_footage(day)
    assert len(victims) >= 8, "web, its worker, recorder, kiosk and five recording children"
    for table, kept in before.items():
        assert kept <= after[table], f"rows of {table} were lost or changed"
    assert summary["signals"]["missed"] == 0
    # Whoever stood at the kiosk just then may hear "already checked in" at the second try.
    assert len(after["admission"]) == 14
    announced = [row[1:5] for row in after["announcement"]]
    assert len(announced) == len(set(announced)), "a signal was given twice"
    assert len(gaps) == 5
    for started_us, ended_us in gaps.values():
        assert killed_at_us - FRAGMENT_US <= started_us <= killed_at_us + SECOND_US // 2
        assert ended_us - started_us <= LONGEST_GAP_S * SECOND_US
    lost = [one for one in summary["missing"] if not one.startswith(("footage of", "marks of", "check-in"))]
    assert lost == []
