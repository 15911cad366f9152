"""Bits of H.264."""

from hypothesis import given
from hypothesis import strategies as st

from rehearsal.h264_bits import BitReader, BitWriter, escaped, unescaped


@given(numbers=st.lists(st.integers(0, 70_000), max_size=20))
def test_unsigned_codes_are_read_back(numbers: list[int]) -> None:
    bits = BitWriter()
    for number in numbers:
        bits.put_ue(number)
    reader = BitReader(bits.finished_payload())
    assert [reader.take_ue() for _ in numbers] == numbers


@given(numbers=st.lists(st.integers(-5000, 5000), max_size=20))
def test_signed_codes_are_read_back(numbers: list[int]) -> None:
    bits = BitWriter()
    for number in numbers:
        bits.put_se(number)
    reader = BitReader(bits.finished_payload())
    assert [reader.take_se() for _ in numbers] == numbers


def test_codes_are_those_of_the_standard() -> None:
    bits = BitWriter()
    for number in (0, 1, 2, 3):
        bits.put_ue(number)
    assert bits.finished_payload() == bytes([0b1_010_011_0, 0b0100_1000])


def test_raw_samples_begin_on_a_whole_byte() -> None:
    bits = BitWriter()
    bits.put(0b101, 3)
    bits.put_aligned(b"\x11\x22")
    assert bits.finished_payload() == b"\xa0\x11\x22\x80"


@given(payload=st.lists(st.sampled_from([0, 1, 2, 3, 4]), max_size=30).map(bytes))
def test_no_start_code_survives_and_nothing_is_lost(payload: bytes) -> None:
    safe = escaped(payload)
    assert not any(code in safe for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
    if not payload.endswith(b"\0\0"):
        assert unescaped(safe) == payload
