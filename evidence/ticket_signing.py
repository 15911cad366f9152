"""Signs tickets that we print and verifies those that are shown (带签名准考证).

A ticket is believed for the site's signature, by any kiosk, with no roster and no network. The proof of the
ID number is keyed and made from the stretched number: a found ticket does not give the number away, and
even a stolen kiosk pays for each guess.
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from sqlite3 import Connection
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.kiosk_enrolments import is_signed
from evidence.kiosk_secrets import TICKET_PROOF, signing_key
from evidence.roster_content import read_id_number
from evidence.stretched_numbers import Number, load
from evidence.ticket_reissues import FIRST_REVISION, ticket_revisions
from evidence.vault import Vault
from exam.admission_facts import TicketProof
from exam.clock import site_time
from exam.day import PlaceKind
from exam.signed_tickets import (
    PROOF_BYTES,
    VARIATION_BYTES,
    SignedTicket,
    SignedTicketError,
    TicketSitting,
    claimed_number,
    looks_signed,
    message,
    read_payload,
    split,
    to_text,
)

# A text without any space comes up once in about eighty; this many misses do not happen.
VARIATIONS: Final = 256**VARIATION_BYTES


@dataclass(frozen=True, slots=True)
class ShownTicket:
    """What the rule wants to know about a ticket that was shown (exam.admission_facts.AdmissionRequest)."""

    ticket_no: str
    proof: TicketProof
    # What a good signature says; None for a plain number and for a forged ticket.
    ticket: SignedTicket | None = None


def id_proof(secret: bytes, ticket_no: str, stretched: bytes) -> bytes:
    """Keyed proof that this stretched ID number belongs to this ticket number."""
    return hmac.digest(secret, ticket_no.encode() + b"\0" + stretched, sha256)[:PROOF_BYTES]


def is_holder(ticket: SignedTicket, secret: bytes, stretched: bytes) -> bool:
    """Whether the ID number that was shown, stretched, is the one that the ticket was made for."""
    return hmac.compare_digest(ticket.id_proof, id_proof(secret, ticket.ticket_no, stretched))


def sign_ticket(ticket: SignedTicket, key: Ed25519PrivateKey) -> str:
    """The text for the QR code, without any space."""
    for variation in range(VARIATIONS):
        payload = ticket.payload(variation)
        text = to_text(payload, key.sign(message(payload)))
        if " " not in text:
            return text
    raise AssertionError("no variation without a space")


def read_signed(text: str, public: bytes) -> SignedTicket:
    """What a signed ticket says. Raises SignedTicketError: damaged, forged."""
    payload, signature = split(text)
    if not is_signed(public, signature, message(payload)):
        raise SignedTicketError("forged")
    return read_payload(payload)


def read_shown(text: str, public: bytes) -> ShownTicket:
    """Whatever was scanned as a ticket: a plain number, a good signed ticket, or one that is neither.

    A forged ticket is recorded under the number it claims, when that can be read.
    """
    if not looks_signed(text):
        return ShownTicket(text, TicketProof.PLAIN)
    try:
        ticket = read_signed(text, public)
    except SignedTicketError:
        return ShownTicket(claimed_number(text), TicketProof.FAILED)
    return ShownTicket(ticket.ticket_no, TicketProof.SIGNED, ticket)


def session_numbers(connection: Connection, vault: Vault, session_id: int) -> list[Number]:
    """The ID numbers that must have been stretched before the session's tickets can be signed."""
    return [number for _, number in _drafts(connection, vault, session_id).values()]


def session_tickets(connection: Connection, vault: Vault, session_id: int) -> dict[int, str]:
    """The texts for the codes of a session's tickets, by candidate: every sitting of his on that day.

    Whoever's number was not stretched yet, or cannot be read, is left out.
    """
    drafts = _drafts(connection, vault, session_id)
    stretched = dict(load(connection, vault, [number for _, number in drafts.values()]))
    secret, key = vault.secret(TICKET_PROOF), signing_key(vault)
    return {
        candidate_id: sign_ticket(
            replace(draft, id_proof=id_proof(secret, draft.ticket_no, stretched[number])), key
        )
        for candidate_id, (draft, number) in drafts.items()
        if number in stretched
    }


def _drafts(connection: Connection, vault: Vault, session_id: int) -> dict[int, tuple[SignedTicket, Number]]:
    """Tickets without their proofs, and the numbers that the proofs are made from."""
    revisions = ticket_revisions(connection)
    rows = connection.execute(
        "select candidate.id, candidate.ticket_no, id_number_cipher, batch.code as batch_code,"
        " site.code as site_code, planned_start_us"
        " from seating join candidate on candidate.id = candidate_id"
        " join session on session.id = session_id join batch on batch.id = session.batch_id"
        " join site on site.id = 1 where session_id = ? order by candidate.id",
        (session_id,),
    )
    found = {}
    for row in rows:
        number = read_id_number(vault, row)
        if number is None:
            continue
        day = site_time(row["planned_start_us"]).date()
        ticket = SignedTicket(
            site_code=row["site_code"],
            batch_code=row["batch_code"],
            ticket_no=row["ticket_no"],
            revision=revisions.get(row["id"], FIRST_REVISION),
            day=day,
            id_proof=b"",
            sittings=tuple(_sittings(connection, row["id"], day)),
        )
        found[row["id"]] = ticket, number
    return found


def _sittings(connection: Connection, candidate_id: int, day: date) -> Iterator[TicketSitting]:
    rows = connection.execute(
        "select session.code, planned_start_us, room.code as room_code, room.label as room_label,"
        " place.label as place_label, place.kind from seating join session on session.id = session_id"
        " join place on place.id = place_id join room on room.id = place.room_id"
        " where candidate_id = ? and cancelled_at_us is null order by planned_start_us, session.id",
        (candidate_id,),
    )
    for row in rows:
        starts = site_time(row["planned_start_us"])
        if starts.date() == day:
            yield TicketSitting(
                row["code"],
                starts.time().replace(second=0, microsecond=0),
                row["room_code"],
                row["room_label"],
                row["place_label"],
                PlaceKind(row["kind"]),
            )
