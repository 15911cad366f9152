"""By hand at a kiosk that works alone: two sign, the rule answers, kept before it is told, brought later."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from config.check_in import load_check_in_words
from evidence.roster_boxes import KEY_BYTES
from exam.admission_authority import Act, Refusal
from exam.clock import MINUTE_US, SECOND_US
from exam.kiosk_health import Part, PartState
from exam.outcomes import Outcome
from exam.staff_acts import Offered, OfferedAct
from kiosk.bringing import ACT_NOT_TAKEN, SCAN_UNOPENED
from kiosk.scan import Scan
from kiosk.staff_acting import UNSURE, Acted, Wanted, Whom
from kiosk.staff_alone import BROUGHT_LATER, ONLY_BY_HAND, TURNED_AWAY_ALONE
from kiosk.staff_pins import Attempt, Tried
from tests.evidence.rostered import PIN, give_pin
from tests.kiosk.rostered_kiosk import Rostered, staff_screen, staffed
from tests.world import CLOCK_US, Person, World

PARTS = {Part.CAMERA: PartState.OK}
REASON = "查验证件：居民身份证。身份证读不出"
REFUSALS = load_check_in_words().refusals


class Pad:
    """The staff page of a kiosk whose console is away."""

    def __init__(self, kiosk: Rostered, world: World) -> None:
        self.kiosk, self.world = kiosk, world

    def opens(self, account_id: int) -> None:
        assert self.kiosk.local.desk.unlock(account_id, PIN).tried is Tried.OPEN

    def whom(self, person: Person) -> Whom:
        return Whom(person.id, self.world.session_id)

    def offered(self, person: Person) -> Offered:
        told = self.kiosk.local.desk.offered(self.whom(person))
        assert isinstance(told, Offered)
        return told

    def acts(self, person: Person, second: int = 0, act: Act = Act.BY_HAND, reason: str = REASON) -> Acted:
        wanted = Wanted(act, self.whom(person), reason)
        told = self.kiosk.local.desk.act(wanted, (second, PIN) if second else None)
        assert isinstance(told, Acted)
        return told

    def comes_back(self) -> None:
        self.kiosk.console.is_away = False
        self.kiosk.local.contact.turn(PARTS)


@pytest.fixture
def kiosk(world: World, tmp_path: Path) -> Iterator[Rostered]:
    made = staffed(world, tmp_path / "kiosk", is_alone=True)
    yield made
    made.local.close()


@pytest.fixture
def pad(kiosk: Rostered, world: World) -> Pad:
    made = Pad(kiosk, world)
    made.opens(world.proctor_account_id)
    return made


def test_two_let_somebody_in_whose_documents_do_not_scan(pad: Pad, kiosk: Rostered, world: World) -> None:
    [offer] = pad.offered(world.on_time).offers
    assert (offer.act, offer.needs_second, offer.turned_away) == (Act.BY_HAND, True, "")
    told = pad.acts(world.on_time, world.site_lead_account_id)
    assert told.is_done
    assert told.words.startswith("已办理：")
    assert "第1考场" in told.words
    assert told.words.endswith(BROUGHT_LATER)
    assert kiosk.local.contact.came_in(world.on_time.id) == {world.session_id: CLOCK_US}
    again = kiosk.local.asker.ask(Scan(world.on_time.ticket_no, world.on_time.id_number)).answer
    assert again.outcome == Outcome.OK_ALREADY_HERE


def test_it_is_brought_with_both_signatures_and_its_own_moment(
    pad: Pad, kiosk: Rostered, world: World
) -> None:
    pad.acts(world.on_time, world.site_lead_account_id)
    kiosk.clock.sleep_us(10 * MINUTE_US)
    assert kiosk.local.contact.told.counts.waiting == 1
    pad.comes_back()
    [act] = kiosk.console.acts
    assert (act["act"], act["was_offline"], act["happened_at_us"]) == ("by_hand", True, CLOCK_US)
    assert (act["reason"], act["kiosk"]["clock_offset_us"]) == (REASON, 0)
    assert len({signed["pin_id"] for signed in act["signatures"]}) == 2
    assert kiosk.local.contact.told.counts.waiting == 0
    assert not kiosk.local.contact.is_alone


def test_it_outlives_a_restart_and_is_brought_once(pad: Pad, kiosk: Rostered, world: World) -> None:
    pad.acts(world.on_time, world.site_lead_account_id)
    kiosk.restart()
    kiosk.console.lost = 0
    pad.comes_back()
    kiosk.local.contact.turn(PARTS)
    assert len(kiosk.console.acts) == 1


@pytest.mark.parametrize("who", ["nobody", "himself"])
def test_nobody_lets_in_alone(pad: Pad, kiosk: Rostered, world: World, who: str) -> None:
    second = {"nobody": 0, "himself": world.proctor_account_id}[who]
    refusal = {"nobody": Refusal.NEEDS_SECOND, "himself": Refusal.SAME_PERSON}[who]
    assert pad.acts(world.on_time, second) == Acted(is_done=False, words=REFUSALS[refusal])
    assert kiosk.local.contact.told.counts.waiting == 0


def test_whoever_is_not_at_work_agrees_to_nothing(kiosk: Rostered, world: World) -> None:
    give_pin(world, world.administrator_account_id)
    kiosk.console.is_away = False
    kiosk.publish(revision=2)
    kiosk.local.contact.turn(PARTS)
    kiosk.console.is_away = True
    kiosk.local.contact.lost()
    pad = Pad(kiosk, world)
    pad.opens(world.site_lead_account_id)
    told = pad.acts(world.on_time, world.administrator_account_id)
    assert told.words == REFUSALS[Refusal.SECOND_NOT_ALLOWED]


def test_whoever_only_patrols_is_told_that_he_may_not(pad: Pad, kiosk: Rostered, world: World) -> None:
    hand = replace(kiosk.local.desk._open.hand, roles=frozenset({"inspector"}))  # type: ignore[union-attr]
    kiosk.local.desk._open.hand = hand  # type: ignore[union-attr]
    [refused] = pad.offered(world.on_time).refused
    assert refused.advice == REFUSALS[Refusal.NOT_ALLOWED]
    told = pad.acts(world.on_time, world.site_lead_account_id)
    assert told.words == REFUSALS[Refusal.NOT_ALLOWED]


def test_a_second_pin_that_is_wrong_lets_nobody_in(pad: Pad, world: World) -> None:
    wanted = Wanted(Act.BY_HAND, pad.whom(world.on_time), REASON)
    told = pad.kiosk.local.desk.act(wanted, (world.site_lead_account_id, "000000"))
    assert told == Attempt(Tried.WRONG)
    assert pad.kiosk.local.contact.told.counts.waiting == 0


def test_whom_the_rule_turns_away_is_told_why_and_not_kept(pad: Pad, kiosk: Rostered, world: World) -> None:
    kiosk.local.asker.ask(Scan(world.on_time.ticket_no, world.on_time.id_number))
    told = pad.offered(world.on_time)
    assert [one.reason for one in told.against] == ["刚刚已签到"]
    assert (told.offers, [one.advice for one in told.refused]) == ((), [TURNED_AWAY_ALONE])
    refused = pad.acts(world.on_time, world.site_lead_account_id)
    assert refused.words.startswith("刚刚已签到。")
    assert kiosk.local.contact.told.counts.waiting == 1  # the scan


def test_everything_else_waits_for_the_console(pad: Pad, world: World) -> None:
    told = pad.acts(world.late, world.site_lead_account_id, Act.OVERRIDE, "交通延误")
    assert told == Acted(is_done=False, words=ONLY_BY_HAND)


def test_a_kiosk_that_may_not_judge_lets_nobody_in(pad: Pad, kiosk: Rostered, world: World) -> None:
    kiosk.local.contact.free = lambda _path: 0
    [against] = pad.offered(world.on_time).against
    assert "空间" in against.reason or "硬盘" in against.reason or "磁盘" in against.reason
    assert not pad.acts(world.on_time, world.site_lead_account_id).is_done


def test_a_session_in_which_he_has_no_seat_is_said(pad: Pad, world: World) -> None:
    told = pad.kiosk.local.desk.offered(Whom(world.on_time.id, world.session_id + 1))
    assert isinstance(told, Offered)
    assert told.against[0].reason == REFUSALS[Refusal.NOBODY]


def test_what_the_console_refuses_is_for_a_person_and_holds_up_no_scan(
    pad: Pad, kiosk: Rostered, world: World
) -> None:
    pad.acts(world.on_time, world.site_lead_account_id)
    kiosk.local.asker.ask(Scan(world.late.ticket_no, world.late.id_number))
    kiosk.console.advice = "这个操作编号已经用于另一项办理。"
    pad.comes_back()
    assert [one.problem for one in kiosk.local.contact.aside()] == [ACT_NOT_TAKEN]
    assert len(kiosk.console.asked) == 1


def test_what_was_sealed_under_another_key_is_for_a_person(
    pad: Pad, kiosk: Rostered, world: World, tmp_path: Path
) -> None:
    pad.acts(world.on_time, world.site_lead_account_id)
    (tmp_path / "kiosk" / "keys" / "kiosk.outbox").write_bytes(bytes(KEY_BYTES))
    kiosk.restart()
    pad.comes_back()
    assert [one.problem for one in kiosk.local.contact.aside()] == [SCAN_UNOPENED]


def test_an_act_that_gets_no_answer_steps_aside_for_the_scans(
    pad: Pad, kiosk: Rostered, world: World
) -> None:
    pad.acts(world.on_time, world.site_lead_account_id)
    kiosk.local.asker.ask(Scan(world.late.ticket_no, world.late.id_number))
    kiosk.console.lost = 1  # a line that was cut ends the turn
    pad.comes_back()
    assert (kiosk.local.contact.is_alone, kiosk.console.asked) == (True, [])
    kiosk.console.lost = 1
    kiosk.local.contact.turn(PARTS)
    assert (kiosk.local.contact.is_alone, len(kiosk.console.asked)) == (False, 1)
    kiosk.local.contact.turn(PARTS)
    assert len(kiosk.console.acts) == 2  # not before its time
    kiosk.clock.sleep_us(60 * SECOND_US)
    kiosk.local.contact.turn(PARTS)
    assert (len(kiosk.console.acts), kiosk.local.contact.told.counts.waiting) == (3, 0)


def test_one_that_got_no_answer_is_done_alone_under_its_own_nonce(kiosk: Rostered, world: World) -> None:
    kiosk.console.is_away = False
    kiosk.local.contact.turn(PARTS)
    kiosk.console.offers = Offered((), (OfferedAct(Act.BY_HAND, "人工签到", "", needs_second=False),), ())
    kiosk.console.lost = 1
    pad = Pad(kiosk, world)
    pad.opens(world.proctor_account_id)
    assert pad.acts(world.on_time).words == UNSURE
    kiosk.console.is_away = True
    kiosk.local.contact.lost()
    assert pad.acts(world.on_time).words == REFUSALS[Refusal.NEEDS_SECOND]
    assert pad.acts(world.on_time, world.site_lead_account_id).is_done
    pad.comes_back()
    first, brought = kiosk.console.acts
    assert first["nonce"] == brought["nonce"]


@pytest.fixture
def client(kiosk: Rostered, tmp_path: Path) -> Iterator[FlaskClient]:
    with staff_screen(kiosk, tmp_path / "other") as app:
        yield app.test_client()


def test_a_disk_that_does_not_take_it_lets_nobody_in(
    client: FlaskClient, kiosk: Rostered, world: World
) -> None:
    kiosk.local.desk.unlock(world.proctor_account_id, PIN)
    with kiosk.local.store.database.write() as connection:
        connection.execute(
            "create trigger full before insert on staff_act begin select raise(abort, 'full'); end"
        )
    body: dict[str, Any] = {
        "candidate_id": world.on_time.id,
        "session_id": world.session_id,
        "act": "by_hand",
        "reason": "身份证读不出",
        "document": "id_card",
        "second_number": world.site_lead_account_id,
        "second_pin": PIN,
    }
    told = client.post("/local/staff/act", json=body, headers={"X-Kaochang-Kiosk": "staff"})
    assert told.status_code == 503
    assert (told.json or {})["done"] is False
    assert "没有办理" in (told.json or {})["words"]
    assert kiosk.local.contact.came_in(world.on_time.id) == {}
