"""Brings what the console does not know yet: scans with their pictures, and acts of staff (待上传).

Oldest first, and of one candidate always in order. A scan that fails again and again steps aside: it waits
longer each time, and so does what came after it of the same candidate; everybody else's goes on. What the
console refuses, and what cannot be opened any more, is set aside for a person.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import structlog

from evidence.kiosk_act_box import WaitingAct
from evidence.kiosk_outbox import Outbox, WaitingScan
from exam.clock import SECOND_US, Clock
from exam.identity import normalise
from exam.outcomes import Outcome
from exam.tickets import normalise_ticket
from kiosk.console import (
    TIMEOUT_S,
    ActNotDoneError,
    Console,
    ConsoleFailedError,
    ConsoleRefusedError,
    ConsoleUnreachableError,
)

# What is told of a scan about which nobody was told anything, because the kiosk stopped.
INTERRUPTED: Final = Outcome.SYS_OUT
ACT_NOT_TAKEN: Final = "控制台不接受这次人工签到；请把数据文件夹交给系统管理员，并在控制台核对该考生。"
SCAN_UNOPENED: Final = "签到机的待上传密钥已更换，这条记录打不开；请把数据文件夹交给系统管理员。"
SCAN_NOT_TAKEN: Final = "控制台不接受这条记录；请把数据文件夹交给系统管理员。"
UNOPENED: Final = "签到机的待上传密钥已更换，这张图片打不开；请把数据文件夹交给系统管理员。"
NOT_TAKEN: Final = "控制台不接受这张图片；请把数据文件夹交给系统管理员。"
# Once more in its turn: a line that was cut says nothing about the scan that was under way.
FAILURES_IN_TURN: Final = 1
FIRST_WAIT_US: Final = 10 * SECOND_US
LONGEST_WAIT_US: Final = 320 * SECOND_US
# A photo over a slow line is given more time at each try. No candidate waits for it.
LONGEST_TIMEOUT_S: Final = 12.0

_log: Final = structlog.get_logger("kiosk")


@dataclass(frozen=True, slots=True)
class _Failed:
    """How often a scan failed in a row, and when it is tried again."""

    times: int
    due_us: int

    @property
    def is_aside(self) -> bool:
        return self.times > FAILURES_IN_TURN

    @property
    def timeout_s(self) -> float:
        """How long one picture may take at the next try."""
        return min(TIMEOUT_S * (1 << min(self.times, 4)), LONGEST_TIMEOUT_S)


_FRESH: Final = _Failed(0, 0)


class Bringer:
    """Brings what waits. For one thread; what failed is forgotten at a restart, and tried anew."""

    def __init__(self, console: Console, outbox: Outbox, clock: Clock) -> None:
        self._console, self._outbox, self._clock = console, outbox, clock
        self._failed: dict[str, _Failed] = {}

    def bring(self, boot_id: str, now_us: Callable[[], int]) -> None:
        """Bring every act and every scan whose turn it is; `now_us` tells the moment by the console's clock.

        Acts first: a scan that came after one speaks of somebody who is in by it. Raises
        ConsoleUnreachableError when the line seems to be cut, and ConsoleRevokedError.
        """
        self._bring_acts(now_us)
        for scan in self._in_turn(self._outbox.waiting(boot_id)):
            try:
                self._bring(scan, now_us)
            except ConsoleRefusedError as error:
                _log.warning("scan needs a person", nonce=scan.nonce, reason=str(error))
                self._set_aside(scan, SCAN_NOT_TAKEN)
            except ConsoleUnreachableError as error:
                failed = self._note_failure(scan.nonce, error)
                if not failed.is_aside and not isinstance(error, ConsoleFailedError):
                    raise

    def _in_turn(self, waiting: list[WaitingScan]) -> Iterator[WaitingScan]:
        """Oldest first; those that stepped aside and are due come last, and never before an earlier one."""
        held: set[str] = set()
        late = []
        for scan in waiting:
            whose = _whose(scan)
            failed = self._failed.get(scan.nonce, _FRESH)
            is_behind = bool(whose & held)
            if failed.is_aside or is_behind:
                held |= whose
                if not is_behind and self._clock.monotonic_us() >= failed.due_us:
                    late.append(scan)
                continue
            yield scan
            if scan.nonce in self._failed:  # it failed just now
                held |= whose
        for scan in late:
            times = self._failed[scan.nonce].times
            yield scan
            if self._failed.get(scan.nonce, _FRESH).times > times:
                return  # enough for one turn: the console must hear of us

    def _bring(self, scan: WaitingScan, now_us: Callable[[], int]) -> None:
        if scan.body is None:
            self._set_aside(scan, SCAN_UNOPENED)
            return
        timeout_s = self._failed.get(scan.nonce, _FRESH).timeout_s
        bring_pictures(self._console, self._outbox, scan.nonce, timeout_s)
        decided = {"outcome": scan.outcome or INTERRUPTED, "place_id": scan.place_id}
        self._console.check_in({**scan.body, "decided": decided})
        self._outbox.delivered(scan.nonce, now_us())
        self._failed.pop(scan.nonce, None)

    def _set_aside(self, scan: WaitingScan, problem: str) -> None:
        self._outbox.set_aside(scan.nonce, problem)
        self._failed.pop(scan.nonce, None)

    def _bring_acts(self, now_us: Callable[[], int]) -> None:
        for act in self._outbox.acts.waiting():
            known = self._failed.get(act.nonce, _FRESH)
            if known.is_aside and self._clock.monotonic_us() < known.due_us:
                continue
            try:
                self._bring_act(act, now_us)
            except ConsoleUnreachableError as error:
                failed = self._note_failure(act.nonce, error)
                if failed.is_aside:
                    return  # enough for one turn: the console must hear of us, and of the scans
                if not isinstance(error, ConsoleFailedError):
                    raise

    def _bring_act(self, act: WaitingAct, now_us: Callable[[], int]) -> None:
        acts = self._outbox.acts
        if act.body is None:
            acts.set_aside(act.nonce, SCAN_UNOPENED)
            return
        try:
            self._console.act(act.body)
        except (ActNotDoneError, ConsoleRefusedError) as error:
            _log.warning("act needs a person", nonce=act.nonce, reason=str(error))
            acts.set_aside(act.nonce, ACT_NOT_TAKEN)
        else:
            acts.delivered(act.nonce, now_us())
        self._failed.pop(act.nonce, None)

    def _note_failure(self, nonce: str, error: Exception) -> _Failed:
        times = self._failed.get(nonce, _FRESH).times + 1
        wait_us = min(FIRST_WAIT_US * 2 ** max(0, times - FAILURES_IN_TURN - 1), LONGEST_WAIT_US)
        failed = _Failed(times, self._clock.monotonic_us() + wait_us)
        self._failed[nonce] = failed
        _log.warning("record not taken yet", nonce=nonce, times=times, reason=str(error))
        return failed


def _whose(scan: WaitingScan) -> frozenset[str]:
    """The documents that a scan names: two scans that share one are of the same candidate."""
    body: dict[str, Any] = scan.body or {}
    ticket, number = body.get("ticket_no"), body.get("id_number")
    named = {
        f"ticket {normalise_ticket(ticket)}" if ticket else "",
        f"number {normalise(number)}" if number else "",
    }
    return frozenset(named - {""})


def bring_pictures(console: Console, outbox: Outbox, nonce: str, timeout_s: float = TIMEOUT_S) -> None:
    """Send what the console does not have; one that it refuses is set aside, and its scan goes on without.

    Raises ConsoleUnreachableError and ConsoleRevokedError: then everything left waits.
    """
    for picture in outbox.pictures_of(nonce):
        if picture.content is None:
            outbox.set_picture_aside(picture.sha256_hex, UNOPENED)
            continue
        try:
            console.picture(
                picture.kind, picture.sha256_hex, picture.media_type, picture.content, timeout_s=timeout_s
            )
        except ConsoleRefusedError as error:
            _log.warning("picture needs a person", nonce=nonce, reason=str(error))
            outbox.set_picture_aside(picture.sha256_hex, NOT_TAKEN)
        else:
            outbox.picture_delivered(picture.sha256_hex)
