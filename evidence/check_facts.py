"""Are the facts still what their ledger leaves say? A row edited, added or taken away is named.

The ledger commits to what was written; this reads rows and leaves side by side. It does not ask
whether the ledger itself is whole: that is `evidence.check_ledger`.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from sqlite3 import Connection, Row
from typing import Any, Final

from evidence.check_codes import Code, Finding
from evidence.check_guard import guarded
from evidence.ledger import Leaf, LeafKind, read_leaves, salted_digest

SALTED: Final = "_salted_sha256"
DIGEST: Final = "_sha256"

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FactTable:
    """Rows with leaves; a fact's latest leaf stands. `keys`: what names the fact there, and its column."""

    table: str
    kinds: tuple[LeafKind, ...]
    keys: Mapping[str, str]
    # Where the rows come from, when it is not the table alone.
    source: str = ""
    # What a leaf may lack and then says is null.
    nullable: tuple[str, ...] = ()
    # Columns whose digest a leaf says under another name.
    digests: Mapping[str, str] = field(default_factory=dict)

    def rows(self, connection: Connection) -> Iterator[Row]:
        """Every fact."""
        yield from connection.execute(self.source or f"select * from {self.table}")  # noqa: S608 - our own names

    def key_of_leaf(self, body: Body) -> tuple[Any, ...]:
        """What the leaf is about."""
        return tuple(body.get(name) for name in self.keys)

    def key_of_row(self, row: Row) -> tuple[Any, ...]:
        """The same, from the row."""
        return tuple(row[column] for column in self.keys.values())


def _by_id(table: str, *kinds: LeafKind, **more: Any) -> FactTable:
    return FactTable(table, kinds, {f"{table}_id": "id"}, **more)


_ONE_ROOM_CUE: Final = {name: name for name in ("session_id", "room_id", "cue_code")}

# Columns under the names that leaves use for them.
_LAST_STEPS: Final = (
    "select hold_step.*, kind, batch_id, reaches from hold_step join hold on hold.id = hold_id"
    " where hold_step.id in (select max(id) from hold_step group by hold_id, step)"
)
_AUTHORITIES: Final = "select *, public_pem as public from time_authority"
_PLANS: Final = "select *, document as plan from disposal_plan"
_TIMES: Final = "select *, authority_id as time_authority_id from disposal_time"
# Who was admitted is a row of its own, which must fit its attempt.
_ATTEMPTS: Final = (
    "select attempt.*, came.*, kiosk.uuid as kiosk_uuid, case when admission.id is null then null"
    " when admission.candidate_id is attempt.candidate_id"
    "  and admission.session_id is attempt.session_id then admission.place_id else -1 end"
    " as admitted_place_id from checkin_attempt as attempt join kiosk on kiosk.id = attempt.kiosk_id"
    " left join checkin_circumstance as came on came.attempt_id = attempt.id"
    " left join admission on admission.attempt_id = attempt.id"
)
_ARMINGS: Final = (
    "select session_arming.*, arming_plan.content as plan, arming_warnings.content as warnings"
    " from session_arming left join arming_plan on arming_plan.sha256 = plan_sha256"
    " left join arming_warnings on arming_warnings.sha256 = warnings_sha256"
)
_MODES: Final = "select *, changed_by as account_id from recording_mode"
_BY_HAND: Final = "select *, ordered_by as account_id, agreed_by as agreed_by_account_id from recording_order"
_MOVES: Final = "select *, decided_by as account_id from room_move"
_KNOWN_ALARMS: Final = "select *, acknowledged_by as account_id from alarm_acknowledgement"
# Names that are older than their salt have no leaf.
_WITNESSES: Final = "select * from disposal_witness where salt is not null"
_JOINT_STEPS: Final = (
    "select joint_step.*, kind, subject from joint_step"
    " join joint_decision on joint_decision.id = decision_id"
)
_ONE_WITNESS: Final = {"order_id": "order_id", "place": "place"}

