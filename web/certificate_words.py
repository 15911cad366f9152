"""How the coverage certificate speaks: exact moments, lengths of time, shares, and what is stated."""

from collections.abc import Mapping
from typing import Final

from config.footage_words import load_footage_words
from config.picture_health import load_picture_health
from evidence.health import HealthKind
from exam.certificate import Account, Finding, Reckoning
from exam.clock import MINUTE_US, SECOND_US, site_time
from exam.recording_schedule import Schedule

MILLISECOND_US: Final = 1_000
HOUR_US: Final = 60 * MINUTE_US

# Shape (and colour) and word of what was found for one camera.
FINDING_WORDS: Final[Mapping[Finding, tuple[str, str]]] = {
    Finding.COMPLETE: ("good", "全程有录像"),
    Finding.ACCOUNTED: ("wait", "有缺口，原因已写明"),
    Finding.UNACCOUNTED: ("bad", "有时段未说明"),
    Finding.NOTHING_DUE: ("off", "尚未开始"),
}

ACCOUNT_SHAPES: Final[Mapping[Account, str]] = {
    Account.RECORDED: "good",
    Account.GAP: "wait",
    Account.UNACCOUNTED: "bad",
    Account.OPEN: "off",
}

ACCOUNT_WORDS: Final[Mapping[Account, str]] = {
    Account.RECORDED: "已录像",
    Account.GAP: "缺口",
    Account.UNACCOUNTED: "未说明",
    Account.OPEN: "尚未到时或尚未入库",
}


def moment_words(moment_us: int, interval: Schedule) -> str:
    """09:00:00, with the date where the interval crosses midnight: 11月22日 23:50:00"""
    moment = site_time(moment_us)
    is_one_day = site_time(interval.from_us).date() == site_time(interval.until_us).date()
    return f"{moment:%H:%M:%S}" if is_one_day else f"{moment.month}月{moment.day}日 {moment:%H:%M:%S}"


def exact_words(moment_us: int, interval: Schedule) -> str:
    """09:00:00.250, with the date where the interval crosses midnight."""
    fraction = site_time(moment_us).microsecond // MILLISECOND_US
    return f"{moment_words(moment_us, interval)}.{fraction:03d}"


def length_words(length_us: int) -> str:
    """2小时15分00秒; milliseconds where there are any, and never 0 for what was not nothing."""
    if 0 < length_us < MILLISECOND_US:
        return "不足0.001秒"
    hours, rest_us = divmod(length_us, HOUR_US)
    minutes, rest_us = divmod(rest_us, MINUTE_US)
    seconds, rest_us = divmod(rest_us, SECOND_US)
    fraction = f".{rest_us // MILLISECOND_US:03d}" if rest_us >= MILLISECOND_US else ""
    if hours:
        return f"{hours}小时{minutes:02d}分{seconds:02d}{fraction}秒"
    return f"{minutes}分{seconds:02d}{fraction}秒" if minutes else f"{seconds}{fraction}秒"


def share_words(share: int | None) -> str:
    """99.99%, from hundredths of a percent that were rounded down."""
    return "—" if share is None else f"{share // 100}.{share % 100:02d}%"


def reason_words(reason: str) -> str:
    """Why a stretch has no footage: the words of a gap's cause, or of a part without one."""
    words = load_footage_words()
    return words.causes.get(reason) or words.parts.get(reason) or reason


def health_words(kind: HealthKind) -> str:
    """What was wrong with the pictures."""
    return load_picture_health().words[kind].word


def statement(sums: Reckoning, *, is_provisional: bool) -> tuple[str, str]:
    """Shape and sentence: is every scheduled second that is over accounted for?"""
    shape = FINDING_WORDS[sums.finding][0]
    so_far = "截至制表时，" if is_provisional else ""
    match sums.finding:
        case Finding.COMPLETE:
            return shape, f"{so_far}应录像的每一秒都有录像。"
        case Finding.ACCOUNTED:
            return shape, (
                f"{so_far}应录像的每一秒都有说明：有录像，或者有写明原因的缺口。"
                f"缺口合计{length_words(sums.gap_us)}。"
            )
        case Finding.UNACCOUNTED:
            return shape, (
                f"{so_far}并非每一秒都有说明：有{length_words(sums.unaccounted_us)}"
                "既没有可用的录像，也没有写明原因的缺口，请核查。"
            )
        case Finding.NOTHING_DUE:
            return shape, "应录像的时间尚未开始。"
