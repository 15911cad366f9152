"""What staff are told about check-in, as JSON with words, and who is woken by it."""

from collections.abc import Iterable
from typing import Any, Final

from flask import jsonify
from flask.typing import ResponseReturnValue

from config.check_in import load_check_in_words
from config.outcomes import load_outcome_texts
from evidence.check_in_alarms import CheckInAlarm
from evidence.doubt_cases import CaseRow, StepRow
from exam.admission_authority import Refusal
from exam.doubt_cases import CaseRefusal
from web.kiosk_api import TOPIC
from web.services import room_topic, services

# Who asks may not do this, or not alone.
_FORBIDDEN: Final = frozenset(
    {
        Refusal.NOT_ALLOWED,
        Refusal.NO_DUTY,
        Refusal.NEEDS_SECOND,
        Refusal.SECOND_NOT_ALLOWED,
        Refusal.SAME_PERSON,
    }
)
_INCOMPLETE: Final = frozenset({Refusal.NO_REASON, Refusal.NO_APPROVAL})
_CASE_FORBIDDEN: Final = frozenset({CaseRefusal.NO_DUTY, CaseRefusal.NOT_SITE_LEAD, CaseRefusal.SAME_PERSON})


def told_refusal(refusal: Refusal) -> ResponseReturnValue:
    """Why an act is not done, and what to do: 403 who may not, 400 what is missing, 409 the facts."""
    code = 403 if refusal in _FORBIDDEN else 400 if refusal in _INCOMPLETE else 409
    return jsonify(error=refusal, advice=load_check_in_words().refusals[refusal]), code


def told_case_refusal(refusal: CaseRefusal) -> ResponseReturnValue:
    """The same for a step about a doubt."""
    code = 403 if refusal in _CASE_FORBIDDEN else 409
    return jsonify(error=refusal, advice=load_check_in_words().case_refusals[refusal]), code


def wake(rooms: Iterable[int]) -> None:
    """Pages that show check-in look again, and those of these rooms."""
    services().bus.publish(TOPIC)
    for room_id in rooms:
        services().bus.publish(room_topic(room_id))


def alarm_json(alarm: CheckInAlarm) -> dict[str, Any]:
    """One alarm with its words. Photos are told by their digests."""
    words = load_check_in_words().alarms[alarm.kind]
    return {
        "id": alarm.id,
        "kind": alarm.kind,
        "title": words.title,
        "act": words.act,
        "at_us": alarm.at_us,
        "raised_at_us": alarm.raised_at_us,
        "attempt_id": alarm.subject.attempt_id,
        "session_id": alarm.subject.session_id,
        "room_id": alarm.subject.room_id,
        "candidate_id": alarm.subject.candidate_id,
        "session_code": alarm.session_code,
        "room_label": alarm.room_label,
        "candidate_name": alarm.candidate_name,
        "ticket_no": alarm.ticket_no,
        "place_label": alarm.place_label,
        "kiosk_label": alarm.kiosk_label,
        "photos": list(alarm.photos),
        "seen": None
        if alarm.seen is None
        else {"by": alarm.seen.display_name, "at_us": alarm.seen.at_us, "note": alarm.seen.note},
    }


def case_json(case: CaseRow) -> dict[str, Any]:
    """One doubt with its steps; the reason in words for staff."""
    return {
        "id": case.id,
        "reason": case.facts.reason,
        "reason_words": load_outcome_texts()[case.facts.reason].reason,
        "candidate_id": case.candidate_id,
        "candidate_name": case.candidate_name,
        "ticket_no": case.ticket_no,
        "place_label": case.place_label,
        "session_id": case.facts.session_id,
        "room_id": case.facts.room_id,
        "attempt_id": case.attempt_id,
        "is_open": case.facts.is_open,
        "is_inside": case.facts.is_inside,
        "looks": len(case.facts.looks),
        "documents_held": case.documents_held,
        "photos": list(case.photos),
        "deadline_at_us": case.deadline_at_us,
        "opened_at_us": case.opened_at_us,
        "steps": [_step_json(step) for step in case.steps],
    }


def _step_json(step: StepRow) -> dict[str, Any]:
    return {
        "step": step.step,
        "finding": step.finding,
        "finding_words": load_check_in_words().findings.get(step.finding, ""),
        "reason": step.reason,
        "by": step.name,
        "at_us": step.recorded_at_us,
    }
