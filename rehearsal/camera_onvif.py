"""The ONVIF door of a simulated camera: it answers GetSystemDateAndTime, with the camera's own time."""

import asyncio
import contextlib
import re
from collections.abc import Callable
from typing import Final

from exam.clock import from_us

_ANSWER: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><env:Body>'
    "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime>"
    "<tt:Time><tt:Hour>{0:%H}</tt:Hour><tt:Minute>{0:%M}</tt:Minute><tt:Second>{0:%S}</tt:Second></tt:Time>"
    "<tt:Date><tt:Year>{0:%Y}</tt:Year><tt:Month>{0:%m}</tt:Month><tt:Day>{0:%d}</tt:Day></tt:Date>"
    "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse></env:Body></env:Envelope>"
)
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LARGEST_QUESTION: Final = 65_536


async def serve_onvif(port: int, camera_us: Callable[[], int], *, asks_login: bool) -> asyncio.Server:
    """Answer on a loopback port. `asks_login`: only questions that carry a digest of a password."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            found = _LENGTH.search(head)
            length = int(found[1]) if found else 0
            question = await reader.readexactly(min(length, _LARGEST_QUESTION))
            is_known = b"PasswordDigest" in question or not asks_login
            is_asked = b"GetSystemDateAndTime" in question
            body = _ANSWER.format(from_us(camera_us())).encode() if is_known and is_asked else b""
            reason = b"200 OK" if body else b"401 Unauthorized"
            rest = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
            writer.write(b"HTTP/1.1 " + reason + b"\r\n" + rest + body)
            await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", port)
