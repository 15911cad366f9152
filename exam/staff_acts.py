"""What a person signs at a kiosk with his PIN, and in which form (override, redirect, provisional entry ...).

Pure: the bytes to be signed. The kiosk signs them with the key that follows from the PIN, also when the
console is away; the console verifies them later (`evidence.staff_pins.verify_act`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

PREFIX = b"kaochang staff act/1\n"


def act_subject(about: Mapping[str, int | str | None], reason: str) -> dict[str, int | str]:
    """What of an act is signed: ids and codes as the act's body names them, and the digest of the reason.

    What is empty is left out, so that a key that a later version adds changes no older signature.
    """
    told = {name: value for name, value in about.items() if value not in {None, ""}}
    return {**told, "reason_sha256": sha256(reason.strip().encode()).hexdigest()}


@dataclass(frozen=True, slots=True)
class StaffAct:
    """One act: who (by his PIN), where, when by the console's clock as the kiosk knows it, and what."""

    pin_id: int
    kiosk_uuid: str
    # Made by the kiosk; an act counts once.
    nonce: str
    signed_at_us: int
    # Which act, a code that the check-in core defines.
    act: str
    # What it is about: ids and codes, never a number of a document.
    subject: Mapping[str, int | str] = field(default_factory=dict)

    def message(self) -> bytes:
        """What is signed: every field, as canonical JSON (keys in order, no spaces, UTF-8)."""
        body = {
            "act": self.act,
            "kiosk_uuid": self.kiosk_uuid,
            "nonce": self.nonce,
            "pin_id": self.pin_id,
            "signed_at_us": self.signed_at_us,
            "subject": dict(self.subject),
        }
        text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return PREFIX + text.encode()
