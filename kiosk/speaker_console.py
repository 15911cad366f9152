"""Asking the console as a speaker: schedules, sounds and the time; telling what was played.

The contract is docs/design/signals.md. Every question has a short patience: nothing here may ever keep
a bell waiting.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from exam.server_time import KNOWN_HEADER, KnownTime

PREFIX: Final = "/api/speaker/v1"
TIMEOUT_S: Final = 3.0
# The console sends at least a ping every ten seconds.
WAKE_TIMEOUT_S: Final = 25.0


class ConsoleAwayError(Exception):
    """No answer that means anything came in time; the message says why, for staff."""


class ShutOutError(Exception):
    """The console does not know this speaker, or does not any more."""


class ReportsRefusedError(Exception):
    """The console will never understand what was told."""


@dataclass(frozen=True, slots=True)
class ServerMoment:
    """The server's present moment, and the name of the clock it goes by; empty: it has none."""

    now_us: int
    clock: str = ""


class SpeakerConsole(Protocol):
    """Whoever knows what is to sound. Every call raises ConsoleAwayError or ShutOutError."""

    def server_now(self, known: KnownTime | None = None) -> ServerMoment:
        """The server's time. It is told what this machine knows of it: after a restart it may ask that."""
        ...

    def schedules(self) -> dict[str, Any]:
        """`label`, `speaker`, `rooms`: one schedule for each room, with the server's moment and clock."""
        ...

    def sound(self, address: str) -> tuple[bytes, str]:
        """A sound and the digest named with it."""
        ...

    def tell_reports(self, rooms: dict[str, list[dict[str, Any]]]) -> None:
        """What was played. Raises ReportsRefusedError too."""
        ...

    def tell_state(self, state: dict[str, Any]) -> None:
        """How the speaker is."""
        ...

    def wakes(self) -> Iterator[None]:
        """One item whenever it is worth looking at the schedule again; ends when the line breaks."""
        ...


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        raise ConsoleAwayError("the answer is not one of our console") from error


def _moment(told: dict[str, Any]) -> ServerMoment:
    return ServerMoment(int(told["server_now_us"]), str(told.get("clock", "")))


def _told(moment: ServerMoment) -> dict[str, Any]:
    return {"server_now_us": moment.now_us, "clock": moment.clock}


class HttpSpeakerConsole:
    """The console over HTTP, with this speaker's token. Safe for several threads."""

    def __init__(self, address: str, token: str, authority: Path | None = None) -> None:
        """`authority`: the site's own CA, trusted for HTTPS besides those of the machine."""
        trusted = ssl.create_default_context()
        if authority is not None and authority.exists():
            trusted.load_verify_locations(authority)
        self._client = httpx.Client(
            base_url=address + PREFIX,
            timeout=TIMEOUT_S,
            verify=trusted,
            trust_env=False,
            headers={"Authorization": f"Bearer {token}"},
        )

    def server_now(self, known: KnownTime | None = None) -> ServerMoment:
        """By one exchange."""
        headers = {} if known is None else {KNOWN_HEADER: known.in_header()}
        with _understood():
            return _moment(self._asked("GET", "/clock", headers=headers).json())

    def schedules(self) -> dict[str, Any]:
        """For all its rooms at once."""
        with _understood():
            told: dict[str, Any] = self._asked("GET", "/schedules").json()
            rooms = [{**room, **_told(_moment(room))} for room in told["rooms"]]
            return {"label": told["label"], "speaker": told["speaker"], "rooms": rooms}

    def sound(self, address: str) -> tuple[bytes, str]:
        """By the name at the end of the address."""
        answer = self._asked("GET", f"/audio/{Path(address).name}")
        return answer.content, answer.headers.get("Content-Digest", "")

    def tell_reports(self, rooms: dict[str, list[dict[str, Any]]]) -> None:
        """By room code."""
        self._asked("POST", "/reports", {"rooms": rooms})

    def tell_state(self, state: dict[str, Any]) -> None:
        """A heartbeat."""
        self._asked("POST", "/heartbeat", state)

    def wakes(self) -> Iterator[None]:
        """Server-sent events; what they say does not matter."""
        try:
            with self._client.stream("GET", "/wakes", timeout=WAKE_TIMEOUT_S) as stream:
                yield from (None for line in stream.iter_lines() if line.startswith("data:"))
        except httpx.HTTPError as error:
            raise ConsoleAwayError(f"console does not answer ({type(error).__name__})") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _asked(self, method: str, path: str, body: Any = None, headers: Any = None) -> httpx.Response:
        try:
            answer = self._client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise ConsoleAwayError(f"console does not answer ({type(error).__name__})") from error
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise ShutOutError("the console does not know this speaker: enrol it again")
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise ReportsRefusedError(f"console refused {path}")
        if not answer.is_success:
            raise ConsoleAwayError(f"console answered with status {answer.status_code}")
        return answer
