"""Builds the roster package (离线花名册包) of one kiosk: every card in a box of its own, the whole signed.

The format is in docs/design/kiosk-sync.md. Boxes are sealed with fresh nonces each time, so two builds of
one revision differ in their bytes and not in what they say. `evidence.roster_opening` reads it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.kiosk_secrets import KioskSecrets
from evidence.roster_boxes import KEY_BYTES, Secrets, canonical, seal, sign
from evidence.roster_content import Person, RoomSheet, RosterContent
from evidence.stretched_numbers import Number
from exam.roster_cards import Card

MARK: Final = "KZR1"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Revision:
    """Which revision of a kiosk's package, and since when it is the present one."""

    number: int
    made_at_us: int


def build_package(
    content: RosterContent,
    stretched: Mapping[Number, bytes],
    keys: KioskSecrets,
    revision: Revision,
    signing: Ed25519PrivateKey,
) -> bytes:
    """The package as the kiosk stores it. `stretched` must hold every number of the content."""
    secrets = keys.package
    cards = [
        _card(secrets, person.card_for(number), stretched[number])
        for person in content.people
        for number in person.numbers()
    ]
    names = [_name(secrets, person, stretched) for person in content.served]
    body = {
        "format": FORMAT,
        "kiosk": keys.kiosk_uuid,
        "secret": keys.secret_id,
        "revision": revision.number,
        "made_at_us": revision.made_at_us,
        "days": list(content.days),
        "stretch": keys.stretcher.cost.to_dict(),
        # Sorted by their tags: where a card lies tells nothing about its candidate.
        "cards": sorted(cards),
        "names": sorted(names),
        "rooms": [_room(secrets, sheet) for sheet in content.sheets],
    }
    return sign(MARK, canonical(body), signing)


def _card(secrets: Secrets, card: Card, stretched: bytes) -> list[str]:
    return [secrets.card_tag(stretched), seal(secrets.card_key(stretched), card.to_dict(), "card")]


def _name(secrets: Secrets, person: Person, stretched: Mapping[Number, bytes]) -> list[str]:
    both = stretched[person.ticket], stretched[person.id_number]
    name = person.person_name()
    # The photo of the roster goes here one day; a kiosk takes null for none.
    value = {"name": name.name, "id_tail": name.id_tail, "photo": None}
    return [secrets.name_tag(*both), seal(secrets.name_key(*both), value, "name")]


def _room(secrets: Secrets, sheet: RoomSheet) -> dict[str, Any]:
    room_key = os.urandom(KEY_BYTES)
    return {
        "room": sheet.room_id,
        "sheet": seal(room_key, [person.entry().to_dict() for person in sheet.people], "sheet"),
        "keys": [[pin.id, secrets.wrap(room_key, pin.exchange_public)] for pin in sheet.pins],
    }
