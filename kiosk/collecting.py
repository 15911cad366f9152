"""What the site asks for before somebody is in (`needs`), one after the other, and every way out of it.

Pure, as `kiosk.flow`: a gift of the candidate gives the next state; at the end everything is judged again.
"""

from dataclasses import replace
from typing import Final

from evidence.check_in_pictures import Picture
from exam.admission_facts import Provided
from exam.outcomes import Outcome
from kiosk.scan import Scan
from kiosk.visit import (
    COLLECTED,
    COUNTDOWN_US,
    DOCUMENT_US,
    HINT_US,
    PHOTO_TRIES,
    RESULT_US,
    Answered,
    Asking,
    BagGiven,
    Collecting,
    Flow,
    Gift,
    Hint,
    NoticeAccepted,
    PhotoTaken,
    PhotoUnusable,
    Showing,
    ShownHint,
    Signed,
)

# What somebody says by declining a step.
DECLINED: Final = {
    Outcome.NEED_NOTICE: Outcome.NOTICE_DECLINED,
    Outcome.NEED_PHOTO: Outcome.PHOTO_REFUSED,
}


def answered(scan: Scan, news: Answered, now_us: int) -> Flow:
    """Collect what the answer asks for, if this kiosk can; else show it."""
    needs = tuple(Outcome(code) for code in news.answer.needs if code in COLLECTED)
    is_whole = len(needs) == len(news.answer.needs) and news.answer.outcome in needs
    if is_whole and not _has_given(scan, needs):
        return Collecting(scan, needs, now_us + DOCUMENT_US, shoot_at_us=now_us + COUNTDOWN_US)
    return Showing(news.answer, now_us + RESULT_US, news.is_offline)


def _has_given(scan: Scan, needs: tuple[Outcome, ...]) -> bool:
    """Whether something is asked for again that was given already: asking once more leads nowhere."""
    given = {
        Outcome.NEED_NOTICE: scan.provided.notice_version,
        Outcome.NEED_PHOTO: scan.provided.photo_sha256,
        Outcome.NEED_BAG: scan.provided.bag_no,
        Outcome.NEED_SIGNATURE: scan.provided.signature_sha256,
    }
    return any(given[need] is not None for need in needs)


def collected(flow: Collecting, gift: Gift, now_us: int) -> Flow:
    """The next step once this one is given; what was not asked for changes nothing."""
    match gift:
        case NoticeAccepted(version) if flow.need is Outcome.NEED_NOTICE:
            return _went_on(flow, replace(flow.scan.provided, notice_version=version), (), now_us)
        case PhotoTaken(picture) if flow.need is Outcome.NEED_PHOTO:
            provided = replace(flow.scan.provided, photo_sha256=picture.sha256_hex)
            return _went_on(flow, provided, (picture,), now_us)
        case PhotoUnusable(hint) if flow.need is Outcome.NEED_PHOTO:
            return _without_photo(flow, hint, now_us)
        case BagGiven(bag_no) if flow.need is Outcome.NEED_BAG:
            return _went_on(flow, replace(flow.scan.provided, bag_no=bag_no), (), now_us)
        case Signed(picture) if flow.need is Outcome.NEED_SIGNATURE:
            provided = replace(flow.scan.provided, signature_sha256=picture.sha256_hex)
            return _went_on(flow, provided, (picture,), now_us)
    return flow


def _went_on(flow: Collecting, provided: Provided, pictures: tuple[Picture, ...], now_us: int) -> Flow:
    scan = replace(flow.scan, provided=provided, pictures=(*flow.scan.pictures, *pictures))
    rest = flow.needs[1:]
    if not rest:
        return Asking(scan)
    return Collecting(scan, rest, now_us + DOCUMENT_US, shoot_at_us=now_us + COUNTDOWN_US)


def _without_photo(flow: Collecting, hint: Hint, now_us: int) -> Flow:
    if flow.failures + 1 >= PHOTO_TRIES:
        return _declared(flow, Outcome.CAPTURE_FAILED)
    return replace(
        flow,
        failures=flow.failures + 1,
        shown=ShownHint(hint, now_us + HINT_US),
        shoot_at_us=now_us + COUNTDOWN_US,
        until_us=max(flow.until_us, now_us + DOCUMENT_US),
    )


def _declared(flow: Collecting, problem: Outcome) -> Flow:
    """Ask at once: a person takes over from here."""
    return Asking(replace(flow.scan, declared=flow.scan.declared | {problem}))


def after_decline(flow: Flow) -> Flow:
    """The candidate does not agree to the step on the screen, where that is his to say."""
    if not isinstance(flow, Collecting) or flow.need not in DECLINED:
        return flow
    return _declared(flow, DECLINED[flow.need])


def without_camera(flow: Flow) -> Flow:
    """The camera gives nothing: a photo cannot be taken here."""
    if not isinstance(flow, Collecting) or flow.need is not Outcome.NEED_PHOTO:
        return flow
    return _declared(flow, Outcome.CAPTURE_FAILED)
