"""A kiosk's staff page and a real console: the same rule, codes and leaves as on its pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from evidence import accounts
from evidence.doubt_cases import load_cases
from exam.admission_authority import Act
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from exam.staff_acts import Offered, OfferedAct
from exam.upload_rules import AlarmKind
from kiosk.console import HttpConsole
from kiosk.local import Local, open_local
from kiosk.scan import Scan
from kiosk.staff_acting import Acted, Wanted, Whom
from tests.evidence.check_ins import RULES, Desk, second_kiosk
from tests.evidence.office import START_CUE
from tests.evidence.rostered import PIN, give_pin
from tests.kiosk.real_console import PARTS, at_console
from tests.world import CLOCK_US, START_US, Person, World, announce


class Pad:
    """The staff page of a kiosk at a real console."""

    def __init__(self, world: World, local: Local, line: HttpConsole) -> None:
        self.world, self.local, self.line = world, local, line

    def whom(self, person: Person) -> Whom:
        return Whom(person.id, self.world.session_id)

    def as_lead(self) -> None:
        self.local.desk.unlock(self.world.site_lead_account_id, PIN)

    def as_proctor(self) -> None:
        self.local.desk.unlock(self.world.proctor_account_id, PIN)

    def offered(self, person: Person) -> Offered:
        told = self.local.desk.offered(self.whom(person))
        assert isinstance(told, Offered), told
        return told

    def offer(self, person: Person, act: Act) -> OfferedAct:
        return next(one for one in self.offered(person).offers if one.act is act)

    def acts(self, person: Person, act: Act, second: int = 0, doubt: Outcome | None = None) -> Acted:
        offer = self.offer(person, act)
        wanted = Wanted(act, self.whom(person), "交通延误", offer.attempt_nonce, doubt)
        done = self.local.desk.act(wanted, (second, PIN) if second else None)
        assert isinstance(done, Acted)
        return done

    def refused(self, person: Person) -> dict[Act, str]:
        return {one.act: one.advice for one in self.offered(person).refused}

    def scan(self, person: Person) -> str:
        return self.local.asker.ask(Scan(person.ticket_no, person.id_number)).answer.outcome


@pytest.fixture
def pad(world: World, tmp_path: Path) -> Iterator[Pad]:
    for account in (world.proctor_account_id, world.site_lead_account_id):
        give_pin(world, account)
    with at_console(world, tmp_path / "kiosk") as (local, line):
        made = Pad(world, local, line)
        yield made
        made.local.close()


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world, RULES)


def came_too_late(pad: Pad) -> None:
    """The room started, and 31 minutes later somebody stands at the kiosk."""
    announce(pad.world, START_CUE, START_US)
    pad.world.clock.sleep_us(START_US + 31 * MINUTE_US - pad.world.clock.wall_us())
    assert pad.scan(pad.world.late) == Outcome.LATE_CUTOFF


def test_a_latecomer_is_let_in_by_the_site_lead_and_a_second_person(
    pad: Pad, world: World, desk: Desk
) -> None:
    came_too_late(pad)
    pad.as_lead()
    told = pad.offered(world.late)
    assert [one.reason for one in told.against] == ["迟到拒入"]
    assert pad.offer(world.late, Act.OVERRIDE).needs_second
    assert pad.acts(world.late, Act.OVERRIDE).words.startswith("须由第二人")
    itself = pad.acts(world.late, Act.OVERRIDE, world.site_lead_account_id)
    assert itself.words.startswith("第二人须是另一名工作人员")
    done = pad.acts(world.late, Act.OVERRIDE, world.proctor_account_id)
    assert (done.is_done, done.is_turned_away) == (True, False)
    [act] = desk.rows("select act, lane, account_id, second_account_id, reason, lacks from check_in_act")
    signers = (world.site_lead_account_id, world.proctor_account_id)
    assert tuple(act) == ("override", "staff_at_kiosk", *signers, "交通延误", "")
    assert desk.findings() == []


def test_a_proctor_is_told_who_can_let_a_latecomer_in(pad: Pad, world: World) -> None:
    came_too_late(pad)
    pad.as_proctor()
    assert pad.refused(world.late) == {Act.OVERRIDE: "您无权办理这一项，请报告现场负责人。"}


def test_whoever_came_in_by_mistake_is_taken_back_and_may_come_again(
    pad: Pad, world: World, desk: Desk
) -> None:
    pad.scan(world.on_time)
    pad.as_proctor()
    assert pad.acts(world.on_time, Act.UNDO).is_done
    [act] = desk.rows("select act, account_id, subject_attempt_id is not null from check_in_act")
    assert tuple(act) == ("undo", world.proctor_account_id, 1)
    assert pad.scan(world.on_time) == Outcome.OK_ADMITTED
    announce(world, START_CUE, START_US)
    world.clock.sleep_us(START_US - world.clock.wall_us())
    pad.as_proctor()
    assert pad.refused(world.on_time) == {Act.UNDO: "您无权办理这一项，请报告现场负责人。"}
    pad.as_lead()
    assert pad.acts(world.on_time, Act.UNDO).is_done
    assert desk.findings() == []


def test_somebody_whose_documents_do_not_scan_comes_in_by_hand(pad: Pad, world: World, desk: Desk) -> None:
    pad.as_proctor()
    offer = pad.offer(world.on_time, Act.BY_HAND)
    assert (offer.needs_second, offer.turned_away) == (False, "")
    assert pad.acts(world.on_time, Act.BY_HAND).words.startswith("已办理：签到成功")
    [came] = desk.rows("select outcome, kiosk_id from checkin_attempt")
    assert tuple(came) == ("OK_ADMITTED", world.kiosk_id)
    assert desk.findings() == []


def test_by_hand_a_latecomer_is_put_on_record_and_then_let_in(pad: Pad, world: World, desk: Desk) -> None:
    announce(world, START_CUE, START_US)
    world.clock.sleep_us(START_US + 31 * MINUTE_US - world.clock.wall_us())
    pad.as_lead()
    assert pad.offer(world.late, Act.BY_HAND).turned_away == "迟到拒入"
    assert Act.OVERRIDE not in {one.act for one in pad.offered(world.late).offers}
    assert pad.acts(world.late, Act.BY_HAND).is_turned_away
    assert pad.acts(world.late, Act.OVERRIDE, world.proctor_account_id).is_done
    outcomes = [row["outcome"] for row in desk.rows("select outcome from checkin_attempt order by id")]
    assert outcomes == ["LATE_CUTOFF", "OK_OVERRIDE"]


def test_a_doubt_opens_its_case(pad: Pad, world: World) -> None:
    pad.as_proctor()
    assert Act.PROVISIONAL not in {one.act for one in pad.offered(world.on_time).offers}
    pad.as_lead()
    done = pad.acts(world.on_time, Act.PROVISIONAL, doubt=Outcome.NO_ID)
    assert done.words.partition("。")[0] == "已办理：请先入场考试"
    with world.exam.read() as connection:
        [case] = load_cases(connection)
    assert (case.facts.reason, case.facts.is_inside) == (Outcome.NO_ID, True)


def test_whoever_may_not_ask_is_told_so(pad: Pad, world: World) -> None:
    pad.as_proctor()
    nobody = pad.local.desk.offered(Whom(world.on_time.id, world.session_id + 1))
    assert nobody == Acted(is_done=False, words="没有找到这名考生在本场次的座位，请核对。")
    with world.exam.write() as connection:
        connection.execute("delete from duty")
    elsewhere = pad.local.desk.offered(pad.whom(world.on_time))
    assert elsewhere == Acted(is_done=False, words="您不在这个考场值班，请由本考场的监考人员办理。")
    with world.exam.write() as connection:
        accounts.disable_account(connection, world.proctor_account_id, world.clock.wall_us())
    shut = pad.local.desk.offered(pad.whom(world.on_time))
    assert shut == Acted(is_done=False, words="您无权办理这一项，请报告现场负责人。")


def by_hand_alone(pad: Pad, person: Person) -> None:
    """The line is cut; two people compare the documents, and later it is back."""
    pad.local.contact.lost()
    pad.as_proctor()
    done = pad.acts(person, Act.BY_HAND, pad.world.site_lead_account_id)
    assert done.is_done, done
    pad.world.clock.sleep_us(20 * MINUTE_US)


def test_what_two_did_alone_is_on_record_at_its_own_moment(pad: Pad, world: World, desk: Desk) -> None:
    by_hand_and_back(pad, world.on_time)
    [act] = desk.rows("select lacks, account_id, second_account_id, happened_at_us from check_in_act")
    signers = (world.proctor_account_id, world.site_lead_account_id)
    assert tuple(act) == ("", *signers, CLOCK_US)
    [came] = desk.rows(
        "select outcome, admitted_at_us from admission join checkin_attempt came on came.id = attempt_id"
    )
    assert tuple(came) == ("OK_ADMITTED", CLOCK_US)
    assert (desk.alarm_kinds(), desk.findings()) == (set(), [])
    pad.local.contact.turn(PARTS)
    assert pad.local.contact.told.counts.waiting == 0


def test_whoever_came_in_elsewhere_meanwhile_is_looked_at(pad: Pad, world: World, desk: Desk) -> None:
    by_hand_alone(pad, world.on_time)
    desk.ask(world.on_time, CLOCK_US - MINUTE_US, kiosk_id=second_kiosk(world))
    pad.local.contact.turn(PARTS)
    [act] = desk.rows("select lacks from check_in_act")
    assert act["lacks"] == ""
    assert AlarmKind.INSIDE_THOUGH_REFUSED in desk.alarm_kinds()
    assert len(desk.standing()) == 1
    assert desk.findings() == []


def test_that_somebody_is_barred_is_not_said_where_others_read_along(pad: Pad, world: World) -> None:
    with world.exam.write() as connection:
        connection.execute("update candidate set blocked_reason = '替考' where id = ?", (world.on_time.id,))
    pad.as_lead()
    told = pad.offered(world.on_time)
    assert [one.reason for one in told.against] == ["须由现场负责人处理"]
    assert pad.offer(world.on_time, Act.BY_HAND).turned_away == "须由现场负责人处理"


def by_hand_and_back(pad: Pad, person: Person) -> None:
    by_hand_alone(pad, person)
    pad.local.contact.turn(PARTS)


class PulledPlugError(BaseException):
    """The kiosk ends here: nothing of it runs any further."""


def plug_pulled(pad: Pad, where: str, *, is_after: bool) -> None:
    """At a step: before it, or when it was done and nothing came back."""
    outbox = pad.local.contact._outbox
    holder: Any = pad.local.contact._console if where == "act" else outbox.acts
    step = getattr(holder, where)

    def ends(*given: object) -> None:
        if is_after:
            step(*given)
        raise PulledPlugError

    setattr(holder, where, ends)


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("where", ["keep", "act", "delivered"])
def test_a_kiosk_that_ends_on_the_way_loses_no_act_and_brings_none_twice(
    pad: Pad, world: World, desk: Desk, tmp_path: Path, where: str, *, is_after: bool
) -> None:
    plug_pulled(pad, where, is_after=is_after)
    with pytest.raises(PulledPlugError):
        by_hand_and_back(pad, world.on_time)
    vars(pad.line).pop("act", None)
    pad.local.close()
    pad.local = open_local(Settings(data_folder=tmp_path / "kiosk"), pad.line, world.clock)
    is_kept = (where, is_after) != ("keep", False)
    assert (world.session_id in pad.local.contact.came_in(world.on_time.id)) is is_kept
    pad.local.contact.turn(PARTS)
    assert len(desk.rows("select 1 from check_in_act")) == len(desk.standing()) == int(is_kept)
    assert pad.local.contact.told.counts.waiting == 0
    assert (desk.alarm_kinds(), desk.findings()) == (set(), [])