EXAM_FACTS: Final = (
    FactTable("checkin_attempt", (LeafKind.CHECKIN_ATTEMPT,), {"attempt_id": "id"}, _ATTEMPTS),
    _by_id("shown_answer", LeafKind.SHOWN_ANSWER),
    _by_id("admission_voiding", LeafKind.ADMISSION_VOIDED),
    _by_id("ticket_voiding", LeafKind.TICKET_VOIDED),
    _by_id("check_in_act", LeafKind.CHECK_IN_ACT),
    _by_id("check_in_alarm", LeafKind.CHECK_IN_ALARM),
    _by_id("check_in_alarm_acknowledgement", LeafKind.CHECK_IN_ALARM_ACKNOWLEDGED),
    _by_id("check_in_picture", LeafKind.CHECK_IN_PICTURE),
    _by_id("check_in_picture_view", LeafKind.CHECK_IN_PICTURE_VIEW),
    _by_id("file_photo", LeafKind.FILE_PHOTO),
    _by_id("seat_check", LeafKind.SEAT_CHECK),
    _by_id("doubt_case", LeafKind.DOUBT_CASE),
    _by_id("doubt_case_step", LeafKind.DOUBT_CASE_STEP),
    _by_id("announcement", LeafKind.ANNOUNCEMENT),
    FactTable("confirmation", (LeafKind.CONFIRMATION,), _ONE_ROOM_CUE),
    FactTable(
        "announcement_report",
        (LeafKind.ANNOUNCEMENT_REPORT,),
        {**_ONE_ROOM_CUE, "occurrence": "occurrence", "player": "player"},
    ),
    _by_id(
        "session_arming",
        LeafKind.SESSION_ARMING,
        source=_ARMINGS,
        # Older leaves know of no warnings: then none may stand with the row.
        nullable=("warnings_sha256",),
        digests={"plan_sha256": "plan", "warnings_sha256": "warnings"},
    ),
    _by_id("plan_change", LeafKind.PLAN_CHANGE),
    FactTable("delay", (LeafKind.DELAY,), {"delay_id": "id"}),
    FactTable("delay_end", (LeafKind.DELAY_END,), {"delay_id": "delay_id"}),
    FactTable("delay_withdrawal", (LeafKind.DELAY_WITHDRAWN,), {"delay_id": "delay_id"}),
    _by_id("delay_approval", LeafKind.DELAY_APPROVED),
    _by_id("time_grant", LeafKind.TIME_GRANT),
    FactTable("time_grant_withdrawal", (LeafKind.TIME_GRANT_WITHDRAWN,), {"grant_id": "grant_id"}),
    _by_id("station_stop", LeafKind.STATION_STOP),
    _by_id("checklist_tick", LeafKind.CHECKLIST_TICK),
    _by_id("console_clock_step", LeafKind.CONSOLE_CLOCK_STEP),
    _by_id("console_clock_decision", LeafKind.CONSOLE_CLOCK_DECISION),
    _by_id("console_clock_restart", LeafKind.CONSOLE_CLOCK_RESTART),
    _by_id("console_clock_contradiction", LeafKind.CONSOLE_CLOCK_CONTRADICTION),
    _by_id("log_entry", LeafKind.LOG_ENTRY),
    _by_id("sound_check", LeafKind.SOUND_CHECK),
    _by_id("own_recording", LeafKind.OWN_RECORDING, digests={"sha256": "content", "text_sha256": "words"}),
    _by_id("own_recording_act", LeafKind.OWN_RECORDING_ACT),
    _by_id("footage_access", LeafKind.FOOTAGE_ACCESS),
    _by_id("roster_import", LeafKind.ROSTER_IMPORT),
    _by_id("work_order", LeafKind.WORK_ORDER),
    _by_id("anchor", LeafKind.ANCHOR),
    _by_id("batch_closing", LeafKind.BATCH_CLOSING),
    _by_id("day_assignment", LeafKind.DAY_ASSIGNMENT),
    FactTable("hold", (LeafKind.LEGAL_HOLD,), {"hold_id": "hold_id", "step": "step"}, _LAST_STEPS),
    _by_id("time_authority", LeafKind.TIME_AUTHORITY, source=_AUTHORITIES),
    FactTable("disposal_plan", (LeafKind.DISPOSAL_PLAN,), {"plan_id": "id"}, _PLANS),
    FactTable("disposal_approval", (LeafKind.DISPOSAL_APPROVAL,), {"approval_id": "id"}),
    _by_id("disposal_time", LeafKind.DISPOSAL_TIME, source=_TIMES),
    _by_id("disposal_attempt", LeafKind.DISPOSAL_REFUSED),
    FactTable("disposal_witness", (LeafKind.DISPOSAL_WITNESS,), _ONE_WITNESS, _WITNESSES),
    _by_id("joint_step", LeafKind.JOINT_DECISION, source=_JOINT_STEPS),
    _by_id("kiosk_change", LeafKind.KIOSK_CHANGE),
    _by_id("staff_pin", LeafKind.STAFF_PIN),
    _by_id("staff_pin_unlock", LeafKind.STAFF_PIN_UNLOCK),
    _by_id("roster_revision", LeafKind.ROSTER_REVISION),
    _by_id("kiosk_self_test", LeafKind.KIOSK_SELF_TEST),
    _by_id("recording_mode", LeafKind.RECORDING_MODE, source=_MODES),
    _by_id("recording_order", LeafKind.RECORDING_ORDER, source=_BY_HAND),
    _by_id("room_move", LeafKind.ROOM_MOVE, source=_MOVES),
    _by_id("alarm_acknowledgement", LeafKind.ALARM_ACKNOWLEDGED, source=_KNOWN_ALARMS),
    _by_id("table_digest", LeafKind.TABLE_DIGEST),
    _by_id("ticket_reissue", LeafKind.TICKET_REISSUE),
    _by_id("ticket_form_confirmation", LeafKind.TICKET_FORM_CONFIRMATION),
    _by_id("reference_reading", LeafKind.REFERENCE_READING),
    _by_id("clock_check", LeafKind.CLOCK_CHECK),
    _by_id("printer_check", LeafKind.PRINTER_CHECK),
    _by_id("readiness_sheet", LeafKind.READINESS_SHEET),
    _by_id("rehearsal", LeafKind.REHEARSAL),
)
_RELOCATED: Final = (
    "select segment_relocation.*, source.uuid as from_volume_uuid, home.uuid as to_volume_uuid,"
    " size_bytes, sha256"
    " from segment_relocation join segment on segment.id = segment_id"
    " join volume as source on source.id = from_volume_id join volume as home on home.id = to_volume_id"
    " where moved_at_us is not null and mirror_id is null"
)
_RESTORED: Final = (
    "select segment_relocation.*, source.uuid as from_volume_uuid, home.uuid as to_volume_uuid,"
    " mirror.uuid as mirror_uuid, size_bytes, sha256"
    " from segment_relocation join segment on segment.id = segment_id join mirror on mirror.id = mirror_id"
    " join volume as source on source.id = from_volume_id join volume as home on home.id = to_volume_id"
    " where moved_at_us is not null"
)
_LOSSES: Final = (
    "select volume_loss.*, lost.uuid as volume_uuid, target.uuid as target_volume_uuid from volume_loss"
    " join volume as lost on lost.id = volume_id join volume as target on target.id = target_volume_id"
)
_REMNANTS: Final = (
    "select json_group_array(cast(id as text)) from (select quarantined_file_id as id"
    " from disposal_remnant where segment_id = disposal.segment_id order by 1)"
)
_DISPOSALS: Final = (
    f"select *, plan_digest as plan_sha256, ({_REMNANTS}) as quarantined_file_ids from disposal"  # noqa: S608 - our own words
)
_DISPOSALS_DONE: Final = f"{_DISPOSALS} where done_at_us is not null"
_REFUSALS: Final = (
    "select id, order_id, segment_id, '[\"' || replace(reasons, ' ', '\",\"') || '\"]' as reasons"
    " from disposal_refusal"
)
FOOTAGE_FACTS: Final = (
    _by_id(
        "segment",
        LeafKind.SEGMENT,
        source="select segment.*, fragments from segment left join fragment_map on segment_id = segment.id",
    ),
    _by_id("gap", LeafKind.GAP_OPEN, LeafKind.GAP_END, nullable=("ended_at_us",)),
    _by_id("quarantined_file", LeafKind.QUARANTINED_FILE),
    _by_id("clock_step", LeafKind.CLOCK_STEP),
    FactTable("disposal", (LeafKind.DISPOSAL,), {"segment_id": "segment_id"}, _DISPOSALS),
    FactTable("disposal_done", (LeafKind.DISPOSAL_DONE,), {"segment_id": "segment_id"}, _DISPOSALS_DONE),
    _by_id("disposal_refusal", LeafKind.DISPOSAL_REFUSED, source=_REFUSALS),
    _by_id("export_bag", LeafKind.EXPORT),
    _by_id("segment_relocation", LeafKind.SEGMENT_RELOCATED, source=_RELOCATED),
    FactTable(
        "segment_restored", (LeafKind.SEGMENT_RESTORED,), {"segment_relocation_id": "id"}, source=_RESTORED
    ),
    _by_id("volume_loss", LeafKind.VOLUME_LOST, source=_LOSSES),
    _by_id(
        "picture_health",
        *(LeafKind.PICTURE_HEALTH, LeafKind.PICTURE_HEALTH_END),
        nullable=("ended_at_us",),
    ),
    FactTable(
        "camera_preflight",
        (LeafKind.CAMERA_PREFLIGHT,),
        {"work_order_id": "order_id", "camera_uuid": "camera_uuid"},
        digests={"picture_sha256": "picture"},
    ),
    FactTable(
        "coverage_certificate",
        (LeafKind.COVERAGE_CERTIFICATE,),
        {"session_id": "session_id"},
        digests={"sha256": "content"},
    ),
    # A footage ledger that replaces a lost one begins with it; there is one at most.
    FactTable("rebuilt_index", (LeafKind.INDEX_REBUILT,), {}),
    _by_id("fixity_turn", LeafKind.FIXITY_CHECK),
    _by_id("damage", LeafKind.DAMAGE_FOUND, LeafKind.DAMAGE_REPAIRED, nullable=("repaired_at_us",)),
    _by_id("mirror_turn", LeafKind.MIRROR_COPIES),
)


