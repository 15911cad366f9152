"""The kiosk's own database: packages, clock, service, and what a revoked kiosk forgets."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evidence.database import WriterBusyError
from evidence.kiosk_store import KeptPackage, KioskState, KioskStore, PackageKind

FIRST = KeptPackage(b"KZR1 first", "1-1", 1_000)
SECOND = KeptPackage(b"KZR1 second", "2-1", 2_000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KioskStore]:
    with opened(tmp_path / "kiosk.db") as made:
        yield made


@contextmanager
def opened(path: Path) -> Iterator[KioskStore]:
    store = KioskStore(path)
    try:
        yield store
    finally:
        store.close()


def test_a_fresh_kiosk_knows_nothing(store: KioskStore) -> None:
    assert store.state() == KioskState(None, None, is_out_of_service=False, is_revoked=False)
    assert [store.package(kind) for kind in PackageKind] == [None, None]


def test_packages_replace_those_of_their_kind_and_outlive_the_kiosk(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.db"
    with opened(path) as store:
        store.keep_package(PackageKind.ROSTER, FIRST)
        store.keep_package(PackageKind.DAY, FIRST)
        store.keep_package(PackageKind.ROSTER, SECOND)
    with opened(path) as store:
        assert store.package(PackageKind.ROSTER) == SECOND
        assert store.package(PackageKind.DAY) == FIRST
        store.confirm_packages(9_000)
        found = store.package(PackageKind.DAY)
        assert found is not None
        assert found.confirmed_at_us == 9_000


def test_clock_and_service_outlive_the_kiosk(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.db"
    with opened(path) as store:
        store.note_clock(-5, 3)
        store.note_service(is_out=True)
    with opened(path) as store:
        assert store.state() == KioskState(-5, 3, is_out_of_service=True, is_revoked=False)
        store.note_service(is_out=False)
        assert not store.state().is_out_of_service


def test_a_revoked_kiosk_forgets_its_packages_until_it_is_enrolled_again(store: KioskStore) -> None:
    store.keep_package(PackageKind.ROSTER, FIRST)
    store.wipe()
    assert store.state().is_revoked
    assert store.package(PackageKind.ROSTER) is None
    store.note_enrolled()
    assert not store.state().is_revoked


def test_what_was_deleted_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.db"
    with opened(path) as store:
        store.keep_package(PackageKind.ROSTER, KeptPackage(b"unforgettable" * 500, "1-1", 1))
        store.wipe()
    assert b"unforgettable" not in path.read_bytes()


def test_only_one_kiosk_writes_it(store: KioskStore) -> None:
    with pytest.raises(WriterBusyError, match=r"kiosk\.db is already being written"):
        KioskStore(store.database.path)


def test_it_is_readable_by_its_owner_alone_and_durable(store: KioskStore) -> None:
    assert store.database.path.stat().st_mode & 0o777 == 0o600
    with store.database.write() as connection:
        assert connection.execute("pragma synchronous").fetchone()[0] == 2


@pytest.mark.parametrize(
    "statement",
    [
        "insert into kept_package (kind, content, tag, confirmed_at_us) values ('other', x'00', '1', 1)",
        "insert into kept_package (kind, content, tag, confirmed_at_us) values ('day', x'00', '', 1)",
        "insert into kiosk_state (id) values (2)",
        "update kiosk_state set clock_offset_us = 5",
        "update kiosk_state set is_revoked = 2",
    ],
)
def test_what_makes_no_sense_is_refused(store: KioskStore, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.database.write() as connection:
        connection.execute(statement)
