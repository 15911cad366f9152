"""What staff do at a kiosk, proved by their PINs (docs/design/check-in.md, kiosk-sync.md).

The kiosk has checked the PIN and signed; here the signatures are verified and the rule is asked. An act
that was done while the kiosk worked alone is never refused: what it lacks is kept and told.
"""

import base64
from dataclasses import replace
from sqlite3 import Connection
from typing import Final

from flask import Blueprint, Response, g
from flask.typing import ResponseReturnValue

from evidence.accounts import load_signer
from evidence.act_facts import NewAct
from evidence.check_in_acts import ActRefusedError, do_act
from evidence.check_in_rows import Lane
from evidence.kiosks import Kiosk
from evidence.staff_pins import StaffActError, verify_act
from exam.admission_authority import Signed
from exam.outcomes import Outcome
from exam.signers import NOBODY, Signer
from exam.staff_acts import StaffAct
from web.bodies import read_body
from web.check_in_bodies import KioskActBody, SignatureBody
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
    try:
        proved = verify_act(connection, signed, base64.b64decode(one.signature))
    except StaffActError:
        return NOBODY
    signer = load_signer(connection, proved.account_id, or_disabled=True) or NOBODY
    return Signer(signer.account_id, signer.staff_id, frozenset()) if proved.doubts else signer
