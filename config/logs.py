"""How services log: facts with names on standard error, as JSON when no person is watching.

Standard output is kept for results. No log line holds an ID number, a camera password or an address with one.
"""

import sys
from typing import TextIO

import structlog


def configure_logs(stream: TextIO | None = None) -> None:
    """Send every service's log to `stream` (default: standard error). Call once, before anything logs."""
    chosen = stream or sys.stderr
    renderer = (
        structlog.dev.ConsoleRenderer()
        if chosen.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(chosen),
        cache_logger_on_first_use=True,
    )
