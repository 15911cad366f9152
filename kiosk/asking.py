"""What becomes of one scan: kept, asked of the console, or judged here when the console does not answer.

Order, so that no record is lost and nobody is told what is not written down: keep the scan, durable; ask
the console; without an answer in time judge here under the same nonce, keep that, and only then tell it.
"""

import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from traceback import extract_tb
from typing import Any, Final

import structlog

from evidence.kiosk_outbox import NewScan, Outbox
from evidence.ticket_signing import ShownTicket
from exam.admission_facts import TicketProof
from exam.answers import Answer
from exam.clock import Clock
from exam.outcomes import Outcome
from kiosk.alone import OwnJudgement
from kiosk.bringing import SCAN_NOT_TAKEN, bring_pictures
from kiosk.by_ticket import judged_by_ticket
from kiosk.console import Console, ConsoleRefusedError, ConsoleRevokedError, ConsoleUnreachableError
from kiosk.contact import Contact
from kiosk.own_answers import own_answer
from kiosk.scan import Scan
from kiosk.visit import Answered

NONCE_BYTES: Final = 16

_log: Final = structlog.get_logger("kiosk")


class Asker:
    """Turns a scan into its answer. For one thread."""

    def __init__(self, console: Console, contact: Contact, outbox: Outbox, clock: Clock) -> None:
        self._console, self._contact, self._outbox = console, contact, outbox
        self._clock = clock

    def ask(self, scan: Scan) -> Answered:
        """The answer, on record here or at the console."""
        reasons = self._contact.unfit()
        if reasons:
            return Answered(own_answer(reasons[0]))
        scanned_at_us, nonce = self._clock.wall_us(), secrets.token_hex(NONCE_BYTES)
        shown = self._contact.packages.shown(scan.signed)
        body = body_of(scan, shown, nonce, scanned_at_us)
        try:
            new = NewScan(nonce, self._contact.boot_id, scanned_at_us)
            kept = self._outbox.begin(new, body, self._contact.said, scan.pictures)
            return self._online(nonce, kept) or self._alone(nonce, scan, shown)
        except sqlite3.Error as error:
            # Also when the console has answered: what is told is what is kept, or that nothing can be.
            _log.warning("scan cannot be kept", nonce=nonce, reason=str(error))
            self._outbox.told_unkept(nonce, Outcome.SYS_DISK)
            return Answered(own_answer(Outcome.SYS_DISK))

    def _online(self, nonce: str, body: Mapping[str, Any]) -> Answered | None:
        if self._contact.is_alone:
            return None
        try:
            bring_pictures(self._console, self._outbox, nonce)
            answer = self._console.check_in(body)
        except ConsoleUnreachableError as error:
            _log.warning("check-in unanswered", nonce=nonce, reason=str(error))
            self._contact.lost()
            return None
        except ConsoleRefusedError as error:
            _log.warning("check-in not judged", nonce=nonce, reason=str(error))
            self._outbox.set_aside(nonce, SCAN_NOT_TAKEN)
            return Answered(own_answer(Outcome.NOT_JUDGED))
        except ConsoleRevokedError:
            return self._told(nonce, OwnJudgement(own_answer(Outcome.SYS_REVOKED), None))
        self._outbox.answered(nonce, answer, self._contact.now_us)
        return Answered(answer)

    def _alone(self, nonce: str, scan: Scan, shown: ShownTicket | None) -> Answered:
        reasons = self._contact.unfit()
        if reasons:
            return self._told(nonce, OwnJudgement(own_answer(reasons[0]), None))
        try:
            judgement = self._judgement(scan, shown)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - whatever breaks, a person looks and the kiosk goes on
            judgement = OwnJudgement(not_judged(error, nonce), None)
        return self._told(nonce, judgement)

    def _judgement(self, scan: Scan, shown: ShownTicket | None) -> OwnJudgement:
        """By the roster; without any, by a signed ticket alone."""
        packages, now_us = self._contact.packages, self._contact.now_us
        alone, keys = packages.alone, packages.keys
        if alone is not None:
            local = self._outbox.entries(alone.kiosk_id, alone.day_made_at_us)
            return alone.judge(scan, shown, local, now_us)
        if keys is not None:
            return OwnJudgement(judged_by_ticket(scan, shown, keys, now_us), None)
        return OwnJudgement(own_answer(Outcome.SYS_STALE_ROSTER), None)

    def _told(self, nonce: str, judgement: OwnJudgement) -> Answered:
        self._outbox.decided(nonce, judgement.answer, judgement.let_in)
        return Answered(judgement.answer, is_offline=True)


def not_judged(error: Exception, nonce: str = "") -> Answer:
    """The answer when something of ours broke; the log says where, without words: they may hold a number."""
    frame = extract_tb(error.__traceback__)[-1]
    where = f"{frame.name} {frame.lineno}"
    _log.warning("check-in not judged", nonce=nonce, error=type(error).__name__, where=where)
    return own_answer(Outcome.NOT_JUDGED)


def body_of(scan: Scan, shown: ShownTicket | None, nonce: str, scanned_at_us: int) -> dict[str, Any]:
    """The check-in as it is sent, now or later (docs/design/check-in.md)."""
    ticket = None if shown is None else shown.ticket
    read = scan.read
    return {
        "nonce": nonce,
        "scanned_at_us": scanned_at_us,
        "ticket_no": scan.ticket_no,
        "id_number": scan.id_number,
        "read": {
            "document_type": read.document_type,
            "name": read.name,
            "valid_until": None if read.valid_until is None else read.valid_until.isoformat(),
        },
        "ticket_proof": TicketProof.PLAIN if shown is None else shown.proof,
        "ticket_revision": None if ticket is None else ticket.revision,
        "declared": sorted(scan.declared),
        "provided": asdict(scan.provided),
        "tries": scan.tries,
    }
