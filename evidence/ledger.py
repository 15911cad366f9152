"""The ledger (台账): an append-only Merkle log inside each database, one leaf per fact.

A leaf is appended by the function that writes the fact, in the same transaction, so neither exists
without the other. Leaves hold ids, codes, times and digests, never a name, an ID number or free
text: what people wrote is committed to by a salted digest, whose salt stands in the fact's row.
The format is in docs/design/evidence.md; the hashing is `evidence.merkle`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection, Row

from evidence.merkle import (
    Frontier,
    Node,
    TreeHead,
    completed_by,
    consistency_path,
    hash_leaf,
    inclusion_path,
    root_of,
)

Body = Mapping[str, int | str | Sequence[str] | None]


class LedgerError(Exception):
    """The ledger does not agree with itself; the message names the first place where it shows."""


class LeafKind(StrEnum):
    """Which fact a leaf records."""

    CHECKIN_ATTEMPT = "checkin_attempt"
    ANNOUNCEMENT = "announcement"
    CONFIRMATION = "confirmation"
    LOG_ENTRY = "log_entry"
    FOOTAGE_ACCESS = "footage_access"
    SEGMENT = "segment"
    GAP_OPEN = "gap_open"
    GAP_END = "gap_end"
    QUARANTINED_FILE = "quarantined_file"
    CLOCK_STEP = "clock_step"
    WORK_ORDER = "work_order"
    INDEX_REBUILT = "index_rebuilt"
    RECORDING_MODE = "recording_mode"
    RECORDING_ORDER = "recording_order"
    ROOM_MOVE = "room_move"
    COVERAGE_CERTIFICATE = "coverage_certificate"
    EXPORT = "export"
    BATCH_CLOSING = "batch_closing"
    DAY_ASSIGNMENT = "day_assignment"
    LEGAL_HOLD = "legal_hold"
    ANCHOR = "anchor"
    TIME_AUTHORITY = "time_authority"
    DISPOSAL_PLAN = "disposal_plan"
    DISPOSAL_APPROVAL = "disposal_approval"
    DISPOSAL_TIME = "disposal_time"
    DISPOSAL_WITNESS = "disposal_witness"
    JOINT_DECISION = "joint_decision"
    TABLE_DIGEST = "table_digest"
    DISPOSAL = "disposal"
    DISPOSAL_DONE = "disposal_done"
    DISPOSAL_REFUSED = "disposal_refused"
    FIXITY_CHECK = "fixity_check"
    DAMAGE_FOUND = "damage_found"
    DAMAGE_REPAIRED = "damage_repaired"
    MIRROR_COPIES = "mirror_copies"
    PICTURE_HEALTH = "picture_health"
    PICTURE_HEALTH_END = "picture_health_end"
    CAMERA_PREFLIGHT = "camera_preflight"
    ALARM_ACKNOWLEDGED = "alarm_acknowledged"
    SERVICE_START = "service_start"
    ANNOUNCEMENT_REPORT = "announcement_report"
    SESSION_ARMING = "session_arming"
    PLAN_CHANGE = "plan_change"
    DELAY = "delay"
    DELAY_END = "delay_end"
    DELAY_WITHDRAWN = "delay_withdrawn"
    DELAY_APPROVED = "delay_approved"
    TIME_GRANT = "time_grant"
    TIME_GRANT_WITHDRAWN = "time_grant_withdrawn"
    STATION_STOP = "station_stop"
    CHECKLIST_TICK = "checklist_tick"
    CONSOLE_CLOCK_STEP = "console_clock_step"
    CONSOLE_CLOCK_DECISION = "console_clock_decision"
    CONSOLE_CLOCK_RESTART = "console_clock_restart"
    CONSOLE_CLOCK_CONTRADICTION = "console_clock_contradiction"
    SOUND_CHECK = "sound_check"
    OWN_RECORDING = "own_recording"
    OWN_RECORDING_ACT = "own_recording_act"
    ROSTER_IMPORT = "roster_import"
    ACCOUNT_CREATED = "account_created"
    ACCOUNT_DISABLED = "account_disabled"
    VOLUME_TROUBLE = "volume_trouble"
    VOLUME_BACK = "volume_back"
    SEGMENT_RELOCATED = "segment_relocated"
    DUPLICATE_RELEASED = "duplicate_released"
    SHOWN_ANSWER = "shown_answer"
    ADMISSION_VOIDED = "admission_voided"
    TICKET_VOIDED = "ticket_voided"
    CHECK_IN_ACT = "check_in_act"
    CHECK_IN_ALARM = "check_in_alarm"
    CHECK_IN_ALARM_ACKNOWLEDGED = "check_in_alarm_acknowledged"
    CHECK_IN_PICTURE = "check_in_picture"
    CHECK_IN_PICTURE_VIEW = "check_in_picture_view"
    FILE_PHOTO = "file_photo"
    SEAT_CHECK = "seat_check"
    DOUBT_CASE = "doubt_case"
    DOUBT_CASE_STEP = "doubt_case_step"
    VOLUME_LOST = "volume_lost"
    SEGMENT_RESTORED = "segment_restored"
    KIOSK_CHANGE = "kiosk_change"
    STAFF_PIN = "staff_pin"
    STAFF_PIN_UNLOCK = "staff_pin_unlock"
    ROSTER_REVISION = "roster_revision"
    KIOSK_SELF_TEST = "kiosk_self_test"
    TICKET_REISSUE = "ticket_reissue"
    TICKET_FORM_CONFIRMATION = "ticket_form_confirmation"
    REFERENCE_READING = "reference_reading"
    CLOCK_CHECK = "clock_check"
    PRINTER_CHECK = "printer_check"
    READINESS_SHEET = "readiness_sheet"
    REHEARSAL = "rehearsal"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One row of the ledger. `index` counts from 0; `body` is canonical JSON."""

    index: int
    kind: str
    body: str
    recorded_at_us: int

    def entry(self) -> bytes:
        """The bytes that are hashed: a canonical JSON object of all four."""
        kind = json.dumps(self.kind, ensure_ascii=False)
        return (
            f'{{"body":{self.body},"index":{self.index},"kind":{kind},'
            f'"recorded_at_us":{self.recorded_at_us}}}'
        ).encode()


