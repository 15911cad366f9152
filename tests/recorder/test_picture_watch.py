"""The program that looks: real files, a real database, a clock that is set; its lines are read back."""

import base64
import io
import json
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from config.picture_health import load_picture_health
from evidence.database import WriterDatabase
from evidence.footage_rows import add_volume
from evidence.health import ReferenceSource, save_reference_view
from evidence.thumbnails import thumbnail_moments
from evidence.timeline import Interval
from exam.clock import SimulatedClock
from recorder.picture_measures import from_png, png
from recorder.picture_watch import PictureWatch
from tests.evidence.recorded import CAMERA, CAMERA_2, growing_name
from tests.recorder.pictures import film, flushed_at, glance, noisy, room

S = 1_000_000
START_US = 1_795_309_200 * S
THAT_DAY = Interval(START_US - 3600 * S, START_US + 3600 * S)


@dataclass
class Looking:
    """A watch over one volume; `lines` are what it said since the last look."""

    folder: Path
    clock: SimulatedClock
    watch: PictureWatch
    said: io.StringIO
    database: WriterDatabase
    heard: int = field(default=0)

    @property
    def volume(self) -> Path:
        return self.folder / "volume"

    def look(self) -> list[dict[str, Any]]:
        self.watch.look()
        lines = self.said.getvalue().splitlines()[self.heard :]
        self.heard += len(lines)
        return [json.loads(line) for line in lines]

    def film(
        self, pictures: list[Any], *, camera: str = CAMERA, sequence: int = 0, until_s: float = 0
    ) -> Path:
        path = self.volume / growing_name(sequence, camera=camera)
        film(path, pictures)
        flushed_at(path, START_US + round(until_s * S))
        return path

    def moments(self, camera: str = CAMERA) -> list[int]:
        return thumbnail_moments(self.folder / "thumbnails", camera, THAT_DAY)


def room_seen(count: int, seed: int = 0) -> list[Any]:
    return [noisy(room(), seed + number) for number in range(count)]


@pytest.fixture
def looking(tmp_path):
    database = WriterDatabase(tmp_path / "footage.db", "footage")
    (tmp_path / "volume" / "growing").mkdir(parents=True)
    with database.write() as connection:
        add_volume(connection, str(uuid.uuid4()), tmp_path / "volume", START_US)
    said, clock = io.StringIO(), SimulatedClock(START_US)
    rules = load_picture_health()
    rules = rules.model_copy(update={"thumbnails": rules.thumbnails.model_copy(update={"spare_mib": 0})})
    watch = PictureWatch(tmp_path / "footage.db", tmp_path / "thumbnails", clock, said, rules)
    yield Looking(tmp_path, clock, watch, said, database)
    watch.close()
    database.close()


def test_every_fragment_is_a_line_with_measures_and_every_second_one_a_thumbnail(looking: Looking) -> None:
    looking.film(room_seen(3))
    lines = looking.look()
    assert [line["moment_us"] for line in lines] == [START_US - second * S for second in (6, 4, 2)]
    assert {(line["camera_uuid"], line["pictures"], line["duration_us"]) for line in lines} == {
        (CAMERA, 1, 2 * S)
    }
    assert [line["measures"]["same_share"] for line in lines] == [None, 0, 0]
    assert looking.moments() == [START_US - 6 * S, START_US - 2 * S]
    assert looking.look() == []


def test_a_file_that_is_ingested_is_read_to_its_end_and_left(looking: Looking) -> None:
    path = looking.film(room_seen(2))
    assert len(looking.look()) == 2
    longer = looking.film(room_seen(3), sequence=1, until_s=2)
    path.write_bytes(longer.read_bytes())
    flushed_at(path, START_US + 2 * S)
    path.rename(looking.folder / "ingested.mp4")
    longer.unlink()
    assert len(looking.look()) == 1
    assert looking.look() == []


def test_first_pictures_become_a_reference_view_when_there_is_none(looking: Looking) -> None:
    for number in range(3):
        looking.film(room_seen(2, number * 10), sequence=number, until_s=4 * number)
        said = looking.look()
    (offered,) = [line for line in said if "reference" in line]
    grey = from_png(base64.b64decode(offered["reference"]))
    assert grey is not None
    assert np.abs(grey.astype(int) - glance(room()).grey).mean() < 6
    looking.film(room_seen(2), sequence=3, until_s=12)
    (first, second) = looking.look()
    assert first["measures"]["likeness"] > 0.9
    assert second["measures"]["likeness"] > 0.9


