"""Asking the console: check-ins and heartbeats over HTTP, with this kiosk's token.

A document number travels in the body only and is never logged. The token and the site's CA are read
when they are needed, because on a fresh machine the console writes them a moment after this service
starts.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from exam.answers import Answer, read_answer

TIMEOUT_S: Final = 1.5
PREFIX: Final = "/api/kiosk/v1"


class ConsoleUnreachableError(Exception):
    """No answer that means anything came in time; the message says why, for staff."""


class ConsoleRefusedError(Exception):
    """The console answered that it will not judge this request."""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """One scan as it is sent. A repeat carries the same nonce and the same moment."""

    nonce: str
    scanned_at_us: int
    ticket_no: str
    id_number: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the console says about itself and this kiosk."""

    server_time_us: int
    kiosk_label: str
    ticket_forms: tuple[str, ...]


class Console(Protocol):
    """Whoever decides on admission."""

    def check_in(self, request: CheckIn) -> Answer:
        """The answer. Raises ConsoleUnreachableError or ConsoleRefusedError."""
        ...

    def heartbeat(self) -> Heartbeat:
        """A sign of life. Raises ConsoleUnreachableError."""
        ...


@contextmanager
def _understood() -> Iterator[None]:
    # Something else may answer on that port: that is no answer of the console.
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        raise ConsoleUnreachableError("the answer is not one of our console") from error


class HttpConsole:
    """The console of this site over HTTP. Safe for several threads."""

    def __init__(
        self, address: str, token_file: Path, authority: Path | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        """`authority` is the site's own CA, trusted for HTTPS from when the file exists."""
        self._token_file = token_file
        self._authority = authority
        self._trusted = ssl.create_default_context()
        self._client = httpx.Client(
            base_url=address, timeout=timeout_s, verify=self._trusted, trust_env=False
        )

    def check_in(self, request: CheckIn) -> Answer:
        """Post the scan and read the answer."""
        told = self._asked("POST", "/checkins", asdict(request))
        with _understood():
            return read_answer(told)

    def heartbeat(self) -> Heartbeat:
        """Ask for a sign of life."""
        told = self._asked("GET", "/heartbeat", None)
        with _understood():
            return Heartbeat(told["server_time_us"], told["kiosk_label"], tuple(told["ticket_forms"]))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _asked(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token()}"}
        self._trust()
        try:
            answer = self._client.request(method, PREFIX + path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise ConsoleUnreachableError(f"console does not answer ({type(error).__name__})") from error
        if answer.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE}:
            raise ConsoleRefusedError(f"console refused the request ({answer.status_code})")
        if not answer.is_success:
            raise ConsoleUnreachableError(f"console answered with status {answer.status_code}")
        with _understood():
            told: dict[str, Any] = answer.json()
            return told

    def _trust(self) -> None:
        if self._authority is None or not self._authority.exists():
            return
        try:
            self._trusted.load_verify_locations(self._authority)
        except OSError as error:  # ssl.SSLError is one
            raise ConsoleUnreachableError(f"the site CA {self._authority} cannot be read") from error
        self._authority = None

    def _token(self) -> str:
        try:
            return self._token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConsoleUnreachableError(f"no kiosk token in {self._token_file.name} yet") from error
