"""The database of a kiosk and what waits in it, for tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.kiosk_outbox import Outbox
from evidence.kiosk_store import KioskStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KioskStore]:
    opened = KioskStore(tmp_path / "kiosk.db")
    yield opened
    opened.close()


@pytest.fixture
def outbox(store: KioskStore, tmp_path: Path) -> Outbox:
    return Outbox(store.database, tmp_path / "keys" / "kiosk.outbox")


def said(sequence: int) -> dict[str, int]:
    return {"sequence": sequence}
