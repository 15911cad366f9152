"""The day part: what changes all day long and every kiosk must know (kiosk-sync.md).

Sittings with their emitted start and stop (R9), who is in already, ticket forms, the site's policy, staff
who may prove themselves by PIN. Names of candidates and numbers of documents stand nowhere in it. It is
sealed with the package secret and signed like the package, but small, so that it can be sent again and
again while people come in.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from sqlite3 import Connection
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.kiosk_secrets import KioskSecrets
from evidence.kiosks import Kiosk, scope_of, ticket_forms
from evidence.roster_boxes import (
    PackageError,
    WrongKeyError,
    canonical,
    seal,
    sign,
    to_text,
    unseal,
    verified,
)
from evidence.sittings import load_sittings
from evidence.staff_pins import StaffPin, load_pins
from evidence.vault import Vault
from exam.admission import Policy
from exam.procedure import Procedure

MARK: Final = "KZD1"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class DayRules:
    """What the site's regulations say, read from config."""

    procedures: Mapping[str, Procedure]
    policy: Policy


def load_day(connection: Connection, rules: DayRules, kiosk: Kiosk, now_us: int) -> dict[str, Any]:
    """The day part of one kiosk, in the clear."""
    sessions = _open_sessions(connection, rules.procedures)
    scope = scope_of(connection, kiosk.id)
    sittings = load_sittings(connection, rules.procedures, set(sessions), now_us)
    value = {
        "label": kiosk.label,
        "serves": {"rooms": list(scope.rooms), "sessions": list(scope.sessions)},
        "rooms": [dict(row) for row in connection.execute("select id, code, label, directions from room")],
        "sittings": [asdict(sitting) for sitting in sittings],
        "admissions": _admissions(connection, sessions),
        "ticket_forms": ticket_forms(connection),
        "policy": asdict(rules.policy),
        "staff": [_staff(pin) for pin in load_pins(connection)],
    }
    # Enumerations and sets become what JSON has.
    plain: dict[str, Any] = json.loads(json.dumps(value, default=sorted))
    return plain


def digest_of(vault: Vault, day: Mapping[str, Any]) -> str:
    """Tells one day part from another, in a few letters."""
    return vault.index("day part/" + canonical(day).decode()).hex()[:16]


def build_day(
    day: Mapping[str, Any], keys: KioskSecrets, made_at_us: int, signing: Ed25519PrivateKey
) -> bytes:
    """The day part as it is sent and stored."""
    body = {
        "format": FORMAT,
        "kiosk": keys.kiosk_uuid,
        "secret": keys.secret_id,
        "made_at_us": made_at_us,
        "box": seal(keys.package.day_key(), day, "day"),
    }
    return sign(MARK, canonical(body), signing)


def open_day(content: bytes, keys: KioskSecrets) -> tuple[dict[str, Any], int]:
    """The day part and when it was made, on the kiosk. Raises PackageError as packages do."""
    told = verified(MARK, content, keys.verify_key)
    if told.get("kiosk") != keys.kiosk_uuid:
        raise PackageError("other_kiosk")
    if told.get("secret") != keys.secret_id:
        raise PackageError("other_secret")
    try:
        day: dict[str, Any] = unseal(keys.package.day_key(), told["box"], "day")
        return day, int(told["made_at_us"])
    except (KeyError, WrongKeyError) as error:
        raise PackageError("damaged") from error


def _open_sessions(connection: Connection, procedures: Mapping[str, Procedure]) -> list[int]:
    """Sessions of open batches; one whose procedure file has gone cannot be judged by anybody."""
    rows = connection.execute(
        "select session.id, procedure_code from session"
        " join batch on batch.id = batch_id and batch.closed_at_us is null order by session.id"
    )
    return [row["id"] for row in rows if row["procedure_code"] in procedures]


def _admissions(connection: Connection, sessions: list[int]) -> list[dict[str, Any]]:
    rows = connection.execute(
        "select admission.candidate_id, admission.session_id, admission.place_id, kiosk_id, admitted_at_us"
        " from admission join checkin_attempt on checkin_attempt.id = attempt_id"
        " where voided_at_us is null and admission.session_id in (select value from json_each(?))"
        " order by admission.id",
        (json.dumps(sessions),),
    )
    return [dict(row) for row in rows]


def _staff(pin: StaffPin) -> dict[str, Any]:
    return {
        "pin": pin.id,
        "account": pin.account_id,
        "name": pin.display_name,
        "roles": sorted(pin.roles),
        "salt": to_text(pin.salt),
        "cost": pin.cost.to_dict(),
        "signing_public": to_text(pin.signing_public),
        "unlocked_at_us": pin.unlocked_at_us,
    }
