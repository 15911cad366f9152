"""Asking the console over HTTP, with this kiosk's token: check-ins, heartbeats, packages.

A document number travels in the body only and is never logged. The token and the site's CA are read
when they are needed, because on a fresh machine the console writes them a moment after this service
starts.
"""

import base64
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from evidence.kiosk_self_tests import NewSelfTest
from exam.answers import Answer, read_answer
from exam.kiosk_health import Report
from exam.plain import PlainError, from_plain
from exam.staff_acts import Offered

TIMEOUT_S: Final = 1.5
# A package of thousands of candidates is built before its first byte comes.
PACKAGE_TIMEOUT_S: Final = 15.0
# Nobody stands in a queue behind an act of staff.
ACT_TIMEOUT_S: Final = 5.0
# How an act is refused: who may not, what is missing, the facts (web.check_in_words).
NOT_DONE: Final = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.FORBIDDEN, httpx.codes.CONFLICT})
PREFIX: Final = "/api/kiosk/v1"
REVOKED: Final = "SYS_REVOKED"


class ConsoleUnreachableError(Exception):
    """No answer that means anything came in time; the message says why, for staff."""


class ConsoleFailedError(ConsoleUnreachableError):
    """The console is there and cannot answer this request now."""


class ConsoleRefusedError(Exception):
    """The console answered that it will not judge this request."""


class ActNotDoneError(Exception):
    """The rule refuses an act of staff; `advice` says why and what to do, in words for them."""

    def __init__(self, advice: str) -> None:
        super().__init__("act not done")
        self.advice = advice


class ConsoleRevokedError(Exception):
    """The console has shut this kiosk out: it must wipe itself."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the console says about itself and this kiosk, and what it wants of it."""

    server_time_us: int
    kiosk_label: str
    ticket_forms: tuple[str, ...]
    # People have put this kiosk out of service.
    out_of_service: bool = False
    # Ask for another token.
    roll_token: bool = False
    # What the present packages are called; None: there is none yet.
    secret: int | None = None
    roster_revision: int | None = None
    day_digest: str | None = None

    @property
    def roster_tag(self) -> str | None:
        """The tag of the present roster package."""
        return None if self.roster_revision is None else f"{self.roster_revision}-{self.secret}"

    @property
    def day_tag(self) -> str | None:
        """The tag of the present day part."""
        return None if self.day_digest is None else f"{self.day_digest}-{self.secret}"


