"""Staff of the small world who act on check-ins, and how their acts are sent."""

import json
from dataclasses import replace
from typing import Any

import pytest

from evidence import accounts
from evidence.act_facts import NewAct
from evidence.check_in_acts import ActAnswer, ActRefusedError, do_act
from evidence.check_in_rows import Lane
from evidence.checkins import StoredAnswer
from exam.admission_authority import Act, Refusal, Signed
from exam.clock import MINUTE_US
from exam.signers import Signer
from tests.evidence.check_ins import Desk
from tests.world import CLOCK_US, START_US, Person, World, announce

START_CUE, STOP_CUE = "C5", "C8"


class Office:
    """Staff of the small world who act: the site lead, and 王芳 as the second person."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.world, self.made = desk, desk.world, 0

    def signer(self, account_id: int) -> Signer:
        with self.world.exam.read() as connection:
            found = accounts.load_signer(connection, account_id)
        assert found is not None
        return found

    def lead(self, *, alone: bool = True, reason: str = "已核对") -> Signed:
        second = None if alone else self.signer(self.world.proctor_account_id)
        return Signed(self.signer(self.world.site_lead_account_id), second, reason, "渝7号")

    def proctor(self) -> Signed:
        return Signed(self.signer(self.world.proctor_account_id), reason="已核对")

    def new(self, act: Act, now_us: int = CLOCK_US, **changed: Any) -> NewAct:
        self.made += 1
        plain = NewAct(act, f"act-nonce-{self.made:08d}", Lane.CONSOLE, "已核对", now_us, approval_no="渝7号")
        return replace(plain, **changed)

    def about(self, act: Act, person: Person, now_us: int = CLOCK_US, **changed: Any) -> NewAct:
        whom = {"session_id": self.world.session_id, "candidate_id": person.id}
        return self.new(act, now_us, **{**whom, **changed})

    def send(self, new: NewAct, signed: Signed, now_us: int | None = None) -> ActAnswer:
        with self.world.exam.write() as connection:
            moment_us = new.happened_at_us if now_us is None else now_us
            return do_act(connection, self.world.vault, (new, signed), self.desk.rules, moment_us)

    def refusal(self, new: NewAct, signed: Signed) -> Refusal:
        with pytest.raises(ActRefusedError) as error:
            self.send(new, signed)
        return error.value.refusal


def told(answer: ActAnswer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.body)
    return body


def late_scan(desk: Desk, world: World) -> StoredAnswer:
    announce(world, START_CUE, START_US)
    return desk.ask(world.late, START_US + 31 * MINUTE_US)
