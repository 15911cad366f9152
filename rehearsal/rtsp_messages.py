"""The words of RTSP 1.0 (RFC 2326): requests, answers, the session description, digest login."""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rehearsal.h264_slices import ParameterSets
from rehearsal.rtp import H264_PAYLOAD_TYPE, RTP_CLOCK_HZ

REALM: Final = "IP Camera"
METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
_DIGEST_PART: Final = re.compile(r'(\w+)="?([^",]+)"?')


class BadRequestError(Exception):
    """The client does not speak RTSP."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who may watch a camera. The password never appears in a representation."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One RTSP request; header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path of the address without its host, the leading slash and the track."""
        without_scheme = self.url.split("://", 1)[-1]
        path = without_scheme.split("/", 1)[1] if "/" in without_scheme else ""
        return path.split("?", 1)[0].removesuffix("/").removesuffix("/track1").removesuffix("/track2")

    @property
    def is_for_sound(self) -> bool:
        """Whether the second track is meant."""
        return self.url.removesuffix("/").endswith("/track2")


def parse_request(head: bytes) -> Request:
    """Parse a request's head. Raises BadRequestError for anything else."""
    try:
        first, *lines = head.decode("ascii").strip().split("\r\n")
        method, url, version = first.split(" ")
    except ValueError as error:
        raise BadRequestError("not an RTSP request") from error
    if not version.startswith("RTSP/1."):
        raise BadRequestError(f"not RTSP 1.0: {version!r}")
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return Request(method, url, {name.strip().lower(): value.strip() for name, value in pairs})


def answer(request: Request, reason: str, headers: Mapping[str, str] | None = None, body: str = "") -> bytes:
    """An answer to the request; `reason` is code and phrase."""
    lines = [f"RTSP/1.0 {reason}", f"CSeq: {request.headers.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def challenge(nonce: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'Digest realm="{REALM}", nonce="{nonce}"'}


def is_authorised(request: Request, login: Login | None, nonce: str) -> bool:
    """Whether the request carries the right digest (RFC 2617 without qop, as cameras do)."""
    if login is None:
        return True
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    parts = dict(_DIGEST_PART.findall(rest))
    if scheme.lower() != "digest" or parts.get("nonce") != nonce or parts.get("username") != login.user:
        return False
    secret = _md5(f"{login.user}:{REALM}:{login.password}")
    expected = _md5(f"{secret}:{nonce}:{_md5(request.method + ':' + parts.get('uri', ''))}")
    return hmac.compare_digest(parts.get("response", ""), expected)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def h264_lines(sets: ParameterSets, fps: int) -> tuple[str, ...]:
    """What the session description says about an H.264 stream."""
    parameter_sets = ",".join(b64encode(nal).decode() for nal in (sets.sps, sets.pps))
    return (
        f"m=video 0 RTP/AVP {H264_PAYLOAD_TYPE}",
        f"a=rtpmap:{H264_PAYLOAD_TYPE} H264/{RTP_CLOCK_HZ}",
        f"a=fmtp:{H264_PAYLOAD_TYPE} packetization-mode=1;profile-level-id={sets.sps[1:4].hex()};"
        f"sprop-parameter-sets={parameter_sets}",
        f"a=framerate:{fps}",
    )


def session_description(picture: Sequence[str], sound: Sequence[str] = ()) -> str:
    """The SDP of one stream of pictures, and of the sound beside it, if any."""
    lines = [
        "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=Camera", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*",
        "a=range:npt=0-", *picture, "a=control:track1", *sound,
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"
