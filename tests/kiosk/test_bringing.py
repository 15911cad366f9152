"""Bringing scans: one that never gets through holds up nobody but the later scans of its own candidate."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from evidence.check_in_pictures import Picture, PictureKind
from exam.admission_facts import Provided
from exam.clock import SimulatedClock
from exam.kiosk_health import Part, PartState
from kiosk.bringing import FIRST_WAIT_US, LONGEST_TIMEOUT_S
from kiosk.local import Local
from kiosk.scan import Scan
from tests.kiosk.stage import FakeConsole, local_of
from tests.world import invented_number

PARTS = {Part.CAMERA: PartState.OK}
NOW_US = 1_800_000_000_000_000
STUCK, OTHER = "202611220001", "202611220002"


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW_US)


@pytest.fixture
def local(console: FakeConsole, clock: SimulatedClock, tmp_path: Path) -> Iterator[Local]:
    opened = local_of(console, tmp_path, clock)
    opened.contact.turn(PARTS)
    yield opened
    opened.close()


def comes(local: Local, console: FakeConsole, ticket_no: str, number: int = 1, **more: object) -> None:
    """Somebody whom the kiosk decides about because the console does not answer just then."""
    console.is_away, local.contact.is_alone = True, False
    local.asker.ask(Scan(ticket_no, invented_number(number), **more))  # type: ignore[arg-type]
    console.is_away = False
    console.asked.clear()
    console.patience_s.clear()


def tried(console: FakeConsole) -> list[str]:
    """The tickets of what was sent since the last look."""
    sent = [str(asked["ticket_no"]) for asked in console.asked]
    console.asked.clear()
    return sent


def test_a_scan_that_always_times_out_steps_aside_and_waits_longer_each_time(
    local: Local, console: FakeConsole, clock: SimulatedClock
) -> None:
    comes(local, console, STUCK, 1)
    comes(local, console, OTHER, 2)
    console.swallowed = {STUCK}
    assert local.contact.turn(PARTS).is_alone  # the line may be cut
    assert tried(console) == [STUCK]
    told = local.contact.turn(PARTS)
    assert (tried(console), told.counts.waiting, told.is_alone) == ([STUCK, OTHER], 1, False)
    local.contact.turn(PARTS)
    clock.sleep_us(FIRST_WAIT_US)
    local.contact.turn(PARTS)
    assert tried(console) == [STUCK]
    clock.sleep_us(2 * FIRST_WAIT_US - 1)
    local.contact.turn(PARTS)
    assert tried(console) == []
    console.swallowed = set()
    clock.sleep_us(1)
    assert local.contact.turn(PARTS).counts.waiting == 0


def test_later_scans_of_the_same_candidate_wait_behind_it(
    local: Local, console: FakeConsole, clock: SimulatedClock
) -> None:
    comes(local, console, STUCK, 1)
    comes(local, console, "202611229991", 1)  # his number, another ticket
    comes(local, console, OTHER, 2)
    console.swallowed = {STUCK}
    for _ in range(2):
        local.contact.turn(PARTS)
    assert tried(console) == [STUCK, STUCK, OTHER]
    console.swallowed = set()
    clock.sleep_us(FIRST_WAIT_US)
    for _ in range(2):
        local.contact.turn(PARTS)
    assert tried(console) == [STUCK, "202611229991"]


def test_of_many_that_stepped_aside_one_failure_a_turn_is_enough(
    local: Local, console: FakeConsole, clock: SimulatedClock
) -> None:
    comes(local, console, STUCK, 1)
    comes(local, console, OTHER, 2)
    console.is_failing = True
    for _ in range(2):
        local.contact.turn(PARTS)
    clock.sleep_us(FIRST_WAIT_US)
    tried(console)
    local.contact.turn(PARTS)
    assert tried(console) == [STUCK]
    console.is_failing = False
    assert local.contact.turn(PARTS).counts.waiting == 1
    assert tried(console) == [OTHER]


def test_a_photo_over_a_slow_line_is_given_more_time_at_each_try(
    local: Local, console: FakeConsole, clock: SimulatedClock
) -> None:
    content = b"\xff\xd8\xff photo"
    photo = Picture(PictureKind.PHOTO, "image/jpeg", sha256(content).hexdigest(), content)
    comes(local, console, STUCK, 1, provided=Provided(photo_sha256=photo.sha256_hex), pictures=(photo,))
    console.swallows_pictures = True
    for _ in range(6):
        local.contact.turn(PARTS)
        clock.sleep_us(40 * FIRST_WAIT_US)
    assert console.patience_s == [1.5, 3.0, 6.0, *[LONGEST_TIMEOUT_S] * 3]
    console.swallows_pictures = False
    assert local.contact.turn(PARTS).counts.waiting == 0
