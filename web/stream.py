"""Server-sent events: an open page is told to look again, never what to believe.

A ping at least every ten seconds lets both ends notice a dead connection and frees the thread.
"""

from collections.abc import Callable, Iterator
from typing import Final

from flask import Response, stream_with_context

from web.services import Bus, services

PING_S: Final = 10.0


def wakes(bus: Bus, topic: str, after: int, message: Callable[[int], str]) -> Iterator[str]:
    """Frames of one stream: a message at once and after every publication, a ping when nothing happens.

    `message(counter)` is called anew for each frame and must read what it tells from the database.
    Ends when the bus closes.
    """
    yield "retry: 1000\n" + _frame(after, message(after))
    while not bus.is_closed():
        counter = bus.wait(topic, after, PING_S)
        if counter > after:
            after = counter
            yield _frame(counter, message(counter))
        else:
            yield ": ping\n\n"


def event_stream(topic: str, message: Callable[[int], str] = str) -> Response:
    """The response for an EventSource; a reconnecting page starts with the present moment."""
    bus = services().bus
    frames = stream_with_context(wakes(bus, topic, bus.current(topic), message))
    response = Response(frames, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _frame(counter: int, message: str) -> str:
    lines = "".join(f"data: {line}\n" for line in message.split("\n"))
    return f"id: {counter}\n{lines}\n"
