"""Signed QR tickets (带签名准考证), for sites that print with us: what the code says and proves.

Pure: form and checks; signatures are made and verified in `evidence.ticket_signing`. The text is
`KZ1.PAYLOAD.SIGNATURE`, both in base45, so that a QR code holds it in its alphanumeric mode. It never holds
a space: typing scanners and input methods swallow spaces. A kiosk without any roster still learns who is
expected where on which day, and whether the ID number shown belongs to the ticket.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from exam.day import PlaceKind

MARK: Final = "KZ1."
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
SIGNATURE_BYTES: Final = 64
# Base45 makes three letters of two bytes.
SIGNATURE_LETTERS: Final = SIGNATURE_BYTES // 2 * 3
VARIATION_BYTES: Final = 2
PROOF_BYTES: Final = 8
# Longer than any real ticket; whatever is longer was not made by us.
LONGEST: Final = 700
_FIELD: Final = "\x1f"
_HEAD_FIELDS: Final = 5
_SITTING_FIELDS: Final = 5
_PLACES: Final = {PlaceKind.SEAT: "S", PlaceKind.STATION: "W"}


class SignedTicketError(Exception):
    """The text is no signed ticket of ours; `code` says why: damaged, forged."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class TicketSitting:
    """One sitting of the ticket's day, as a kiosk without a roster needs it."""

    session_code: str
    starts: time
    room_code: str
    room_label: str
    place_label: str
    place_kind: PlaceKind


@dataclass(frozen=True, slots=True)
class SignedTicket:
    """What a ticket says. Valid on one day, at one site, until a later revision is issued."""

    site_code: str
    batch_code: str
    ticket_no: str
    # 1 for the first ticket; a reissue counts on.
    revision: int
    day: date
    # Keyed proof of the ID number: only kiosks can check it, at the price of one stretching.
    id_proof: bytes
    sittings: tuple[TicketSitting, ...]

    def payload(self, variation: int = 0) -> bytes:
        """The bytes that are signed. `variation` changes them and nothing that they say."""
        fields = [
            self.site_code,
            self.batch_code,
            self.ticket_no,
            str(self.revision),
            f"{self.day:%Y%m%d}",
        ]
        for one in self.sittings:
            fields += [
                one.session_code,
                f"{one.starts:%H%M}",
                one.room_code,
                one.room_label,
                _PLACES[one.place_kind] + one.place_label,
            ]
        start = variation.to_bytes(VARIATION_BYTES, "big")
        return start + _varied(start, self.id_proof + _FIELD.join(fields).encode())


def looks_signed(text: str) -> bool:
    """Whether somebody shows a signed ticket, good or forged: no plain ticket number begins like this."""
    return text.strip().startswith(MARK)


def message(payload: bytes) -> bytes:
    """What is signed."""
    return MARK.encode() + payload


def to_text(payload: bytes, signature: bytes) -> str:
    """What stands in the code."""
    return f"{MARK}{base45(payload)}.{base45(signature)}"


def split(text: str) -> tuple[bytes, bytes]:
    """Payload and signature of the text, unverified. Raises SignedTicketError: damaged."""
    words = text.strip()
    # The dot is a letter of base45 too: what divides is told by the signature's fixed length.
    body, dot, signature = (
        words[len(MARK) : -SIGNATURE_LETTERS - 1],
        words[-SIGNATURE_LETTERS - 1 : -SIGNATURE_LETTERS],
        words[-SIGNATURE_LETTERS:],
    )
    if not words.startswith(MARK) or dot != "." or not body or len(words) > LONGEST:
        raise SignedTicketError("damaged")
    return from_base45(body), from_base45(signature)


def read_payload(payload: bytes) -> SignedTicket:
    """What the payload says; believe it for its signature alone. Raises SignedTicketError: damaged."""
    body = _varied(payload[:VARIATION_BYTES], payload[VARIATION_BYTES:])
    proof = body[:PROOF_BYTES]
    try:
        fields = body[PROOF_BYTES:].decode().split(_FIELD)
        site_code, batch_code, ticket_no, revision, day = fields[:_HEAD_FIELDS]
        return SignedTicket(
            site_code=site_code,
            batch_code=batch_code,
            ticket_no=ticket_no,
            revision=int(revision),
            day=datetime.strptime(day, "%Y%m%d").date(),  # noqa: DTZ007 - a day at the site
            id_proof=proof,
            sittings=tuple(_sittings(fields[_HEAD_FIELDS:])),
        )
    except ValueError as error:
        raise SignedTicketError("damaged") from error


def claimed_number(text: str) -> str:
    """The ticket number that the text claims, unverified: for a record, and for kiosks that ask the console.

    A plain number claims itself; a signed ticket that cannot be read claims nothing.
    """
    if not looks_signed(text):
        return text
    try:
        return read_payload(split(text)[0]).ticket_no
    except SignedTicketError:
        return ""


def base45(content: bytes) -> str:
    """RFC 9285."""
    letters = []
    for first in range(0, len(content), 2):
        chunk = content[first : first + 2]
        value = int.from_bytes(chunk, "big")
        for _ in range(3 if len(chunk) == 2 else 2):
            value, digit = divmod(value, 45)
            letters.append(ALPHABET[digit])
    return "".join(letters)


def from_base45(text: str) -> bytes:
    """The bytes again. Raises SignedTicketError: damaged."""
    content = b""
    for first in range(0, len(text), 3):
        letters = text[first : first + 3]
        size = len(letters) - 1
        values = [ALPHABET.find(letter) for letter in letters]
        value = sum(digit * 45**place for place, digit in enumerate(values))
        if size == 0 or -1 in values or value >= 256**size:
            raise SignedTicketError("damaged")
        content += value.to_bytes(size, "big")
    return content


def _varied(start: bytes, body: bytes) -> bytes:
    """The same words in other letters: no secret, only a way to a text without spaces. Twice is nothing."""
    stream = hashlib.shake_128(start).digest(len(body))
    return bytes(one ^ other for one, other in zip(body, stream, strict=True))


def _sittings(fields: Sequence[str]) -> Iterator[TicketSitting]:
    if not fields or len(fields) % _SITTING_FIELDS:
        raise ValueError("a sitting is not whole")
    kinds = {letter: kind for kind, letter in _PLACES.items()}
    for first in range(0, len(fields), _SITTING_FIELDS):
        session_code, starts, room_code, room_label, place = fields[first : first + _SITTING_FIELDS]
        if place[:1] not in kinds:
            raise ValueError("the place is of no kind")
        at = datetime.strptime(starts, "%H%M").time()  # noqa: DTZ007 - a time of day at the site
        yield TicketSitting(session_code, at, room_code, room_label, place[1:], kinds[place[0]])
