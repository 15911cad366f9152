"""Whether one file may be destroyed now: asked by the delete primitive itself, before every single file.

The signed ledgers must permit it and the rows must not forbid it; the host's clock and a moment
from outside the machine must both be past the end of the period. No caller hands in a fact.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Any, Final

from evidence.checkpoints import CheckpointError
from evidence.database import ReaderDatabase
from evidence.disposal_facts import FactReader, LedgerFacts, PlanFacts, Stamp
from evidence.disposal_plans import PlannedFile, planned_files
from evidence.holds import keeping, load_holds
from evidence.ledger import Leaf, LedgerError, prove_inclusion
from evidence.merkle import Inclusion, TreeHead, hash_leaf, is_included
from evidence.naming import VOLUME_MARK
from evidence.outside_time import Authority, OutsideTimeError, proved_time_us
from evidence.retention import load_terms
from evidence.signed_ledger import SignedLedger
from exam.clock import Clock
from exam.disposal_approval import (
    WITNESSES,
    ApprovalFault,
    completeness_faults,
    registrar_faults,
    takes_part,
)
from exam.retention import Clip, Finding, Hold, Reach, Term, judge


class DisposalRefusal(StrEnum):
    """Why a file is not destroyed, besides the reasons to keep it and the faults of an approval."""

    LEDGER_UNSOUND = "ledger_unsound"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_PLAN = "unknown_plan"
    PLAN_REJECTED = "plan_rejected"
    PLAN_CHANGED = "plan_changed"
    NOT_IN_PLAN = "not_in_plan"
    UNKNOWN_SEGMENT = "unknown_segment"
    NOT_IN_LEDGER = "not_in_ledger"
    RECORD_CHANGED = "record_changed"
    NO_OUTSIDE_TIME = "no_outside_time"
    TOO_EARLY_OUTSIDE = "too_early_outside"
    OTHER_PLAN = "named_by_another_plan"
    VOLUME_ABSENT = "volume_absent"
    MIRROR_ABSENT = "mirror_absent"
    BEING_RELOCATED = "being_relocated"
    FILE_MISSING = "file_missing"
    FILE_DAMAGED = "file_damaged"
    DISK_REFUSES = "disk_refuses"


class DisposalRefusedError(Exception):
    """The file stays. `reasons` are codes, the first the most telling."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(dict.fromkeys(str(reason) for reason in reasons))
        super().__init__(" ".join(self.reasons))


@dataclass(frozen=True, slots=True)
class Permit:
    """What was found to be allowed: this file, by this plan, as of this moment from outside."""

    order_id: int
    plan: PlanFacts
    segment_id: int
    volume: Path
    volume_uuid: str
    path: Path
    size_bytes: int
    sha256: bytes
    proved_at_us: int
    lost_mirrors: frozenset[str]


@dataclass(frozen=True, slots=True)
class _ExamFacts:
    """Ledger and rows of exam.db at one moment."""

    ledger: LedgerFacts
    terms: list[Term]
    holds: list[Hold]


