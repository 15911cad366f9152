"""Footage under restriction (限制处理): kept, and shown to nobody, whoever asks and however."""

import pytest

from evidence.holds import NewHold, propose_hold, take_step
from evidence.retention import Decision
from exam.clock import MINUTE_US, SECOND_US
from exam.holds import HoldKind, HoldStep
from exam.retention import Reach
from tests.recordings import Reel, file_of
from tests.web.console import HTML, PageClient
from tests.world import START_US, World
from web.playback import RESTRICTED_WORDS, SETTLED_US

FORM = {"date": "2026-11-22", "time_from": "09:00:00", "time_until": "09:10:00", "reason": "质量督导检查"}


@pytest.fixture(autouse=True)
def _after_the_exam(world: World) -> None:
    world.clock.now_us = START_US + 10 * MINUTE_US + SETTLED_US


def restrict(world: World) -> int:
    reach = Reach(world.cameras_1[0], START_US + MINUTE_US, START_US + 2 * MINUTE_US)
    with world.exam.write() as connection:
        hold_id = propose_hold(
            connection,
            NewHold(HoldKind.RESTRICTION, None, (reach,), "第1考场"),
            Decision(world.site_lead_account_id, "删除请求", world.clock.wall_us()),
        )
    step(world, hold_id, HoldStep.CONFIRMED, world.proctor_account_id)
    return hold_id


def step(world: World, hold_id: int, each: HoldStep, account_id: int) -> None:
    with world.exam.write() as connection:
        take_step(connection, hold_id, each, Decision(account_id, "同意", world.clock.wall_us()))


def answers(client: PageClient, paths: list[str]) -> list[int]:
    codes = []
    for path in paths:
        sent = client.get(path)
        codes.append(sent.status_code)
        sent.close()  # else the file that is sent stays open
    return codes


def test_no_new_look_is_granted_and_the_page_says_why(site_lead: PageClient, world: World) -> None:
    restrict(world)
    sent = site_lead.post("/playback/", data={**FORM, "room": world.room_1}, headers=HTML)
    assert sent.status_code == 403
    assert RESTRICTED_WORDS in sent.text
    elsewhere = site_lead.post("/playback/", data={**FORM, "room": world.room_2}, headers=HTML)
    assert elsewhere.status_code == 303


def test_a_look_that_was_granted_before_shows_no_more_pictures_until_two_people_lift_it(
    site_lead: PageClient, world: World
) -> None:
    segment_id = Reel(world, world.cameras_1[0]).invent(START_US)
    sent = site_lead.post("/playback/", data={**FORM, "room": world.room_1}, headers=HTML)
    address = sent.headers["Location"].split("?")[0]
    media = [f"{address}/cameras/{world.cameras_1[0]}.m3u8", f"{address}/segments/{segment_id}.mp4"]
    assert answers(site_lead, media) == [200, 200]
    hold_id = restrict(world)
    assert answers(site_lead, media) == [403, 403]
    assert file_of(world, segment_id).exists()
    step(world, hold_id, HoldStep.LIFT_PROPOSED, world.proctor_account_id)
    step(world, hold_id, HoldStep.LIFTED, world.site_lead_account_id)
    assert answers(site_lead, media) == [200, 200]


def test_a_file_that_reaches_into_the_restricted_stretch_is_shown_under_no_grant(
    site_lead: PageClient, world: World
) -> None:
    reel = Reel(world, world.cameras_1[0])
    before, across = reel.invent(START_US), reel.invent(START_US + MINUTE_US - 5 * SECOND_US)
    form = {**FORM, "room": world.room_1, "time_until": "09:01:00"}
    sent = site_lead.post("/playback/", data=form, headers=HTML)
    address = sent.headers["Location"].split("?")[0]
    media = [f"{address}/segments/{each}.mp4" for each in (before, across)]
    assert answers(site_lead, media) == [200, 200]
    restrict(world)
    assert answers(site_lead, media) == [200, 403]
