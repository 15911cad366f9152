"""What measures of keyframes mean: which trouble a camera's pictures are in, from when, until when.

Pure rules over numbers; `recorder.picture_measures` measures, `recorder.picture_desk` writes down. The
limits and the reasons for them are in config/picture_health.toml and docs/design/picture-health.md.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from statistics import median
from typing import Final

from config.picture_health import Limits
from evidence.health import HealthKind
from exam.clock import SECOND_US

# Over how many fragments a stream's usual figures are taken, and how many are needed to know them.
USUAL_FRAGMENTS: Final = 60
KNOWN_FRAGMENTS: Final = 20
# Readings without a trouble in a row that end a suspicion: one alone may be a slip of the encoder.
LAPSE_READINGS: Final = 2
# Readings with a trouble that is about to be over which do not keep it: two pictures may be alike by chance.
SLIPS: Final = 1

STREAM_KINDS: Final = frozenset({HealthKind.SLOW_PICTURES, HealthKind.RARE_KEYFRAMES, HealthKind.THIN_STREAM})


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured in one picture. Shares are 0 to 1; None where there was nothing to compare with."""

    # Mean brightness (0 to 255), and the share of dark pixels.
    brightness: float
    dark_share: float
    # Share of blocks in which something can be recognised.
    detail: float
    # Share of blocks that did not change at all since the keyframe before, and the usual change of a block.
    same_share: float | None = None
    noise: float | None = None
    # Compared with the reference view: blocks that still have detail, blocks that look the same, sharpness.
    detail_kept: float | None = None
    likeness: float | None = None
    sharpness: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One fragment: how much of it there was, and the measures of its keyframe if it could be decoded."""

    camera_uuid: str
    moment_us: int
    duration_us: int
    pictures: int
    size_bytes: int
    measures: Measures | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A trouble begins or is over. `measured` holds the numbers that decided."""

    kind: HealthKind
    is_trouble: bool
    since_us: int
    measured: dict[str, float]


def seen_in(measures: Measures, limits: Limits) -> frozenset[HealthKind]:
    """What one picture alone looks like. The first that fits is named: a black picture is also covered."""
    if measures.dark_share >= limits.black_dark_share:
        return frozenset({HealthKind.BLACK})
    if _is_covered(measures, limits):
        return frozenset({HealthKind.COVERED})
    found = set()
    if _at_least(measures.same_share, limits.frozen_same_share):
        found.add(HealthKind.FROZEN)
    # Far out of focus nothing looks as it did; turned, another part of the room is as sharp as ever.
    is_far_out = _at_most(measures.sharpness, limits.far_blurred_sharpness)
    if _at_most(measures.likeness, limits.moved_likeness) and not is_far_out:
        found.add(HealthKind.MOVED)
    elif _at_most(measures.sharpness, limits.blurred_sharpness):
        found.add(HealthKind.BLURRED)
    return frozenset(found)


def _is_covered(measures: Measures, limits: Limits) -> bool:
    if measures.detail_kept is None:
        return measures.detail <= limits.covered_detail
    return measures.detail_kept <= limits.covered_detail_kept


def _at_least(value: float | None, limit: float) -> bool:
    return value is not None and value >= limit


