"""What staff do at a kiosk with the console present (人工办理): signed with PINs, judged by the console.

What is offered is asked of the console first: the same rule as on its own pages, for the person whose PIN is
open. An act is signed by him, and by a second person where the rule asks for one. Here it is only put
together, sent and told; one whose answer got lost is sent again as it was signed.
"""

import base64
import secrets
from dataclasses import dataclass
from typing import Any, Final

from config.check_in import load_check_in_words
from config.outcomes import load_outcome_texts
from evidence.staff_pins import PinKeys
from exam.admission_authority import Act
from exam.answers import Answer
from exam.outcomes import Outcome
from exam.staff_acts import LOOK, Offered, StaffAct, act_subject
from kiosk.console import (
    ActNotDoneError,
    Console,
    ConsoleRefusedError,
    ConsoleRevokedError,
    ConsoleUnreachableError,
)

NONCE_BYTES: Final = 16
DONE: Final = "已办理：{title}。{line}"
TURNED_AWAY: Final = "已登记，现在不能入场：{title}。{line}"
UNSURE: Final = "控制台没有应答，不知道是否已办理。请按“再办理一次”（不会重复办理），或在控制台查看。"
REFUSED: Final = "控制台不接受这次办理，请在控制台办理。"
NOT_ASKED: Final = "控制台没有应答，现在不能办理。请稍候再试；急用请到人工窗口，由现场负责人在控制台办理。"

_REFUSALS: Final = (ActNotDoneError, ConsoleRefusedError, ConsoleRevokedError)


@dataclass(frozen=True, slots=True)
class Whom:
    """Somebody in one session, in the console's numbers."""

    candidate_id: int
    session_id: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """An act as it was chosen. `attempt_nonce`: of the attempt it speaks of; empty: of none."""

    act: Act
    whom: Whom
    reason: str
    attempt_nonce: str = ""
    doubt: Outcome | None = None

    def about(self) -> dict[str, Any]:
        """What it concerns, as the body names it; what it does not is left out."""
        told = {
            "session_id": self.whom.session_id,
            "candidate_id": self.whom.candidate_id,
            "attempt_nonce": self.attempt_nonce,
            "doubt": self.doubt,
        }
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Hand:
    """Who signs, and at which kiosk. Only in memory, as long as the PIN is open."""

    pin_id: int
    keys: PinKeys
    kiosk_uuid: str
    roles: frozenset[str]

    def signature(self, act: str, nonce: str, subject: dict[str, int | str], now_us: int) -> dict[str, Any]:
        """That he does this, or agrees to it, at this moment by the console's clock."""
        signed = StaffAct(self.pin_id, self.kiosk_uuid, nonce, now_us, act, subject)
        signature = base64.b64encode(self.keys.signing.sign(signed.message())).decode()
        return {"pin_id": self.pin_id, "signed_at_us": now_us, "signature": signature}


@dataclass(frozen=True, slots=True)
class Acted:
    """What came of an act, in words. `is_done` None: nobody knows, and the same one may be sent again."""

    is_done: bool | None
    words: str
    # It is on record that he came, and he does not come in: there may be more to do about him.
    is_turned_away: bool = False


def choices(act: Act) -> tuple[str, ...]:
    """The reasons that staff choose from."""
    return load_check_in_words().reasons.get(act, ())


def doubt_words(doubt: Outcome) -> str:
    """What somebody may see wrong, in words; the reason of a provisional entry."""
    return load_outcome_texts()[doubt].reason


def signed_act(wanted: Wanted, hands: list[Hand], now_us: int, nonce: str = "") -> dict[str, Any]:
    """The act as it is sent, under this nonce or one of its own: the first acts, the second agrees."""
    nonce, about = nonce or secrets.token_hex(NONCE_BYTES), wanted.about()
    subject = act_subject(about, wanted.reason)
    return {
        **about,
        "nonce": nonce,
        "act": wanted.act,
        "reason": wanted.reason,
        "happened_at_us": now_us,
        "signatures": [hand.signature(wanted.act, nonce, subject, now_us) for hand in hands],
    }


def ask_offered(console: Console, hand: Hand, whom: Whom, now_us: int) -> Offered | Acted:
    """What this person may do about somebody now, or why nobody can say."""
    about = {"session_id": whom.session_id, "candidate_id": whom.candidate_id}
    nonce = secrets.token_hex(NONCE_BYTES)
    signature = hand.signature(LOOK, nonce, act_subject(about, ""), now_us)
    try:
        return console.offered({**about, "nonce": nonce, "signature": signature})
    except _REFUSALS as error:
        return _refused(error)
    except ConsoleUnreachableError:
        return Acted(is_done=False, words=NOT_ASKED)


def send_act(console: Console, body: dict[str, Any]) -> Acted:
    """Have it done by the console's rule."""
    try:
        answer = console.act(body)
    except _REFUSALS as error:
        return _refused(error)
    except ConsoleUnreachableError:
        return Acted(is_done=None, words=UNSURE)
    return _told(Act(body["act"]), answer)


def _refused(error: Exception) -> Acted:
    return Acted(is_done=False, words=error.advice if isinstance(error, ActNotDoneError) else REFUSED)


def _told(act: Act, answer: Answer | None) -> Acted:
    """In the words that the candidate gets; of an act that answers him nothing, what it does."""
    if answer is None:
        words = load_check_in_words()
        return Acted(is_done=True, words=DONE.format(title=words.acts[act], line=words.act_effects[act]))
    frame = DONE if answer.admitted else TURNED_AWAY
    told = frame.format(title=answer.title, line=answer.line)
    return Acted(is_done=True, words=told, is_turned_away=not answer.admitted)
