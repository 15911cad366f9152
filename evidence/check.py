"""Checks the whole memory: databases, ledgers, facts, files. Reads only; safe while the services run.

Every law has its own code (`evidence.check_codes`), and the price of each depth is counted.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from evidence.check_codes import Code, Finding
from evidence.check_facts import EXAM_FACTS, FOOTAGE_FACTS, FactTable, check_facts
from evidence.check_files import Look, check_coverage, check_volumes, is_claimed
from evidence.check_guard import guarded
from evidence.check_in_pictures import FOLDER, check_pictures
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
from evidence.standing_tables import changed_behind, has_sums

LEDGERS: Final = ("exam", "footage")
FACTS: Final[Mapping[str, tuple[FactTable, ...]]] = {"exam": EXAM_FACTS, "footage": FOOTAGE_FACTS}
# A part of the check: its name, and what it finds.
Step = tuple[str, Callable[[], Iterator[Finding]]]
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
    """Every broken law, as it is found. A database that does not exist yet holds nothing to be broken.

    Nothing that is read ends the check: a part that cannot go on is itself a finding, and the others follow.
    """
    with ExitStack() as opened:
        readers: dict[str, ReaderDatabase] = {}
        for name in LEDGERS:
            yield from guarded(f"{name}.db", partial(_open, memory, (name, readers), opened))
        for step in _steps(memory, readers, look):
            yield from guarded(*step)


def _open(memory: Memory, one: tuple[str, dict[str, ReaderDatabase]], opened: ExitStack) -> Iterator[Finding]:
    """Open a database that exists and can be read; what is damaged says nothing about the rest."""
    name, readers = one
    if not memory.path(name).exists():
        return
    reader = opened.enter_context(closing(ReaderDatabase(memory.path(name), is_tolerant=True)))
    damaged = [*_damage(reader), *_damage_of_checkpoints(memory.folder, name)]
    yield from damaged
    if not damaged:
        readers[name] = reader


def _steps(memory: Memory, readers: dict[str, ReaderDatabase], look: Look) -> Iterator[Step]:
    """Every part of the check with its name. Asked for one after the other."""
    for name, reader in readers.items():
        yield f"{name}.db, schema", partial(_check_schemas, memory.folder, (name, reader))
    for name, reader in readers.items():
        yield f"{name}.db, ledger", partial(_check_ledger, reader, name)
        yield f"{name}.db, checkpoints", partial(_check_signed, memory, readers, name)
        yield f"{name}.db, facts", partial(_check_facts, reader, FACTS[name])
    if "exam" in readers:
        yield "exam.db, standing tables", partial(_check_standing, readers["exam"])
        yield "exam.db, pictures", partial(_check_pictures, readers["exam"], memory.folder / FOLDER, look)
    if "footage" in readers:
        yield "footage.db, coverage", partial(_check_coverage, readers["footage"])
        yield "footage.db, files", partial(_check_files, readers["footage"], look)


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
    with closing(ReaderDatabase(path, is_tolerant=True)) as reader:
        yield [reader]


def _check_ledger(reader: ReaderDatabase, name: str) -> Iterator[Finding]:
    with reader.read() as connection:
        yield from check_ledger(connection, name)


def _check_signed(memory: Memory, readers: dict[str, ReaderDatabase], name: str) -> Iterator[Finding]:
    notes, signer = signed_notes(memory.folder, name), memory.signer(name)
    with readers[name].read() as connection:
        yield from check_checkpoints(connection, signer, name, notes)
        if "exam" in readers:
            with readers["exam"].read() as exam:
                yield from check_anchors(exam, connection, signer, (name, notes))


def _check_facts(reader: ReaderDatabase, tables: tuple[FactTable, ...]) -> Iterator[Finding]:
    with reader.read() as connection:
        yield from check_facts(connection, tables)


def _check_standing(reader: ReaderDatabase) -> Iterator[Finding]:
    with reader.read() as connection:
        # Without any sum: a site that this program has not been started on yet.
        for table in changed_behind(connection) if has_sums(connection) else ():
            yield Finding(Code.FACT_CHANGED, f"{table}: its rows do not add up to what the ledger knows")


def _check_pictures(reader: ReaderDatabase, folder: Path, look: Look) -> Iterator[Finding]:
    with reader.read() as connection:
        yield from check_pictures(connection, folder, look)


def _check_coverage(reader: ReaderDatabase) -> Iterator[Finding]:
    with reader.read() as footage:
        yield from check_coverage(footage)


def _check_files(reader: ReaderDatabase, look: Look) -> Iterator[Finding]:
    with reader.read() as footage:
        found = list(check_volumes(footage, look))
    with reader.read() as footage:  # a file that was ingested or brought home while we looked is no finding
        for finding in found:
            if finding.code not in _MOVING or is_claimed(footage, finding.where) is _MOVING[finding.code]:
                yield finding