def _at_most(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


@dataclass(slots=True)
class _Usual:
    """The stream's usual figures, learnt while nothing is wrong."""

    rates: deque[float] = field(default_factory=lambda: deque(maxlen=USUAL_FRAGMENTS))
    lengths_us: deque[float] = field(default_factory=lambda: deque(maxlen=USUAL_FRAGMENTS))
    bitrates: deque[float] = field(default_factory=lambda: deque(maxlen=USUAL_FRAGMENTS))

    def learn(self, reading: Reading) -> None:
        self.rates.append(_rate(reading))
        self.lengths_us.append(reading.duration_us)
        self.bitrates.append(_bitrate(reading))

    def deviations(self, reading: Reading, limits: Limits) -> Iterable[HealthKind]:
        if len(self.rates) < KNOWN_FRAGMENTS:
            return
        if _rate(reading) < median(self.rates) * limits.slow_pictures_share:
            yield HealthKind.SLOW_PICTURES
        longest_us = max(
            median(self.lengths_us) * limits.rare_keyframes_times, limits.rare_keyframes_s * SECOND_US
        )
        if reading.duration_us > longest_us:
            yield HealthKind.RARE_KEYFRAMES
        if _bitrate(reading) < median(self.bitrates) * limits.thin_stream_share:
            yield HealthKind.THIN_STREAM


def _rate(reading: Reading) -> float:
    return reading.pictures * SECOND_US / max(reading.duration_us, 1)


def _bitrate(reading: Reading) -> float:
    return reading.size_bytes * 8 * SECOND_US / max(reading.duration_us, 1)


@dataclass(slots=True)
class _Suspicion:
    """One kind of trouble on its way to an alarm, or away from it."""

    since_us: int
    is_active: bool = False
    # When the readings without it began, and how many there were in a row.
    clear_since_us: int | None = None
    clear_readings: int = 0
    # How many readings with it there were since.
    slips: int = 0


@dataclass(slots=True)
class CameraJudge:
    """Follows one camera from reading to reading; remembers what lasts."""

    limits: Limits
    _suspicions: dict[HealthKind, _Suspicion] = field(default_factory=dict)
    _usual: _Usual = field(default_factory=_Usual)

    def resume(self, kind: HealthKind, began_at_us: int) -> None:
        """A trouble that lasted when the recorder was started."""
        self._suspicions[kind] = _Suspicion(began_at_us, is_active=True)

    def judge(self, reading: Reading) -> list[Change]:
        """Take one reading; returns what begins or ends with it."""
        seen = self._seen(reading)
        numbers = _numbers(reading)
        changes = [change for kind in sorted(seen) if (change := self._with(kind, reading, numbers))]
        for kind in sorted(set(self._suspicions) - seen):
            if kind in STREAM_KINDS or reading.measures is not None:
                changes += self._without(kind, reading, numbers)
        if not self._suspicions:
            self._usual.learn(reading)
        return changes

    def _seen(self, reading: Reading) -> frozenset[HealthKind]:
        if reading.measures is None:
            return frozenset(self._usual.deviations(reading, self.limits))
        pictured = seen_in(reading.measures, self.limits)
        # A camera that sends black or the same picture again and again needs few bits for it.
        excused = {HealthKind.THIN_STREAM} if pictured else set()
        return pictured | (frozenset(self._usual.deviations(reading, self.limits)) - excused)

    def _with(self, kind: HealthKind, reading: Reading, numbers: dict[str, float]) -> Change | None:
        suspicion = self._suspicions.setdefault(kind, _Suspicion(reading.moment_us))
        suspicion.clear_readings = 0
        suspicion.slips += 1
        if not suspicion.is_active or suspicion.slips > SLIPS:
            suspicion.clear_since_us, suspicion.slips = None, 0
        if suspicion.is_active or reading.moment_us - suspicion.since_us < self._hold_us(kind):
            return None
        suspicion.is_active = True
        return Change(kind, is_trouble=True, since_us=suspicion.since_us, measured=numbers)

    def _hold_us(self, kind: HealthKind) -> int:
        seconds = self.limits.frozen_hold_s if kind is HealthKind.FROZEN else self.limits.hold_s
        return round(seconds * SECOND_US)

    def _without(self, kind: HealthKind, reading: Reading, numbers: dict[str, float]) -> list[Change]:
        suspicion = self._suspicions[kind]
        suspicion.clear_readings += 1
        if suspicion.clear_since_us is None:
            suspicion.clear_since_us, suspicion.slips = reading.moment_us, 0
        clear_us = suspicion.clear_since_us
        if not suspicion.is_active:
            if suspicion.clear_readings >= LAPSE_READINGS:
                del self._suspicions[kind]
            return []
        if reading.moment_us - clear_us < self.limits.clear_s * SECOND_US:
            return []
        del self._suspicions[kind]
        return [Change(kind, is_trouble=False, since_us=clear_us, measured=numbers)]


_MEASURED: Final = tuple(one.name for one in fields(Measures))


def _numbers(reading: Reading) -> dict[str, float]:
    measured = reading.measures
    found = [] if measured is None else [(name, getattr(measured, name)) for name in _MEASURED]
    numbers = {name: round(value, 4) for name, value in found if value is not None}
    return {
        **numbers,
        "pictures_per_s": round(_rate(reading), 2),
        "keyframe_interval_s": round(reading.duration_us / SECOND_US, 3),
        "bitrate_kbps": round(_bitrate(reading) / 1000),
    }
