"""One simulated person's way into the console: the same pages, forms and tokens a browser uses."""

import re
from collections.abc import Mapping
from typing import Any, Final

import httpx

_TOKEN: Final = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
PATIENCE_S: Final = 10.0

# What a simulated person types into a page, or sends as JSON.
Fields = Mapping[str, Any]


class ConsoleRefusedError(Exception):
    """The console did not do what was asked; the message names the address and its answer."""


class ConsoleClient:
    """Logged in as one account. Use from one thread."""

    def __init__(
        self, address: str, transport: httpx.BaseTransport | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        """`address` such as http://127.0.0.1:8600; `transport` replaces the network in tests."""
        self._http = httpx.Client(
            base_url=address, follow_redirects=True, timeout=patience_s, transport=transport, trust_env=False
        )
        self._csrf = ""

    def log_in(self, login_name: str, password: str) -> None:
        """Open a login. Raises ConsoleRefusedError when the console does not let us in."""
        self._learn_token(self.get("/login").text)
        answer = self.post_form("/login", {"login_name": login_name, "password": password, "next": ""})
        self._learn_token(answer.text)

    def get(self, path: str, **query: str | int) -> httpx.Response:
        """A page or file. Raises ConsoleRefusedError for any answer but success."""
        return _accepted(self._http.get(path, params=query or None))

    def get_json(self, path: str, headers: Mapping[str, str] | None = None, **query: str | int) -> Any:
        """Facts from the console."""
        asked = {"Accept": "application/json", **(headers or {})}
        return _accepted(self._http.get(path, params=query or None, headers=asked)).json()

    def post_form(self, path: str, fields: Fields) -> httpx.Response:
        """Send a form as a page would."""
        return _accepted(self._http.post(path, data={"csrf_token": self._csrf, **fields}))

    def post_json(self, path: str, body: Any) -> Any:
        """Send JSON as a page's script would; returns the answer's JSON, None for an empty answer."""
        headers = {"X-CSRFToken": self._csrf, "Accept": "application/json"}
        answer = _accepted(self._http.post(path, json=body, headers=headers))
        return answer.json() if answer.content else None

    def get_range(self, path: str, first_byte: int, last_byte: int) -> bytes:
        """Part of a file, as players ask for it. Raises ConsoleRefusedError when the whole came."""
        answer = _accepted(self._http.get(path, headers={"Range": f"bytes={first_byte}-{last_byte}"}))
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            raise ConsoleRefusedError(f"{path}: asked for a part, got status {answer.status_code}")
        return answer.content

    def close(self) -> None:
        """Leave without logging out, as people do."""
        self._http.close()

    def _learn_token(self, page: str) -> None:
        found = _TOKEN.search(page)
        if found is None:
            raise ConsoleRefusedError("the page carries no form token")
        self._csrf = found.group(1)


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    words = re.sub(r"<[^>]+>|\s+", " ", answer.text)[-200:]
    raise ConsoleRefusedError(
        f"{answer.request.method} {answer.request.url.path}: status {answer.status_code}: {words.strip()}"
    )
