"""What a simulated camera's encoder produces for a frame: loop and bar, or a frozen or black picture."""

from dataclasses import dataclass

from rehearsal.bar_text import BarText
from rehearsal.h264_loop import Loop, LoopFrame
from rehearsal.h264_slices import BarWriter, black_picture, flat_cells, repeated_picture
from rehearsal.picture_counter import LIGHT_LUMA, counter_cells
from rehearsal.rtp import payloads_of_nal


@dataclass(frozen=True, slots=True)
class PictureState:
    """What the picture must show, and what is wrong with it."""

    counter: int
    camera_us: int
    frozen: bool = False
    black: bool = False


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """RTP payloads of one frame, and the counter its pixels show."""

    payloads: tuple[bytes, ...]
    counter: int
    is_keyframe: bool
    # By how many frames it is shown later than it is sent; only with pictures out of order.
    shown_later: int = 0


class PictureSource:
    """Makes consecutive frames; faults and another loop take effect at a keyframe, as in an encoder."""

    def __init__(self, loop: Loop, label: str) -> None:
        self.wanted_loop = loop
        self._label = label
        self._stream: _Stream | None = None
        self._mode = PictureState(0, 0)
        self._frozen_on: EncodedPicture | None = None

    def forget(self) -> None:
        """Begin again with a keyframe."""
        self._stream = None
        self._frozen_on = None

    def picture(self, frame: int, state: PictureState) -> EncodedPicture | None:
        """The next frame; None while waiting for the first keyframe."""
        if frame % self.wanted_loop.gop_frames == 0:
            self._begin_group(state)
        if self._stream is None:
            return None
        loop_frame = self._stream.loop.frames[frame % len(self._stream.loop.frames)]
        if self._mode.frozen:
            return self._frozen_picture(self._stream, loop_frame, state)
        payloads = self._stream.top(loop_frame, black=self._mode.black) + self._stream.bar(loop_frame, state)
        return EncodedPicture(payloads, state.counter, loop_frame.is_keyframe)

    def _begin_group(self, state: PictureState) -> None:
        if self._stream is None or self._stream.loop is not self.wanted_loop:
            self._stream = _Stream(self.wanted_loop, self._label)
            self._frozen_on = None
        if not (self._mode.frozen and state.frozen):
            self._frozen_on = None
        self._mode = state

    def _frozen_picture(
        self, stream: "_Stream", loop_frame: LoopFrame, state: PictureState
    ) -> EncodedPicture:
        if loop_frame.is_keyframe:
            if self._frozen_on is None:
                payloads = stream.top(loop_frame, black=self._mode.black) + stream.bar(loop_frame, state)
                self._frozen_on = EncodedPicture(payloads, state.counter, is_keyframe=True)
            return self._frozen_on
        assert self._frozen_on is not None
        return EncodedPicture(stream.repetition(loop_frame), self._frozen_on.counter, is_keyframe=False)


class _Stream:
    """A loop being sent, with the bar's memory of what is on screen."""

    def __init__(self, loop: Loop, label: str) -> None:
        self.loop = loop
        geometry = loop.geometry
        self._text = BarText(geometry, label)
        self._flat_columns = geometry.columns - self._text.columns
        self._top_macroblocks = geometry.first_bar_row * geometry.columns
        self._bar = BarWriter(loop.sets, self._top_macroblocks)

    def top(self, loop_frame: LoopFrame, *, black: bool) -> tuple[bytes, ...]:
        """Everything above the bar."""
        sets = self.loop.sets
        before = (sets.sps, sets.pps) if loop_frame.is_keyframe else ()
        if not black:
            return before + loop_frame.payloads
        if loop_frame.is_keyframe:
            nal = black_picture(sets, loop_frame.header, self._top_macroblocks)
        else:
            nal = repeated_picture(sets, loop_frame.header, self._top_macroblocks)
        return (*before, *payloads_of_nal(nal))

    def bar(self, loop_frame: LoopFrame, state: PictureState) -> tuple[bytes, ...]:
        cells = flat_cells(
            self.loop.geometry.bar_rows, self._flat_columns, counter_cells(state.counter), LIGHT_LUMA
        )
        nal = self._bar.slice(loop_frame.header, cells, self._text.samples(state.camera_us))
        return tuple(payloads_of_nal(nal))

    def repetition(self, loop_frame: LoopFrame) -> tuple[bytes, ...]:
        """The whole picture once more, the bar included."""
        geometry = self.loop.geometry
        return (
            repeated_picture(self.loop.sets, loop_frame.header, geometry.columns * geometry.picture_rows),
        )
