"""Parameter sets and slice headers that can, and cannot, be written into."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.h264_bits import BitReader, BitWriter, unescaped
from rehearsal.h264_slices import (
    ParameterSets,
    SliceHeader,
    UnsupportedStreamError,
    black_picture,
    first_macroblock,
    flat_cells,
    read_parameter_sets,
    read_slice_header,
    repeated_picture,
)

SETS = ParameterSets(b"\x67", b"\x68", frame_num_bits=4, initial_qp=23)


def sps(profile: int = 66, order_type: int = 2) -> bytes:
    bits = BitWriter()
    bits.put(profile << 16 | 0xC01F, 24)
    for code in (0, 0, order_type, 1):
        bits.put_ue(code)
    return b"\x67" + bits.finished_payload()


def pps(*, cabac: int = 0, groups: int = 0, flags: int = 0b100) -> bytes:
    bits = BitWriter()
    bits.put_ue(0)
    bits.put_ue(0)
    bits.put(cabac << 1, 2)
    bits.put_ue(groups)
    bits.put_ue(2)
    bits.put_ue(0)
    bits.put(0, 3)
    for code in (-3, 0, 0):
        bits.put_se(code)
    bits.put(flags, 3)
    return b"\x68" + bits.finished_payload()


def test_parameter_sets_tell_what_slice_headers_need() -> None:
    sets = read_parameter_sets(sps(), pps())
    assert (sets.frame_num_bits, sets.initial_qp) == (4, 23)


@pytest.mark.parametrize(
    ("some_sps", "some_pps", "words"),
    [
        (sps(profile=100), pps(), "Baseline"),
        (sps(order_type=0), pps(), "reordering"),
        (sps(), pps(cabac=1), "CABAC"),
        (sps(), pps(groups=1), "slice groups"),
        (sps(), pps(flags=0b110), "deblocking control"),
    ],
)
def test_other_kinds_of_stream_are_refused(some_sps: bytes, some_pps: bytes, words: str) -> None:
    with pytest.raises(UnsupportedStreamError, match=words):
        read_parameter_sets(some_sps, some_pps)


@given(frame_num=st.integers(0, 15), macroblocks=st.integers(1, 36_000))
def test_a_repeated_picture_carries_the_header_of_its_frame(frame_num: int, macroblocks: int) -> None:
    header = SliceHeader(0x41, frame_num, 0)
    nal = repeated_picture(SETS, header, macroblocks)
    assert read_slice_header(nal, SETS) == header
    assert first_macroblock(nal) == 0
    assert len(nal) < 16


def test_a_black_keyframe_carries_the_header_of_its_frame() -> None:
    header = SliceHeader(0x65, 0, 1)
    assert read_slice_header(black_picture(SETS, header, 3000), SETS) == header


def test_cells_are_dark_unless_lit() -> None:
    assert flat_cells(2, 3, [[True, False], [False, True]], 225) == [[225, 24, 24], [24, 225, 24]]


def test_a_header_is_read_behind_an_emulation_prevention_byte() -> None:
    bits = BitReader(unescaped(b"\x00\x00\x03\x01"))
    assert bits.take(24) == 1