def canonical(body: Body) -> str:
    """The one way to write a body: keys in order, no spaces, integers only, UTF-8 unescaped (RFC 8785)."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def salted_digest(salt: bytes, text: str) -> str:
    """Commits to a text without letting anybody guess it who has not the salt: SHA-256 of both, in hex."""
    return hashlib.sha256(salt + text.encode()).hexdigest()


def append(connection: Connection, kind: LeafKind, body: Body, now_us: int) -> int:
    """Add the leaf of a fact, inside the transaction that writes the fact; returns its index."""
    leaf = Leaf(tree_size(connection), kind, canonical(body), now_us)
    leaf_hash = hash_leaf(leaf.entry())
    connection.execute(
        "insert into ledger_leaf (id, kind, body, recorded_at_us, leaf_hash) values (?, ?, ?, ?, ?)",
        (leaf.index, leaf.kind, leaf.body, leaf.recorded_at_us, leaf_hash),
    )
    nodes = completed_by(_NodeReader(connection), leaf.index, leaf_hash)
    connection.executemany(
        "insert into ledger_node (level, position, hash) values (?, ?, ?)",
        [(node.level, node.position, node.hash) for node in nodes],
    )
    return leaf.index


def append_fact(connection: Connection, kind: LeafKind, row: Row, now_us: int, *texts: str) -> int:
    """Add the leaf of a row as it was written: its columns, and each free text as a digest with its salt."""
    fact = dict(row)
    salt = fact.pop("salt", b"")
    for text in texts:
        fact[f"{text}_salted_sha256"] = salted_digest(salt, fact.pop(text))
    return append(connection, kind, fact, now_us)


def tree_size(connection: Connection) -> int:
    """How many leaves there are."""
    return int(connection.execute("select coalesce(max(id) + 1, 0) from ledger_leaf").fetchone()[0])


def has_kind_since(connection: Connection, kind: LeafKind, from_index: int) -> bool:
    """Whether a leaf of this kind was added from this index on."""
    row = connection.execute(
        "select exists (select 1 from ledger_leaf where id >= ? and kind = ?)", (from_index, kind)
    ).fetchone()
    return bool(row[0])


def tree_head(connection: Connection) -> TreeHead:
    """Size and root of the ledger now, from the stored subtrees."""
    return head_at(connection, tree_size(connection))


def head_at(connection: Connection, size: int) -> TreeHead:
    """Size and root of the ledger when it had so many leaves. Raises LedgerError when it has fewer."""
    return TreeHead(size, root_of(_NodeReader(connection), size))


def prove_inclusion(connection: Connection, index: int, size: int) -> list[bytes]:
    """The hashes that lead from a leaf to the root of the ledger's first `size` leaves."""
    return inclusion_path(_NodeReader(connection), index, size)