@dataclass(slots=True)
class _Leaves:
    """What the leaves of each fact say together, by table: a later one adds to an earlier, or corrects it."""

    latest: dict[str, dict[tuple[Any, ...], Body]] = field(default_factory=dict)

    def read(self, connection: Connection, tables: tuple[FactTable, ...]) -> Iterator[Finding]:
        """One pass over the ledger."""
        by_kind: dict[str, FactTable] = {kind.value: table for table in tables for kind in table.kinds}
        self.latest = {table.table: {} for table in tables}
        for leaf, _hash in read_leaves(connection):
            table = by_kind.get(leaf.kind)
            if table is not None:
                yield from guarded(f"leaf {leaf.index}", partial(self._take, table, leaf))

    def _take(self, table: FactTable, leaf: Leaf) -> tuple[Finding, ...]:
        body = json.loads(leaf.body)
        facts, key = self.latest[table.table], table.key_of_leaf(body)
        facts[key] = {**facts.get(key, {}), "recorded_at_us": leaf.recorded_at_us, **body}
        return ()


def check_facts(connection: Connection, tables: tuple[FactTable, ...]) -> Iterator[Finding]:
    """Every fact that its leaf contradicts, every fact without a leaf, every leaf without a fact."""
    leaves = _Leaves()
    yield from leaves.read(connection, tables)
    for table in tables:
        yield from guarded(table.table, partial(_check_table, connection, table, leaves.latest[table.table]))


