"""What the candidate screen is doing: ticket, identity number, asking, answer, and back (Art. 13(2)).

Pure: a state and something that happened give the next state. Both documents may come in either
order. Nothing here decides on admission: whoever is asked does, the console or this kiosk alone. Times are
of the monotonic clock, so a stepped wall clock never cuts a candidate short.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from evidence.check_in_pictures import Picture
from exam.admission_facts import NOTHING_READ, ReadDocument
from exam.answers import Answer
from exam.clock import SECOND_US
from exam.outcomes import Outcome
from kiosk.scan import Scan

# Eighteen digits typed slowly take half a minute; the screen offers more time before this runs out.
DOCUMENT_US: Final = 60 * SECOND_US
# Kept short: the next candidate must not read about this one.
RESULT_US: Final = 8 * SECOND_US
HINT_US: Final = 4 * SECOND_US
# Whoever is sent to another kiosk must have the time to read it, even if the console is back at once.
READABLE_US: Final = 4 * SECOND_US
EXTENSIONS: Final = 10
# Time to look up and stand still before each try at a photo.
COUNTDOWN_US: Final = 3 * SECOND_US
# After so many photos that were no good a person helps.
PHOTO_TRIES: Final = 3
# What this kiosk can ask a candidate for; anything else that is missing is for staff.
COLLECTED: Final = frozenset({Outcome.NEED_PHOTO, Outcome.NEED_BAG})


class Hint(StrEnum):
    """What the candidate can put right; shown for a moment."""

    BAD_FORM = "bad_form"
    FOREIGN = "foreign"
    MANY = "many"
    ID_CHECKSUM = "id_checksum"
    DYNAMIC_ID = "dynamic_id"
    # Something lies in view and no code can be found on it.
    NOTHING_READ = "nothing_read"
    # Of the photo that was just taken.
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"


@dataclass(frozen=True, slots=True)
class ShownHint:
    """A hint and when it goes away."""

    hint: Hint
    until_us: int


@dataclass(frozen=True, slots=True)
class Idle:
    """Nobody is here, or somebody is about to show a ticket."""

    shown: ShownHint | None = None


@dataclass(frozen=True, slots=True)
class NeedsIdNumber:
    """The ticket was read; the identity number is missing."""

    ticket_no: str
    until_us: int
    extended: int = 0
    shown: ShownHint | None = None
    # The signed ticket, unverified; empty: plain bars or QR.
    signed: str = ""


@dataclass(frozen=True, slots=True)
class NeedsTicket:
    """The identity number came first; the ticket is missing."""

    id_number: str
    until_us: int
    extended: int = 0
    shown: ShownHint | None = None
    # What a reader told beside the number.
    document: ReadDocument = NOTHING_READ


@dataclass(frozen=True, slots=True)
class Asking:
    """Both documents are here and are being judged."""

    scan: Scan


@dataclass(frozen=True, slots=True)
class Collecting:
    """The site asks for more before somebody is in: the first of `needs` is on the screen."""

    scan: Scan
    needs: tuple[Outcome, ...]
    until_us: int
    extended: int = 0
    shown: ShownHint | None = None
    # When the next photo is taken.
    shoot_at_us: int = 0
    # Photos that were no good.
    failures: int = 0

    @property
    def need(self) -> Outcome:
        """What is asked for now."""
        return self.needs[0]


@dataclass(frozen=True, slots=True)
class Showing:
    """The answer is on the screen."""

    answer: Answer
    until_us: int
    # This kiosk judged alone.
    is_offline: bool = False


@dataclass(frozen=True, slots=True)
class Referred:
    """The candidate has no document that this kiosk can use: a person helps."""

    until_us: int


@dataclass(frozen=True, slots=True)
class OutOfUse:
    """This machine must not be used now; candidates are sent to another one until it may be."""

    # A SYS_ code; for staff.
    outcome: Outcome
    since_us: int


Flow = Idle | NeedsIdNumber | NeedsTicket | Asking | Collecting | Showing | Referred | OutOfUse


@dataclass(frozen=True, slots=True)
class TicketRead:
    """A ticket's number was read."""

    ticket_no: str
    # The signed ticket that claims this number, unverified (exam.signed_tickets); empty: plain bars or QR.
    signed: str = ""


