"""What a kiosk may ask: to check somebody in, what became of that, whether we are there (Art. 13(2)).

The gate in web.access has already asked for the kiosk's token. The answer to a check-in is the text
on record, byte for byte, so that a kiosk whose line broke gets what the first request got.
"""

from typing import Final

from flask import Blueprint, Response, abort, g, jsonify, request
from flask.typing import ResponseReturnValue

from evidence import kiosks
from evidence.check_in_pictures import (
    LIMITS,
    Picture,
    PictureError,
    PictureFault,
    PictureKind,
    PictureStore,
    is_kept,
    record_picture,
)
from evidence.checkins import StoredAnswer, decide, find_answer
from web.bodies import read_body, refused
from web.check_in_bodies import CheckInBody
from web.services import room_topic, services

blueprint: Final = Blueprint("kiosk_api", __name__, url_prefix="/api/kiosk/v1")

TOPIC: Final = "checkins"
# Says of an answer that it was given before; the body is the same.
REPLAY_HEADER: Final = "X-Check-In"
PICTURE_WORDS: Final = {
    PictureFault.EMPTY: "图片是空的。",
    PictureFault.TOO_LARGE: "图片过大。",
    PictureFault.WRONG_TYPE: "图片格式不符。",
    PictureFault.WRONG_DIGEST: "图片与校验值不符，请重新发送。",
}


@blueprint.post("/checkins")
def check_in() -> ResponseReturnValue:
    """Judge one scan, or settle what the kiosk decided alone.

    A refused candidate is an answer (200) too; only a malformed request is an error.
    """
    asked = read_body(CheckInBody).as_request(g.kiosk.id)
    everything = services()
    now_us = everything.clock.wall_us()
    with everything.exam.write() as connection:
        kiosks.note_seen(connection, g.kiosk.id, now_us)
        answer = decide(connection, everything.vault, asked, everything.check_in_rules, now_us)
    everything.bus.publish(TOPIC)
    for room_id in answer.rooms:
        everything.bus.publish(room_topic(room_id))
    return told(answer)


@blueprint.get("/attempts/<nonce>")
def attempt(nonce: str) -> ResponseReturnValue:
    """What was answered to this nonce of the kiosk that asks: 404 when the request never arrived."""
    with services().exam.read() as connection:
        answer = find_answer(connection, g.kiosk.id, nonce)
    if answer is None:
        abort(404)
    return told(answer)


@blueprint.post("/pictures/<kind>/<digest>")
def picture(kind: str, digest: str) -> ResponseReturnValue:
    """Keep a photo or signature under the SHA-256 of its bytes; sending it again changes nothing."""
    if kind not in set(PictureKind):
        abort(404)
    if (request.content_length or 0) > LIMITS[PictureKind(kind)].largest_bytes:
        return refused(PictureFault.TOO_LARGE, PICTURE_WORDS[PictureFault.TOO_LARGE], 413)
    sent = Picture(PictureKind(kind), request.mimetype, digest.lower(), request.get_data(cache=False))
    everything = services()
    store = PictureStore(everything.settings.check_in_folder, everything.vault)
    try:
        store.check(sent)
        with everything.exam.read() as connection:
            is_known = is_kept(connection, sent.sha256_hex)
        is_new = not is_known and _keep(store, sent)
    except PictureError as error:
        return refused(error.fault, PICTURE_WORDS[error.fault])
    return jsonify(sha256=sent.sha256_hex, is_new=is_new), 201 if is_new else 200


@blueprint.get("/heartbeat")
def heartbeat() -> ResponseReturnValue:
    """Say that the console is there, what it calls this kiosk, and what ticket numbers look like today."""
    everything = services()
    now_us = everything.clock.wall_us()
    with everything.exam.write() as connection:
        kiosks.note_seen(connection, g.kiosk.id, now_us)
        forms = kiosks.ticket_forms(connection)
    return jsonify(server_time_us=now_us, kiosk_label=g.kiosk.label, ticket_forms=forms)


def told(answer: StoredAnswer) -> Response:
    """The stored text as it is; a header tells when it was told before."""
    response = Response(answer.body, mimetype="application/json")
    if answer.is_replay:
        response.headers[REPLAY_HEADER] = answer.told_as
    return response


def _keep(store: PictureStore, sent: Picture) -> bool:
    cipher_sha256 = store.write(sent)
    everything = services()
    with everything.exam.write() as connection:
        now_us = everything.clock.wall_us()
        return record_picture(connection, sent, cipher_sha256, g.kiosk.id, now_us)
