"""Keys and database that cannot be written, and a clock that starts wrong: nobody is let in wrongly."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.kiosk_secrets import KioskSecrets
from exam.clock import SimulatedClock
from exam.kiosk_health import Part, PartState
from exam.outcomes import Outcome
from kiosk.scan import Scan
from tests.evidence.rostered import secrets_for
from tests.kiosk.rostered_kiosk import Rostered, rostered
from tests.world import CLOCK_US, World

PARTS = {Part.CAMERA: PartState.LOST}


@pytest.fixture
def kiosk(world: World, tmp_path: Path) -> Iterator[Rostered]:
    made = rostered(world, tmp_path / "kiosk")
    yield made
    made.local.close()


def test_keys_that_cannot_be_written_are_fetched_again_at_the_next_turn(
    kiosk: Rostered, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.local.contact.turn(PARTS)
    kiosk.keys = secrets_for(world)
    kiosk.publish(revision=2)
    with monkeypatch.context() as full:
        full.setattr(KioskSecrets, "write", _full)
        assert kiosk.local.contact.turn(PARTS).is_heard
    assert kiosk.local.contact.packages.revision == 1
    kiosk.local.contact.turn(PARTS)
    kiosk.restart()
    assert kiosk.local.contact.packages.revision == 2


def test_a_revoked_kiosk_that_cannot_write_admits_nobody_and_tries_again(
    kiosk: Rostered, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.local.contact.turn(PARTS)
    kiosk.console.has_revoked = True
    with monkeypatch.context() as broken:
        broken.setattr(kiosk.local.store, "wipe", _broken)
        assert kiosk.local.contact.turn(PARTS).reasons[0] is Outcome.SYS_REVOKED
    assert kiosk.local.contact.packages.alone is None
    scan = Scan(world.on_time.ticket_no, world.on_time.id_number)
    assert kiosk.local.asker.ask(scan).answer.outcome == "SYS_REVOKED"
    kiosk.local.contact.turn(PARTS)
    kiosk.restart()
    assert kiosk.local.contact.told.reasons[0] is Outcome.SYS_REVOKED


def test_a_clock_that_starts_before_the_console_was_last_heard_is_known_to_be_wrong(
    kiosk: Rostered,
) -> None:
    kiosk.local.contact.turn(PARTS)
    kiosk.console.is_away = True
    kiosk.clock = SimulatedClock(CLOCK_US - 86_400_000_000)  # its battery is dead
    kiosk.restart()
    kiosk.local.contact.lost()
    assert kiosk.local.contact.turn(PARTS).reasons == (Outcome.SYS_CLOCK,)


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def _broken() -> None:
    raise sqlite3.OperationalError("database or disk is full")
