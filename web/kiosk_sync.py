"""How a kiosk comes in and stays in touch: enrolment, another token, heartbeats (docs/design/kiosk-sync.md).

The gate in web.access has asked for the kiosk's token, but for enrolment, which brings a one-time
token of its own. Nothing here judges anybody: check-ins are web.kiosk_api.
"""

import base64
import binascii
from typing import Annotated, Final

from flask import Blueprint, abort, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import Field, StringConstraints, field_validator

from evidence import kiosk_enrolments, kiosks
from evidence.kiosk_enrolments import EnrolmentError, Machine
from evidence.kiosk_secrets import renew_secret, secrets_of
from evidence.kiosk_self_tests import NewSelfTest, keep_self_test
from evidence.kiosk_states import keep_report
from evidence.roster_revisions import current_revision
from exam.kiosk_health import Part, PartState, Report
from exam.self_test import Check, Result, Tried, standing
from web.bodies import Body, read_body
from web.kiosk_roster import TOPIC, present_day
from web.limits import FAILURES, is_failure, limiter
from web.services import services

blueprint: Final = Blueprint("kiosk_sync", __name__, url_prefix="/api/kiosk/v1")

# What an enrolling machine is told; never more, whoever asks.
ENROLMENT_WORDS: Final = {
    "unknown_token": "登记码不正确。请核对后重新输入。",
    "used": "登记码已经用过。请在签到机页面重新生成。",
    "expired": "登记码已过期（10分钟）。请在签到机页面重新生成。",
    "bad_signature": "本机的密钥与签名不符，没有登记。",
}
ROLL_WORDS: Final = {
    "no_key": "本机登记时没有密钥，不能更换令牌。请重新登记。",
    "stale": "本机时钟与控制台相差过大，不能更换令牌。请先校准时钟。",
    "bad_signature": "签名不符，没有更换令牌。",
}

_Short = Annotated[str, StringConstraints(max_length=120)]
_Texts = Annotated[dict[Annotated[str, StringConstraints(max_length=40)], _Short], Field(max_length=20)]


class _Enrolment(Body):
    """A machine that wants to become a kiosk."""

    token: _Short
    public_key: _Short
    signature: _Short
    hardware: _Texts = Field(default_factory=dict)


class _Roll(Body):
    """A kiosk that wants another token."""

    asked_at_us: int = Field(gt=0)
    signature: _Short


class _Heartbeat(Body):
    """What a kiosk says of itself, every five seconds."""

    sent_at_us: int = Field(gt=0, lt=2**62)
    queue_length: int = Field(ge=0, lt=2**31)
    needs_human: int = Field(ge=0, lt=2**31)
    roster_revision: int | None = Field(ge=1, lt=2**31)
    disk_free_bytes: int = Field(ge=0, lt=2**62)
    is_out_of_service: bool
    parts: dict[Part, PartState] = Field(default_factory=dict)
    versions: _Texts = Field(default_factory=dict)
    boot_id: _Short = ""
    locked_pins: tuple[int, ...] = Field(default=(), max_length=200)


class _Tried(Body):
    """One check of a self-test."""

    check: Check
    result: Result
    words: Annotated[str, StringConstraints(max_length=200)] = ""


class _SelfTest(Body):
    """What a kiosk found when it tested itself."""

    nonce: str = Field(min_length=16, max_length=64, pattern=r"^[A-Za-z0-9-]+$")
    tested_at_us: int = Field(gt=0, lt=2**62)
    checks: list[_Tried] = Field(min_length=1, max_length=len(Check))

    @field_validator("checks")
    @classmethod
    def each_once(cls, checks: list[_Tried]) -> list[_Tried]:
        if len({one.check for one in checks}) < len(checks):
            raise ValueError("a check stands there twice")
        return checks


@blueprint.post("/enrolments")
@limiter.limit(FAILURES, deduct_when=is_failure)
def enrol() -> ResponseReturnValue:
    """Let the holder of a one-time token in, once: its label, and the token it uses from now on."""
    body = read_body(_Enrolment)
    machine = Machine(_bytes(body.public_key), _bytes(body.signature), body.hardware)
    everything = services()
    now_us = everything.clock.wall_us()
    try:
        with everything.exam.write() as connection:
            taken = kiosk_enrolments.take_offer(connection, body.token, machine, now_us)
            renew_secret(connection, everything.vault, taken.kiosk_id, now_us)
    except EnrolmentError as error:
        return jsonify(error=ENROLMENT_WORDS[error.code], reason=error.code), 401
    everything.bus.publish(TOPIC)
    return jsonify(
        kiosk_uuid=taken.kiosk_uuid, kiosk_label=taken.label, token=taken.token, server_time_us=now_us
    )


@blueprint.post("/token")
def roll() -> ResponseReturnValue:
    """Another token for a kiosk that signs with its key; the old one works until the new one is used."""
    body = read_body(_Roll)
    everything = services()
    try:
        with everything.exam.write() as connection:
            token = kiosk_enrolments.roll(
                connection,
                g.kiosk,
                g.kiosk_token,
                (body.asked_at_us, _bytes(body.signature)),
                everything.clock.wall_us(),
            )
            renew_secret(connection, everything.vault, g.kiosk.id, everything.clock.wall_us())
    except EnrolmentError as error:
        return jsonify(error=ROLL_WORDS[error.code], reason=error.code), 409
    everything.bus.publish(TOPIC)
    return jsonify(token=token)


@blueprint.post("/heartbeat")
def beat() -> ResponseReturnValue:
    """Keep what the kiosk says of itself, and tell it what people want of it."""
    body = read_body(_Heartbeat)
    everything = services()
    now_us = everything.clock.wall_us()
    day = present_day(g.kiosk)
    with everything.exam.write() as connection:
        kiosks.note_seen(connection, g.kiosk.id, now_us)
        present = current_revision(connection, g.kiosk.id)
        revision = None if present is None else present.number
        keep_report(connection, g.kiosk.id, Report(**body.model_dump()), revision, now_us)
        secrets = secrets_of(connection, everything.vault, g.kiosk.id)
        told = {
            "server_time_us": now_us,
            "kiosk_label": g.kiosk.label,
            "ticket_forms": kiosks.ticket_forms(connection),
            "out_of_service": kiosk_enrolments.is_out_of_service(connection, g.kiosk.id),
            "roll_token": kiosk_enrolments.wants_roll(connection, g.kiosk.id),
            "secret": None if secrets is None else secrets.secret_id,
            "roster_revision": revision,
            "day_digest": None if day is None else day[1],
            "steps": sorted(everything.policy.steps),
        }
    return jsonify(told)


@blueprint.post("/self-tests")
def self_test() -> ResponseReturnValue:
    """Keep what the kiosk found when it tested itself; a repeat adds nothing."""
    body = read_body(_SelfTest)
    tried = [Tried(one.check, one.result, one.words) for one in body.checks]
    new = NewSelfTest(body.nonce, body.tested_at_us, tried)
    everything = services()
    with everything.exam.write() as connection:
        kept = keep_self_test(connection, g.kiosk.id, new, everything.clock.wall_us())
    everything.bus.publish(TOPIC)
    return jsonify(self_test=kept, standing=standing(tried))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        abort(400)