def test_a_black_camera_offers_no_reference_view(looking: Looking) -> None:
    for number in range(3):
        looking.film([np.zeros_like(room())] * 2, sequence=number, until_s=4 * number)
        assert [line for line in looking.look() if "reference" in line] == []


def test_a_newer_reference_view_is_taken_up_and_a_damaged_one_is_not(looking: Looking) -> None:
    with looking.database.write() as connection:
        save_reference_view(connection, CAMERA, ReferenceSource.PREFLIGHT, png(glance(room()).grey), START_US)
        save_reference_view(connection, CAMERA_2, ReferenceSource.PREFLIGHT, b"damaged", START_US)
    looking.film(room_seen(1))
    looking.film(room_seen(1), camera=CAMERA_2)
    likenesses = {line["camera_uuid"]: line["measures"]["likeness"] for line in looking.look()}
    assert likenesses[CAMERA] > 0.9
    assert likenesses[CAMERA_2] is None
    looking.clock.sleep_us(6 * S)
    turned = np.ascontiguousarray(glance(room()).grey[:, ::-1])
    with looking.database.write() as connection:
        save_reference_view(connection, CAMERA, ReferenceSource.PREFLIGHT, png(turned), START_US + S)
    looking.film(room_seen(1), sequence=1, until_s=4)
    (line,) = looking.look()
    assert line["measures"]["likeness"] < 0.5


def test_keyframes_that_come_more_often_are_looked_at_every_two_seconds(looking: Looking) -> None:
    looking.film(room_seen(1))
    looking.film(room_seen(1), sequence=1, until_s=0.8)
    lines = looking.look()
    assert len(lines) == 2
    assert [line["measures"] is None for line in sorted(lines, key=lambda line: line["moment_us"])].count(
        True
    ) == 1


def test_pictures_that_are_none_are_told_without_measures(looking: Looking) -> None:
    path = looking.film(room_seen(1))
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    content[start : start + 200] = b"\xaa" * 200
    path.write_bytes(content)
    (line,) = looking.look()
    assert line["measures"] is None
    assert looking.moments() == []


def test_foreign_and_damaged_files_disturb_nobody(looking: Looking) -> None:
    (looking.volume / "growing" / "holiday.mp4").write_bytes(b"\0" * 100)
    damaged = looking.film(room_seen(1), sequence=5)
    content = bytearray(damaged.read_bytes())
    at = content.index(b"trun")
    content[at + 12 : at + 16] = b"\x7f\xff\xff\xff"  # where its first picture lies
    damaged.write_bytes(content)
    looking.film(room_seen(1), camera=CAMERA_2)
    assert [line["camera_uuid"] for line in looking.look()] == [CAMERA_2]


def test_without_room_there_are_no_thumbnails_but_health_goes_on(looking: Looking) -> None:
    rules = looking.watch.rules
    no_room = rules.thumbnails.model_copy(update={"spare_mib": 1 << 40})
    looking.watch.rules = rules.model_copy(update={"thumbnails": no_room})
    looking.film(room_seen(1))
    assert len(looking.look()) == 1
    assert looking.moments() == []


def test_a_disk_that_refuses_thumbnails_stops_them_and_nothing_else(looking: Looking) -> None:
    (looking.folder / "thumbnails").write_text("not a folder")
    looking.film(room_seen(3))
    assert len(looking.look()) == 3


def test_a_thumbnail_folder_that_vanished_is_made_again(looking: Looking) -> None:
    looking.film(room_seen(1))
    looking.look()
    shutil.rmtree(looking.folder / "thumbnails")
    looking.film(room_seen(1), sequence=1, until_s=8)
    looking.look()
    assert len(looking.moments()) == 1


def test_before_there_is_a_database_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    said = io.StringIO()
    watch = PictureWatch(tmp_path / "footage.db", tmp_path / "thumbnails", SimulatedClock(START_US), said)
    watch.look()
    watch.close()
    assert said.getvalue() == ""


def test_the_program_ends_when_nobody_listens_any_more(looking: Looking) -> None:
    looking.film(room_seen(1))
    command = [sys.executable, "-m", "recorder.picture_watch", str(looking.folder / "footage.db")]
    child = subprocess.Popen(
        [*command, str(looking.folder / "thumbnails")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert json.loads(child.stdout.readline())["camera_uuid"] == CAMERA
    _, _ = child.communicate()
    assert child.returncode == 0
