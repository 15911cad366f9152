"""The small world on the real clock: theory session T1 made a demo session that starts in a few seconds."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from flask import Flask

from config.settings import Settings
from evidence.announcements import PlayedReport, load_reports
from evidence.day import load_announced
from evidence.plan_changes import arm_session
from evidence.players import load_players
from exam.clock import SECOND_US, SystemClock
from exam.day import Announced
from exam.players import PlayerState
from tests.web.console import console_over, serving
from tests.world import World
from web.services import FootageReader, Services
from web.signal_ticker import prepare_audio, start_signals


@cache
def spoken_audio() -> Path:
    """The shipped announcements, spoken once a process."""
    folder = Path(tempfile.mkdtemp(prefix="kaochang-audio-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    prepare_audio(Settings(data_folder=folder))
    return folder / "audio"


@dataclass(slots=True)
class SignalSite:
    """A console that can be stopped and started again over the same databases, with true time."""

    world: World
    clock: SystemClock = field(default_factory=SystemClock)

    def plan(self, start_in_s: float, duration_s: float = 60, procedure: str = "demo_theory") -> int:
        """Plan and arm the session; returns its planned start."""
        now_us = self.clock.wall_us()
        start_us = now_us + round(start_in_s * SECOND_US)
        with self.world.exam.write() as connection:
            connection.execute(
                "update session set planned_start_us = ?, duration_us = ?, procedure_code = ?",
                (start_us, round(duration_s * SECOND_US), procedure),
            )
            arm_session(connection, self.world.session_id, self.world.site_lead_account_id, now_us)
        return start_us

    @contextmanager
    def running(self, port: int = 0) -> Iterator[tuple[str, Flask]]:
        """The whole console with its ticker: address and app."""
        footage = FootageReader(self.world.folder / "footage.db")
        settings = Settings(data_folder=self.world.folder)
        services = Services(settings, self.clock, self.world.exam, footage, self.world.vault)
        app = console_over(services)
        stop = start_signals(app, services)
        try:
            with serving(app, port) as address:
                yield address, app
        finally:
            stop()
            footage.close()

    def announced(self, cue_code: str) -> dict[int, Announced]:
        """What became of the cue, by room."""
        with self.world.exam.read() as connection:
            found = load_announced(connection, self.world.session_id)
        return {one.room_id: one for one in found if one.cue_code == cue_code}

    def source(self, room_id: int, cue_code: str) -> list[str]:
        """How the announcements of the cue in the room came about."""
        with self.world.exam.read() as connection:
            rows = connection.execute(
                "select source from announcement where room_id = ? and cue_code = ? order by occurrence",
                (room_id, cue_code),
            )
            return [row["source"] for row in rows]

    def reports(self, cue_code: str) -> list[PlayedReport]:
        """What players reported of the cue."""
        with self.world.exam.read() as connection:
            return [
                one for one in load_reports(connection, self.world.session_id) if one.cue_code == cue_code
            ]

    def players(self) -> list[PlayerState]:
        """How the players said they are."""
        with self.world.exam.read() as connection:
            return load_players(connection, self.clock.wall_us())