@dataclass(frozen=True, slots=True)
class IdNumberGiven:
    """An identity number was typed or came from a reader."""

    id_number: str
    # What a reader told beside the number.
    document: ReadDocument = NOTHING_READ
    # Read from the print of the card: it can complete a ticket and never begin anything.
    is_second_only: bool = False


@dataclass(frozen=True, slots=True)
class NotUsable:
    """Something was shown or typed that cannot be used, for a reason the candidate can put right."""

    hint: Hint


@dataclass(frozen=True, slots=True)
class Answered:
    """The candidate's answer: the console's, or this kiosk's own while it works alone."""

    answer: Answer
    is_offline: bool = False


@dataclass(frozen=True, slots=True)
class Fitness:
    """Whether this machine may be used: SYS_ codes, the most serious first; empty: it may."""

    reasons: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class PhotoTaken:
    """A usable photo of the candidate."""

    picture: Picture


@dataclass(frozen=True, slots=True)
class PhotoUnusable:
    """A photo that is no good, for a reason that can be put right."""

    hint: Hint


@dataclass(frozen=True, slots=True)
class BagGiven:
    """Phone and belongings are in this bag."""

    bag_no: str


class Happened(StrEnum):
    """What happens without saying more."""

    TICK = "tick"
    # Touches of the candidate.
    RESTART = "restart"
    MORE_TIME = "more_time"
    NO_DOCUMENT = "no_document"
    # Does not want the photo that is asked for.
    DECLINE = "decline"
    # The camera that takes photos gives none.
    NO_CAMERA = "no_camera"


Gift = PhotoTaken | PhotoUnusable | BagGiven
Input = TicketRead | IdNumberGiven | NotUsable | Answered | Fitness | Gift | Happened


def step(flow: Flow, happened: Input, now_us: int) -> Flow:
    """The next state. What does not fit the present state changes nothing."""
    match happened:
        case TicketRead():
            return _with_ticket(flow, happened, now_us)
        case IdNumberGiven():
            return _with_id_number(flow, happened, now_us)
        case NotUsable(hint):
            return _with_hint(flow, ShownHint(hint, now_us + HINT_US))
        case Answered() | Fitness():
            return _after_news(flow, happened, now_us)
        case PhotoTaken() | PhotoUnusable() | BagGiven():
            return _collected(flow, happened, now_us) if isinstance(flow, Collecting) else flow
    return _later(flow, now_us) if happened is Happened.TICK else _after_touch(flow, happened, now_us)


def _with_ticket(flow: Flow, read: TicketRead, now_us: int) -> Flow:
    match flow:
        case NeedsTicket(id_number, document=document):
            return Asking(Scan(read.ticket_no, id_number, read.signed, document))
        case NeedsIdNumber(known) if known == read.ticket_no:
            return flow
        case Collecting(scan) if scan.ticket_no == read.ticket_no:
            return flow  # it still lies there
        case Asking() | OutOfUse():
            return flow
        case _:
            return NeedsIdNumber(read.ticket_no, now_us + DOCUMENT_US, signed=read.signed)


def _with_id_number(flow: Flow, given: IdNumberGiven, now_us: int) -> Flow:
    id_number = given.id_number
    match flow:
        case NeedsIdNumber(ticket_no, signed=signed):
            return Asking(Scan(ticket_no, id_number, signed, given.document))
        case _ if given.is_second_only:
            return flow
        case NeedsTicket(known) if known == id_number:
            return flow
        case Collecting(scan) if scan.id_number == id_number:
            return flow
        case Asking() | OutOfUse():
            return flow
        case _:
            return NeedsTicket(id_number, now_us + DOCUMENT_US, document=given.document)


def _with_hint(flow: Flow, shown: ShownHint) -> Flow:
    if isinstance(flow, NeedsIdNumber) and shown.hint is Hint.NOTHING_READ:
        return flow  # an ID card under the camera while its number is typed is nothing to complain of
    return replace(flow, shown=shown) if isinstance(flow, Idle | NeedsIdNumber | NeedsTicket) else flow


