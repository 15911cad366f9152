"""Hand-written H.264 slices: the on-screen bar, a repeated picture and a black picture, without an encoder.

A loop is encoded once with the bar as a slice of its own. When a frame is sent, that slice is replaced by
one written here: flat macroblocks for the counter cells (Intra 16x16, one DC coefficient), raw samples for
macroblocks whose text changed, and skipped macroblocks for the rest. Only Constrained Baseline as
`rehearsal.scene_loops` makes it is understood: CAVLC, one reference frame, picture order count type 2.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rehearsal.h264_bits import BitReader, BitWriter, escaped, unescaped
from rehearsal.picture_counter import DARK_LUMA, MACROBLOCK

NAL_SLICE: Final = 1
NAL_IDR: Final = 5
NAL_SPS: Final = 7
NAL_PPS: Final = 8

# With this quantiser and flat scaling a DC level of L changes every sample of the macroblock by exactly L:
# 16 * 16 * 2^(28/6-6) / 64 = 1 (clauses 8.5.10, 8.5.12). So the picture is known without a decoder.
_EXACT_QP: Final = 28
_SLICE_P: Final = 0
_SLICE_I: Final = 2
_NEUTRAL_CHROMA: Final = bytes([128]) * 128
_BLACK_LUMA: Final = 16


class UnsupportedStreamError(Exception):
    """The H.264 stream is not of the kind this module can write slices into."""


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """What slice headers depend on, from SPS and PPS."""

    sps: bytes
    pps: bytes
    frame_num_bits: int
    initial_qp: int


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """The fields that all slices of one picture share."""

    nal_byte: int
    frame_num: int
    idr_pic_id: int

    @property
    def is_idr(self) -> bool:
        return self.nal_byte & 31 == NAL_IDR


def read_parameter_sets(sps: bytes, pps: bytes) -> ParameterSets:
    """Parse SPS and PPS. Raises UnsupportedStreamError for anything but the loops' own kind."""
    bits = BitReader(unescaped(sps[1:]))
    profile = bits.take(8)
    bits.take(16)
    bits.take_ue()
    frame_num_bits = bits.take_ue() + 4
    if profile != 66 or bits.take_ue() != 2:
        raise UnsupportedStreamError("not Constrained Baseline without reordering")
    bits = BitReader(unescaped(pps[1:]))
    bits.take_ue()
    bits.take_ue()
    if bits.take(1) or bits.take(1) or bits.take_ue():
        raise UnsupportedStreamError("CABAC, fields or slice groups")
    bits.take_ue()
    bits.take_ue()
    bits.take(3)
    initial_qp = 26 + bits.take_se()
    bits.take_se()
    bits.take_se()
    if bits.take(3) != 0b100:
        raise UnsupportedStreamError(
            "no deblocking control, constrained intra prediction or redundant pictures"
        )
    return ParameterSets(sps, pps, frame_num_bits, initial_qp)


def first_macroblock(nal: bytes) -> int:
    """The address of the slice's first macroblock."""
    return BitReader(unescaped(nal[1:24])).take_ue()


def read_slice_header(nal: bytes, sets: ParameterSets) -> SliceHeader:
    """The shared fields of the picture this slice belongs to."""
    bits = BitReader(unescaped(nal[1:24]))
    bits.take_ue()
    bits.take_ue()
    bits.take_ue()
    frame_num = bits.take(sets.frame_num_bits)
    idr_pic_id = bits.take_ue() if nal[0] & 31 == NAL_IDR else 0
    return SliceHeader(nal[0], frame_num, idr_pic_id)


def repeated_picture(sets: ParameterSets, header: SliceHeader, macroblocks: int) -> bytes:
    """A slice that shows the picture before once more: every macroblock skipped."""
    bits = _begin_slice(sets, header, 0)
    bits.put_ue(macroblocks)
    return _nal(header, bits)


def black_picture(sets: ParameterSets, header: SliceHeader, macroblocks: int) -> bytes:
    """A keyframe slice of black macroblocks from the top of the picture."""
    bits = _begin_slice(sets, header, 0)
    for address in range(macroblocks):
        # The first row and column predict from fewer neighbours, but all of them are black already.
        _put_flat(bits, _BLACK_LUMA - 128 if address == 0 else 0, intra_slice=True)
    return _nal(header, bits)