class Console(Protocol):
    """Whoever decides on admission. Everything raises ConsoleUnreachableError and ConsoleRevokedError."""

    def check_in(self, body: Mapping[str, Any]) -> Answer:
        """The answer to a scan, asked or told. Raises ConsoleRefusedError too."""
        ...

    def picture(
        self, kind: str, sha256_hex: str, media_type: str, content: bytes, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        """Keep a photo or signature; a repeat adds nothing. Raises ConsoleRefusedError too."""
        ...

    def act(self, body: Mapping[str, Any]) -> Answer | None:
        """Do what staff signed: the candidate's answer; None: the act answers him nothing.

        Raises ActNotDoneError and ConsoleRefusedError too.
        """
        ...

    def offered(self, body: Mapping[str, Any]) -> Offered:
        """What whoever signs may do about somebody. Raises ActNotDoneError and ConsoleRefusedError too."""
        ...

    def heartbeat(self, report: Report) -> Heartbeat:
        """A sign of life from both sides. Raises ConsoleRefusedError too."""
        ...

    def keys(self) -> dict[str, Any]:
        """What opens the packages."""
        ...

    def package(self, name: str, tag: str) -> tuple[bytes, str] | None:
        """The package `roster` or `day` and its tag; None when `tag` is the present one's."""
        ...

    def floor_map(self, sha256_hex: str) -> bytes:
        """The floor plan that the day part names so."""
        ...

    def roll(self, asked_at_us: int, signature: bytes) -> str:
        """Another token for the holder of this one and of the kiosk's key. Raises ConsoleRefusedError too."""
        ...

    def self_test(self, test: NewSelfTest) -> None:
        """Keep what the kiosk found when it tested itself. Raises ConsoleRefusedError too."""
        ...


@contextmanager
def _understood() -> Iterator[None]:
    # Something else may answer on that port: that is no answer of the console.
    try:
        yield
    except (ValueError, KeyError, TypeError, PlainError) as error:
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

    def check_in(self, body: Mapping[str, Any]) -> Answer:
        """Post the scan and read the answer."""
        told = self._json(self._sent("POST", "/checkins", json=body))
        with _understood():
            return read_answer(told)

    def picture(
        self, kind: str, sha256_hex: str, media_type: str, content: bytes, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        """Post the bytes under their digest."""
        headers, path = {"Content-Type": media_type}, f"/pictures/{kind}/{sha256_hex}"
        self._sent("POST", path, headers=headers, content=content, timeout=timeout_s)

    def act(self, body: Mapping[str, Any]) -> Answer | None:
        """Post the act and read the answer."""
        told = self._for_staff("/acts", body)
        with _understood():
            return None if told["told"] is None else read_answer(told["told"])

    def offered(self, body: Mapping[str, Any]) -> Offered:
        """Ask what may be done, and read it."""
        told = self._for_staff("/acts/offered", body)
        with _understood():
            return from_plain(Offered, told)

    def heartbeat(self, report: Report) -> Heartbeat:
        """Report, and hear what the console says."""
        told = self._json(self._sent("POST", "/heartbeat", json=asdict(report)))
        with _understood():
            return Heartbeat(
                server_time_us=int(told["server_time_us"]),
                kiosk_label=told["kiosk_label"],
                ticket_forms=tuple(told["ticket_forms"]),
                out_of_service=told["out_of_service"],
                roll_token=told["roll_token"],
                secret=told["secret"],
                roster_revision=told["roster_revision"],
                day_digest=told["day_digest"],
            )

    def keys(self) -> dict[str, Any]:
        """Ask for what opens the packages."""
        return self._json(self._sent("GET", "/keys"))

    def package(self, name: str, tag: str) -> tuple[bytes, str] | None:
        """Ask for a package unless the one of this tag is still the present one."""
        answer = self._sent(
            "GET", f"/{name}", headers={"If-None-Match": f'"{tag}"'}, timeout=PACKAGE_TIMEOUT_S
        )
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return None
        with _understood():
            return answer.content, answer.headers["ETag"].strip('"')

    def floor_map(self, sha256_hex: str) -> bytes:
        """Ask for a picture. Nobody waits for it."""
        return self._sent("GET", f"/maps/{sha256_hex}", timeout=ACT_TIMEOUT_S).content

    def roll(self, asked_at_us: int, signature: bytes) -> str:
        """Ask for another token; the present one works until the new one is used."""
        body = {"asked_at_us": asked_at_us, "signature": base64.b64encode(signature).decode()}
        told = self._json(self._sent("POST", "/token", json=body))
        with _understood():
            return str(told["token"])

    def self_test(self, test: NewSelfTest) -> None:
        """Post the self-test; a repeat adds nothing."""
        checks = [asdict(one) for one in test.tried]
        body = {"nonce": test.nonce, "tested_at_us": test.tested_at_us, "checks": checks}
        self._sent("POST", "/self-tests", json=body)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _for_staff(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._asked("POST", path, json=body, timeout=ACT_TIMEOUT_S)
        advice = _advice(answer)
        if answer.status_code in NOT_DONE and advice:
            raise ActNotDoneError(advice)
        return self._json(_checked(answer))

    def _sent(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        return _checked(self._asked(method, path, headers=headers, **more))

    def _asked(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        known = {**(headers or {}), "Authorization": f"Bearer {self._token()}"}
        self._trust()
        try:
            return self._client.request(method, PREFIX + path, headers=known, **more)
        except httpx.HTTPError as error:
            raise ConsoleUnreachableError(f"console does not answer ({type(error).__name__})") from error

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
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


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code in {httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE}:
        raise ConsoleRefusedError(f"console refused the request ({answer.status_code})")
    if answer.status_code == httpx.codes.FORBIDDEN and _told(answer).get("outcome") == REVOKED:
        raise ConsoleRevokedError("the console has shut this kiosk out")
    if not answer.is_success and answer.status_code != httpx.codes.NOT_MODIFIED:
        raise ConsoleFailedError(f"console answered with status {answer.status_code}")
    return answer


def _advice(answer: httpx.Response) -> str:
    """What the console tells staff who may not do this; empty: nothing."""
    return str(_told(answer).get("advice", ""))


def _told(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
