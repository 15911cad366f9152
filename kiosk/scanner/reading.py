"""Reads codes frame by frame: the raw picture first, then one more step, another one each frame.

A hard ticket is read within a few frames, and no single frame takes long enough for the candidate to
notice. Most steps find the code first and treat that part alone: it is small, so the treatment can be
strong. zxing does most of the work where it is installed, because it is the faster one; zbar takes its
turns, because it reads what zxing cannot.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, partial
from itertools import cycle, islice
from typing import Final

from kiosk.scanner import treatments
from kiosk.scanner.engines import LINEAR, Engine, Reading, ZbarEngine, ZxingEngine, has_zxing
from kiosk.scanner.pictures import Picture, grey_of
from kiosk.scanner.regions import Bars, Tensor, bars_in, square_in, tensor_of, upright

# A line that crosses only some of the bars of these reads as a shorter number, so one look is not enough.
SHORT_READ: Final = frozenset({"ITF"})


def whole_readings(readings: Iterable[Reading]) -> list[Reading]:
    """Each reading once, without those that are a part of another one of their kind."""
    each = list(dict.fromkeys(readings))
    return [
        reading
        for reading in each
        if reading.symbology not in SHORT_READ
        or not any(
            reading.symbology == other.symbology and reading.text in other.text and reading != other
            for other in each
        )
    ]


class View:
    """One grey frame; where its codes may lie is found out once, and only when somebody asks."""

    def __init__(self, grey: Picture) -> None:
        self.grey = grey

    @cached_property
    def _tensor(self) -> Tensor:
        return tensor_of(self.grey)

    @cached_property
    def _bars(self) -> Bars | None:
        return bars_in(self._tensor)

    def bars(self, smear_px: int = 1) -> Picture | None:
        """What looks most like bars, upright."""
        return None if self._bars is None else upright(self.grey, self._bars, smear_px)

    def square(self) -> Picture | None:
        """What looks most like a QR code."""
        return square_in(self.grey, self._tensor)


class Hand(Enum):
    """Which engine a step uses."""

    FAST = auto()
    THOROUGH = auto()
    ZBAR = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One more look at a frame: a picture made from it, and who reads that."""

    picture: Callable[[View], Picture | None]
    hand: Hand = Hand.FAST


Treatment = Callable[[Picture], Picture | None]


def _whole(treat: Treatment, hand: Hand = Hand.FAST) -> Step:
    return Step(lambda view: treat(view.grey), hand)


def _square(treat: Treatment, hand: Hand = Hand.FAST) -> Step:
    return Step(lambda view: _treated(view.square(), treat), hand)


def _bars(treat: Treatment, smear_px: int, hand: Hand = Hand.FAST) -> Step:
    return Step(lambda view: _treated(view.bars(smear_px), treat), hand)


def _treated(part: Picture | None, treat: Treatment) -> Picture | None:
    return None if part is None else treat(part)


def _as_is(picture: Picture) -> Picture:
    return picture


_DRAWN_OUT: Final = _bars(partial(treatments.sharpened, reach_px=3.0, amount=3.0), 19)
_CRISP: Final = _square(treatments.crisp)
_SMEARED: Final = 15
LEAN: Final = 0.03

# What helps bars, what helps QR codes, and what helps when something else has drawn attention. The
# best ones come first and again; measured by `bench scanner` on seeds of their own.
LINEAR_STEPS: Final = (
    _DRAWN_OUT,
    _bars(_as_is, _SMEARED, Hand.ZBAR),
    _whole(_as_is, Hand.ZBAR),
    _DRAWN_OUT,
    _bars(partial(treatments.focused_bars, blur_px=3.0), _SMEARED),
    _whole(treatments.thresholded),
    _DRAWN_OUT,
    _bars(partial(treatments.focused_bars, blur_px=5.0), _SMEARED),
)
SQUARE_STEPS: Final = (
    _CRISP,
    _square(lambda part: treatments.leaned(treatments.crisp(part), across=LEAN)),
    _square(treatments.crisp, Hand.ZBAR),
    _square(lambda part: treatments.leaned(treatments.grown(part), down=-LEAN)),
    _square(partial(treatments.focused, blur_px=1.5), Hand.ZBAR),
    _whole(_as_is, Hand.THOROUGH),
    _square(partial(treatments.focused, blur_px=2.5)),
    _square(treatments.split, Hand.ZBAR),
)
OTHER_STEPS: Final = (
    _whole(treatments.doubled),
    _whole(treatments.median),
    _bars(_as_is, 1),
    _whole(treatments.inverted, Hand.ZBAR),
    _whole(partial(treatments.rotated, degrees=20)),
    _whole(treatments.halved, Hand.ZBAR),
    _whole(partial(treatments.rotated, degrees=-40)),
    _whole(treatments.sharpened),
    _whole(partial(treatments.rotated, degrees=-20)),
    _whole(treatments.evened, Hand.ZBAR),
    _whole(partial(treatments.rotated, degrees=40)),
)
STACKED_STEPS: Final = (
    _bars(_as_is, 1),
    _bars(partial(treatments.sharpened, reach_px=2.0, amount=2.0), 1),
    _whole(_as_is, Hand.THOROUGH),
)
# After so many steps that were made for the wanted codes comes one of the others.
OWN_STEPS: Final = 4


def steps_for(symbologies: Sequence[str]) -> Iterator[Step]:
    """The steps that can help these symbologies, in the order in which they take turns; without end."""
    wanted = set(symbologies)
    groups = [
        cycle(steps)
        for steps, is_wanted in (
            (LINEAR_STEPS, LINEAR & wanted),
            (SQUARE_STEPS, "QRCODE" in wanted),
            (STACKED_STEPS, "PDF417" in wanted),
        )
        if is_wanted
    ]
    own = (next(steps) for steps in cycle(groups))
    for other in cycle(OTHER_STEPS):
        yield from islice(own, OWN_STEPS)
        yield other


class Scanner:
    """Reads frame by frame; for one thread."""

    def __init__(self, symbologies: Sequence[str], *, zxing: bool = True) -> None:
        """`zxing`: whether to use it where it is installed."""
        self._zbar = ZbarEngine(symbologies)
        self._hands: dict[Hand, Engine] = dict.fromkeys(Hand, self._zbar)
        if zxing and has_zxing():
            self._hands[Hand.FAST] = ZxingEngine(symbologies)
            self._hands[Hand.THOROUGH] = ZxingEngine(symbologies, thorough=True)
        self._steps = steps_for(symbologies)

    def scan(self, frame: Picture) -> list[Reading]:
        """Every code found in this frame, each once. A frame that the raw pass reads costs no more."""
        view = View(grey_of(frame))
        found = self._hands[Hand.FAST].read(view.grey)
        if found and not any(reading.symbology in SHORT_READ for reading in found):
            return found
        return whole_readings([*found, *self._one_more(view)])

    def close(self) -> None:
        """Give the native scanner back."""
        self._zbar.close()

    def _one_more(self, view: View) -> list[Reading]:
        step = next(self._steps)
        picture = step.picture(view)
        return [] if picture is None else self._hands[step.hand].read(picture)
