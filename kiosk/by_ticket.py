"""Judging by a signed ticket alone: what a kiosk can do that holds the site's keys and no roster.

Nothing is asked and nothing is kept here. What it cannot judge so it sends to another kiosk.
"""

from functools import cache
from typing import Final

from config.outcomes import load_outcome_texts
from evidence.kiosk_secrets import KioskSecrets
from evidence.stretched_numbers import Number, NumberKind
from evidence.ticket_signing import ShownTicket, is_holder
from exam.admission_facts import AdmissionRequest, TicketProof
from exam.answers import Answer, Sight, compose
from exam.identity import normalise
from exam.outcomes import Outcome
from exam.signed_entry import judge_ticket
from kiosk.own_answers import own_answer
from kiosk.scan import Scan

_texts: Final = cache(load_outcome_texts)


def judged_by_ticket(scan: Scan, shown: ShownTicket | None, keys: KioskSecrets, now_us: int) -> Answer:
    """The answer, by the console's clock as far as known. Takes one stretching."""
    if shown is not None and shown.proof is TicketProof.FAILED:
        return own_answer(Outcome.TICKET_FORGED)
    ticket = None if shown is None else shown.ticket
    if ticket is None or not scan.id_number:
        return own_answer(Outcome.SYS_STALE_ROSTER)
    number = normalise(scan.id_number)
    stretched = keys.stretcher.stretch(Number(NumberKind.ID_NUMBER, number))
    is_his = is_holder(ticket, keys.ticket_proof, stretched)
    found = judge_ticket(ticket, is_holder=is_his, now_us=now_us)
    sitting = found.sitting
    sight = (
        None
        if sitting is None
        else Sight("", "", sitting.room_label, "", sitting.place_label, sitting.place_kind)
    )
    request = AdmissionRequest(ticket.ticket_no, number, kiosk_id=0)
    return compose(found.verdict, request, _texts(), sight)