@dataclass(slots=True)
class Permits:
    """Asks both databases and both signed ledgers. For one thread."""

    footage: ReaderDatabase
    exam: ReaderDatabase
    keys_folder: Path
    clock: Clock
    years: Callable[[], int]
    _proved: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _registers: dict[str, dict[int, PlannedFile]] = field(default_factory=dict)
    _known: tuple[tuple[int, int, int, TreeHead], _ExamFacts] | None = None
    _reader: FactReader | None = None
    _signed: dict[str, SignedLedger] = field(default_factory=dict)

    def permit(self, order_id: int, segment_id: int) -> Permit:
        """The permit for one file of an order. Raises DisposalRefusedError with every reason found."""
        try:
            with self.exam.read() as exam, self.footage.read() as footage:
                facts = self._facts(exam)
                plan = _plan(facts.ledger, order_id)
                planned = self._planned(exam, plan, segment_id)
                row, body = self._record(footage, segment_id)
                _compare(planned, row, body)
                reasons, end_us = self._periods(facts, planned)
                proved_at_us = self._outside_us(exam, plan)
        except (CheckpointError, LedgerError) as error:
            raise DisposalRefusedError([DisposalRefusal.LEDGER_UNSOUND]) from error
        if proved_at_us is None:
            reasons.append(DisposalRefusal.NO_OUTSIDE_TIME)
        elif proved_at_us < end_us:
            reasons.append(DisposalRefusal.TOO_EARLY_OUTSIDE)
        reasons = [*_approval_reasons(plan), *_witness_reasons(facts.ledger, order_id), *reasons]
        if reasons or proved_at_us is None:
            raise DisposalRefusedError(reasons)
        volume = Path(row["volume_path"])
        return Permit(
            order_id,
            plan,
            segment_id,
            volume,
            row["volume_uuid"],
            volume / planned.path,
            planned.size_bytes,
            bytes.fromhex(planned.sha256),
            proved_at_us,
            facts.ledger.lost_mirrors,
        )

    def is_known(self, order_id: int) -> bool:
        """Whether the signed ledger knows the order already. Raises DisposalRefusedError if it is unsound."""
        try:
            with self.exam.read() as exam:
                return order_id in self._facts(exam).ledger.orders
        except (CheckpointError, LedgerError) as error:
            raise DisposalRefusedError([DisposalRefusal.LEDGER_UNSOUND]) from error

    def close(self) -> None:
        """Close the connections to the checkpoints."""
        for signed in self._signed.values():
            signed.close()

    def _facts(self, exam: Connection) -> _ExamFacts:
        """Read anew whenever anybody has committed to exam.db, or signed it, since."""
        head, years = self._head("exam", self.exam), self.years()
        version = exam.execute("pragma data_version").fetchone()[0]
        key = (id(exam), version, years, head)
        if self._known is None or self._known[0] != key:
            reader, self._reader = self._reader or FactReader(), None
            facts = _ExamFacts(reader.read(exam, head), load_terms(exam, years), keeping(load_holds(exam)))
            self._reader = reader  # one that found a fault is not gone on with
            self._known = (key, facts)
        return self._known[1]

    def _head(self, name: str, database: ReaderDatabase) -> TreeHead:
        if name not in self._signed:
            self._signed[name] = SignedLedger(database.path, self.keys_folder, name)
        return self._signed[name].head()

    def _record(self, footage: Connection, segment_id: int) -> tuple[Row, dict[str, Any]]:
        """The segment's row, and its leaf, proved to stand in the signed ledger."""
        row = footage.execute(_SEGMENT, (segment_id,)).fetchone()
        if row is None:
            raise DisposalRefusedError([DisposalRefusal.UNKNOWN_SEGMENT])
        found = footage.execute(_LEAF, (segment_id,)).fetchone()
        head = self._head("footage", self.footage)
        if found is None or found["id"] >= head.size:
            raise DisposalRefusedError([DisposalRefusal.NOT_IN_LEDGER])
        leaf = Leaf(found["id"], found["kind"], found["body"], found["recorded_at_us"])
        path = prove_inclusion(footage, leaf.index, head.size)
        if not is_included(Inclusion(hash_leaf(leaf.entry()), leaf.index, path), head):
            raise DisposalRefusedError([DisposalRefusal.NOT_IN_LEDGER])
        body: dict[str, Any] = json.loads(leaf.body)
        return row, body

    def _planned(self, exam: Connection, plan: PlanFacts, segment_id: int) -> PlannedFile:
        """The file's line in the register that was approved."""
        if plan.digest not in self._registers:
            row = exam.execute("select document from disposal_plan where id = ?", (plan.plan_id,)).fetchone()
            if row is None or _sha256(row["document"].encode()) != plan.digest:
                raise DisposalRefusedError([DisposalRefusal.PLAN_CHANGED])
            self._registers[plan.digest] = {each.segment_id: each for each in planned_files(row["document"])}
        named = self._registers[plan.digest].get(segment_id)
        if named is None:
            raise DisposalRefusedError([DisposalRefusal.NOT_IN_PLAN])
        return named

    def _periods(self, facts: _ExamFacts, planned: PlannedFile) -> tuple[list[str], int]:
        """What keeps the file by ledger and by rows, and the later of the two ends."""
        clip = Clip(Reach(planned.camera_uuid, planned.started_at_us, planned.ended_at_us))
        now_us = self.clock.wall_us()
        findings: list[Finding] = [
            judge(clip, facts.ledger.terms, facts.ledger.holds, now_us),
            judge(clip, facts.terms, facts.holds, now_us),
        ]
        reasons = [str(reason) for finding in findings for reason in finding.reasons]
        return reasons, max(finding.retain_until_us or 0 for finding in findings)

    def _outside_us(self, exam: Connection, plan: PlanFacts) -> int | None:
        """The latest moment that anybody outside stated over this plan; None when no word holds."""
        apart = [stamp for stamp in plan.stamps if not takes_part(stamp.registrar, plan.acts)]
        moments = [self._proved_us(exam, plan, stamp) for stamp in apart if stamp.registrar.has_badge]
        return max((moment for moment in moments if moment is not None), default=None)

    def _proved_us(self, exam: Connection, plan: PlanFacts, stamp: Stamp) -> int | None:
        row = exam.execute(_WORD, (stamp.time_id, stamp.authority_id)).fetchone()
        if row is None or _sha256(row["token"]) != stamp.token_sha256:
            return None
        if _sha256(row["public_pem"].encode()) != stamp.public_sha256:
            return None
        key = (plan.digest, stamp.token_sha256, stamp.public_sha256)
        if key not in self._proved:
            authority = Authority(stamp.kind, row["public_pem"])
            try:
                self._proved[key] = proved_time_us(authority, row["token"], bytes.fromhex(plan.digest))
            except OutsideTimeError:
                return None
        return self._proved[key]


