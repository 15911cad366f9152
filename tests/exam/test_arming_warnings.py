"""What was shown against arming, and what is new since."""

import pytest

from exam.arming_warnings import Against, ArmingWarning, SeenWarnings, read_seen


def silent(*rooms: str) -> ArmingWarning:
    words = f"现在没有能响铃的设备：{'、'.join(rooms)}"
    return ArmingWarning(Against.SILENT_ROOM, is_grave=True, words=words, advice="备好手铃", subjects=rooms)


def clock(words: str) -> ArmingWarning:
    return ArmingWarning(Against.CLOCK_WRONG, is_grave=True, words=words, advice="请先校准")


UNHEARD = ArmingWarning(
    Against.UNHEARD_ROOM, is_grave=False, words="没有人听到", advice="试音", subjects=("R01",)
)


def test_every_room_is_seen_for_itself() -> None:
    seen = SeenWarnings().looked_again([silent("R01", "R02")])
    assert seen.unseen([]) == []
    assert seen.unseen([silent("R02")]) == []
    assert seen.unseen([silent("R02", "R03"), UNHEARD]) == [silent("R02", "R03"), UNHEARD]


def test_a_clock_that_is_wrong_by_other_figures_is_no_news() -> None:
    seen = SeenWarnings().looked_again([clock("快2.00秒")])
    assert seen.unseen([clock("快2.10秒")]) == []
    assert seen.looked_again([clock("快2.10秒")]).shown == (clock("快2.10秒"),)
    assert SeenWarnings().unseen([clock("快2.00秒")]) == [clock("快2.00秒")]


def test_a_room_that_comes_and_goes_is_news_once_in_an_attempt() -> None:
    """However rooms flicker: each is shown as new at most once, so arming is never kept up for good."""
    seen, news = SeenWarnings().looked_again([]), 0
    for step in range(40):
        now = [silent(*rooms)] if (rooms := [f"R{n}" for n in range(5) if (step + n) % 3 == 0]) else []
        news += bool(seen.unseen(now))
        seen = seen.looked_again(now)
    assert news <= 5
    assert seen.at_press([]).unseen([silent("R0", "R4")]) == []


def test_what_is_gone_stays_among_what_was_shown_and_what_stands_is_told_apart() -> None:
    seen = SeenWarnings().looked_again([UNHEARD, silent("R01")]).looked_again([silent("R01", "R02")])
    assert seen.shown == (silent("R01", "R02"), UNHEARD)
    assert seen.stood == (silent("R01", "R02"),)
    assert seen.at_press([]) == SeenWarnings(seen.shown, ())


def test_what_was_shown_is_read_from_its_text_again_and_nothing_else_is() -> None:
    seen = SeenWarnings().looked_again([silent("R01", "R02"), clock("快2.00秒")])
    assert read_seen(seen.text) == seen
    assert len(seen.sha256) == 64
    assert seen.sha256 != seen.at_press([]).sha256


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", "{}", '{"shown":[]}', '{"shown":[],"stood":[],"more":[]}', '{"shown":[{}],"stood":[]}',
     SeenWarnings((UNHEARD,)).text.replace("unheard_room", "no_such"), SeenWarnings().text + " "],
)  # fmt: skip
def test_any_other_text_is_none(text: str) -> None:
    assert read_seen(text) is None
