import re

from exam.certificate import Account, Stretch
from exam.recording_schedule import Schedule
from web.certificate_bar import BOTTOM, LEAST_WIDTH, TOP, WIDTH, draw

HOUR = Schedule(0, 3_600, 600, 3_000)


def test_stretches_fill_the_bar_in_proportion() -> None:
    bar = draw(HOUR, [Stretch(Account.RECORDED, 0, 1_800), Stretch(Account.OPEN, 1_800, 3_600, "future")])
    assert [(part.x, part.width, part.hatching) for part in bar.parts] == [(0, 500, ""), (500, 500, "")]


def test_signals_stand_at_their_moments() -> None:
    bar = draw(HOUR, [])
    assert (bar.start_x, bar.stop_x) == (166.67, 833.33)


def test_a_signal_that_is_missing_or_outside_is_not_drawn() -> None:
    bar = draw(Schedule(0, 3_600, 4_000, None), [])
    assert (bar.start_x, bar.stop_x) == (None, None)


def test_a_gap_too_short_to_see_is_drawn_on_top_and_inside_the_bar() -> None:
    bar = draw(HOUR, [Stretch(Account.GAP, 3_599, 3_600, "stalled"), Stretch(Account.RECORDED, 0, 3_599)])
    assert [part.account for part in bar.parts] == [Account.RECORDED, Account.GAP]
    assert (bar.parts[1].x, bar.parts[1].width) == (WIDTH - LEAST_WIDTH, LEAST_WIDTH)


def test_hatching_stays_inside_its_stretch_and_tells_the_kinds_apart() -> None:
    gap, nothing = draw(
        HOUR, [Stretch(Account.GAP, 0, 360, "stalled"), Stretch(Account.UNACCOUNTED, 360, 720, "x")]
    ).parts
    for part in (gap, nothing):
        points = [tuple(map(float, found)) for found in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", part.hatching)]
        assert points
        assert all(part.x <= x <= part.x + part.width and TOP <= y <= BOTTOM for x, y in points)
    assert nothing.hatching.count("M") == 2 * gap.hatching.count("M"), "crosswise"
