"""What staff do at a kiosk, proved by their PINs (docs/design/check-in.md, kiosk-sync.md).

The kiosk has checked the PIN and signed; here the signatures are verified and the rule is asked. An act
that was done while the kiosk worked alone is never refused: what it lacks is kept and told. What may be
done is asked of the same rule as on the console's page of the candidate, and so is why something may not.
"""

import base64
from dataclasses import replace
from sqlite3 import Connection
from typing import Final

from flask import Blueprint, Response, g, jsonify
from flask.typing import ResponseReturnValue

from config.check_in import against_at_kiosk, load_check_in_words
from evidence import check_in_history
from evidence.accounts import load_signer
from evidence.act_facts import NewAct
from evidence.check_in_acts import ActRefusedError, do_act
from evidence.check_in_history import Person
from evidence.check_in_rows import Lane
from evidence.kiosks import Kiosk
from evidence.staff_pins import StaffActError, verify_act
from exam.admission_authority import Refusal, Signed
from exam.outcomes import KINDS, Kind, Outcome, ordered
from exam.plain import to_plain
from exam.signers import AT_WORK, NOBODY, Signer
from exam.staff_acts import (
    AT_KIOSKS,
    LOOK,
    LOOK_FRESH_US,
    Offered,
    OfferedAct,
    RefusedAct,
    StaffAct,
)
from web.bodies import read_body
from web.check_in_bodies import KioskActBody, LookBody, SignatureBody
from web.check_in_card import Desk, Offer
from web.check_in_words import told_refusal, wake
from web.kiosk_api import REPLAY_HEADER
from web.services import services

blueprint: Final = Blueprint("kiosk_acts", __name__, url_prefix="/api/kiosk/v1")


@blueprint.post("/acts")
def act() -> ResponseReturnValue:
    """Do one act, or keep one that was done offline. Repeated, it gets the stored answer."""
    body = read_body(KioskActBody)
    everything = services()
    now_us = everything.clock.wall_us()
    try:
        with everything.exam.write() as connection:
            signed = _signed(connection, g.kiosk, body)
            asked = (_new(g.kiosk, body, now_us), signed)
            answer = do_act(connection, everything.vault, asked, everything.check_in_rules, now_us)
    except ActRefusedError as error:
        return told_refusal(error.refusal)
    wake(answer.rooms)
    response = Response(answer.body, mimetype="application/json")
    if answer.is_replay:
        response.headers[REPLAY_HEADER] = Outcome.OK_REPLAY
    return response


@blueprint.post("/acts/offered")
def offered() -> ResponseReturnValue:
    """What whoever signs may do about somebody at a kiosk now, and why not what he may not."""
    body = read_body(LookBody)
    everything = services()
    now_us = everything.clock.wall_us()
    with everything.exam.read() as connection:
        me = _looking(connection, g.kiosk, body, now_us)
        person = check_in_history.load_person(connection, body.session_id, body.candidate_id)
        refusal = _look_refusal(me, person)
        if person is None or refusal is not None:
            return told_refusal(refusal or Refusal.NOBODY)
        attempts = check_in_history.load_attempts(connection, body.session_id, body.candidate_id)
        desk = Desk(connection, everything.vault, everything.check_in_rules, me, person, attempts, now_us)
        return jsonify(to_plain(_offered(desk)))


def _looking(connection: Connection, kiosk: Kiosk, body: LookBody, now_us: int) -> Signer:
    signed = StaffAct(
        body.signature.pin_id, kiosk.uuid, body.nonce, body.signature.signed_at_us, LOOK, body.subject()
    )
    is_fresh = abs(now_us - signed.signed_at_us) <= LOOK_FRESH_US
    return _proved(connection, signed, body.signature) if is_fresh else NOBODY


def _look_refusal(me: Signer, person: Person | None) -> Refusal | None:
    if not me.roles & AT_WORK:
        return Refusal.NOT_ALLOWED
    if person is None:
        return Refusal.NOBODY
    return None if me.is_lead() or me.works_in(person.session_id, person.room_id) else Refusal.NO_DUTY


def _offered(desk: Desk) -> Offered:
    words = load_check_in_words()
    is_in = any(one.stands for one in desk.attempts)
    against = [] if is_in else [against_at_kiosk(one) for one in ordered(desk.facts().reasons)]
    return Offered(
        against=tuple(dict.fromkeys(against)),
        offers=tuple(_offer(one) for one in desk.offers() if one.act in AT_KIOSKS),
        refused=tuple(
            RefusedAct(act, words.acts[act], words.refusals[refusal]) for act, refusal in desk.refused()
        ),
    )


def _offer(offer: Offer) -> OfferedAct:
    words, attempt, answer = load_check_in_words(), offer.attempt, offer.answer
    is_away = answer is not None and KINDS[answer] is not Kind.ADMITTED
    return OfferedAct(
        act=offer.act,
        title=words.acts[offer.act],
        effect=words.act_effects[offer.act],
        needs_second=offer.needs_second,
        attempt_nonce="" if attempt is None else attempt.nonce,
        attempt_at_us=None if attempt is None else attempt.at_us,
        doubts=offer.doubts,
        turned_away=against_at_kiosk(answer).reason if answer is not None and is_away else "",
    )


def _new(kiosk: Kiosk, body: KioskActBody, now_us: int) -> NewAct:
    offset_us = (body.kiosk.clock_offset_us if body.kiosk else None) or 0
    at_us = max(1, min(body.happened_at_us - offset_us, now_us)) if body.was_offline else now_us
    return replace(
        body.as_new(Lane.STAFF_AT_KIOSK, at_us),
        kiosk_id=kiosk.id,
        is_offline=body.was_offline,
        signed_subject=body.subject(),
        signatures=tuple(one.model_dump() for one in body.signatures),
    )


def _signed(connection: Connection, kiosk: Kiosk, body: KioskActBody) -> Signed:
    signers = [_signer(connection, kiosk, body, one) for one in body.signatures]
    first = signers[0] if signers else NOBODY
    second = signers[1] if len(signers) > 1 else None
    return Signed(first, second, body.reason, body.approval_no)


def _signer(connection: Connection, kiosk: Kiosk, body: KioskActBody, one: SignatureBody) -> Signer:
    """Whose signature it is. A PIN that was replaced, or an account shut before, may nothing any more."""
    signed = StaffAct(one.pin_id, kiosk.uuid, body.nonce, one.signed_at_us, body.act, body.subject())
    return _proved(connection, signed, one)


def _proved(connection: Connection, signed: StaffAct, one: SignatureBody) -> Signer:
    try:
        proved = verify_act(connection, signed, base64.b64decode(one.signature))
    except StaffActError:
        return NOBODY
    signer = load_signer(connection, proved.account_id, or_disabled=True) or NOBODY
    return Signer(signer.account_id, signer.staff_id, frozenset()) if proved.doubts else signer