class BarWriter:
    """Writes the slices of one camera's bar; remembers what a decoder has on screen.

    On the left are flat cells, on the right text samples. A keyframe slice must come first, and no slice
    may be left out between two keyframes.
    """

    def __init__(self, sets: ParameterSets, first_address: int) -> None:
        self._sets = sets
        self._first_address = first_address
        self._shown_cells: list[list[int]] = []
        self._shown_text: NDArray[np.uint8] = np.zeros((0, 0), np.uint8)

    def slice(self, header: SliceHeader, cells: list[list[int]], text: NDArray[np.uint8]) -> bytes:
        """The bar's slice: luma of every flat cell by row, and the samples of the text part."""
        bits = _begin_slice(self._sets, header, self._first_address)
        if header.is_idr:
            self._put_everything(bits, cells, text)
        else:
            self._put_changes(bits, cells, text)
        self._shown_cells, self._shown_text = cells, text
        return _nal(header, bits)

    def _put_everything(self, bits: BitWriter, cells: list[list[int]], text: NDArray[np.uint8]) -> None:
        for row, levels in enumerate(cells):
            for column, level in enumerate(levels):
                _put_flat(bits, level - _predicted(cells, row, column), intra_slice=True)
            for column in range(text.shape[1] // MACROBLOCK):
                _put_samples(bits, _block(text, row, column), intra_slice=True)

    def _put_changes(self, bits: BitWriter, cells: list[list[int]], text: NDArray[np.uint8]) -> None:
        text_columns = text.shape[1] // MACROBLOCK
        text_changed = text is not self._shown_text
        skipped = 0
        for row, levels in enumerate(cells):
            shown = self._shown_cells[row]
            for column, level in enumerate(levels):
                if level == shown[column]:
                    skipped += 1
                    continue
                bits.put_ue(skipped)
                skipped = 0
                _put_flat(bits, level - _predicted(cells, row, column), intra_slice=False)
            if not text_changed:
                skipped += text_columns
                continue
            for column in range(text_columns):
                block = _block(text, row, column)
                if np.array_equal(block, _block(self._shown_text, row, column)):
                    skipped += 1
                    continue
                bits.put_ue(skipped)
                skipped = 0
                _put_samples(bits, block, intra_slice=False)
        if skipped:
            bits.put_ue(skipped)


def _predicted(cells: list[list[int]], row: int, column: int) -> int:
    """Intra 16x16 DC prediction between flat macroblocks of one slice (clause 8.3.3.3)."""
    if row and column:
        return (cells[row - 1][column] + cells[row][column - 1] + 1) >> 1
    if column:
        return cells[row][column - 1]
    return cells[row - 1][column] if row else 128


def _block(text: NDArray[np.uint8], row: int, column: int) -> NDArray[np.uint8]:
    top, left = row * MACROBLOCK, column * MACROBLOCK
    return text[top : top + MACROBLOCK, left : left + MACROBLOCK]


def _begin_slice(sets: ParameterSets, header: SliceHeader, first_address: int) -> BitWriter:
    bits = BitWriter()
    bits.put_ue(first_address)
    bits.put_ue(_SLICE_I if header.is_idr else _SLICE_P)
    bits.put_ue(0)
    bits.put(header.frame_num, sets.frame_num_bits)
    if header.is_idr:
        bits.put_ue(header.idr_pic_id)
        bits.put(0b00, 2)  # dec_ref_pic_marking: output what came before, no long-term reference
    else:
        bits.put(1, 1)  # one reference picture, whatever the PPS says
        bits.put_ue(0)
        bits.put(0b00, 2)  # no reordering of references; sliding-window marking
    bits.put_se(_EXACT_QP - sets.initial_qp)
    bits.put_ue(1)  # no deblocking: the cells stay exact
    return bits


def _nal(header: SliceHeader, bits: BitWriter) -> bytes:
    return bytes([header.nal_byte]) + escaped(bits.finished_payload())


def _put_flat(bits: BitWriter, level: int, *, intra_slice: bool) -> None:
    """An Intra 16x16 macroblock, DC prediction, whose samples are the prediction plus `level`.

    Its neighbours never have AC coefficients, so the coefficient token is of the table for nC = 0.
    """
    bits.put_ue(3 if intra_slice else 8)
    bits.put(0b11, 2)  # chroma predicted from its mean; no change of quantiser
    if level == 0:
        bits.put(0b1, 1)
        return
    if abs(level) == 1:
        bits.put(0b01, 2)
        bits.put(level < 0, 1)
    else:
        bits.put(0b000101, 6)
        _put_level(bits, (2 * level - 2 if level > 0 else -2 * level - 1) - 2)
    bits.put(0b1, 1)  # no zeros before the coefficient


def _put_level(bits: BitWriter, code: int) -> None:
    """level_prefix and level_suffix with suffixLength 0 (clause 9.2.2.1)."""
    if code < 14:
        bits.put(1, code + 1)
    elif code < 30:
        bits.put(1, 15)
        bits.put(code - 14, 4)
    else:
        bits.put(1, 16)
        bits.put(code - 30, 12)


def _put_samples(bits: BitWriter, luma: NDArray[np.uint8], *, intra_slice: bool) -> None:
    """A macroblock of raw samples without colour."""
    bits.put_ue(25 if intra_slice else 30)
    bits.put_aligned(luma.tobytes() + _NEUTRAL_CHROMA)


def flat_cells(rows: int, columns: int, lit: list[list[bool]], light: int) -> list[list[int]]:
    """Luma of the flat part of the bar: lit cells light, everything else dark."""
    cells = [[DARK_LUMA] * columns for _ in range(rows)]
    for row, lights in enumerate(lit):
        for column, is_lit in enumerate(lights):
            if is_lit:
                cells[row][column] = light
    return cells
