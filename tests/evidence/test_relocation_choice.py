"""Which file of the reserve may go home now: not while something has just happened to a volume."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.relocation import CALM_US, FRESH_US, SETTLED_US, bring
from evidence.volume_look import Look, Place, Trouble
from evidence.volume_rows import VolumeFound
from tests.evidence.spilled import NOW_US, ROOM, Spilled, open_spilled
from tests.evidence.store import Crash, CrashingDisk


@pytest.fixture
def spilled(tmp_path: Path) -> Iterator[Spilled]:
    with open_spilled(tmp_path) as opened:
        yield opened


def nowhere(since_us: int = NOW_US) -> VolumeFound:
    """A folder of the settings that was never there."""
    return VolumeFound(Look(Place(Path("/never seen"), frozenset())), None, since_us)


def test_nothing_is_brought_while_a_volume_is_newly_in_trouble_or_there_is_no_room(spilled: Spilled) -> None:
    assert spilled.next() is not None
    assert spilled.next(now_us=NOW_US + FRESH_US + 1) is None
    small = replace(ROOM, free_bytes=ROOM.total_bytes // 10)
    for found in (
        (spilled.home(Trouble.FAULT), spilled.spare()),
        (spilled.home(), spilled.spare(Trouble.READ_ONLY)),
        (spilled.home(), spilled.spare(), nowhere()),
        (spilled.home(Trouble.FULL), spilled.spare()),
        (spilled.home(space=small), spilled.spare()),
        (spilled.home(space=None), spilled.spare()),
        (spilled.home(since_us=NOW_US - CALM_US + 1), spilled.spare()),
        (spilled.home(), spilled.spare(device=ROOM.device)),
        (spilled.home(),),
    ):
        spilled.look(*found)
        assert spilled.next() is None
    spilled.look(spilled.home(), spilled.spare(Trouble.FULL))
    assert spilled.next() is not None


def test_a_volume_that_stays_in_trouble_holds_up_no_way_between_the_others(spilled: Spilled) -> None:
    spilled.look(spilled.home(), spilled.spare(), nowhere(NOW_US - SETTLED_US))
    assert spilled.next() is not None
    spilled.look(spilled.home(Trouble.FAULT, since_us=NOW_US - SETTLED_US), spilled.spare())
    assert spilled.next() is None, "nothing goes there itself"


def test_a_way_that_was_begun_waits_for_its_own_volumes_only(spilled: Spilled) -> None:
    with suppress(Crash):
        bring(spilled.footage.with_disk(CrashingDisk(after=3)), spilled.one())
    (begun,) = spilled.open()
    assert spilled.next() == begun
    spilled.look(spilled.home(Trouble.FAULT, since_us=NOW_US - SETTLED_US), spilled.spare())
    assert spilled.next() is None
