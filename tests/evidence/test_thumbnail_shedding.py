"""Old thumbnails go by age and for room; nothing else goes, wherever it lies."""

from pathlib import Path

from evidence.thumbnail_shedding import shed_thumbnails
from evidence.thumbnails import HOUR_US, Thumbnail, keep_thumbnail
from tests.evidence.recorded import CAMERA, CAMERA_2, growing_name, put
from tests.world import START_US


def keep_hours(root: Path) -> None:
    for hour in range(3):
        for camera in (CAMERA, CAMERA_2):
            keep_thumbnail(root, camera, Thumbnail(START_US + hour * HOUR_US, b"\xff\xd8"))


def hours(root: Path) -> list[str]:
    return sorted({path.stem for path in root.rglob("*.pack")})


def test_hours_before_the_moment_go(tmp_path: Path) -> None:
    keep_hours(tmp_path)
    all_hours = hours(tmp_path)
    assert shed_thumbnails(tmp_path, START_US + HOUR_US, lambda: False) == 4
    assert hours(tmp_path) == all_hours[1:]


def test_while_the_disk_is_short_the_oldest_go_first(tmp_path: Path) -> None:
    keep_hours(tmp_path)
    all_hours = hours(tmp_path)
    answers = iter([True] * 4 + [False])
    assert shed_thumbnails(tmp_path, 1, lambda: next(answers)) == 4
    assert hours(tmp_path) == all_hours[1:]


def test_nothing_that_is_no_thumbnail_is_touched(tmp_path: Path) -> None:
    keep_hours(tmp_path)
    others = [
        put(tmp_path, growing_name(), b"footage"),
        put(tmp_path, f"{CAMERA}/2026-11-22/09.mp4", b"footage"),
        put(tmp_path, f"{CAMERA}/recordings/09.pack", b"somebody's"),
        put(tmp_path, "holiday/2026-11-22/09.pack", b"somebody's"),
    ]
    assert shed_thumbnails(tmp_path, START_US + 100 * HOUR_US, lambda: True) == 12
    assert hours(tmp_path) == ["09"]
    assert all(path.exists() for path in others)
