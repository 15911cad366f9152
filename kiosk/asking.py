"""Asking the console about one candidate, with patience and always under the same nonce.

A request whose answer got lost may have admitted the candidate. So the nonce of an unanswered pair
of documents is remembered: when the same candidate tries again here soon, the console gives the
answer it gave the first time, and nobody is told that he is in already. Not for long: in the afternoon
the morning's answer would be a wrong one.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import structlog

from exam.clock import MINUTE_US, Clock
from exam.outcomes import Outcome
from kiosk.console import CheckIn, Console, ConsoleRefusedError, ConsoleUnreachableError
from kiosk.flow import Answered
from kiosk.own_answers import own_answer
from kiosk.scan import Scan

TRIES: Final = 3
NONCE_BYTES: Final = 16
REMEMBERED: Final = 64
REMEMBERED_US: Final = 10 * MINUTE_US

_log: Final = structlog.get_logger("kiosk")


class Asker:
    """Turns a state that asks into what came of it. For one thread."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        # By digest of both numbers, so that no number stays in memory.
        self._unanswered: OrderedDict[bytes, _Unanswered] = OrderedDict()

    def ask(self, scan: Scan) -> Answered:
        """Ask until answered, at most `TRIES` times."""
        pair = sha256(f"{scan.ticket_no}\n{scan.id_number}".encode()).digest()
        first = self._earlier(pair) or self._fresh()
        request = CheckIn(first.nonce, first.scanned_at_us, scan.ticket_no or "", scan.id_number or "")
        try:
            answered = self._tried(request)
        except ConsoleRefusedError as error:
            _log.warning("check-in not judged", reason=str(error))
            return Answered(own_answer(Outcome.NOT_JUDGED))
        if answered is None:
            self._remember(pair, first)
            return Answered(own_answer(Outcome.SYS_STALE_ROSTER))
        return answered

    def _tried(self, request: CheckIn) -> Answered | None:
        for attempt in range(1, TRIES + 1):
            try:
                return Answered(self._console.check_in(request))
            except ConsoleUnreachableError as error:
                _log.warning("check-in unanswered", nonce=request.nonce, attempt=attempt, reason=str(error))
        return None

    def _earlier(self, pair: bytes) -> "_Unanswered | None":
        scan = self._unanswered.pop(pair, None)
        is_recent = scan is not None and self._clock.monotonic_us() - scan.began_us < REMEMBERED_US
        return scan if is_recent else None

    def _fresh(self) -> "_Unanswered":
        return _Unanswered(secrets.token_hex(NONCE_BYTES), self._clock.wall_us(), self._clock.monotonic_us())

    def _remember(self, pair: bytes, scan: "_Unanswered") -> None:
        self._unanswered[pair] = scan
        if len(self._unanswered) > REMEMBERED:
            self._unanswered.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """A scan whose answer got lost; `began_us` is monotonic."""

    nonce: str
    scanned_at_us: int
    began_us: int
