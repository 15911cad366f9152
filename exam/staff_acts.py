"""What a person signs at a kiosk with his PIN, and in which form; what he is offered there to do.

Pure: the bytes to be signed, and the offers as the console tells them (`exam.plain`). The kiosk signs with
the key that follows from the PIN, also when the console is away; the console verifies it later
(`evidence.staff_pins.verify_act`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from exam.admission_authority import Act
from exam.clock import MINUTE_US
from exam.outcomes import Outcome

PREFIX = b"kaochang staff act/1\n"
# Signed in place of an act by whoever asks what may be done about somebody, and how long that is good for.
LOOK: Final = "look"
LOOK_FRESH_US: Final = 5 * MINUTE_US
# What a kiosk's page can do; the rest is done on the console and on tablets.
AT_KIOSKS: Final = frozenset({Act.BY_HAND, Act.OVERRIDE, Act.PROVISIONAL, Act.UNDO})


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


@dataclass(frozen=True, slots=True)
class Against:
    """What stands against letting somebody in now: the reason, and what staff do about it."""

    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class OfferedAct:
    """An act that whoever asked may do now, in words, and what has to be chosen for it."""

    act: Act
    title: str
    effect: str
    needs_second: bool
    # The attempt it speaks of, by its nonce, and when that was; empty and None: of none.
    attempt_nonce: str = ""
    attempt_at_us: int | None = None
    doubts: tuple[Outcome, ...] = ()
    # By hand: why he will be turned away, which is put on record; empty: he comes in.
    turned_away: str = ""


@dataclass(frozen=True, slots=True)
class RefusedAct:
    """An act that is not done now, or not by whoever asked: why, and what to do."""

    act: Act
    title: str
    advice: str


@dataclass(frozen=True, slots=True)
class Offered:
    """What may be done about somebody in one session, as the console tells a kiosk."""

    against: tuple[Against, ...]
    offers: tuple[OfferedAct, ...]
    refused: tuple[RefusedAct, ...]
