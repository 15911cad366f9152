"""How a machine becomes a kiosk (签到机登记): the one-time text it is given, and what it signs.

Pure: the text's form and the bytes to be signed; keys and tokens are made elsewhere. The text stands on
the console's page and in a QR code for ten minutes: address of the console, one-time token, fingerprint
of the site's own CA. Whoever holds it may become a kiosk, once.
"""

import json
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from exam.clock import MINUTE_US

VERSION: Final = 1
MARK: Final = f"KZE{VERSION}"
# Ten minutes: long enough to walk to the kiosk, too short to be found lying about.
VALID_US: Final = 10 * MINUTE_US
# Without 0, 1, i, l and o, which people mistake for one another; 16 of them are 79 bits.
CODE_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"
CODE_LENGTH: Final = 16
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_TOKEN: Final = re.compile(rf"[{CODE_LETTERS}]{{{CODE_LENGTH}}}")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


class EnrolmentTextError(Exception):
    """The text is not one of a console's enrolment page; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class EnrolmentText:
    """What a machine needs in order to enrol."""

    # Address of the console, such as https://192.168.1.5:8600.
    url: str
    token: str
    # SHA-256 of the site CA's certificate, 64 hex digits; empty for a console on this machine's loopback.
    fingerprint: str

    def to_line(self) -> str:
        """For people: one line to paste or to type."""
        return " ".join([MARK, self.url, self.token, self.fingerprint]).strip()

    def to_json(self) -> str:
        """For the QR code."""
        return json.dumps(
            {"v": VERSION, "url": self.url, "token": self.token, "fp": self.fingerprint},
            separators=(",", ":"),
        )


def parse(text: str) -> EnrolmentText:
    """The text again, from either form. Raises EnrolmentTextError."""
    words = text.strip()
    found = _from_json(words) if words.startswith("{") else _from_line(words)
    fault = _fault(found)
    if fault:
        raise EnrolmentTextError(fault)
    return found


def enrolment_message(token: str, public_key: bytes) -> bytes:
    """What an enrolling machine signs with its new key: that it holds the key it names."""
    return b"\n".join([b"kaochang kiosk enrolment/1", token.encode(), public_key])


def roll_message(kiosk_uuid: str, token: str, asked_at_us: int) -> bytes:
    """What a kiosk signs that asks for another token: a token that was merely copied gets none."""
    return b"\n".join(
        [b"kaochang kiosk roll/1", kiosk_uuid.encode(), token.encode(), str(asked_at_us).encode()]
    )


def _from_json(text: str) -> EnrolmentText:
    try:
        told = json.loads(text)
    except ValueError as error:
        raise EnrolmentTextError("the code was not read whole: scan it again") from error
    if told.get("v") != VERSION:
        raise EnrolmentTextError(f"the code is of version {told.get('v')}, this program knows {VERSION}")
    return EnrolmentText(str(told.get("url", "")), str(told.get("token", "")), str(told.get("fp", "")))


def _from_line(text: str) -> EnrolmentText:
    mark, *rest = text.split() or [""]
    if mark.upper() != MARK or not 2 <= len(rest) <= 3:
        raise EnrolmentTextError(f"the text must be '{MARK} ADDRESS TOKEN FINGERPRINT', as the page shows it")
    url, token, *fingerprint = rest
    return EnrolmentText(url, token.lower(), "".join(fingerprint).replace(":", "").lower())


def _fault(found: EnrolmentText) -> str:
    try:
        address = urlsplit(found.url)
        is_complete = address.scheme in {"http", "https"} and bool(address.hostname) and address.port != 0
    except ValueError:
        is_complete = False
    if not is_complete:
        return "the address of the console is not complete"
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        return "the console must be asked over https, but for one on this machine"
    if not _TOKEN.fullmatch(found.token):
        return "the token is not complete"
    if address.scheme == "https" and not _FINGERPRINT.fullmatch(found.fingerprint):
        return "the fingerprint of the site's certificate authority is not complete"
    return ""
