"""A disk that fills up under a running camera: files keep their times, and the gap has its true cause."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence.footage import Cause, Recording
from evidence.volumes import LocalDisk
from tests.evidence.recorded import fragment, init, put, recording, sender_reported
from tests.recorder.bench_of_fakes import CAMERA, FIRST_US, Fakes, at, open_fakes, source

S = 1_000_000
AHEAD_US, HOUR_US = 7_300_000, 3_600_000_000


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Fakes]:
    with open_fakes(tmp_path) as opened:
        yield opened


def flush_stamped(start_s: int, count: int) -> list[bytes]:
    return [fragment(2000, FIRST_US + (start_s + 2 * n + 2) * S + 40_000) for n in range(count)]


def by_camera(start_s: int, count: int) -> list[bytes]:
    return sender_reported(FIRST_US + start_s * S + AHEAD_US, [2000] * count)


def by_right_camera(start_s: int, count: int) -> list[bytes]:
    return sender_reported(FIRST_US + start_s * S, [2000] * count)


STAMPS = pytest.mark.parametrize("stamped", [flush_stamped, by_camera, by_right_camera])


def file_of(fakes: Fakes, sequence: int, content: bytes, last_write_s: float) -> str:
    pattern = next(word for word in fakes.child.command if word.endswith("_%06d.mp4"))
    put(fakes.child.folder, pattern % sequence, content, closed_at_us=at(last_write_s).wall_us)
    return pattern % sequence


def cut_off(fakes: Fakes, sequence: int, fragments: list[bytes], last_write_s: float) -> str:
    """The disk refused what came after these; it dates even a write that it refuses."""
    content = recording(*fragments, end=b"") if fragments else init()
    return file_of(fakes, sequence, content, last_write_s)


def records(fakes: Fakes, seconds: int) -> None:
    """The camera sends a picture from the first moment, and the child says so every second."""
    fakes.recorder.set_cameras([source()], at(0))
    fakes.recorder.tick(at(0))
    for second in range(1, seconds + 1):
        fakes.child.reports(25 * second, second * S, at(second))


def goes_on_elsewhere(fakes: Fakes) -> None:
    fakes.volumes.trouble = None
    fakes.recorder.tick(at(9))
    fakes.child.reports(25, S, at(11))
    fakes.child.closes(0, FIRST_US + 10 * S, at(14.1))
    fakes.child.reports(150, 6 * S, at(15))


def footage(fakes: Fakes) -> list[tuple[float, float]]:
    return [
        ((one.started_at_us - FIRST_US) / S, (one.ended_at_us - FIRST_US) / S)
        for one in fakes.footage.segments()
    ]


def absences(fakes: Fakes) -> list[tuple[Cause, float, float | None]]:
    return [
        (gap.cause, (gap.started_at_us - FIRST_US) / S, gap.ended_at_us and (gap.ended_at_us - FIRST_US) / S)
        for gap in fakes.gaps()
        if gap.started_at_us != gap.ended_at_us
    ]


def about(*values: float) -> object:
    return pytest.approx(values, abs=0.05)


@STAMPS
@pytest.mark.parametrize("is_told", [True, False], ids=["closed in order", "killed"])
def test_the_last_file_on_a_full_disk_keeps_its_time_and_the_gap_its_cause(  # type: ignore[no-untyped-def]
    fakes: Fakes, stamped, is_told: bool
) -> None:
    records(fakes, 7)
    name = file_of(fakes, 0, recording(*stamped(0, 2)), 4.04)
    fakes.child.says(f"{name},0.0,4.0", "progress=continue", now=at(4.1))
    name = cut_off(fakes, 1, stamped(4, 1), 7.64)
    fakes.volumes.trouble = Cause.DISK_FULL
    fakes.recorder.tick(at(7.6))
    if is_told:
        fakes.child.says(f"{name},4.0,7.64", now=at(7.64))
    fakes.child.ends(at(7.65))
    goes_on_elsewhere(fakes)
    fakes.settled()
    first, last, other = footage(fakes)
    assert (first, last, other) == (about(0, 4), about(4, 6), about(10, 14))
    ((cause, began, ended),) = absences(fakes)
    assert (cause, (began, ended)) == (Cause.DISK_FULL, about(6, 10))


@STAMPS
@pytest.mark.parametrize("is_told", [True, False], ids=["closed in order", "killed"])
def test_the_first_file_of_a_run_is_dated_by_what_the_child_said_meanwhile(  # type: ignore[no-untyped-def]
    fakes: Fakes, stamped, is_told: bool
) -> None:
    records(fakes, 3)
    name = cut_off(fakes, 0, stamped(0, 1), 3.64)
    if is_told:
        fakes.child.says(f"{name},0.0,3.64", now=at(3.64))
    fakes.child.ends(at(3.65), "av_interleaved_write_frame(): No space left on device")
    goes_on_elsewhere(fakes)
    fakes.settled()
    assert footage(fakes) == [about(0, 2), about(10, 14)]
    ((cause, began, ended),) = absences(fakes)
    assert (cause, (began, ended)) == (Cause.DISK_FULL, about(2, 10))


def test_a_file_without_a_single_picture_leaves_a_gap_of_the_full_disk(fakes: Fakes) -> None:
    records(fakes, 1)
    fakes.child.closes(0, FIRST_US, at(4.1))
    fakes.child.reports(125, 5 * S, at(5))
    name = cut_off(fakes, 1, [], 5.64)
    fakes.volumes.trouble = Cause.DISK_FULL
    fakes.recorder.tick(at(5.6))
    fakes.child.says(f"{name},4.0,5.64", now=at(5.64))
    fakes.child.ends(at(5.65))
    goes_on_elsewhere(fakes)
    fakes.settled()
    assert absences(fakes) == [(Cause.DISK_FULL, 4, 10)]
    assert fakes.footage.count("quarantined_file") == 1


def test_what_the_child_said_by_a_clock_that_was_set_dates_no_file(fakes: Fakes) -> None:
    records(fakes, 2)
    fakes.recorder.tick(at(2.02))
    fakes.recorder.tick(at(2.1, set_by_us=-HOUR_US))
    fakes.child.reports(75, 2 * S, at(2.11, set_by_us=-HOUR_US))
    cut_off(fakes, 0, flush_stamped(0, 1), 2.05 - HOUR_US / S)
    fakes.child.ends(at(2.12, set_by_us=-HOUR_US))
    fakes.settled()
    assert footage(fakes) == [about(0, 2)]


@dataclass(frozen=True, slots=True)
class RefusingDisk(LocalDisk):
    """Gives no file away whose place in its run is one."""

    errno: int = errno.EROFS

    def move(self, source: Path, target: Path) -> None:
        if "_000001" in source.name:
            raise OSError(self.errno, "refused", str(source))
        LocalDisk.move(self, source, target)


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.EROFS, Cause.DISK_FAULT),
        (errno.EIO, Cause.DISK_FAULT),
        (errno.ENOSPC, Cause.DISK_FULL),
        (errno.EDQUOT, Cause.DISK_FULL),
    ],
)
def test_a_file_that_the_disk_refuses_is_missing_for_the_disks_cause_until_it_comes(
    fakes: Fakes, number: int, cause: Cause
) -> None:
    healthy = fakes.keeper.store
    fakes.keeper.store = fakes.footage.with_disk(RefusingDisk(errno=number))
    records(fakes, 1)
    for sequence in range(3):
        fakes.child.closes(sequence, FIRST_US + sequence * 4 * S, at(sequence * 4 + 4.1))
        fakes.child.reports(sequence * 100 + 125, sequence * 4 * S + 5 * S, at(sequence * 4 + 5))
    fakes.keeper._worker.submit(lambda: None).result()
    assert absences(fakes) == [(cause, 4, 8)]
    assert fakes.recorder.cameras[CAMERA].shown == (Recording.RECORDING, cause)
    fakes.keeper.store = healthy
    fakes.child.ends(at(13))
    fakes.settled()
    assert absences(fakes) == [(Cause.CAMERA_CLOSED, 12, None)]
