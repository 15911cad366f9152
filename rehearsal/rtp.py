"""RTP and RTCP over one RTSP connection (RFC 3550, RFC 6184, RFC 2326 section 10.12)."""

import struct
from collections.abc import Sequence
from typing import Final

H264_PAYLOAD_TYPE: Final = 96
RTP_CLOCK_HZ: Final = 90_000
NTP_EPOCH_S: Final = 2_208_988_800  # seconds from 1900 to 1970

_LARGEST_PAYLOAD: Final = 1400
_FRAGMENT_BYTES: Final = _LARGEST_PAYLOAD - 2
_INTERLEAVED_RTP: Final = struct.Struct(">BBHBBHII")
_SENDER_REPORT: Final = struct.Struct(">BBHIIIIII")


def payloads_of_nal(nal: bytes) -> list[bytes]:
    """The NAL unit as RTP payloads: whole when small, else fragmented (FU-A)."""
    if len(nal) <= _LARGEST_PAYLOAD:
        return [nal]
    indicator, kind = nal[0] & 0xE0 | 28, nal[0] & 31
    payloads = []
    for start in range(1, len(nal), _FRAGMENT_BYTES):
        is_first, is_last = start == 1, start + _FRAGMENT_BYTES >= len(nal)
        header = bytes([indicator, kind | is_first << 7 | is_last << 6])
        payloads.append(header + nal[start : start + _FRAGMENT_BYTES])
    return payloads


def payloads_of_hevc_nal(nal: bytes) -> list[bytes]:
    """The H.265 NAL unit as RTP payloads (RFC 7798): whole when small, else fragmented."""
    if len(nal) <= _LARGEST_PAYLOAD:
        return [nal]
    header, kind = bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[0] >> 1 & 63
    payloads = []
    for start in range(2, len(nal), _FRAGMENT_BYTES):
        is_first, is_last = start == 2, start + _FRAGMENT_BYTES >= len(nal)
        payloads.append(
            header + bytes([kind | is_first << 7 | is_last << 6]) + nal[start : start + _FRAGMENT_BYTES]
        )
    return payloads


class RtpSender:
    """Numbers the packets of one play-back session and counts what its sender reports must say."""

    __slots__ = ("_channel", "_octets", "_packets", "_payload_type", "_sequence", "ssrc")

    def __init__(
        self, ssrc: int, channel: int, first_sequence: int, payload_type: int = H264_PAYLOAD_TYPE
    ) -> None:
        self.ssrc = ssrc
        self._payload_type = payload_type
        self._channel = channel
        self._sequence = first_sequence
        self._packets = 0
        self._octets = 0

    @property
    def next_sequence(self) -> int:
        return self._sequence

    def frame(self, payloads: Sequence[bytes], timestamp: int) -> bytes:
        """All packets of one frame, interleaved, the marker on the last one."""
        pieces: list[bytes] = []
        last = len(payloads) - 1
        for index, payload in enumerate(payloads):
            marked_type = self._payload_type | (0x80 if index == last else 0)
            pieces.append(
                _INTERLEAVED_RTP.pack(
                    0x24,
                    self._channel,
                    12 + len(payload),
                    0x80,
                    marked_type,
                    self._sequence,
                    timestamp,
                    self.ssrc,
                )
            )
            pieces.append(payload)
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._octets += len(payload)
        self._packets += len(payloads)
        return b"".join(pieces)

    def sender_report(self, camera_us: int, timestamp: int) -> bytes:
        """An RTCP sender report with the camera's own idea of the time, and its name."""
        seconds, micros = divmod(camera_us, 1_000_000)
        report = _SENDER_REPORT.pack(
            0x80, 200, 6, self.ssrc, seconds + NTP_EPOCH_S & 0xFFFFFFFF, (micros << 32) // 1_000_000,
            timestamp, self._packets & 0xFFFFFFFF, self._octets & 0xFFFFFFFF,
        )  # fmt: skip
        # The chunk ends with at least one zero byte on a 32-bit boundary.
        description = struct.pack(">BBHIBB6s4x", 0x81, 202, 4, self.ssrc, 1, 6, b"camera")
        packet = report + description
        return struct.pack(">BBH", 0x24, self._channel + 1, len(packet)) + packet
