"""Checks the whole memory: databases, ledgers, facts, files. Reads only; safe while the services run.

Every law has its own code (`evidence.check_codes`), and the price of each depth is counted.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence.check_codes import Code, Finding
from evidence.check_facts import EXAM_FACTS, FOOTAGE_FACTS, check_facts
from evidence.check_files import Look, check_coverage, check_volumes, is_claimed
from evidence.check_ledger import (
    check_anchors,
    check_checkpoints,
    check_database,
    check_ledger,
    signed_notes,
)
from evidence.check_schema import check_schema
from evidence.checkpoints import Signer
from evidence.database import ReaderDatabase

# Findings that hold only while a row does, or does not, claim the place.
_MOVING: Final = {Code.FILE_STRAY: False, Code.FILE_MISSING: True, Code.FILE_UNREADABLE: True}


@dataclass(frozen=True, slots=True)
class Memory:
    """Where a site's databases and keys lie."""

    folder: Path
    keys_folder: Path

    def path(self, name: str) -> Path:
        """The file of a database."""
        return self.folder / f"{name}.db"

    def signer(self, name: str) -> Signer | None:
        """Who signs a ledger; None before a first start. Raises CheckpointError for an unusable key."""
        key = self.keys_folder / f"ledger_{name}.key"
        return Signer.load(key, name) if key.exists() else None


def check(memory: Memory, look: Look) -> Iterator[Finding]:
    """Every broken law, as it is found. A database that does not exist yet holds nothing to be broken."""
    with ExitStack() as opened:
        readers = {
            name: opened.enter_context(closing(ReaderDatabase(memory.path(name))))
            for name in ("exam", "footage")
            if memory.path(name).exists()
        }
        for name in list(readers):
            damaged = [*_damage(readers[name]), *_damage_of_checkpoints(memory.folder, name)]
            yield from damaged
            if damaged:  # what cannot be read says nothing about the rest
                del readers[name]
        for name, reader in readers.items():
            yield from _check_schemas(memory.folder, (name, reader))
        for name, reader in readers.items():
            yield from _check_one(memory, readers, (name, reader))
        if "footage" in readers:
            yield from _check_footage(readers["footage"], look)


def _damage(reader: ReaderDatabase) -> list[Finding]:
    with reader.read() as connection:
        return list(check_database(connection, reader.path.name))


def _damage_of_checkpoints(folder: Path, name: str) -> list[Finding]:
    with _checkpoints_of(folder, name) as stores:
        return [finding for store in stores for finding in _damage(store)]


def _check_schemas(folder: Path, one: tuple[str, ReaderDatabase]) -> Iterator[Finding]:
    with _checkpoints_of(folder, one[0]) as stores:
        for schema, reader in [one, *(("checkpoint", store) for store in stores)]:
            with reader.read() as connection:
                yield from check_schema(connection, schema, reader.path.name)


@contextmanager
def _checkpoints_of(folder: Path, name: str) -> Iterator[list[ReaderDatabase]]:
    """The database of a ledger's checkpoints; none before the first start."""
    path = folder / f"{name}_checkpoints.db"
    if not path.exists():
        yield []
        return
    with closing(ReaderDatabase(path)) as reader:
        yield [reader]


def _check_one(
    memory: Memory, readers: dict[str, ReaderDatabase], one: tuple[str, ReaderDatabase]
) -> Iterator[Finding]:
    name, reader = one
    notes, signer = signed_notes(memory.folder, name), memory.signer(name)
    with reader.read() as connection:
        yield from check_ledger(connection, name)
        yield from check_checkpoints(connection, signer, name, notes)
        yield from check_facts(connection, EXAM_FACTS if name == "exam" else FOOTAGE_FACTS)
        if "exam" in readers:
            with readers["exam"].read() as exam:
                yield from check_anchors(exam, connection, signer, name)


def _check_footage(reader: ReaderDatabase, look: Look) -> Iterator[Finding]:
    with reader.read() as footage:
        yield from check_coverage(footage)
        found = list(check_volumes(footage, look))
    with reader.read() as footage:  # a file that was ingested or brought home while we looked is no finding
        for finding in found:
            if finding.code not in _MOVING or is_claimed(footage, finding.where) is _MOVING[finding.code]:
                yield finding
