"""Slows down guessing at the doors: failed tries are counted per network address, in this process."""

from typing import Final

from flask import Flask, Response
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

FAILURES: Final = "40 per minute; 300 per hour"

limiter: Final = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=False)


def install(app: Flask) -> None:
    """Count for this app."""
    limiter.init_app(app)


def is_failure(response: Response) -> bool:
    """Only refused tries count, so that thirty proctors behind one address can all log in at once."""
    return response.status_code in {400, 401, 403, 404, 429}
