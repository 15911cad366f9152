"""Thumbnails: kept by the hour, found by the moment, harmless when torn or gone."""

import os
import shutil
from pathlib import Path

from evidence.thumbnails import (
    HOUR_US,
    Thumbnail,
    keep_thumbnail,
    newest_thumbnail,
    thumbnail_at,
    thumbnail_moments,
)
from evidence.timeline import Interval
from tests.evidence.recorded import CAMERA, CAMERA_2
from tests.world import START_US

S = 1_000_000
EVER = Interval(START_US - HOUR_US, START_US + 2 * HOUR_US)


def picture(second: int) -> Thumbnail:
    return Thumbnail(START_US + second * S, b"\xff\xd8" + str(second).encode())


def keep(root: Path, *seconds: int) -> None:
    for second in seconds:
        keep_thumbnail(root, CAMERA, picture(second))


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_a_moment_shows_the_last_thumbnail_before_it(tmp_path: Path) -> None:
    keep(tmp_path, 0, 4, 8)
    assert thumbnail_at(tmp_path, CAMERA, START_US + 7 * S, EVER) == picture(4)
    assert thumbnail_at(tmp_path, CAMERA, START_US + 8 * S, EVER) == picture(8)


def test_a_moment_long_after_the_last_thumbnail_shows_none(tmp_path: Path) -> None:
    keep(tmp_path, 0)
    assert thumbnail_at(tmp_path, CAMERA, START_US + 31 * S, EVER) is None
    assert thumbnail_at(tmp_path, CAMERA_2, START_US, EVER) is None


def test_nothing_is_shown_from_outside_the_interval(tmp_path: Path) -> None:
    keep(tmp_path, 0, 8)
    later = Interval(START_US + 4 * S, START_US + 8 * S)
    assert thumbnail_at(tmp_path, CAMERA, START_US + 6 * S, later) is None
    assert thumbnail_at(tmp_path, CAMERA, START_US + 9 * S, later) is None


def test_the_newest_thumbnail_may_be_of_the_hour_before(tmp_path: Path) -> None:
    keep(tmp_path, 0, -4)
    assert newest_thumbnail(tmp_path, CAMERA, START_US - S) == picture(-4)
    assert newest_thumbnail(tmp_path, CAMERA, START_US + 9 * S) == picture(0)
    assert newest_thumbnail(tmp_path, CAMERA, START_US + 9 * S, within_us=5 * S) is None


def test_an_interval_lists_its_moments_in_order_whatever_the_clock_did(tmp_path: Path) -> None:
    keep(tmp_path, 8, 0, 3599, 3600)
    moments = thumbnail_moments(tmp_path, CAMERA, Interval(START_US, START_US + HOUR_US + 1))
    assert moments == [START_US + second * S for second in (0, 8, 3599, 3600)]


def test_an_hour_of_a_camera_is_two_files(tmp_path: Path) -> None:
    keep(tmp_path, *range(0, 40, 4))
    assert [path.suffix for path in files(tmp_path)] == [".index", ".pack"]


def test_a_killed_writer_leaves_nothing_that_can_be_seen(tmp_path: Path) -> None:
    keep(tmp_path, 0, 4)
    index, pack = files(tmp_path)
    os.truncate(index, index.stat().st_size - 7)
    pack.write_bytes(pack.read_bytes() + b"\xff\xd8half")
    assert thumbnail_at(tmp_path, CAMERA, START_US + 5 * S, EVER) == picture(0)
    keep(tmp_path, 8)
    assert thumbnail_moments(tmp_path, CAMERA, EVER) == [START_US, START_US + 8 * S]
    assert thumbnail_at(tmp_path, CAMERA, START_US + 9 * S, EVER) == picture(8)


def test_a_damaged_picture_is_passed_over(tmp_path: Path) -> None:
    keep(tmp_path, 0, 4)
    _, pack = files(tmp_path)
    os.truncate(pack, pack.stat().st_size - 1)
    assert newest_thumbnail(tmp_path, CAMERA, START_US + 5 * S) == picture(0)
    pack.unlink()
    assert newest_thumbnail(tmp_path, CAMERA, START_US + 5 * S) is None


def test_a_folder_that_vanished_is_made_again(tmp_path: Path) -> None:
    root = tmp_path / "thumbnails"
    keep(root, 0)
    shutil.rmtree(root)
    keep(root, 4)
    assert thumbnail_moments(root, CAMERA, EVER) == [START_US + 4 * S]
