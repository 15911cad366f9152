"""Where each role can go: the day at hand, the rest folded by its time of day, nothing lost."""

import pytest

from tests.web.console import HTML, PageClient
from web.access import ROUTES, Role
from web.navigation import DURING, FITTING, GROUPS, first_page, navigation_for


def endpoints(role: Role) -> list[str]:
    shown = navigation_for(lambda endpoint: role in ROUTES[endpoint])
    return [one.endpoint for one in (*shown.row, *(one for group in shown.groups for one in group.entries))]


@pytest.mark.parametrize("role", Role)
def test_every_page_of_a_role_stands_once(role: Role) -> None:
    everything = [endpoint for _, entries in (("", DURING), *GROUPS) for _, endpoint in entries]
    assert sorted(endpoints(role)) == sorted(one for one in everything if role in ROUTES[one])
    home = "accounts.listing" if role is Role.ADMINISTRATOR else endpoints(role)[0]
    assert first_page(lambda endpoint: role in ROUTES[endpoint]) == home


def test_the_site_lead_has_the_day_at_hand_and_the_rest_by_time_of_day() -> None:
    shown = navigation_for(lambda endpoint: Role.SITE_LEAD in ROUTES[endpoint])
    assert [one.word for one in shown.row] == [word for word, _ in DURING]
    assert [group.word for group in shown.groups] == ["考前", "考后", "考点"]


def test_whoever_has_few_pages_sees_them_in_one_row() -> None:
    shown = navigation_for(lambda endpoint: Role.PROCTOR in ROUTES[endpoint])
    assert (len(shown.row) <= FITTING, shown.groups) == (True, ())


def test_a_word_never_hides_a_single_page() -> None:
    hidden = {"kiosks_page.page", "accounts.listing"}
    shown = navigation_for(lambda endpoint: endpoint not in hidden)
    assert shown.row[-1].word == "签到口令"
    assert [group.word for group in shown.groups] == ["考前", "考后"]


def test_the_page_says_where_somebody_is(site_lead: PageClient) -> None:
    page = site_lead.get("/roster", headers=HTML).text
    assert '<summary class="menu-here">考前' in page
    assert 'href="/roster" aria-current="page"' in page
