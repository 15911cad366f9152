"""Makes this machine a kiosk of a console elsewhere: `run.py kiosk --enrol`.

The one-time text is read from standard input, never from an argument, which everybody on the machine
could see. Nothing secret is sent before the console's certificate authority is known to be the one
whose fingerprint stands in the text.
"""

import base64
import json
import os
import platform
import ssl
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.settings import Settings
from evidence.kiosk_key import public_bytes, write_key
from evidence.kiosk_outbox import undelivered
from evidence.small_files import replace_whole
from exam.enrolment import EnrolmentText, EnrolmentTextError, enrolment_message, parse

TIMEOUT_S: Final = 10.0
PREFIX: Final = "/api/kiosk/v1"
ASK: Final = "Paste the text of the console's 签到机 page, or scan its code with a gun, then press Enter:"


class EnrolmentFailedError(Exception):
    """This machine is no kiosk of that console; the message says why and what to do."""


class PlaceDamagedError(Exception):
    """Where this kiosk belongs cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a kiosk belongs: kept beside its token."""

    url: str
    kiosk_uuid: str
    label: str


def enrol_from_input(settings: Settings, read: Callable[[], str], say: Callable[[str], None]) -> int:
    """Ask for the text, enrol, say what came of it; returns the exit status."""
    say(ASK)
    try:
        place = enrol_here(settings, read())
    except (EnrolmentFailedError, EnrolmentTextError) as error:
        say(f"Not enrolled: {error}")
        return 1
    say(f"Enrolled at {place.url} as {place.label}. Start it with: python3 run.py kiosk")
    return 0


def enrol_here(settings: Settings, text: str) -> Place:
    """Enrol this machine. Raises EnrolmentTextError or EnrolmentFailedError; then nothing has changed."""
    asked = parse(text)
    if (settings.keys_folder / "ca.key").exists():
        raise EnrolmentFailedError(
            "this folder is that of a console with its own certificate authority; set another data_folder"
        )
    authority = authority_of(asked)
    _require_same_site(settings, authority)
    settings.keys_folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()  # kept once the console has taken it
    public = public_bytes(key)
    body = {
        "token": asked.token,
        "public_key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(key.sign(enrolment_message(asked.token, public))).decode(),
        "hardware": hardware_facts(),
    }
    told = _asked(asked, authority, body)
    place = Place(asked.url, told["kiosk_uuid"], told["kiosk_label"])
    if authority is not None:
        replace_whole(settings.keys_folder / "ca.crt", authority.encode(), 0o644)
    replace_whole(settings.kiosk_place, json.dumps(asdict(place), ensure_ascii=False).encode(), 0o600)
    write_key(settings.kiosk_key, key)
    replace_whole(settings.kiosk_token, told["token"].encode() + b"\n", 0o600)
    return place


def _require_same_site(settings: Settings, authority: str | None) -> None:
    """What still waits was said at one site, and must not be told to another."""
    kept = settings.keys_folder / "ca.crt"
    if not kept.exists() or authority is None or kept.read_text(encoding="utf-8") == authority:
        return
    waiting = undelivered(settings.kiosk_db)
    if waiting:
        raise EnrolmentFailedError(
            f"{waiting} check-ins of the earlier site wait here: start the kiosk once in that site's network,"
            f" or put {settings.kiosk_db} and {settings.kiosk_outbox_key} aside for its administrator"
        )


def console_address(settings: Settings) -> str:
    """The console this machine's kiosk asks: by the settings, by its enrolment, or our own.

    Raises PlaceDamagedError when the enrolment cannot be read any more.
    """
    if settings.kiosk.server or not settings.kiosk_place.exists():
        return settings.kiosk_server
    try:
        url = json.loads(settings.kiosk_place.read_text(encoding="utf-8"))["url"]
        if not httpx.URL(url).host:
            raise ValueError("no address")
    except (OSError, ValueError, KeyError, TypeError, httpx.InvalidURL) as error:
        raise PlaceDamagedError(
            f"{settings.kiosk_place} is damaged ({type(error).__name__}): which console this kiosk belongs to"
            " is not known any more. Enrol it again (python3 run.py kiosk --enrol), or name the console as"
            " [kiosk] server in the settings; what waits here is kept"
        ) from error
    return str(url)


def hardware_facts() -> Mapping[str, str]:
    """What people recognise the machine by. No serial numbers, no names of people."""
    pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "host": platform.node()[:60],
        "system": f"{platform.system()} {platform.release()}"[:60],
        "machine": platform.machine(),
        "processors": str(os.cpu_count()),
        "memory_mb": str(pages * page_bytes // 2**20),
        "python": platform.python_version(),
    }


def authority_of(asked: EnrolmentText) -> str | None:
    """The site's CA, fetched from whoever answers and believed for its fingerprint alone. None over http."""
    if asked.url.startswith("http://"):
        return None
    try:
        # Unverified on purpose: a public certificate, compared with the fingerprint right below.
        with httpx.Client(verify=False, timeout=TIMEOUT_S, trust_env=False) as client:  # noqa: S501
            answer = client.get(asked.url + "/trust/ca.crt").raise_for_status()
        der = ssl.PEM_cert_to_DER_cert(answer.text)
    except (httpx.HTTPError, ValueError) as error:
        raise EnrolmentFailedError(
            f"the console at {asked.url} does not answer ({type(error).__name__}): check address and network"
        ) from error
    if sha256(der).hexdigest() != asked.fingerprint:
        raise EnrolmentFailedError(
            "another machine answers at this address: its certificate authority is not the one of the text."
            " Do not go on; tell the administrator"
        )
    return answer.text


def _asked(asked: EnrolmentText, authority: str | None, body: Mapping[str, Any]) -> dict[str, str]:
    trusted = ssl.create_default_context(cadata=authority) if authority else ssl.create_default_context()
    try:
        with httpx.Client(verify=trusted, timeout=TIMEOUT_S, trust_env=False) as client:
            answer = client.post(asked.url + PREFIX + "/enrolments", json=body)
        told = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise EnrolmentFailedError(
            f"the console did not answer ({type(error).__name__}). If the page says that the code was used,"
            " make a new one there"
        ) from error
    if not answer.is_success:
        raise EnrolmentFailedError(str(told.get("error", f"status {answer.status_code}")))
    return {name: str(told[name]) for name in ("kiosk_uuid", "kiosk_label", "token")}
