"""Is a database whole, and does its ledger still follow from its leaves, its checkpoints and its anchors?"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection

from evidence.anchors import Anchor, Claim, Comparison, anchors, compare
from evidence.check_codes import Code, Finding
from evidence.checkpoints import CheckpointError, Signer, read_note, signed_text
from evidence.database import ReaderDatabase
from evidence.ledger import LedgerError, head_at, recompute, tree_size


def check_database(connection: Connection, file_name: str) -> Iterator[Finding]:
    """SQLite's own look at every page and index, and at references between rows."""
    try:
        said = [row[0] for row in connection.execute("pragma integrity_check(20)")]
        lost = [row[0] for row in connection.execute("pragma foreign_key_check")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # an error's words can be damaged too
        yield Finding(Code.DATABASE_DAMAGED, f"{file_name}: {error}")
        return
    for words in said:
        if words != "ok":
            yield Finding(Code.DATABASE_DAMAGED, f"{file_name}: {words}")
    for table in sorted(set(lost)):
        yield Finding(Code.DATABASE_DAMAGED, f"{file_name}: rows of {table} refer to nothing")


def check_ledger(connection: Connection, name: str) -> Iterator[Finding]:
    """Every leaf, subtree and the root, from contents alone."""
    try:
        recompute(connection)
    except LedgerError as error:
        yield Finding(Code.LEDGER_BROKEN, f"{name}.db: {error}")


def signed_notes(folder: Path, name: str) -> list[tuple[int, str]]:
    """Every checkpoint signed until now. To be read before the ledger."""
    store_path = folder / f"{name}_checkpoints.db"
    if not store_path.exists():
        return []
    with closing(ReaderDatabase(store_path, is_tolerant=True)) as store, store.read() as connection:
        return [
            (row["id"], row["note"])
            for row in connection.execute("select id, note from checkpoint order by id")
        ]


def check_checkpoints(
    connection: Connection, signer: Signer | None, name: str, notes: list[tuple[int, str]]
) -> Iterator[Finding]:
    """Every checkpoint ever signed: by this key, and of a ledger that today's one begins with."""
    if signer is None or not notes:
        if tree_size(connection):
            yield Finding(Code.CHECKPOINT_BROKEN, f"{name}: there are leaves but no checkpoint, or no key")
        return
    before = -1
    for place, (number, note) in enumerate(notes, 1):
        size, trouble = _contradiction(connection, signer, note)
        if number != place:
            trouble = f"{place} is missing"
        elif not trouble and size <= before:
            trouble = "it does not follow the one before"
        before = size
        if trouble:
            yield Finding(Code.CHECKPOINT_BROKEN, f"{name}: checkpoint {number}: {trouble}")


def check_anchors(
    exam: Connection, connection: Connection, signer: Signer | None, named: tuple[str, list[tuple[int, str]]]
) -> Iterator[Finding]:
    """What left the machine must still be what today's ledger begins with, and among what was signed."""
    name, notes = named
    if signer is None:
        return
    signed = {signed_text(note) for _number, note in notes}
    for anchor in anchors(exam, name):
        where = f"{name}: anchor {anchor.id} over {anchor.size} leaves"
        if not _stands(connection, signer, anchor):
            yield Finding(Code.ANCHOR_CONTRADICTED, where)
        elif signed_text(anchor.note) not in signed:
            yield Finding(Code.CHECKPOINT_BROKEN, f"{where}: its checkpoint is gone")


def _stands(connection: Connection, signer: Signer, anchor: Anchor) -> bool:
    """Whether the kept copy of what left is still signed, and today's ledger begins with it."""
    try:
        signed = read_note(anchor.note, signer.origin, signer.key.public_key())
    except CheckpointError:
        return False
    return compare(connection, signer.origin, Claim(signer.origin, signed)) is Comparison.EXTENDS


def _contradiction(connection: Connection, signer: Signer, note: str) -> tuple[int, str]:
    """How many leaves a note is about, and what today's ledger says against it; empty: nothing."""
    try:
        signed = read_note(note, signer.origin, signer.key.public_key())
    except CheckpointError as error:
        return 0, str(error)
    there = tree_size(connection)
    if there < signed.size:
        return signed.size, f"{signed.size} leaves were signed, there are {there}"
    try:
        is_same = head_at(connection, signed.size) == signed
    except LedgerError as error:
        return signed.size, str(error)
    return signed.size, "" if is_same else "another root was signed"