def prove_consistency(connection: Connection, old_size: int, size: int) -> list[bytes]:
    """The hashes that show that the ledger of `size` leaves began with the one of `old_size`."""
    return consistency_path(_NodeReader(connection), old_size, size)


def read_leaves(connection: Connection, from_index: int = 0) -> Iterator[tuple[Leaf, bytes]]:
    """Leaves in order, each with the hash stored beside it."""
    rows = connection.execute(
        "select id, kind, body, recorded_at_us, leaf_hash from ledger_leaf where id >= ? order by id",
        (from_index,),
    )
    for row in rows:
        yield Leaf(row[0], row[1], row[2], row[3]), row[4]


def recompute(connection: Connection) -> TreeHead:
    """Size and root from the leaves' contents alone, trusting no stored hash.

    Raises LedgerError where a leaf, its hash or a stored subtree is missing, changed or too many.
    """
    edge = Frontier()
    stored = _stored_nodes(connection)
    for leaf, leaf_hash in read_leaves(connection):
        if leaf.index != edge.size:
            raise LedgerError(f"leaf {edge.size} is missing from the ledger")
        if hash_leaf(leaf.entry()) != leaf_hash:
            raise LedgerError(f"leaf {leaf.index} of the ledger was changed")
        for node in edge.add(leaf_hash):
            if stored.pop((node.level, node.position), None) != node.hash:
                raise LedgerError(f"the subtree {node.level}/{node.position} of the ledger is wrong")
    if stored:
        level, position = min(stored)
        raise LedgerError(f"the subtree {level}/{position} of the ledger has lost its leaves")
    return TreeHead(edge.size, edge.root())


def _stored_nodes(connection: Connection) -> dict[tuple[int, int], bytes]:
    rows = connection.execute("select level, position, hash from ledger_node")
    nodes = (Node(*row) for row in rows)
    return {(node.level, node.position): node.hash for node in nodes}


@dataclass(frozen=True, slots=True)
class _NodeReader:
    """Stored subtrees; level 0 are the leaves' own hashes."""

    connection: Connection

    def __call__(self, level: int, position: int) -> bytes:
        row = self._row(level, position)
        if row is None:
            raise LedgerError(f"the subtree {level}/{position} is missing from the ledger")
        return bytes(row[0])

    def _row(self, level: int, position: int) -> Sequence[bytes] | None:
        if level == 0:
            question, key = "select leaf_hash from ledger_leaf where id = ?", (position,)
            row: Sequence[bytes] | None = self.connection.execute(question, key).fetchone()
        else:
            row = self.connection.execute(
                "select hash from ledger_node where level = ? and position = ?", (level, position)
            ).fetchone()
        return row
