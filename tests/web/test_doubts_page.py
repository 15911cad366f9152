"""The pages of doubts: who sees which, what is offered to whom, and what nobody but staff may read."""

from collections.abc import Callable

from evidence.doubt_cases import NewCase, open_case
from exam.clock import MINUTE_US
from exam.outcomes import Outcome
from tests.evidence.check_ins import Desk
from tests.web.console import HTML, PageClient
from tests.web.doubted import lay_doubts
from tests.world import CLOCK_US, World
from web.access import Role


def test_room_staff_see_the_doubts_of_their_room_and_the_count_of_them(
    proctor: PageClient, site_lead: PageClient, as_role: Callable[[Role], PageClient], world: World
) -> None:
    lay_doubts(world)
    own = proctor.get("/doubts", headers=HTML).text
    assert "2 件没有结论" in own
    assert "第2考场" not in own
    assert '>2<span class="for-readers">件没有结论' in own
    assert "3 件没有结论" in site_lead.get("/doubts", headers=HTML).text
    assert "第2考场 1号" in as_role(Role.INSPECTOR).get("/doubts", headers=HTML).text
    assert '>3<span class="for-readers">' not in as_role(Role.AUDITOR).get("/", follow_redirects=True).text
    assert "没有等待处理的存疑" in as_role(Role.PROCTOR).get("/doubts/live").text
    assert proctor.get("/doubts/3").status_code == 403
    assert proctor.get("/doubts/999").status_code == 404


def test_names_are_masked_until_somebody_asks(proctor: PageClient, world: World) -> None:
    lay_doubts(world)
    assert "陈一诺" not in proctor.get("/doubts", headers=HTML).text
    page = proctor.get("/doubts/1", headers=HTML).text
    assert "陈*诺　证件尾号 0015" in page
    assert page.count("陈一诺") == 1
    assert world.on_time.id_number not in page


def test_only_what_the_rule_allows_is_offered(
    proctor: PageClient, site_lead: PageClient, as_role: Callable[[Role], PageClient], world: World
) -> None:
    lay_doubts(world)
    own = proctor.get("/doubts/1", headers=HTML).text
    assert "王芳 签字" in own
    assert "现场负责人的结论" not in own
    assert "现场负责人在本机作出结论" not in own
    outside = proctor.get("/doubts/2", headers=HTML).text
    assert "现场负责人在本机作出结论" in outside
    lead = site_lead.get("/doubts/2", headers=HTML).text
    assert "现场负责人的结论" in lead
    conflict = site_lead.get("/doubts/1", headers=HTML).text
    assert "现场负责人的结论" not in conflict
    assert "确定哪一次签到有效" in conflict
    patrol = as_role(Role.INSPECTOR).get("/doubts/1", headers=HTML).text
    assert "照片只供监考人员和现场负责人查看" in patrol
    assert "签字…" not in patrol


def test_a_closed_doubt_says_how_and_may_be_opened_again(site_lead: PageClient, world: World) -> None:
    lay_doubts(world)
    steps = "/check-in/cases/2/steps"
    decision = {"step": "decided", "finding": "not_confirmed", "reason": "证件照片模糊"}
    site_lead.post(steps, json=decision)
    page = site_lead.get("/doubts/2", headers=HTML).text
    assert "证件照片模糊" in page
    assert "重新打开…" in page
    assert "今天已有结论（1）" in site_lead.get("/doubts", headers=HTML).text
    assert site_lead.post(steps, json={"step": "reopened", "reason": "补交了证件"}).status_code == 200
    assert "重新打开</strong>" in site_lead.get("/doubts/2/live").text


def test_a_doubt_about_nobody_known_is_for_the_lead(site_lead: PageClient, world: World, desk: Desk) -> None:
    del desk
    with world.exam.write() as connection:
        case = NewCase(
            Outcome.TICKET_FORGED, None, None, None, photos=("0" * 64,), deadline_at_us=CLOCK_US + MINUTE_US
        )
        open_case(connection, case, CLOCK_US)
    assert "考场不明" in site_lead.get("/doubts", headers=HTML).text
    page = site_lead.get("/doubts/1", headers=HTML).text
    assert "考生不明" in page
    assert "照片还没有从签到机传来" in page
    assert "08:51</time> 前补交证明" in page


def test_the_stream_of_doubts_opens(proctor: PageClient) -> None:
    with proctor.get("/doubts/stream") as stream:
        assert stream.mimetype == "text/event-stream"
