"""The self-test of the day: by itself, until it passes, once on record."""

from dataclasses import replace

import pytest

from exam.admission_facts import Policy
from exam.clock import MINUTE_US, SECOND_US, SimulatedClock
from exam.kiosk_health import Part, PartState
from exam.self_test import Check, Result, Standing
from kiosk.self_testing import AGAIN_US, PATIENCE_US, Bench, SelfTester, try_all
from tests.kiosk.stage import FakeConsole
from tests.world import CLOCK_US

POLICY = Policy()
PARTS = {
    Part.CAMERA: PartState.OK,
    Part.SCANNER: PartState.ABSENT,
    Part.ID_READER: PartState.ABSENT,
}
GOOD = Bench(PARTS, clock_offset_us=1_200_000, free_bytes=2**30, roster_revision=7)
DAY_US = 24 * 60 * MINUTE_US


@pytest.fixture
def console() -> FakeConsole:
    return FakeConsole()


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(CLOCK_US)


@pytest.fixture
def tester(console: FakeConsole, clock: SimulatedClock) -> SelfTester:
    return SelfTester(console, clock)


def test_every_check_is_tried_once_and_says_what_it_found() -> None:
    tried = {one.check: (one.result, one.words) for one in try_all(GOOD, POLICY)}
    assert tried == {
        Check.CAMERA: (Result.GOOD, ""),
        Check.FACE_CAMERA: (Result.ABSENT, ""),
        Check.SCANNER: (Result.ABSENT, ""),
        Check.SPEAKER: (Result.ABSENT, ""),
        Check.CLOCK: (Result.GOOD, "与控制台相差1.2秒"),
        Check.DISK: (Result.GOOD, "剩余1024 MiB"),
        Check.SERVER: (Result.GOOD, ""),
        Check.ROSTER: (Result.GOOD, "第7版"),
    }


@pytest.mark.parametrize(
    ("bench", "check", "words"),
    [
        (replace(GOOD, parts={**PARTS, Part.CAMERA: PartState.COVERED}), Check.CAMERA, "被挡住或太暗"),
        (replace(GOOD, parts={**PARTS, Part.SCANNER: PartState.LOST}), Check.SCANNER, "没有响应"),
        (replace(GOOD, clock_offset_us=None), Check.CLOCK, "从未与控制台对时"),
        (replace(GOOD, clock_offset_us=-6 * SECOND_US), Check.CLOCK, "与控制台相差6.0秒"),
        (replace(GOOD, free_bytes=2**20), Check.DISK, "剩余1 MiB"),
        (replace(GOOD, roster_revision=None), Check.ROSTER, "没有离线名单"),
    ],
)
def test_what_is_wrong_is_bad_and_said(bench: Bench, check: Check, words: str) -> None:
    bad = [(one.check, one.words) for one in try_all(bench, POLICY) if one.result is Result.BAD]
    assert bad == [(check, words)]


def test_a_good_kiosk_tests_itself_once(tester: SelfTester, console: FakeConsole) -> None:
    tester.turn(GOOD, POLICY)
    tester.turn(GOOD, POLICY)
    assert tester.standing is Standing.PASSED
    assert [test.tested_at_us for test in console.self_tests] == [CLOCK_US]


def test_the_roster_is_waited_for_but_not_for_ever(
    tester: SelfTester, console: FakeConsole, clock: SimulatedClock
) -> None:
    tester.turn(replace(GOOD, roster_revision=None), POLICY)
    assert tester.standing is None
    clock.sleep_us(PATIENCE_US)
    tester.turn(replace(GOOD, roster_revision=None), POLICY)
    assert tester.standing is Standing.FAILED
    clock.sleep_us(AGAIN_US - 1)
    tester.turn(GOOD, POLICY)
    assert tester.standing is Standing.FAILED
    clock.sleep_us(1)
    tester.turn(GOOD, POLICY)
    assert tester.standing is Standing.PASSED
    assert len(console.self_tests) == 2


def test_a_result_that_was_not_taken_is_told_again_as_the_same(
    tester: SelfTester, console: FakeConsole
) -> None:
    console.is_failing = True
    tester.turn(GOOD, POLICY)
    console.is_failing = False
    tester.turn(GOOD, POLICY)
    tester.turn(GOOD, POLICY)
    assert [test.nonce for test in console.self_tests] == [console.self_tests[0].nonce] * 2


def test_a_result_that_is_refused_is_not_told_for_ever(tester: SelfTester, console: FakeConsole) -> None:
    console.refuses = True
    tester.turn(GOOD, POLICY)
    tester.turn(GOOD, POLICY)
    assert len(console.self_tests) == 1


def test_another_day_wants_another_test(
    tester: SelfTester, console: FakeConsole, clock: SimulatedClock
) -> None:
    tester.turn(GOOD, POLICY)
    clock.sleep_us(DAY_US)
    tester.turn(GOOD, POLICY)
    assert len(console.self_tests) == 2
