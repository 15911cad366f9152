"""The tests' own server: a browser that hangs up leaves nothing open behind it."""

import socket
import struct
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import Flask, Response

from tests.web.console import serving
from web.services import Services, attach

AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: reset the connection instead of saying goodbye

WHOLE = b"the whole file"


class LongFile:
    """A file whose last byte is sent just as the other side goes away."""

    def __init__(self) -> None:
        self.is_begun, self.is_alone, self.is_closed = threading.Event(), threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        yield WHOLE
        self.is_begun.set()
        self.is_alone.wait(60)

    def close(self) -> None:
        self.is_closed.set()


def test_what_was_being_sent_is_closed_when_the_browser_hangs_up(services: Services) -> None:
    app, file = Flask(__name__), LongFile()
    attach(app, services)

    @app.get("/file")
    def answer() -> Response:
        return Response(file, headers={"Content-Length": str(len(WHOLE))}, direct_passthrough=True)

    with serving(app) as address:
        browser = socket.create_connection(("127.0.0.1", urlsplit(address).port or 0))
        browser.sendall(b"GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert file.is_begun.wait(30)
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        browser.close()
        file.is_alone.set()
        assert file.is_closed.wait(30)
