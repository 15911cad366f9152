"""Serves one simulated camera at its own port: RTSP 1.0 with RTP interleaved in the same connection."""

import asyncio
import contextlib
import secrets
import socket
import struct
from collections.abc import Callable
from typing import Final

from rehearsal.camera_plan import Fault
from rehearsal.rtsp_messages import (
    METHODS,
    BadRequestError,
    Request,
    answer,
    challenge,
    is_authorised,
    parse_request,
)
from rehearsal.simulated_camera import SimulatedCamera, Viewer

_LOOPBACK: Final = "127.0.0.1"
_LARGEST_REQUEST: Final = 1 << 16


class PortTakenError(Exception):
    """A camera's port is in use."""


class _Connection:
    """One client. Answers requests and hands its transport to the camera while playing."""

    def __init__(
        self, camera: SimulatedCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._camera = camera
        self._reader = reader
        self._writer = writer
        self._nonce = secrets.token_hex(16)
        self._session = secrets.token_hex(8)
        self._viewer: Viewer | None = None
        self._is_playing = False
        self._answers: dict[str, Callable[[Request], bytes]] = {
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "GET_PARAMETER": lambda request: answer(request, "200 OK", self._session_header()),
            "TEARDOWN": lambda request: answer(request, "200 OK", self._session_header()),
        }

    async def converse(self) -> None:
        """Answer until the client leaves, is sent away or stops making sense."""
        try:
            while (request := await self._next_request()) is not None:
                await self._answer(request)
                if request.method == "TEARDOWN":
                    break
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, BadRequestError):
            pass  # the client is gone or is no RTSP client: nothing to tell it
        finally:
            if self._viewer is not None:
                self._camera.leave(self._viewer)
            self.close()

    def send(self, packets: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(packets)

    def backlog_bytes(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    def close(self) -> None:
        # Abort: a camera that loses power says no goodbye and flushes nothing.
        self._writer.transport.abort()

    async def _next_request(self) -> Request | None:
        """The next request; the client's own interleaved packets (receiver reports) are skipped."""
        while True:
            first = await self._reader.readexactly(1)
            if first != b"$":
                return parse_request(first + await self._reader.readuntil(b"\r\n\r\n"))
            (length,) = struct.unpack(">xH", await self._reader.readexactly(3))
            await self._reader.readexactly(length)

    async def _answer(self, request: Request) -> None:
        body_bytes = int(request.headers.get("content-length", "0") or "0")
        await self._reader.readexactly(body_bytes)
        if Fault.STALL in self._camera.faults:
            return
        if Fault.HANGS_UP in self._camera.faults:
            self.close()
            return
        self._writer.write(self._words_for(request))
        await self._writer.drain()
        if request.method == "PLAY" and self._viewer is not None and not self._is_playing:
            self._is_playing = True
            self._camera.play(self._viewer)

    def _words_for(self, request: Request) -> bytes:
        camera = self._camera
        if request.method == "OPTIONS":
            return answer(request, "200 OK", {"Public": METHODS})
        if request.method not in self._answers:
            return answer(request, "405 Method Not Allowed", {"Allow": METHODS})
        is_refused = Fault.WRONG_PASSWORD in camera.faults
        if is_refused or not is_authorised(request, camera.plan.login, self._nonce):
            return answer(request, "401 Unauthorized", challenge(self._nonce))
        if Fault.SERVICE_UNAVAILABLE in camera.faults:
            return answer(request, "503 Service Unavailable")
        if request.path != camera.plan.name:
            return answer(request, "404 Not Found")
        return self._answers[request.method](request)

    def _session_header(self) -> dict[str, str]:
        return {"Session": f"{self._session};timeout=60"}

    def _describe(self, request: Request) -> bytes:
        headers = {"Content-Type": "application/sdp", "Content-Base": request.url.removesuffix("/") + "/"}
        return answer(request, "200 OK", headers, self._camera.description())

    def _setup(self, request: Request) -> bytes:
        transport = request.headers.get("transport", "")
        if "TCP" not in transport.upper():
            return answer(request, "461 Unsupported Transport")
        if Fault.TOO_MANY_SESSIONS in self._camera.faults:
            return answer(request, "453 Not Enough Bandwidth")
        channel = _interleaved_channel(transport)
        if self._viewer is None:
            self._viewer = Viewer(self)
        if request.is_for_sound:
            sender = self._viewer.sound_sender = self._camera.new_sound_sender(channel)
        else:
            sender = self._viewer.sender = self._camera.new_sender(channel)
        if sender is None:
            return answer(request, "404 Not Found")
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1};ssrc={sender.ssrc:08X}"
        return answer(request, "200 OK", {"Transport": transport, **self._session_header()})

    def _play(self, request: Request) -> bytes:
        if self._viewer is None:
            return answer(request, "455 Method Not Valid in This State")
        address = request.url.removesuffix("/")
        senders = {"track1": self._viewer.sender, "track2": self._viewer.sound_sender}
        tracks = [
            f"url={address}/{name};seq={sender.next_sequence}" for name, sender in senders.items() if sender
        ]
        headers = {"Range": "npt=0.000-", "RTP-Info": ",".join(tracks)}
        return answer(request, "200 OK", headers | self._session_header())


def _interleaved_channel(transport: str) -> int:
    """The channel the client proposes, or 0."""
    for part in transport.split(";"):
        if part.startswith("interleaved="):
            first = part.removeprefix("interleaved=").split("-")[0]
            return int(first) if first.isdecimal() and int(first) < 255 else 0
    return 0


class CameraDoor:
    """The port of one camera. While shut, the port stays ours and connections are refused."""

    def __init__(self, name: str, port: int) -> None:
        self._name = name
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._socket = _bound_socket(name, port)
        self.port: int = self._socket.getsockname()[1]

    async def open(self, camera: SimulatedCamera) -> None:
        """Accept connections to this camera."""
        if self._server is None:

            async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await self._welcome(_Connection(camera, reader, writer))

            self._server = await asyncio.start_server(welcome, sock=self._socket, limit=_LARGEST_REQUEST)

    def shut(self) -> None:
        """Send everybody away and refuse newcomers."""
        if self._server is not None:
            self.close()
            # A bound socket that does not listen: the kernel refuses, and nobody else can take the port.
            self._socket = _bound_socket(self._name, self.port)

    def close(self) -> None:
        """Send everybody away and give the port back."""
        self.send_everybody_away()
        if self._server is not None:
            self._server.close()
            self._server = None
        self._socket.close()

    def send_everybody_away(self) -> None:
        for connection in list(self._connections):
            connection.close()

    async def _welcome(self, connection: _Connection) -> None:
        self._connections.add(connection)
        with contextlib.suppress(asyncio.CancelledError):
            await connection.converse()
        self._connections.discard(connection)


def _bound_socket(name: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((_LOOPBACK, port))
    except OSError as error:
        bound.close()
        raise PortTakenError(f"camera {name}: port {port} cannot be used ({error.strerror})") from error
    return bound
