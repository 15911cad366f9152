import pytest

from exam.certificate import Account, Finding
from exam.clock import MINUTE_US, SECOND_US
from exam.recording_schedule import Schedule
from web.certificate_words import (
    ACCOUNT_SHAPES,
    ACCOUNT_WORDS,
    FINDING_WORDS,
    HOUR_US,
    exact_words,
    length_words,
    moment_words,
    reason_words,
    share_words,
)

NINE_US = 1_795_309_200_000_000


@pytest.mark.parametrize(
    ("length_us", "words"),
    [
        (0, "0秒"),
        (1, "不足0.001秒"),
        (1_500, "0.001秒"),
        (59 * SECOND_US, "59秒"),
        (MINUTE_US + 5_250_000, "1分05.250秒"),
        (2 * HOUR_US + 15 * MINUTE_US, "2小时15分00秒"),
        (HOUR_US + 999, "1小时00分00秒"),
    ],
)
def test_lengths_are_said_as_people_say_them(length_us: int, words: str) -> None:
    assert length_words(length_us) == words


def test_moments_are_exact_to_the_millisecond() -> None:
    assert exact_words(NINE_US + 250_999, Schedule(NINE_US, NINE_US + HOUR_US, None, None)) == "09:00:00.250"


def test_moments_bear_their_date_when_the_interval_crosses_midnight() -> None:
    night = Schedule(NINE_US, NINE_US + 16 * HOUR_US, None, None)
    assert moment_words(NINE_US, night) == "11月22日 09:00:00"
    assert moment_words(night.until_us, night) == "11月23日 01:00:00"
    assert moment_words(NINE_US, Schedule(NINE_US, NINE_US + HOUR_US, None, None)) == "09:00:00"


def test_shares_are_never_rounded_up() -> None:
    assert [share_words(share) for share in (10_000, 9_999, 5, None)] == ["100.00%", "99.99%", "0.05%", "—"]


def test_a_reason_without_words_is_told_as_it_is() -> None:
    assert reason_words("stalled") == "摄像机停止发送画面"
    assert reason_words("unreadable") == "影像文件缺失或损坏，无法播放"
    assert reason_words("new_code") == "new_code"


def test_every_finding_and_account_has_words() -> None:
    assert set(FINDING_WORDS) == set(Finding)
    assert set(ACCOUNT_WORDS) == set(ACCOUNT_SHAPES) == set(Account)
