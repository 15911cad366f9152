"""The desk: lines become rows, a child that dies is started again, old thumbnails go."""

import base64
import json
import sqlite3
import sys
import threading
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from config.picture_health import load_picture_health
from config.settings import PictureSettings, Settings
from evidence.database import WriterDatabase
from evidence.health import (
    HealthKind,
    NewTrouble,
    ReferenceSource,
    begin_trouble,
    current_health,
    health_changes,
    load_reference_view,
    save_reference_view,
)
from evidence.ingest import Store
from evidence.thumbnails import Thumbnail, keep_thumbnail, thumbnail_moments
from evidence.timeline import Interval
from evidence.volumes import LocalDisk
from exam.clock import SimulatedClock
from recorder.chore_tools import ChoreTools
from recorder.picture_desk import PictureDesk, picture_chores, shed, watch_command
from recorder.picture_rules import Measures, Reading
from tests.evidence.recorded import CAMERA

S = 1_000_000
START_US = 1_795_309_200 * S
DAY_US = 24 * 3600 * S
EVER = Interval(0, 1 << 52)
FINE = Measures(140, 0.0, 0.8, 0.0, 1.0, 1.0, 0.9, 1.0)
BLACK = replace(FINE, dark_share=1.0)


def line(number: int, measures: Measures = FINE) -> str:
    reading = Reading(CAMERA, START_US + number * 2 * S, 2 * S, 50, 500_000, measures)
    return json.dumps(asdict(reading))


@pytest.fixture
def store(tmp_path):
    database = WriterDatabase(tmp_path / "footage.db", "footage")
    yield Store(database, LocalDisk(), SimulatedClock(START_US + 60 * S))
    database.close()


def kinds(store: Store) -> list[tuple[HealthKind, bool]]:
    with store.database.read() as connection:
        found = health_changes(connection, CAMERA, EVER)
    return [(change.kind, change.ended_at_us is None) for change in found]


def test_readings_become_a_trouble_that_begins_and_ends(store: Store) -> None:
    desk = PictureDesk(store)
    for number in range(12):
        desk.hear(line(number, BLACK))
    assert kinds(store) == [(HealthKind.BLACK, True)]
    for number in range(12, 22):
        desk.hear(line(number))
    assert kinds(store) == [(HealthKind.BLACK, False)]


def test_a_line_cut_short_is_no_harm(store: Store) -> None:
    desk = PictureDesk(store)
    for broken in (line(0)[:30], "[]", "{}", '{"measures": {"dark": 1}}'):
        desk.hear(broken)
    assert kinds(store) == []


def test_what_the_database_refuses_is_written_with_the_next_line(store: Store, monkeypatch) -> None:
    desk = PictureDesk(store)
    real = store.database.write

    @contextmanager
    def busy():
        raise sqlite3.OperationalError("database is locked")
        yield

    monkeypatch.setattr(store.database, "write", busy)
    for number in range(12):
        desk.hear(line(number, BLACK))
    monkeypatch.setattr(store.database, "write", real)
    assert kinds(store) == []
    desk.hear(line(12, BLACK))
    assert kinds(store) == [(HealthKind.BLACK, True)]


def test_first_pictures_are_kept_only_where_there_is_no_reference_view(store: Store) -> None:
    desk = PictureDesk(store)
    offer = {"camera_uuid": CAMERA, "taken_at_us": START_US, "reference": base64.b64encode(b"png").decode()}
    desk.hear(json.dumps(offer))
    with store.database.read() as connection:
        view = load_reference_view(connection, CAMERA)
    assert view is not None
    assert (view.source, view.picture) == (ReferenceSource.FIRST_PICTURES, b"png")
    with store.database.write() as connection:
        save_reference_view(connection, CAMERA, ReferenceSource.PREFLIGHT, b"accepted", START_US + S)
    desk.hear(json.dumps(offer))
    with store.database.read() as connection:
        view = load_reference_view(connection, CAMERA)
    assert view is not None
    assert view.picture == b"accepted"


def test_a_trouble_from_before_the_start_is_taken_up_and_ends(store: Store) -> None:
    with store.database.write() as connection:
        begin_trouble(connection, NewTrouble(CAMERA, HealthKind.MOVED, START_US - S, {}), START_US)
    desk = PictureDesk(store)
    program = "\n".join(f"print({line(number)!r})" for number in range(9))
    desk.work([sys.executable, "-c", program], threading.Event())
    desk.work([sys.executable, "-c", ""], threading.Event())
    assert kinds(store) == [(HealthKind.MOVED, False)]
    with store.database.read() as connection:
        assert current_health(connection) == {}


def test_a_stop_ends_the_child_even_when_it_does_not_hear(store: Store) -> None:
    is_over = threading.Event()
    timer = threading.Timer(0.3, is_over.set)
    timer.start()
    PictureDesk(store).work([sys.executable, "-c", "import time; time.sleep(60)"], is_over)
    timer.join()


def test_the_looking_program_has_low_priority_and_ends_with_the_recorder(tmp_path: Path) -> None:
    command = watch_command(tmp_path / "footage.db", tmp_path / "thumbnails")
    assert command[:3] == ["setpriv", "--pdeathsig", "KILL"]
    assert command[4:7] == ["nice", "-n", "10"]
    assert all(
        Path(word).is_absolute() for word in watch_command(Path("footage.db"), Path("thumbnails"))[-2:]
    )


def test_the_settings_decide_whether_pictures_are_looked_at(store: Store, tmp_path: Path) -> None:
    off = Settings(data_folder=tmp_path, pictures=PictureSettings(enabled=False))
    assert picture_chores(ChoreTools(off, store)) == []
    chores = picture_chores(ChoreTools(Settings(data_folder=tmp_path), store))
    assert [chore.name for chore in chores] == ["pictures", "thumbnails"]
    is_over = threading.Event()
    is_over.set()
    for chore in chores:
        chore.work(is_over)


def test_thumbnails_go_after_their_days(store: Store, tmp_path: Path) -> None:
    root, rules = tmp_path / "thumbnails", load_picture_health()
    rules = rules.model_copy(update={"thumbnails": rules.thumbnails.model_copy(update={"spare_mib": 0})})
    old_us = START_US - (rules.thumbnails.keep_days + 1) * DAY_US
    for moment_us in (old_us, START_US):
        keep_thumbnail(root, CAMERA, Thumbnail(moment_us, b"\xff\xd8"))
    shed(store, root, rules)
    shed(store, root, rules)
    assert thumbnail_moments(root, CAMERA, Interval(old_us, START_US + S)) == [START_US]
