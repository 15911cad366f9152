"""What staff do at a kiosk with the console present (人工办理): signed with a PIN, judged by the console.

The only act here is the provisional entry of somebody in doubt (存疑先行入场): the console knows whom it
concerns by our own numbers. Everything that names an earlier attempt is done on the console.
"""

import base64
from dataclasses import dataclass
from typing import Any, Final

from config.outcomes import load_outcome_texts
from evidence.staff_pins import PinKeys
from exam.admission_authority import Act
from exam.doubt_cases import SEEN_DOUBTS
from exam.outcomes import Outcome
from exam.staff_acts import StaffAct, act_subject
from kiosk.console import (
    ActNotDoneError,
    Console,
    ConsoleRefusedError,
    ConsoleRevokedError,
    ConsoleUnreachableError,
)

DONE: Final = "已办理：{title}。{line}"
UNSURE: Final = "控制台没有应答，不知道是否已办理。请再按一次（不会重复办理），或在控制台查看。"
REFUSED: Final = "控制台不接受这次办理，请在控制台办理。"


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody in one session, in the console's numbers."""

    candidate_id: int
    session_id: int


@dataclass(frozen=True, slots=True)
class Hand:
    """Who signs, and at which kiosk. Only in memory, as long as the PIN is open."""

    pin_id: int
    keys: PinKeys
    kiosk_uuid: str

    def signed(self, body: dict[str, Any], now_us: int) -> dict[str, Any]:
        """The act as it is sent: what it concerns and why is signed, with the moment."""
        names = ("session_id", "candidate_id", "doubt")
        subject = act_subject({name: body[name] for name in names}, body["reason"])
        act = StaffAct(self.pin_id, self.kiosk_uuid, body["nonce"], now_us, body["act"], subject)
        signature = base64.b64encode(self.keys.signing.sign(act.message())).decode()
        one = {"pin_id": self.pin_id, "signed_at_us": now_us, "signature": signature}
        return {**body, "happened_at_us": now_us, "signatures": [one]}


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of an act, in words. `is_done` None: nobody knows, and the same nonce may be sent again."""

    is_done: bool | None
    words: str


def doubts() -> list[dict[str, str]]:
    """What a person may see wrong, in words, the usual one first."""
    texts = load_outcome_texts()
    return [{"doubt": one, "words": texts[one].reason} for one in SEEN_DOUBTS]


def enter_provisionally(
    console: Console, hand: Hand, whom: Whom, doubt: Outcome, sent: tuple[str, int]
) -> Acted:
    """Let him in with a doubt that is written down. `sent`: the nonce, and when, by the console's clock."""
    nonce, now_us = sent
    body = {
        "nonce": nonce,
        "act": Act.PROVISIONAL,
        "reason": load_outcome_texts()[doubt].reason,
        "session_id": whom.session_id,
        "candidate_id": whom.candidate_id,
        "doubt": doubt,
    }
    try:
        told = console.act(hand.signed(body, now_us))
    except ActNotDoneError as error:
        return Acted(is_done=False, words=error.advice)
    except (ConsoleRefusedError, ConsoleRevokedError):
        return Acted(is_done=False, words=REFUSED)
    except ConsoleUnreachableError:
        return Acted(is_done=None, words=UNSURE)
    return Acted(is_done=True, words=DONE.format(title=told.title, line=told.line))
