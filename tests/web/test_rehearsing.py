"""A rehearsal with a real player over HTTP: hours are left out, signals sound, the outcome is kept."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask

from config.settings import Settings
from evidence import logins
from evidence.announcements import load_reports
from evidence.database import WriterDatabase
from evidence.day import load_sessions
from evidence.players import load_players
from evidence.rehearsal_copy import SessionIds, copy_day
from evidence.rehearsals import rehearsals_of
from exam.clock import MINUTE_US, SECOND_US, Clock, LeapingClock, SimulatedClock, SteadyClock, SystemClock
from exam.players import PlayerState
from exam.rehearsal import Became, Rehearsed
from rehearsal.console_client import ConsoleClient
from rehearsal.room_player import RoomPlayer
from tests.recorder.live import wait_until
from tests.web.console import serving
from tests.web.rehearsals import SHORT, plan_for_tomorrow
from tests.world import PASSWORD, World
from web.app import create_app
from web.audio import AUDIO_EXTENSION, CueAudio
from web.rehearsal_page import install
from web.rehearsing import FAILED, Conductor, Wanted
from web.services import FootageReader, Services
from web.signal_ticker import SignalTicker, Ticking

DAY = "2026-11-23"
LIBRARY = {("short", code): CueAudio(f"{code}.wav", SECOND_US // 2) for code in ("C5", "C8", "X1")}


@dataclass
class Rehearsal:
    """A console that rehearses the world's day in its own database."""

    app: Flask
    conductor: Conductor
    over: threading.Event = field(default_factory=threading.Event)

    def outcome(self) -> Rehearsed:
        with self.conductor.services.exam.read() as connection:
            [kept] = rehearsals_of(connection, DAY)
        return kept.rehearsed


@contextmanager
def rehearsal_of(world: World, folder: Path, machine: Clock, wanted: Wanted) -> Iterator[Rehearsal]:
    leaping = LeapingClock(machine)
    with ExitStack() as stack:
        exam = stack.enter_context(closing(WriterDatabase(folder / "exam.db", "exam")))
        with world.exam.read() as real, exam.write() as copy:
            copy_day(real, copy, [world.session_id], SessionIds.at(machine.wall_us()))
        footage = FootageReader(folder / "footage.db")
        services = Services(
            Settings(data_folder=folder),
            SteadyClock(leaping),
            exam,
            footage,
            world.vault,
            procedures={"short": SHORT},
        )
        app = create_app(services)
        app.extensions[AUDIO_EXTENSION] = LIBRARY
        over = threading.Event()
        conductor = Conductor(services, leaping, LIBRARY, wanted, over.set)
        install(app, conductor)
        ticker = SignalTicker(exam, services.clock, services.bus, services.procedures)
        stack.callback(Ticking(ticker).stop)
        yield Rehearsal(app, conductor, over)
        conductor.stop()


@contextmanager
def waiting_rehearsal(world: World, folder: Path) -> Iterator[Rehearsal]:
    """One of tomorrow, in which time stands still: it waits for its players as long as anybody looks."""
    plan_for_tomorrow(world)
    machine = SimulatedClock(SystemClock().wall_us())
    with rehearsal_of(world, folder, machine, Wanted(DAY, world.site_lead_account_id)) as built:
        yield built


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsal")


def player_token(world: World) -> str:
    with world.exam.write() as connection:
        return logins.open_login(connection, world.proctor_account_id, SystemClock().wall_us())


def players_of(rehearsal: Rehearsal) -> list[PlayerState]:
    services = rehearsal.conductor.services
    with services.exam.read() as connection:
        return load_players(connection, services.clock.wall_us())


@pytest.mark.live
def test_a_day_is_rehearsed_in_seconds_with_the_player_that_stands_in_the_room(
    world: World, folder: Path
) -> None:
    start_us = plan_for_tomorrow(world)
    wanted = Wanted(
        DAY, world.site_lead_account_id, speed=72_000.0, gather_us=2 * SECOND_US, lead_us=8 * SECOND_US
    )
    with rehearsal_of(world, folder, SystemClock(), wanted) as rehearsal, serving(rehearsal.app) as address:
        client = ConsoleClient(address)
        client.log_in("wangfang", PASSWORD)
        stopping = threading.Event()
        player = RoomPlayer(client, "R01", SystemClock())
        thread = threading.Thread(target=player.run, args=(stopping,))
        thread.start()
        wait_until(lambda: players_of(rehearsal))
        rehearsal.conductor.start()
        assert rehearsal.over.wait(240)
        stopping.set()
        thread.join()
        done = rehearsal.outcome()
        with rehearsal.conductor.services.exam.read() as connection:
            [session] = load_sessions(connection)
            reports = load_reports(connection, session.id)
    assert done.is_whole
    became = {(one.room, one.cue): one.became for one in done.signals}
    assert became == {
        ("第1考场", "C5"): Became.HEARD,
        ("第2考场", "C5"): Became.SILENT,
        ("第1考场", "C8"): Became.HEARD,
        ("第2考场", "C8"): Became.SILENT,
    }
    assert done.signals[0].sounds_at_us == start_us
    heard = [one for one in done.signals if one.became is Became.HEARD]
    assert all(0 <= (one.late_us or 0) < 2 * SECOND_US for one in heard)
    assert done.ended_at_us - done.began_at_us < 5 * MINUTE_US, "in true time, not in hours"
    assert session.armed_at_us is None, "nothing rings on"
    assert {one.session_id for one in reports} == {session.id}
    assert session.id != world.session_id
    with world.exam.read() as connection:
        assert load_reports(connection, world.session_id) == []


def test_whoever_ends_it_keeps_what_was_rehearsed_so_far(world: World, folder: Path) -> None:
    plan_for_tomorrow(world)
    machine = SimulatedClock(SystemClock().wall_us())
    wanted = Wanted(DAY, world.site_lead_account_id)
    with rehearsal_of(world, folder, machine, wanted) as rehearsal:
        rehearsal.conductor.end()
        rehearsal.conductor.start()
        assert rehearsal.over.wait(60)
        done = rehearsal.outcome()
        assert rehearsal.conductor.is_over()
        assert rehearsal.conductor.state == "演练结束"
        with rehearsal.conductor.services.exam.read() as connection:
            assert [one.armed_at_us for one in load_sessions(connection)] == [None]
    assert {one.became for one in done.signals} == {Became.NOT_REACHED}
    assert not done.is_whole


class BrokenLibrary(dict[tuple[str, str], CueAudio]):
    """Sounds that cannot be looked up."""

    def get(self, *_: object) -> CueAudio:  # type: ignore[override]
        raise OSError("the disk is gone")


def test_a_rehearsal_that_fails_takes_everything_back_and_says_so(world: World, folder: Path) -> None:
    plan_for_tomorrow(world, ahead_us=2 * SECOND_US)
    wanted = Wanted(DAY, world.site_lead_account_id, gather_us=0)
    with rehearsal_of(world, folder, SystemClock(), wanted) as rehearsal:
        rehearsal.conductor.library = BrokenLibrary()
        rehearsal.conductor.start()
        assert rehearsal.over.wait(60)
        assert {one.cue for one in rehearsal.outcome().signals} == {"C5", "C8"}
        with rehearsal.conductor.services.exam.read() as connection:
            assert [one.armed_at_us for one in load_sessions(connection)] == [None]
        assert rehearsal.conductor.state == FAILED
