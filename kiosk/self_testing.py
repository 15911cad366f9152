"""The self-test of the day (每日自检): after each start and each day, until it passes; told to the console.

Whoever calls has just heard the console, for that is one of the checks, and there the result is kept as
evidence. Its words are for staff and hold nothing about candidates.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from evidence.kiosk_self_tests import NewSelfTest
from exam.admission_facts import Policy
from exam.clock import MINUTE_US, SECOND_US, Clock, site_time
from exam.kiosk_health import Part, PartState
from exam.self_test import Check, Result, Standing, Tried, standing
from kiosk.console import Console, ConsoleRefusedError, ConsoleUnreachableError

# The roster is on its way just after the start; a kiosk without it after this has failed.
PATIENCE_US: Final = MINUTE_US
AGAIN_US: Final = MINUTE_US
NONCE_BYTES: Final = 16
MIB: Final = 1024 * 1024
OF_PARTS: Final = {
    Check.CAMERA: Part.CAMERA,
    Check.FACE_CAMERA: Part.FACE_CAMERA,
    Check.SCANNER: Part.SCANNER,
    Check.SPEAKER: Part.SPEAKER,
}
PART_WORDS: Final = {PartState.LOST: "没有响应", PartState.COVERED: "被挡住或太暗"}

_log: Final = structlog.get_logger("kiosk")


@dataclass(frozen=True, slots=True)
class Bench:
    """What a self-test looks at. None: not known."""

    parts: Mapping[Part, PartState]
    clock_offset_us: int | None
    free_bytes: int
    roster_revision: int | None


def try_all(bench: Bench, policy: Policy) -> list[Tried]:
    """Every check once."""
    return [
        *(_part(check, bench.parts.get(part, PartState.ABSENT)) for check, part in OF_PARTS.items()),
        *_machine(bench, policy),
    ]


def _part(check: Check, state: PartState) -> Tried:
    if state is PartState.OK:
        return Tried(check, Result.GOOD)
    return Tried(check, Result.ABSENT if state is PartState.ABSENT else Result.BAD, PART_WORDS.get(state, ""))


def _machine(bench: Bench, policy: Policy) -> Iterator[Tried]:
    offset_us = bench.clock_offset_us
    if offset_us is None:
        yield Tried(Check.CLOCK, Result.BAD, "从未与控制台对时")
    else:
        is_right = abs(offset_us) <= policy.clock_skew_us
        words = f"与控制台相差{abs(offset_us) / SECOND_US:.1f}秒"
        yield Tried(Check.CLOCK, Result.GOOD if is_right else Result.BAD, words)
    has_room = bench.free_bytes >= policy.free_bytes
    room = f"剩余{bench.free_bytes // MIB} MiB"
    yield Tried(Check.DISK, Result.GOOD if has_room else Result.BAD, room)
    yield Tried(Check.SERVER, Result.GOOD)
    revision = bench.roster_revision
    if revision is None:
        yield Tried(Check.ROSTER, Result.BAD, "没有离线名单")
    else:
        yield Tried(Check.ROSTER, Result.GOOD, f"第{revision}版")


class SelfTester:
    """Tests when it is time. For one thread."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console, self._clock = console, clock
        self._began_us = clock.monotonic_us()
        self._tested_us = self._began_us - AGAIN_US
        self._untold: NewSelfTest | None = None
        self._day = site_time(clock.wall_us()).date()
        # The last test of today; None: there was none yet.
        self.standing: Standing | None = None

    def turn(self, bench: Bench, policy: Policy) -> None:
        """Test if it is time, and tell the console what it does not know yet."""
        today = site_time(self._clock.wall_us()).date()
        if today != self._day:
            self._day, self.standing = today, None
        if self._is_time(bench):
            self._test(bench, policy)
        if self._untold is not None:
            self._tell(self._untold)

    def _is_time(self, bench: Bench) -> bool:
        now_us = self._clock.monotonic_us()
        if self.standing is Standing.PASSED or now_us - self._tested_us < AGAIN_US:
            return False
        is_settled = bench.roster_revision is not None and bench.parts.get(Part.CAMERA) is PartState.OK
        return is_settled or now_us - self._began_us >= PATIENCE_US

    def _test(self, bench: Bench, policy: Policy) -> None:
        tried = try_all(bench, policy)
        self._tested_us = self._clock.monotonic_us()
        self.standing = standing(tried)
        self._untold = NewSelfTest(secrets.token_hex(NONCE_BYTES), self._clock.wall_us(), tried)
        bad = [one.check for one in tried if one.result is Result.BAD]
        _log.info("self-test", standing=self.standing, bad=bad)

    def _tell(self, test: NewSelfTest) -> None:
        try:
            self._console.self_test(test)
        except ConsoleUnreachableError as error:
            _log.info("self-test not told yet", reason=str(error))
            return
        except ConsoleRefusedError as error:
            _log.warning("self-test not taken", reason=str(error))
        self._untold = None
