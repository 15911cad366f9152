"""The file of picture health: complete, and with words for every trouble."""

from config.picture_health import load_picture_health
from evidence.health import HealthKind


def test_every_trouble_has_a_word_and_says_what_to_do() -> None:
    words = load_picture_health().words
    assert set(words) == set(HealthKind)
    assert all(each.word and each.act.endswith("。") for each in words.values())


def test_an_alarm_can_come_within_thirty_seconds() -> None:
    limits = load_picture_health().limits
    fragment_s = notice_s = limits.look_every_s
    assert max(limits.hold_s, limits.frozen_hold_s) + 2 * fragment_s + notice_s < 30
