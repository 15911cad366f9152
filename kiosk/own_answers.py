"""Answers that this kiosk gives by itself, about nobody: out of use, or not judged."""

from functools import cache

from config.outcomes import load_outcome_texts
from exam.admission_facts import AdmissionRequest, Verdict
from exam.answers import Answer, compose
from exam.outcomes import Outcome


@cache
def own_answer(outcome: Outcome) -> Answer:
    """The words of one outcome that needs no candidate and no seat."""
    return compose(Verdict((outcome,)), AdmissionRequest(None, None, kiosk_id=0), load_outcome_texts(), None)
