"""What a kiosk may ask: to check somebody in, and whether we are there (Art. 13(2)).

The gate in web.access has already asked for the kiosk's token. The answer to a check-in is the text
on record, byte for byte, so that a kiosk whose line broke gets what the first request got.
"""

from functools import cache
from typing import Final

from flask import Blueprint, Response, abort, g, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.outcomes import load_outcome_texts
from config.procedures import load_procedures
from evidence import kiosks
from evidence.check_in_facts import CheckInRules
from evidence.checkins import CheckInRequest, decide
from web.services import room_topic, services

blueprint: Final = Blueprint("kiosk_api", __name__, url_prefix="/api/kiosk/v1")

TOPIC: Final = "checkins"


class _CheckIn(BaseModel):
    """One scan as it comes over the line."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    nonce: str = Field(min_length=16, max_length=64, pattern=r"^[A-Za-z0-9-]+$")
    scanned_at_us: int = Field(gt=0)
    ticket_no: str | None = Field(max_length=80)
    id_number: str | None = Field(max_length=40)


@blueprint.post("/checkins")
def check_in() -> ResponseReturnValue:
    """Judge one scan. A refused candidate is an answer (200) too; only a malformed request is an error."""
    asked = _asked()
    everything = services()
    now_us = everything.clock.wall_us()
    with everything.exam.write() as connection:
        kiosks.note_seen(connection, g.kiosk.id, now_us)
        answer = decide(connection, everything.vault, asked, _rules(), now_us)
        changed_room = kiosks.attempt_room(connection, asked.kiosk_id, asked.nonce)
    everything.bus.publish(TOPIC)
    if changed_room is not None:
        everything.bus.publish(room_topic(changed_room))
    return Response(answer.body, mimetype="application/json")


@blueprint.get("/heartbeat")
def heartbeat() -> ResponseReturnValue:
    """Say that the console is there, what it calls this kiosk, and what ticket numbers look like today."""
    everything = services()
    now_us = everything.clock.wall_us()
    with everything.exam.write() as connection:
        kiosks.note_seen(connection, g.kiosk.id, now_us)
        forms = kiosks.ticket_forms(connection)
    return jsonify(server_time_us=now_us, kiosk_label=g.kiosk.label, ticket_forms=forms)


def _asked() -> CheckInRequest:
    try:
        body = _CheckIn.model_validate(request.get_json(silent=True))
    except ValidationError:
        # Not repeated in the answer or a log: the body holds a document number.
        abort(400)
    return CheckInRequest(g.kiosk.id, body.nonce, body.scanned_at_us, body.ticket_no, body.id_number)


@cache
def _rules() -> CheckInRules:
    return CheckInRules(load_procedures(), load_outcome_texts())
