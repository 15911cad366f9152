"""What the one who asks wants, by the headers of the request: a page for a person, or facts for a script."""

from flask import request


def wants_page() -> bool:
    """Whether a browser asks for a page to show. Browsers name text/html among many; scripts do not."""
    return _names("text/html")


def is_automatic() -> bool:
    """Whether the page asked by itself (live refresh, stream), so that it is no sign of a person."""
    return "X-Automatic" in request.headers or _names("text/event-stream")


def _names(kind: str) -> bool:
    return any(value.lower() == kind for value, _ in request.accept_mimetypes)
