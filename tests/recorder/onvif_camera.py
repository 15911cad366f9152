"""The ONVIF door of a simulated camera whose clock is wrong."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rehearsal.camera_onvif import serve_onvif
from tests.recorder.live import CLOCK

OFFSET_US = 7_300_000


@contextmanager
def camera_that_tells(*, asks_login: bool = False) -> Iterator[int]:
    """A simulated camera's ONVIF door in a thread of its own; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    loop = asyncio.new_event_loop()
    told = serve_onvif(port, lambda: CLOCK.wall_us() + OFFSET_US, asks_login=asks_login)
    server = loop.run_until_complete(told)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
