"""Checkpoints that an export waits for, or does not accept."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.checkpoints import CheckpointError, Signer
from evidence.export_plan import ExportError
from evidence.footage_rows import add_clock_step
from evidence.proofs import PATIENCE_US, Authority
from tests.evidence.bags import FIRST_US, Archive, open_archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_archive(tmp_path) as opened:
        yield opened


def test_an_export_waits_until_its_newest_fact_is_signed(archive: Archive) -> None:
    with archive.footage.database.write() as connection:
        add_clock_step(connection, FIRST_US, 1)
    waited = 0

    def wait() -> None:
        nonlocal waited
        waited += 1
        if waited == 3:
            archive.sign()

    assert archive.authority.head_over(19, wait).head.size == 19
    assert waited == 3


def test_an_export_does_not_wait_for_ever(archive: Archive) -> None:
    before_us = archive.authority.clock.monotonic_us()
    with pytest.raises(ExportError, match="没有签名"):
        archive.authority.head_over(99, lambda: None)
    assert archive.authority.clock.monotonic_us() - before_us >= PATIENCE_US


def test_a_ledger_that_was_never_signed_is_waited_for(archive: Archive, tmp_path: Path) -> None:
    from evidence.database import WriterDatabase

    empty = tmp_path / "empty.db"
    WriterDatabase(empty, "checkpoint").close()
    with pytest.raises(ExportError, match="没有签名"):
        replace(archive.authority, checkpoints=empty).head_over(0, lambda: None)


def test_an_export_makes_no_key_of_its_own(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is missing"):
        Authority.open(tmp_path / "elsewhere", tmp_path, archive.authority.clock)
    assert not (tmp_path / "elsewhere").exists()


def test_a_checkpoint_of_another_key_is_not_exported(archive: Archive, tmp_path: Path) -> None:
    signer = Signer.open(tmp_path / "other.key", "footage")
    foreign = Authority(signer, archive.authority.checkpoints, archive.authority.clock)
    with pytest.raises(ExportError, match="密钥"):
        foreign.head_over(1, lambda: None)
