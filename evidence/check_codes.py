"""What a check of the whole memory can find: one code for each law that can be broken."""

from dataclasses import dataclass
from enum import StrEnum


class Depth(StrEnum):
    """How closely files are looked at; each includes the one before."""

    # One look at each folder.
    PRESENCE = "presence"
    # Asks the file system for each file.
    SIZE = "size"
    # Reads every byte.
    DIGEST = "digest"


class Code(StrEnum):
    """Which law is broken (docs/design/evidence.md)."""

    DATABASE_DAMAGED = "database_damaged"
    # A part of the check could not be done to its end: something that it read is not what it should be.
    UNREADABLE = "unreadable"
    SCHEMA_CHANGED = "schema_changed"
    LEDGER_BROKEN = "ledger_broken"
    CHECKPOINT_BROKEN = "checkpoint_broken"
    ANCHOR_CONTRADICTED = "anchor_contradicted"
    FACT_WITHOUT_LEAF = "fact_without_leaf"
    LEAF_WITHOUT_FACT = "leaf_without_fact"
    FACT_CHANGED = "fact_changed"
    VOLUME_UNREADABLE = "volume_unreadable"
    FILE_MISSING = "file_missing"
    FILE_STRAY = "file_stray"
    FILE_UNREADABLE = "file_unreadable"
    FILE_SIZE = "file_size"
    FILE_DIGEST = "file_digest"
    FILE_DISPOSED_BUT_THERE = "file_disposed_but_there"
    QUARANTINED_MISSING = "quarantined_missing"
    DIGEST_LIST = "digest_list"
    PICTURE_MISSING = "picture_missing"
    PICTURE_CHANGED = "picture_changed"
    FOOTAGE_OVERLAPS = "footage_overlaps"
    TIME_UNACCOUNTED = "time_unaccounted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken law and where: a row, a file, a camera and a moment. Never a name of a person."""

    code: Code
    where: str