def _check_table(
    connection: Connection, table: FactTable, latest: dict[tuple[Any, ...], Body]
) -> Iterator[Finding]:
    for row in table.rows(connection):
        key = table.key_of_row(row)
        where = _where(table, key)
        yield from guarded(where, partial(_check_row, (table, where), row, latest.pop(key, None)))
    yield from (Finding(Code.LEAF_WITHOUT_FACT, _where(table, key)) for key in latest)


def _check_row(named: tuple[FactTable, str], row: Row, body: Body | None) -> Iterator[Finding]:
    table, where = named
    if body is None:
        yield Finding(Code.FACT_WITHOUT_LEAF, where)
        return
    for column in _differences(table, row, body):
        yield Finding(Code.FACT_CHANGED, f"{where} {column}")


def _where(table: FactTable, key: tuple[Any, ...]) -> str:
    return f"{table.table} {'/'.join(str(part) for part in key)}"


def _differences(table: FactTable, row: Row, body: Body) -> Iterator[str]:
    said = {**dict.fromkeys(table.nullable), **body}
    for name, value in said.items():
        column = table.keys.get(name, name)
        found = _as_said(row, column)
        if found is not None and found() != value:
            yield column
        digested = table.digests.get(name)
        # An empty digest names nothing that was kept.
        if digested is not None and value != "" and _digest(row[digested]) != value:
            yield digested


def _as_said(row: Row, name: str) -> Callable[[], Any] | None:
    """How the row says today what the leaf says under this name; None for what stands in no column of it."""
    columns = row.keys()
    if name in columns:
        return lambda: _plain(row[name])
    if name.endswith(SALTED) and name.removesuffix(SALTED) in columns:
        return lambda: salted_digest(row["salt"], row[name.removesuffix(SALTED)])
    if name.endswith(DIGEST) and name.removesuffix(DIGEST) in columns:
        return lambda: _digest(row[name.removesuffix(DIGEST)])
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str) and value[:1] == "[":
        return json.loads(value)
    return value


def _digest(value: bytes | str | None) -> str | None:
    if value is None:
        return None
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()
