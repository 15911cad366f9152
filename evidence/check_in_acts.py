"""What staff do about check-in (人工处理): judged by one rule, done in one transaction, kept for ever.

An act that lets somebody in or out makes an attempt of its own, so that there is one place to ask who
came in, when and why. An act that was done while its kiosk worked alone is not refused when it arrives:
the person is inside. What it lacks is kept with it, and people hear of it.
"""

import json
from dataclasses import dataclass, replace
from sqlite3 import Connection, Row

from evidence.act_effects import Doing, Effect
from evidence.act_facts import ActReader, NewAct
from evidence.act_rows import insert_act, is_same_act, signed_text
from evidence.check_in_alarms import Subject, raise_alarms
from evidence.check_in_facts import CheckInRules
from evidence.doubt_cases import NewCase, open_case
from evidence.vault import Vault
from exam.admission_authority import LETTING_IN, Act, ActVerdict, Refusal, Signed, judge_act
from exam.doubt_cases import allowance, deadline_us
from exam.outcomes import Outcome
from exam.upload_rules import AlarmKind


class ActRefusedError(Exception):
    """The act is not done; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class ActAnswer:
    """What whoever acts is told: the exact JSON text on record."""

    body: str
    # The same act came before and this is what it was told then.
    is_replay: bool = False
    # The rooms whose pages show something else now.
    rooms: frozenset[int] = frozenset()


def do_act(
    connection: Connection, vault: Vault, asked: tuple[NewAct, Signed], rules: CheckInRules, now_us: int
) -> ActAnswer:
    """Judge and do one act. The same act with the same nonce gets the answer that it got before.

    Raises ActRefusedError for an act that may not be done, and for a nonce that another act has used; one
    that was done offline is refused for nothing else.
    """
    new, signed = asked
    row = connection.execute("select * from check_in_act where nonce = ?", (new.nonce,)).fetchone()
    if row is not None:
        if not is_same_act(row, new) or not _is_same_walk_in(connection, vault, row, new):
            raise ActRefusedError(Refusal.OTHER_ACT)
        return ActAnswer(row["answer"], is_replay=True)
    found = ActReader(connection, vault, new, rules).read()
    verdict = judge_act(new.act, signed, found.facts, new.happened_at_us)
    if verdict.refusal is not None and not new.is_offline:
        raise ActRefusedError(verdict.refusal)
    doing = Doing(connection, vault, new, signed, rules, found, now_us)
    effect = doing.effect() if verdict.refusal is None else _done_offline(doing, verdict)
    return _recorded(doing, effect, verdict)


def _is_same_walk_in(connection: Connection, vault: Vault, row: Row, new: NewAct) -> bool:
    """Whether the person whom a walk-in put on the roster has the number that is told now."""
    if new.walk_in is None:
        return True
    number = vault.index(new.walk_in.id_number)
    question = "select 1 from candidate where id = ? and id_number_index = ?"
    return connection.execute(question, (row["candidate_id"], number)).fetchone() is not None


def _done_offline(doing: Doing, verdict: ActVerdict) -> Effect:
    """What becomes of an act that is over, and that something was wrong with."""
    act = doing.new.act
    if verdict.obstacle is None and act in LETTING_IN:
        return replace(
            doing.let_in(Outcome.OK_PROVISIONAL),
            alarms=((AlarmKind.UNSIGNED_OVERRIDE, doing.room_id),),
            doubt=doing.found.facts.doubt or Outcome.NOT_JUDGED,
        )
    if verdict.obstacle is None and act is Act.EXIT:
        return replace(doing.exit(), alarms=((AlarmKind.RULES_DIFFER, doing.room_id),))
    is_inside = act in LETTING_IN
    kind = AlarmKind.INSIDE_THOUGH_REFUSED if is_inside else AlarmKind.RULES_DIFFER
    doubt = Outcome.NOT_JUDGED if is_inside else None
    return Effect(seat=doing.found.seat, alarms=((kind, doing.room_id),), doubt=doubt)


def _recorded(doing: Doing, effect: Effect, verdict: ActVerdict) -> ActAnswer:
    """The act's row and leaf, its alarms, and the doubt that goes with it."""
    answer = _answer(doing, effect, verdict)
    act_id = insert_act(doing.connection, _values(doing, effect, verdict, answer), doing.now_us)
    for kind, room_id in effect.alarms:
        about = Subject(
            effect.attempt_id,
            act_id,
            doing.new.kiosk_id,
            _candidate_id(doing, effect),
            _session_id(doing, effect),
            room_id,
        )
        raise_alarms(doing.connection, [kind], about, doing.now_us)
    if effect.doubt is not None:
        open_case(doing.connection, _case(doing, effect, effect.doubt), doing.now_us)
    return ActAnswer(answer, rooms=effect.rooms)


def _answer(doing: Doing, effect: Effect, verdict: ActVerdict) -> str:
    told = doing.told(effect.reasons, effect.seat) if effect.reasons and effect.seat else "null"
    answer = {
        "act": doing.new.act,
        "outcome": effect.reasons[0] if effect.reasons else None,
        "lacks": verdict.refusal or "",
        "candidate_id": _candidate_id(doing, effect),
        "told": json.loads(told),
    }
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"))


def _case(doing: Doing, effect: Effect, doubt: Outcome) -> NewCase:
    new, photo = doing.new, doing.new.provided.photo_sha256
    return NewCase(
        reason=doubt,
        candidate_id=_candidate_id(doing, effect),
        session_id=_session_id(doing, effect),
        room_id=effect.seat.sitting.room_id if effect.seat else None,
        attempt_id=effect.attempt_id,
        documents_held=new.documents_held,
        photos=() if photo is None else (photo,),
        # Whoever was not let in owes nothing.
        deadline_at_us=None
        if new.act is Act.BY_HAND
        else deadline_us(allowance(doing.rules.policy, doubt), new.happened_at_us),
        opened_by=doing.signed.signer.account_id or None,
    )


def _values(doing: Doing, effect: Effect, verdict: ActVerdict, answer: str) -> dict[str, int | str | None]:
    new, signer, second = doing.new, doing.signed.signer, doing.signed.second
    subject = doing.found.subject
    is_other = second is not None and second.account_id != signer.account_id
    return {
        "nonce": new.nonce,
        "act": new.act,
        "lane": new.lane,
        "kiosk_id": new.kiosk_id,
        "session_id": _session_id(doing, effect),
        "candidate_id": _candidate_id(doing, effect),
        "subject_attempt_id": None if subject is None else int(subject["id"]),
        "subject_nonce": new.subject_nonce,
        "attempt_id": effect.attempt_id,
        "place_id": new.place_id,
        "from_place_id": effect.from_place_id,
        "room_id": new.room_id,
        "approval_no": new.approval_no,
        "reason": new.reason.strip(),
        "account_id": signer.account_id or None,
        "second_account_id": second.account_id if second is not None and is_other else None,
        "subject": signed_text(new),
        "signatures": json.dumps([dict(one) for one in new.signatures]),
        "lacks": verdict.refusal or "",
        "happened_at_us": new.happened_at_us,
        "recorded_at_us": doing.now_us,
        "answer": answer,
    }


def _candidate_id(doing: Doing, effect: Effect) -> int | None:
    return effect.seat.candidate_id if effect.seat else doing.new.candidate_id


def _session_id(doing: Doing, effect: Effect) -> int | None:
    return effect.seat.sitting.session_id if effect.seat else doing.new.session_id
