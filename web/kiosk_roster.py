"""What a kiosk fetches so that it can work alone: keys, roster package, day part (docs/design/kiosk-sync.md).

The gate in web.access has asked for the kiosk's token. Nothing is built before `web.roster_keeper` has
noted the revision: a kiosk is never given a package under a number that means something else.
"""

from typing import Final

import structlog
from flask import Blueprint, Response, abort, g, jsonify, request
from flask.typing import ResponseReturnValue

from evidence.courses import UnknownProcedureError
from evidence.kiosk_day import KioskDay, build_day
from evidence.kiosk_secrets import KioskSecrets, renew_secret, secrets_of, signing_key
from evidence.kiosks import Kiosk
from evidence.roster_content import content_for, load_people, numbers_of
from evidence.roster_package import build_package
from evidence.roster_revisions import current_revision, is_current
from evidence.stretched_numbers import load
from web.services import services

blueprint: Final = Blueprint("kiosk_roster", __name__, url_prefix="/api/kiosk/v1")

TOPIC: Final = "kiosks"
RETRY_S: Final = "3"

_log: Final = structlog.get_logger("kiosks")


@blueprint.get("/keys")
def keys() -> ResponseReturnValue:
    """What opens this kiosk's packages and what it verifies with. Made at the first question."""
    return jsonify(_secrets().to_dict())


@blueprint.get("/roster")
def roster() -> ResponseReturnValue:
    """The kiosk's roster package; 304 when it holds the present one, 503 while it is being prepared."""
    everything = services()
    secrets, vault, now_us = _secrets(), everything.vault, everything.clock.wall_us()
    with everything.exam.read() as connection:
        people = load_people(connection, vault, now_us)
        content = content_for(connection, g.kiosk, people, now_us)
        stretched = dict(load(connection, vault, numbers_of(people)))
        revision = current_revision(connection, g.kiosk.id)
        is_ready = revision is not None and is_current(connection, vault, g.kiosk, content)
    if revision is None or not is_ready:
        told = jsonify(outcome="ROSTER_PREPARING", done=len(stretched), total=len(set(numbers_of(people))))
        told.headers["Retry-After"] = RETRY_S
        return told, 503
    tag = f"{revision.number}-{secrets.secret_id}"
    if tag in request.if_none_match:
        return "", 304
    return _sent(build_package(content, stretched, secrets, revision, signing_key(vault)), tag)


@blueprint.get("/day")
def day_part() -> ResponseReturnValue:
    """What changes all day long: sittings, admissions, policy, staff. 304 when nothing has."""
    everything = services()
    secrets = _secrets()
    found = present_day(g.kiosk)
    if found is None:
        return jsonify(outcome="DAY_UNREADABLE"), 503, {"Retry-After": RETRY_S}
    day, digest = found
    tag = f"{digest}-{secrets.secret_id}"
    if tag in request.if_none_match:
        return "", 304
    now_us = everything.clock.wall_us()
    return _sent(build_day(day, secrets, now_us, signing_key(everything.vault)), tag)


@blueprint.get("/maps/<digest>")
def floor_map(digest: str) -> ResponseReturnValue:
    """A floor plan that the day part names; 404 when it names none such any more."""
    content = services().day_shelf.maps.picture(digest)
    if content is None:
        abort(404)
    return _sent(content, digest)


def present_day(kiosk: Kiosk) -> tuple[KioskDay, str] | None:
    """The kiosk's day part now and its digest.

    None when a session's procedure file is gone: the kiosk keeps the day it has.
    """
    everything = services()
    now_us = everything.clock.wall_us()
    try:
        with everything.exam.read() as connection:
            return everything.day_shelf.part_of(
                connection, everything.vault, everything.check_in_rules, kiosk, now_us
            )
    except UnknownProcedureError as error:
        _log.warning("no day part for kiosks", reason=str(error))
        return None


def _sent(content: bytes, tag: str) -> Response:
    answer = Response(content, mimetype="application/octet-stream")
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _secrets() -> KioskSecrets:
    everything = services()
    with everything.exam.read() as connection:
        found = secrets_of(connection, everything.vault, g.kiosk.id)
    if found is not None:
        return found
    with everything.exam.write() as connection:
        renew_secret(connection, everything.vault, g.kiosk.id, everything.clock.wall_us())
        made = secrets_of(connection, everything.vault, g.kiosk.id)
    assert made is not None
    return made
