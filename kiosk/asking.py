"""Asking the console about one candidate, with patience and always under the same nonce.

A request whose answer got lost may have admitted the candidate. So the nonce of an unanswered pair
of documents is remembered: when the same candidate tries again here, the console gives the answer
it gave the first time, and nobody is told that he is in already.
"""

import secrets
from collections import OrderedDict
from hashlib import sha256
from typing import Final

import structlog

from exam.clock import Clock
from kiosk.console import CheckIn, Console, ConsoleRefusedError, ConsoleUnreachableError
from kiosk.flow import Answered, Asking, Happened, Input

TRIES: Final = 3
NONCE_BYTES: Final = 16
REMEMBERED: Final = 64

_log: Final = structlog.get_logger("kiosk")


class Asker:
    """Turns a state that asks into what came of it. For one thread."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        # By digest of both numbers, so that no number stays in memory.
        self._unanswered: OrderedDict[bytes, tuple[str, int]] = OrderedDict()

    def ask(self, asking: Asking) -> Input:
        """Ask until answered, at most `TRIES` times."""
        pair = sha256(f"{asking.ticket_no}\n{asking.id_number}".encode()).digest()
        nonce, scanned_at_us = self._unanswered.pop(pair) if pair in self._unanswered else self._fresh()
        request = CheckIn(nonce, scanned_at_us, asking.ticket_no, asking.id_number)
        try:
            outcome = self._tried(request)
        except ConsoleRefusedError as error:
            _log.warning("check-in not judged", reason=str(error))
            return Happened.NOT_JUDGED
        if outcome is Happened.UNANSWERED:
            self._remember(pair, nonce, scanned_at_us)
        return outcome

    def _tried(self, request: CheckIn) -> Input:
        for attempt in range(1, TRIES + 1):
            try:
                return Answered(self._console.check_in(request))
            except ConsoleUnreachableError as error:
                _log.warning("check-in unanswered", nonce=request.nonce, attempt=attempt, reason=str(error))
        return Happened.UNANSWERED

    def _fresh(self) -> tuple[str, int]:
        return secrets.token_hex(NONCE_BYTES), self._clock.wall_us()

    def _remember(self, pair: bytes, nonce: str, scanned_at_us: int) -> None:
        self._unanswered[pair] = (nonce, scanned_at_us)
        if len(self._unanswered) > REMEMBERED:
            self._unanswered.popitem(last=False)
