"""The rules of picture health over numbers: what is named, when it is an alarm, when it is over."""

from dataclasses import replace

import pytest

from config.picture_health import load_picture_health
from evidence.health import HealthKind
from recorder.picture_rules import KNOWN_FRAGMENTS, CameraJudge, Change, Measures, Reading, seen_in

LIMITS = load_picture_health().limits
S = 1_000_000
START_US = 1_795_309_200 * S
FINE = Measures(
    brightness=140, dark_share=0.01, detail=0.8, same_share=0.0, noise=1.2,
    detail_kept=0.98, likeness=0.9, sharpness=1.0,
)  # fmt: skip
BLACK = replace(FINE, dark_share=0.99, detail=0.02, detail_kept=0.0, likeness=0.0, same_share=1.0)
FROZEN = replace(FINE, same_share=1.0)


def reading(
    number: float, measures: Measures | None = FINE, *, pictures: int = 50, size: int = 500_000
) -> Reading:
    return Reading("camera", START_US + round(number * 2 * S), 2 * S, pictures, size, measures)


def changes(judge: CameraJudge, *readings: Reading) -> list[Change]:
    return [change for each in readings for change in judge.judge(each)]


@pytest.mark.parametrize(
    ("measures", "named"),
    [
        (FINE, set()),
        (BLACK, {HealthKind.BLACK}),
        (replace(FINE, detail_kept=0.05, likeness=0.1), {HealthKind.COVERED}),
        (replace(FINE, detail=0.02, detail_kept=None, likeness=None, sharpness=None), {HealthKind.COVERED}),
        (replace(FINE, detail_kept=None, likeness=None, sharpness=None, same_share=None), set()),
        (FROZEN, {HealthKind.FROZEN}),
        (replace(FINE, sharpness=0.4), {HealthKind.BLURRED}),
        (replace(FINE, sharpness=0.2, likeness=0.2), {HealthKind.BLURRED}),
        (replace(FINE, likeness=0.2), {HealthKind.MOVED}),
        (replace(FINE, likeness=0.2, sharpness=0.6), {HealthKind.MOVED}),
        (replace(FROZEN, likeness=0.2), {HealthKind.FROZEN, HealthKind.MOVED}),
    ],
)
def test_a_picture_is_named_by_what_it_looks_like(measures: Measures, named: set[HealthKind]) -> None:
    assert seen_in(measures, LIMITS) == named


def test_a_trouble_is_an_alarm_once_it_has_lasted_and_is_told_once() -> None:
    judge = CameraJudge(LIMITS)
    found = changes(judge, *[reading(number, BLACK) for number in range(30)])
    (alarm,) = found
    assert (alarm.kind, alarm.is_trouble, alarm.since_us) == (HealthKind.BLACK, True, START_US)
    assert alarm.measured["dark_share"] == 0.99
    assert alarm.measured["keyframe_interval_s"] == 2.0


def test_a_frozen_picture_has_to_last_longer() -> None:
    judge = CameraJudge(LIMITS)
    assert changes(judge, *[reading(number, FROZEN) for number in range(9)]) == []
    (alarm,) = changes(judge, *[reading(number, FROZEN) for number in range(9, 12)])
    assert alarm.kind is HealthKind.FROZEN


def test_one_picture_between_does_not_end_a_suspicion_but_two_do() -> None:
    judge = CameraJudge(LIMITS)
    seen = [BLACK] * 4 + [FINE] + [BLACK] * 4
    (alarm,) = changes(judge, *[reading(number, measures) for number, measures in enumerate(seen)])
    assert alarm.since_us == START_US
    judge = CameraJudge(LIMITS)
    seen = [BLACK] * 4 + [FINE] * 2 + [BLACK] * 4
    assert changes(judge, *[reading(number, measures) for number, measures in enumerate(seen)]) == []


def test_a_trouble_is_over_from_the_first_good_picture_of_a_while() -> None:
    judge = CameraJudge(LIMITS)
    changes(judge, *[reading(number, BLACK) for number in range(10)])
    assert changes(judge, reading(10), reading(11), reading(12, BLACK), reading(13, BLACK)) == [], (
        "back again"
    )
    (over,) = changes(judge, *[reading(number) for number in range(14, 22)])
    assert (over.kind, over.is_trouble, over.since_us) == (HealthKind.BLACK, False, START_US + 28 * S)


def test_one_picture_that_happens_to_be_like_the_last_does_not_keep_a_room_frozen() -> None:
    judge = CameraJudge(LIMITS)
    changes(judge, *[reading(number, FROZEN) for number in range(12)])
    (over,) = changes(judge, *[reading(12 + n, FROZEN if n % 6 == 5 else FINE) for n in range(12)])
    assert (over.kind, over.is_trouble, over.since_us) == (HealthKind.FROZEN, False, START_US + 24 * S)


def test_a_trouble_that_comes_and_goes_is_not_over() -> None:
    judge = CameraJudge(LIMITS)
    changes(judge, *[reading(number, BLACK) for number in range(10)])
    assert changes(judge, *[reading(10 + n, BLACK if n % 2 else FINE) for n in range(20)]) == []


def test_pictures_that_cannot_be_read_neither_begin_nor_end_a_trouble() -> None:
    judge = CameraJudge(LIMITS)
    changes(judge, *[reading(number, BLACK) for number in range(10)])
    assert changes(judge, *[reading(number, None) for number in range(10, 30)]) == []


def test_a_trouble_from_before_the_start_ends_like_any_other() -> None:
    judge = CameraJudge(LIMITS)
    judge.resume(HealthKind.MOVED, START_US - 60 * S)
    (over,) = changes(judge, *[reading(number) for number in range(7)])
    assert (over.kind, over.is_trouble) == (HealthKind.MOVED, False)


@pytest.mark.parametrize(
    ("strange", "kind"),
    [
        ({"pictures": 10}, HealthKind.SLOW_PICTURES),
        ({"size_bytes": 10_000}, HealthKind.THIN_STREAM),
        ({"duration_us": 10 * S, "pictures": 250, "size_bytes": 2_500_000}, HealthKind.RARE_KEYFRAMES),
    ],
)
def test_a_stream_is_compared_with_its_own_usual_figures(strange: dict[str, int], kind: HealthKind) -> None:
    judge = CameraJudge(LIMITS)
    changes(judge, *[reading(number) for number in range(KNOWN_FRAGMENTS)])
    odd = [replace(reading(KNOWN_FRAGMENTS + number * 5), **strange) for number in range(9)]
    without_picture = [replace(each, measures=None) for each in odd]
    (alarm,) = changes(judge, *without_picture)
    assert (alarm.kind, alarm.is_trouble) == (kind, True)
    back = KNOWN_FRAGMENTS + 60
    (over,) = changes(judge, *[reading(back + number, None) for number in range(7)])
    assert (over.kind, over.is_trouble) == (kind, False)


def test_before_it_is_known_what_is_usual_nothing_deviates() -> None:
    judge = CameraJudge(LIMITS)
    changes(judge, *[reading(number) for number in range(KNOWN_FRAGMENTS - 1)])
    few = [reading(KNOWN_FRAGMENTS - 1 + number, None, pictures=5) for number in range(1)]
    assert changes(judge, *few) == []


def test_a_black_picture_needs_few_bits_and_that_is_no_second_alarm() -> None:
    judge = CameraJudge(LIMITS)
    changes(judge, *[reading(number) for number in range(KNOWN_FRAGMENTS)])
    found = changes(judge, *[reading(KNOWN_FRAGMENTS + number, BLACK, size=5_000) for number in range(20)])
    assert [change.kind for change in found] == [HealthKind.BLACK]