def _after_news(flow: Flow, news: Answered | Fitness, now_us: int) -> Flow:
    if isinstance(news, Answered):
        return _answered(flow.scan, news, now_us) if isinstance(flow, Asking) else flow
    # An answer on the screen is still true, and a question that is under way finds out by itself.
    return (
        flow if isinstance(flow, Asking | Collecting | Showing) else _with_fitness(flow, news.reasons, now_us)
    )


def _answered(scan: Scan, news: Answered, now_us: int) -> Flow:
    needs = tuple(Outcome(code) for code in news.answer.needs if code in COLLECTED)
    is_whole = len(needs) == len(news.answer.needs) and news.answer.outcome in needs
    if is_whole and not _has_given(scan, needs):
        return Collecting(scan, needs, now_us + DOCUMENT_US, shoot_at_us=now_us + COUNTDOWN_US)
    return Showing(news.answer, now_us + RESULT_US, news.is_offline)


def _has_given(scan: Scan, needs: tuple[Outcome, ...]) -> bool:
    """Whether something is asked for again that was given already: asking once more leads nowhere."""
    given = {Outcome.NEED_PHOTO: scan.provided.photo_sha256, Outcome.NEED_BAG: scan.provided.bag_no}
    return any(given[need] is not None for need in needs)


def _collected(flow: Collecting, gift: Gift, now_us: int) -> Flow:
    scan = flow.scan
    match gift:
        case PhotoTaken(picture) if flow.need is Outcome.NEED_PHOTO:
            provided = replace(scan.provided, photo_sha256=picture.sha256_hex)
            return _went_on(flow, replace(scan, provided=provided, pictures=(picture,)), now_us)
        case PhotoUnusable(hint) if flow.need is Outcome.NEED_PHOTO:
            return _without_photo(flow, hint, now_us)
        case BagGiven(bag_no) if flow.need is Outcome.NEED_BAG:
            provided = replace(scan.provided, bag_no=bag_no)
            return _went_on(flow, replace(scan, provided=provided), now_us)
    return flow


def _went_on(flow: Collecting, scan: Scan, now_us: int) -> Flow:
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


def _with_fitness(flow: Flow, reasons: tuple[Outcome, ...], now_us: int) -> Flow:
    if not isinstance(flow, OutOfUse):
        return OutOfUse(reasons[0], now_us) if reasons else flow
    if reasons:
        return OutOfUse(reasons[0], flow.since_us)
    return Idle() if now_us - flow.since_us >= READABLE_US else flow


def _later(flow: Flow, now_us: int) -> Flow:
    match flow:
        case NeedsIdNumber(until_us=until_us) | NeedsTicket(until_us=until_us) if now_us >= until_us:
            return Idle()
        case Collecting(until_us=until_us) if now_us >= until_us:
            return Idle()
        case Showing(until_us=until_us) | Referred(until_us=until_us) if now_us >= until_us:
            return Idle()
        case Idle(shown) | NeedsIdNumber(shown=shown) | NeedsTicket(shown=shown) | Collecting(shown=shown):
            return replace(flow, shown=None) if shown and now_us >= shown.until_us else flow
        case _:
            return flow


def _after_touch(flow: Flow, happened: Happened, now_us: int) -> Flow:
    if isinstance(flow, Asking | OutOfUse):
        return flow
    if happened in {Happened.DECLINE, Happened.NO_CAMERA}:
        return _after_no_photo(flow, happened)
    if happened is Happened.MORE_TIME:
        return _extended(flow, now_us)
    return Referred(now_us + RESULT_US) if happened is Happened.NO_DOCUMENT else Idle()


def _after_no_photo(flow: Flow, happened: Happened) -> Flow:
    if not isinstance(flow, Collecting) or flow.need is not Outcome.NEED_PHOTO:
        return flow
    is_refused = happened is Happened.DECLINE
    return _declared(flow, Outcome.PHOTO_REFUSED if is_refused else Outcome.CAPTURE_FAILED)


def _extended(flow: Flow, now_us: int) -> Flow:
    if isinstance(flow, NeedsIdNumber | NeedsTicket | Collecting) and flow.extended < EXTENSIONS:
        return replace(flow, until_us=now_us + DOCUMENT_US, extended=flow.extended + 1)
    return flow
