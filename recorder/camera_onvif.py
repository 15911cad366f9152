"""Asking a camera for its own time over ONVIF (GetSystemDateAndTime), where it answers.

The service lets anybody ask for the time; cameras that do not are asked again with a digest of the
password (WS-Security UsernameToken), never with the password itself. The answer has whole seconds.
"""

import base64
import hashlib
import http.client
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from evidence.cameras import CameraSource
from exam.clock import SECOND_US, Clock, from_us, to_us

PATIENCE_S: Final = 2.0
_PATH: Final = "/onvif/device_service"
_TIME: Final = re.compile(
    r"<(?:\w+:)?UTCDateTime>(?P<utc>.*?)</(?:\w+:)?UTCDateTime>", re.DOTALL
)  # the camera's local time needs its time zone, which is often wrong
_NUMBER: Final = re.compile(r"<(?:\w+:)?(Year|Month|Day|Hour|Minute|Second)>(\d+)<")
_LARGEST_ANSWER: Final = 65_536


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A camera's clock against ours. `offset_us`: camera minus ours, in the middle of the question."""

    offset_us: int
    round_trip_us: int
    at_us: int


def ask_for_time(source: CameraSource, port: int, clock: Clock) -> ClockReading | None:
    """What the camera's clock says; None when nothing there speaks ONVIF."""
    host = urlsplit(source.address).hostname
    if host is None:
        return None
    reading = _ask(host, port, "", clock)
    if reading is None and source.username:
        reading = _ask(host, port, _security(source, clock), clock)
    return reading


def _ask(host: str, port: int, header: str, clock: Clock) -> ClockReading | None:
    began_us, began_wall_us = clock.monotonic_us(), clock.wall_us()
    try:
        said = _post(host, port, _question(header))
    except (OSError, http.client.HTTPException):
        return None
    round_trip_us = clock.monotonic_us() - began_us
    camera_us = camera_time_us(said)
    if camera_us is None:
        return None
    # Whole seconds, cut off: half a second later is nearest to the truth.
    middle_us = began_wall_us + round_trip_us // 2
    return ClockReading(camera_us + SECOND_US // 2 - middle_us, round_trip_us, middle_us)


def camera_time_us(answer: str) -> int | None:
    """The UTC time in an answer; None when there is none or it is no time."""
    utc = _TIME.search(answer)
    parts = {name: int(number) for name, number in _NUMBER.findall(utc["utc"])} if utc else {}
    try:
        day = datetime(parts["Year"], parts["Month"], parts["Day"], tzinfo=UTC)
        return to_us(day.replace(hour=parts["Hour"], minute=parts["Minute"], second=parts["Second"]))
    except (KeyError, ValueError):
        return None


def _post(host: str, port: int, body: str) -> str:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    try:
        headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
        connection.request("POST", _PATH, body.encode(), headers)
        return connection.getresponse().read(_LARGEST_ANSWER).decode("utf-8", "replace")
    finally:
        connection.close()


def _question(header: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"<s:Header>{header}</s:Header><s:Body>"
        '<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/>'
        "</s:Body></s:Envelope>"
    )


def _security(source: CameraSource, clock: Clock) -> str:
    nonce = secrets.token_bytes(16)
    created = f"{from_us(clock.wall_us()):%Y-%m-%dT%H:%M:%SZ}"
    secret = nonce + created.encode() + source.password.encode()
    digest = base64.b64encode(hashlib.sha1(secret, usedforsecurity=False).digest()).decode()
    wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
    wsu = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
    kind = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
    user = source.username.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<Security xmlns="{wsse}"><UsernameToken><Username>{user}</Username>'
        f'<Password Type="{kind}">{digest}</Password>'
        f"<Nonce>{base64.b64encode(nonce).decode()}</Nonce>"
        f'<Created xmlns="{wsu}">{created}</Created></UsernameToken></Security>'
    )
