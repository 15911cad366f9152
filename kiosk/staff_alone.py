"""Check-in by hand at a kiosk that works alone (断网时人工签到): two sign, and the rule of the door answers.

Two always: what a doubt about somebody came to, only the console knows. Whom the rule turns away is told
why and not kept; whoever comes in is kept durably first, and brought to the console with both signatures.
"""

from typing import Final

from config.check_in import against_at_kiosk, load_check_in_words
from exam.admission_authority import Act, Refusal
from exam.outcomes import Outcome
from exam.roster_cards import SheetEntry
from exam.signers import AT_WORK, LEADS, ROOM_STAFF
from exam.staff_acts import Against, Offered, OfferedAct, RefusedAct
from kiosk.alone import OwnJudgement
from kiosk.contact import Contact
from kiosk.staff_acting import DONE, Acted, Hand, Wanted, signed_act

ONLY_BY_HAND: Final = "本机断网：只能由两人共同人工签到。其他办理请到人工窗口，由现场负责人处理。"
TURNED_AWAY_ALONE: Final = "本机断网，按规则现在不能入场。请到人工窗口，由现场负责人处理。"
BROUGHT_LATER: Final = "本机断网，记录已存在本机，联网后自动报控制台。"


def offered_alone(contact: Contact, entry: SheetEntry, session_id: int, hand: Hand) -> Offered:
    """What this person may do about somebody while the kiosk works alone, or why not."""
    words = load_check_in_words()
    title = words.acts[Act.BY_HAND]
    judged, refusal = _judged(contact, entry, session_id), _first_refusal(hand)
    if isinstance(judged, Against):
        return Offered((judged,), (), (RefusedAct(Act.BY_HAND, title, TURNED_AWAY_ALONE),))
    if refusal is not None:
        return Offered((), (), (RefusedAct(Act.BY_HAND, title, words.refusals[refusal]),))
    effect = BROUGHT_LATER + words.act_effects[Act.BY_HAND]
    return Offered((), (OfferedAct(Act.BY_HAND, title, effect, needs_second=True),), ())


def by_hand_alone(
    contact: Contact, entry: SheetEntry, wanted: Wanted, hands: list[Hand], nonce: str = ""
) -> Acted:
    """Let somebody in whose documents two people compared, and keep it. `nonce`: of one that got no answer.

    Raises sqlite3.Error when the disk does not take it: then nobody is let in.
    """
    if wanted.act is not Act.BY_HAND:
        return Acted(is_done=False, words=ONLY_BY_HAND)
    refusal = _first_refusal(hands[0]) or _second_refusal(hands)
    if refusal is not None:
        return Acted(is_done=False, words=load_check_in_words().refusals[refusal])
    judged = _judged(contact, entry, wanted.whom.session_id)
    if isinstance(judged, Against):
        return Acted(is_done=False, words=f"{judged.reason}。{judged.advice}")
    contact.keep_act(signed_act(wanted, hands, contact.now_us, nonce), judged)
    done = DONE.format(title=judged.answer.title, line=judged.answer.line)
    return Acted(is_done=True, words=done + BROUGHT_LATER)


def _judged(contact: Contact, entry: SheetEntry, session_id: int) -> OwnJudgement | Against:
    """Whom the rule lets in here; else what stands against it, this kiosk's own state first."""
    unfit = contact.unfit()
    judgement = contact.judge_by_hand(entry, session_id)
    if judgement is None:
        return Against(load_check_in_words().refusals[Refusal.NOBODY], ONLY_BY_HAND)
    if not unfit and judgement.let_in is not None:
        return judgement
    return against_at_kiosk(unfit[0] if unfit else Outcome(judgement.answer.outcome))


def _first_refusal(hand: Hand) -> Refusal | None:
    """Where somebody works the list of a room opens to him; that he may do this is his role."""
    return None if hand.roles & (ROOM_STAFF | LEADS) else Refusal.NOT_ALLOWED


def _second_refusal(hands: list[Hand]) -> Refusal | None:
    if len(hands) == 1:
        return Refusal.NEEDS_SECOND
    if hands[0].pin_id == hands[1].pin_id:
        return Refusal.SAME_PERSON
    return None if hands[1].roles & AT_WORK else Refusal.SECOND_NOT_ALLOWED
