"""Compares what the databases say with what was planned, and puts both into one summary."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from evidence.day_summary import CameraFootage, SignalRow
from evidence.footage import Cause
from exam.outcomes import Outcome
from exam.procedure import Cue, Procedure, Trigger
from rehearsal.demo_site import SESSIONS
from rehearsal.footage_check import MarkCheck
from rehearsal.kiosk_queue import Visited

# Every camera must have recorded at least this share of the time from its first to its last picture.
COVERAGE_FLOOR: Final = 0.995

# Session, room and cue.
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class DayFacts:
    """Everything read back after the day."""

    outcomes: Counter[str]
    visited: Sequence[Visited]
    signals: Sequence[SignalRow]
    confirmed: set[tuple[str, str, str]]
    log_kinds: Counter[str]
    footage: Sequence[CameraFootage]
    marks: Sequence[MarkCheck]
    troubles: Sequence[str]
    open_doubts: int = 0


def summary(facts: DayFacts, procedures: Mapping[str, Procedure], notes: int) -> dict[str, Any]:
    """The JSON summary; `missing` lists every planned fact that is not there, empty after a good day."""
    errors_ms = [abs(error_us) / 1000 for error_us in _onset_errors(facts.signals, procedures)]
    return {
        "check_ins": dict(sorted(facts.outcomes.items())),
        "signals": {
            "emitted": sum(row.emitted_at_us is not None for row in facts.signals),
            "missed": sum(row.emitted_at_us is None for row in facts.signals),
            "heard": len(errors_ms),
            "onset_error_ms_median": round(median(errors_ms), 1) if errors_ms else None,
            "onset_error_ms_max": round(max(errors_ms), 1) if errors_ms else None,
        },
        "confirmations": len(facts.confirmed),
        "log_entries": dict(sorted(facts.log_kinds.items())),
        "recorded_s": {f"{one.room_code} {one.label}": round(one.recorded_s, 1) for one in facts.footage},
        "gaps": {
            f"{one.room_code} {one.label}": [[cause, round(length_s, 2)] for cause, length_s in one.gaps]
            for one in facts.footage
        },
        "marks": {
            one.room_code: {"marks": one.marks, "covered": one.covered, "playable": one.playable}
            for one in facts.marks
        },
        "missing": [
            *_missing_visits(facts),
            *_missing_signals(facts, procedures),
            *_missing_rest(facts, notes),
        ],
        "troubles": list(facts.troubles),
    }


def _onset_errors(signals: Sequence[SignalRow], procedures: Mapping[str, Procedure]) -> Iterator[int]:
    """How far each sound began from the moment all rooms were to hear it: the plan's, or the press's."""
    for row in signals:
        cue = procedures[row.procedure_code].cue(row.cue_code)
        is_automatic = cue is not None and cue.trigger is Trigger.AUTOMATIC
        due_us = row.planned_at_us if is_automatic else row.emitted_at_us
        if row.heard_at_us is not None and due_us is not None:
            yield row.heard_at_us - due_us


def _missing_visits(facts: DayFacts) -> list[str]:
    wanted = Counter(one.visit.outcome for one in facts.visited)
    found: Counter[str] = Counter()
    for code, count in facts.outcomes.items():
        found[_as_asked(code)] += count
    wrong = [
        f"check-in of ticket {one.visit.candidate.ticket_no}: {one.outcome or 'no answer'}"
        f" instead of {one.visit.outcome}"
        for one in facts.visited
        if _as_asked(one.outcome) != one.visit.outcome
    ]
    recorded = [
        f"check-in attempts with {code}: {found[code]} recorded, {count} made"
        for code, count in wanted.items()
        if found[code] != count
    ]
    return [*wrong, *recorded]


def _as_asked(outcome: str) -> str:
    """Where the console did not answer in time the kiosk let somebody in alone: in is in."""
    return Outcome.OK_ADMITTED if outcome == Outcome.OK_OFFLINE else outcome


def _missing_signals(facts: DayFacts, procedures: Mapping[str, Procedure]) -> list[str]:
    by_key = {(row.session_code, row.room_code, row.cue_code): row for row in facts.signals}
    return [
        fault
        for session, _, _, procedure, rooms, _ in SESSIONS
        for cue in procedures[procedure].cues
        if cue.is_scheduled
        for room in rooms
        for fault in _faults_of(cue, (session, room, cue.code), by_key, facts.confirmed)
    ]


def _faults_of(
    cue: Cue, key: _Key, by_key: Mapping[_Key, SignalRow], confirmed: Collection[_Key]
) -> Iterator[str]:
    row = by_key.get(key)
    if row is None or row.emitted_at_us is None:
        yield f"signal {' '.join(key)} was not emitted"
    elif cue.is_audible and row.heard_at_us is None:
        yield f"signal {' '.join(key)} was heard by nobody"
    if cue.confirmation and key not in confirmed:
        yield f"step {' '.join(key)} was confirmed by nobody"


def _missing_rest(facts: DayFacts, notes: int) -> list[str]:
    found = []
    if facts.log_kinds.total() != notes:
        found.append(f"log entries: {facts.log_kinds.total()} recorded, {notes} written")
    if facts.open_doubts:
        found.append(f"doubts without a decision: {facts.open_doubts}")
    for one in facts.footage:
        lost_s = sum(length_s for cause, length_s in one.gaps if cause != Cause.STARTING)
        if one.recorded_s * (1 - COVERAGE_FLOOR) < lost_s or not one.segments:
            found.append(f"footage of {one.room_code} {one.label}: {lost_s:.1f} s lost")
    found += [
        f"marks of {room.room_code}: {room.playable} of {room.marks} can be watched, {room.covered} recorded"
        for room in facts.marks
        if room.playable < room.marks
    ]
    return found
