"""RTP packets and sender reports."""

import struct

from rehearsal.rtp import NTP_EPOCH_S, RtpSender, payloads_of_nal


def test_a_small_nal_unit_travels_whole() -> None:
    assert payloads_of_nal(b"\x65abc") == [b"\x65abc"]


def test_a_large_nal_unit_is_cut_and_can_be_put_together() -> None:
    nal = b"\x65" + bytes(range(256)) * 20
    parts = payloads_of_nal(nal)
    assert all(len(part) <= 1400 for part in parts)
    assert [part[1] >> 6 for part in parts] == [0b10, *[0b00] * (len(parts) - 2), 0b01]
    assert {part[0] & 31 for part in parts} == {28}
    first = parts[0]
    assert bytes([first[0] & 0xE0 | first[1] & 31]) + b"".join(part[2:] for part in parts) == nal


def test_the_marker_is_on_the_last_packet_and_numbers_run_on() -> None:
    sender = RtpSender(ssrc=7, channel=2, first_sequence=0xFFFF)
    raw = sender.frame((b"a", b"bc"), 900)
    first = struct.unpack(">BBHBBHII", raw[:16])
    second = struct.unpack(">BBHBBHII", raw[17:33])
    assert first == (0x24, 2, 13, 0x80, 96, 0xFFFF, 900, 7)
    assert second == (0x24, 2, 14, 0x80, 96 | 0x80, 0, 900, 7)
    assert sender.next_sequence == 1


def test_a_sender_report_carries_the_cameras_time_and_what_was_sent() -> None:
    sender = RtpSender(ssrc=7, channel=0, first_sequence=0)
    sender.frame((b"a", b"bc"), 900)
    raw = sender.sender_report(1_795_000_000_500_000, 900)
    assert struct.unpack(">BBH", raw[:4]) == (0x24, 1, len(raw) - 4)
    fields = struct.unpack(">BBHIIIIII", raw[4:32])
    assert fields == (0x80, 200, 6, 7, 1_795_000_000 + NTP_EPOCH_S, 1 << 31, 900, 2, 3)


def test_the_report_is_followed_by_a_name_as_rfc_3550_demands() -> None:
    raw = RtpSender(ssrc=7, channel=0, first_sequence=0).sender_report(0, 0)[32:]
    _, kind, words = struct.unpack(">BBH", raw[:4])
    assert kind == 202
    assert len(raw) == (words + 1) * 4
    assert b"camera" in raw
