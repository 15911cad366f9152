"""What a person may do now about one candidate at check-in, asked of the rule that judges it when it is done.

Nothing is offered that would be refused for who asks or for the facts as they are; what is done in between is
still judged anew (`exam.admission_authority`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from sqlite3 import Connection
from typing import Final

from evidence.act_facts import ActReader, Found, NewAct
from evidence.check_in_facts import CheckInRules
from evidence.check_in_history import PastAttempt, Person
from evidence.check_in_lookup import FreePlace, free_places
from evidence.check_in_rows import Lane
from evidence.vault import Vault
from exam.admission_authority import Act, ActFacts, ActVerdict, Refusal, Signed, judge_act
from exam.day import RoomKind
from exam.doubt_cases import SEEN_DOUBTS
from exam.outcomes import KINDS, Kind, Outcome
from exam.signers import Signer

# What stands for the words that the person has not typed yet.
_WORDS: Final = "-"


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that may be done now, and what has to be chosen for it."""

    act: Act
    needs_second: bool
    # The attempt it speaks of; None: of none.
    attempt: PastAttempt | None = None
    doubts: tuple[Outcome, ...] = ()
    # By hand: what the candidate would be answered now; None: another act.
    answer: Outcome | None = None
    # Free places by room.
    places: tuple[tuple[str, tuple[FreePlace, ...]], ...] = ()

    @property
    def key(self) -> str:
        """Names its form on the page, the same at every refresh."""
        return f"{self.act}-{self.attempt.id}" if self.attempt else str(self.act)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who asks, about whom, and by what it is judged."""

    connection: Connection
    vault: Vault
    rules: CheckInRules
    me: Signer
    person: Person
    attempts: Sequence[PastAttempt]
    now_us: int

    def offers(self) -> list[Offer]:
        """What may be done now, what helps him in first."""
        return [*self._letting_in(), *self._of_who_is_in(), *self._seats(), *self._others()]

    def refused(self) -> Iterator[tuple[Act, Refusal]]:
        """Why whoever is in is not undone, or whoever is not is not let in: by who asks, or by the facts."""
        standing = [one for one in self.attempts if one.stands]
        asked = [self._new(Act.UNDO, one) for one in standing] or list(self._entries())
        for new in asked:
            verdict = self._verdict(new)
            is_signed = verdict.unsigned in {None, Refusal.NEEDS_SECOND}
            refusal = verdict.obstacle if is_signed else verdict.refusal
            if refusal is not None:
                yield new.act, refusal

    def facts(self) -> ActFacts:
        """How it stands with him: when he left, what stands against letting him in now."""
        return self._read(self._new(Act.EXIT)).facts

    def _letting_in(self) -> Iterator[Offer]:
        yield from self._by_hand()
        for attempt in self.attempts:
            if KINDS[attempt.shown or attempt.outcome] is Kind.ADMITTED:
                yield from self._offer(self._new(Act.SETTLE_CONFLICT, attempt), attempt)
        if (last := self._last_of_his()) is not None:
            yield from self._offer(self._new(Act.OVERRIDE, last), last)
        provisional = [replace(self._new(Act.PROVISIONAL), doubt=doubt) for doubt in SEEN_DOUBTS]
        allowed = [(new, found) for new in provisional for found in self._offer(new)]
        if allowed:
            doubts = tuple(new.doubt for new, _ in allowed if new.doubt is not None)
            yield replace(allowed[0][1], doubts=doubts)

    def _last_of_his(self) -> PastAttempt | None:
        return next((one for one in reversed(self.attempts) if one.is_his), None)

    def _entries(self) -> Iterator[NewAct]:
        yield self._new(Act.BY_HAND)
        if (last := self._last_of_his()) is not None:
            yield self._new(Act.OVERRIDE, last)

    def _by_hand(self) -> Iterator[Offer]:
        """Also where he would be turned away: that he came is on record, and people can decide on it."""
        new = self._new(Act.BY_HAND)
        facts = self._read(new).facts
        if facts.by_hand is not None and facts.seat is not None and facts.seat.admission is None:
            yield from (replace(offer, answer=facts.by_hand.outcome) for offer in self._offer(new))

    def _of_who_is_in(self) -> Iterator[Offer]:
        yield from self._offer(self._new(Act.EXIT))
        for attempt in reversed(self.attempts):
            if attempt.stands or attempt.outcome is Outcome.OK_EXIT:
                yield from self._offer(self._new(Act.UNDO, attempt), attempt)

    def _seats(self) -> Iterator[Offer]:
        free = free_places(self.connection, self.person.session_id)
        emergency = [one for one in free if one.room_kind is RoomKind.CONTINGENCY_HALL]
        for act, places in (
            (Act.SEAT_CHANGE, [one for one in free if one.is_in_session]),
            (Act.EMERGENCY_ROOM, emergency),
        ):
            if places:
                new = replace(self._new(act), place_id=places[0].id)
                yield from (
                    replace(offer, places=_by_room(places, self.person)) for offer in self._offer(new)
                )

    def _others(self) -> Iterator[Offer]:
        if not any(one.stands for one in self.attempts):
            yield from self._offer(replace(self._new(Act.REDIRECT), room_id=self.person.room_id))
        for act in (Act.VOID_TICKET, Act.BLOCK, Act.UNBLOCK):
            yield from self._offer(self._new(act))

    def _new(self, act: Act, attempt: PastAttempt | None = None) -> NewAct:
        return NewAct(
            act=act,
            nonce="",
            lane=Lane.CONSOLE,
            reason=_WORDS,
            happened_at_us=self.now_us,
            session_id=self.person.session_id,
            candidate_id=self.person.candidate_id,
            subject_attempt_id=None if attempt is None else attempt.id,
        )

    def _read(self, new: NewAct) -> Found:
        return ActReader(self.connection, self.vault, new, self.rules).read()

    def _offer(self, new: NewAct, attempt: PastAttempt | None = None) -> Iterator[Offer]:
        verdict = self._verdict(new)
        if verdict.obstacle is None and verdict.unsigned in {None, Refusal.NEEDS_SECOND}:
            yield Offer(new.act, needs_second=verdict.unsigned is not None, attempt=attempt)

    def _verdict(self, new: NewAct) -> ActVerdict:
        signed = Signed(self.me, None, _WORDS, _WORDS)
        return judge_act(new.act, signed, self._read(new).facts, self.now_us)


def _by_room(places: Sequence[FreePlace], person: Person) -> tuple[tuple[str, tuple[FreePlace, ...]], ...]:
    """His own room first."""
    near = sorted(places, key=lambda one: one.room_id != person.room_id)
    return tuple((label, tuple(group)) for label, group in groupby(near, key=lambda one: one.room_label))