_SEGMENT: Final = (
    "select segment.*, volume.path as volume_path, volume.uuid as volume_uuid"
    " from segment join volume on volume.id = volume_id where segment.id = ?"
)
_LEAF: Final = (
    "select * from ledger_leaf where kind = 'segment' and json_extract(body, '$.segment_id') = ? order by id"
)
_WORD: Final = (
    "select token, public_pem from disposal_time join time_authority on time_authority.id = authority_id"
    " where disposal_time.id = ? and authority_id = ?"
)


def check_file(permit: Permit, digest: Callable[[Path], bytes]) -> None:
    """Raises DisposalRefusedError unless the file is there and is the one that the register names."""
    check_volume(permit)
    try:
        # Unlinking a link would leave the footage where the link points to.
        if permit.path.is_symlink() or not permit.path.is_file():
            raise DisposalRefusedError([DisposalRefusal.FILE_MISSING])
        if permit.path.stat().st_size != permit.size_bytes or digest(permit.path) != permit.sha256:
            raise DisposalRefusedError([DisposalRefusal.FILE_DAMAGED])
    except OSError as error:
        raise DisposalRefusedError([DisposalRefusal.DISK_REFUSES]) from error


def check_volume(permit: Permit) -> None:
    """Raises DisposalRefusedError when the disk is not mounted, or another one is: its file would live on."""
    try:
        mark = (permit.volume / VOLUME_MARK).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        mark = ""
    if mark != permit.volume_uuid:
        raise DisposalRefusedError([DisposalRefusal.VOLUME_ABSENT])


def _plan(facts: LedgerFacts, order_id: int) -> PlanFacts:
    order = facts.orders.get(order_id)
    if order is None:
        raise DisposalRefusedError([DisposalRefusal.UNKNOWN_ORDER])
    plan = facts.plans.get(order[0])
    if plan is None or plan.digest != order[1]:
        raise DisposalRefusedError([DisposalRefusal.UNKNOWN_PLAN])
    return plan


def _witness_reasons(facts: LedgerFacts, order_id: int) -> list[str]:
    is_watched = facts.witnesses.get(order_id, 0) >= WITNESSES
    return [] if is_watched else [str(ApprovalFault.TOO_FEW_WITNESSES)]


def _approval_reasons(plan: PlanFacts) -> list[str]:
    rejected = [str(DisposalRefusal.PLAN_REJECTED)] if plan.is_rejected else []
    faults = completeness_faults(plan.proposal, plan.approvals)
    faults += registrar_faults([stamp.registrar for stamp in plan.stamps], plan.acts)
    return [*rejected, *map(str, faults)]


def _compare(planned: PlannedFile, row: Row, body: dict[str, Any]) -> None:
    """Plan, row and ledger must name the same file."""
    facts = (
        planned.camera_uuid,
        planned.path,
        planned.started_at_us,
        planned.ended_at_us,
        planned.size_bytes,
        planned.sha256,
    )
    names = ("camera_uuid", "path", "started_at_us", "ended_at_us", "size_bytes")
    by_row = (*(row[name] for name in names), row["sha256"].hex())
    by_ledger = (*(body[name] for name in names), body["sha256"])
    if facts != by_ledger or facts != by_row:
        raise DisposalRefusedError([DisposalRefusal.RECORD_CHANGED])


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
