"""A handful of small simulated cameras, and clients that look at them the way real ones do."""

import hashlib
import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rehearsal.camera_plan import CameraPlan
from rehearsal.camera_server import RunningCamera
from rehearsal.rtp import NTP_EPOCH_S

SMALL = {"resolution": "640x360", "bitrate_kbps": 300, "gop_seconds": 0.4}
PASSWORD = "Long-Enough-7"


def small_plan(name: str, **wanted: object) -> CameraPlan:
    return CameraPlan.model_validate({"name": name, "label": "第3考场", **SMALL, **wanted})


def ffmpeg_input(camera: RunningCamera) -> tuple[list[str], bytes]:
    """Arguments that read the camera, and the standard input that carries its address and password."""
    address = camera.address
    if camera.login is not None:
        address = address.replace("://", f"://{camera.login.user}:{camera.login.password}@")
    script = f"ffconcat version 1.0\nfile '{address}'\noption rtsp_transport tcp\noption timeout 20000000\n"
    whitelist = "pipe,tcp,udp,rtp,rtsp,file,crypto,data"
    return ["-f", "concat", "-safe", "0", "-protocol_whitelist", whitelist, "-i", "pipe:0"], script.encode()


def ffmpeg_words(camera: RunningCamera) -> str:
    """What ffmpeg says when it tries to read one frame."""
    arguments, script = ffmpeg_input(camera)
    command = ["ffmpeg", "-v", "error", *arguments, "-frames:v", "1", "-f", "null", "-"]
    return subprocess.run(command, input=script, capture_output=True, timeout=60, check=False).stderr.decode()


def grey_frames(
    camera: RunningCamera, count: int, size: tuple[int, int] = (640, 360)
) -> list[NDArray[np.uint8]]:
    """Frames as a real client decodes them."""
    arguments, script = ffmpeg_input(camera)
    command = ["ffmpeg", "-v", "error", *arguments, "-frames:v", str(count), "-vsync", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    raw = subprocess.run(command, input=script, capture_output=True, timeout=60, check=True).stdout
    return list(np.frombuffer(raw, np.uint8).reshape(-1, size[1], size[0]))


@dataclass(frozen=True)
class Packet:
    """One RTP packet as it came."""

    timestamp: int
    sequence: int
    is_marked: bool
    payload: bytes


@dataclass(frozen=True)
class Report:
    """One RTCP sender report as it came."""

    camera_us: int
    timestamp: int
    packets: int


class RtspClient:
    """Speaks RTSP by hand, so that tests see what ffmpeg hides."""

    def __init__(self, camera: RunningCamera, patience_s: float = 30.0) -> None:
        port, self.path = re.fullmatch(r"rtsp://127\.0\.0\.1:(\d+)(/.*)", camera.address).groups()  # type: ignore[union-attr]
        self.camera = camera
        self.base = camera.address
        self._socket = socket.create_connection(("127.0.0.1", int(port)), timeout=patience_s)
        self.reader = self._socket.makefile("rb")
        self._sequence = 0
        self._nonce = ""

    def __enter__(self) -> Self:
        return self

    def wait_at_most(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self._socket.close()

    def write(self, raw: bytes) -> None:
        self._socket.sendall(raw)

    def ask(self, method: str, url: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
        """Send a request, with a digest once a nonce is known; return code, headers and body."""
        url = url or self.base
        self._sequence += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._sequence}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if self._nonce and self.camera.login:
            lines.append(f"Authorization: {self._digest(method, url)}")
        self.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return self._answer()

    def login(self) -> tuple[int, dict[str, str], str]:
        """DESCRIBE, once more with a digest when challenged."""
        code, headers, body = self.ask("DESCRIBE")
        if code != 401:
            return code, headers, body
        self._nonce = re.search(r'nonce="([^"]+)"', headers["www-authenticate"])[1]  # type: ignore[index]
        return self.ask("DESCRIBE")

    def play(self) -> Self:
        assert self.login()[0] == 200
        assert self.ask("SETUP", self.base + "/track1", Transport="RTP/AVP/TCP;interleaved=0-1")[0] == 200
        assert self.ask("PLAY")[0] == 200
        return self

    def stream(self) -> Iterator[Packet | Report]:
        """Packets and reports as they arrive. Raises TimeoutError when nothing comes, ends when cut off."""
        while len(head := self.reader.read(4)) == 4:
            _, channel, length = struct.unpack(">BBH", head)
            raw = self.reader.read(length)
            yield _report(raw) if channel % 2 else _packet(raw)

    def packets(self, count: int) -> list[Packet]:
        found: list[Packet] = []
        for part in self.stream():
            if isinstance(part, Packet):
                found.append(part)
            if len(found) == count:
                break
        return found

    def first_payload(self, kind: int, unlike: bytes = b"") -> bytes:
        """The next whole NAL unit of this kind that differs from `unlike`."""
        for part in self.stream():
            if isinstance(part, Packet) and part.payload[0] & 31 == kind and part.payload != unlike:
                return part.payload
        raise AssertionError("cut off before it came")

    def reports(self, count: int) -> list[Report]:
        found: list[Report] = []
        for part in self.stream():
            if isinstance(part, Report):
                found.append(part)
            if len(found) == count:
                break
        return found

    def _digest(self, method: str, url: str) -> str:
        assert self.camera.login is not None
        login, realm = self.camera.login, "IP Camera"

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        secret_hash = md5(f"{login.user}:{realm}:{login.password}")
        response = md5(f"{secret_hash}:{self._nonce}:{md5(f'{method}:{url}')}")
        who = f'username="{login.user}", realm="{realm}", nonce="{self._nonce}"'
        return f'Digest {who}, uri="{url}", response="{response}"'

    def _answer(self) -> tuple[int, dict[str, str], str]:
        first = self.reader.readline().decode()
        headers = {}
        while line := self.reader.readline().decode().strip():
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        body = self.reader.read(int(headers.get("content-length", "0"))).decode()
        return int(first.split()[1]) if first else 0, headers, body


def _packet(raw: bytes) -> Packet:
    _, kind, sequence, timestamp, _ = struct.unpack(">BBHII", raw[:12])
    return Packet(timestamp, sequence, bool(kind & 0x80), raw[12:])


def _report(raw: bytes) -> Report:
    _, kind, _, _, seconds, fraction, timestamp, packets, _ = struct.unpack(">BBHIIIIII", raw[:28])
    assert kind == 200
    return Report((seconds - NTP_EPOCH_S) * 1_000_000 + (fraction * 1_000_000 >> 32), timestamp, packets)
