"""What the candidate screen is doing: ticket, identity number, asking, answer, and back (Art. 13(2)).

Pure: a state and something that happened give the next state. Both documents may come in either
order. Nothing here decides on admission: whoever is asked does, the console or this kiosk alone. Times are
of the monotonic clock, so a stepped wall clock never cuts a candidate short.
"""

from dataclasses import replace

from exam.outcomes import Outcome
from kiosk.collecting import after_decline, answered, collected, without_camera
from kiosk.scan import Scan
from kiosk.visit import (
    DOCUMENT_US,
    EXTENSIONS,
    HINT_US,
    READABLE_US,
    RESULT_US,
    Answered,
    Asking,
    BagGiven,
    Collecting,
    Fitness,
    Flow,
    Happened,
    Hint,
    Idle,
    IdNumberGiven,
    Input,
    NeedsIdNumber,
    NeedsTicket,
    NoticeAccepted,
    NotUsable,
    OutOfUse,
    PhotoTaken,
    PhotoUnusable,
    Referred,
    Showing,
    ShownHint,
    Signed,
    TicketRead,
)


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
        case PhotoTaken() | PhotoUnusable() | BagGiven() | NoticeAccepted() | Signed():
            return collected(flow, happened, now_us) if isinstance(flow, Collecting) else flow
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
        return answered(flow.scan, news, now_us) if isinstance(flow, Asking) else flow
    # An answer on the screen is still true, and a question that is under way finds out by itself.
    return (
        flow if isinstance(flow, Asking | Collecting | Showing) else _with_fitness(flow, news.reasons, now_us)
    )


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
    if happened is Happened.DECLINE:
        return after_decline(flow)
    if happened is Happened.NO_CAMERA:
        return without_camera(flow)
    if happened is Happened.MORE_TIME:
        return _extended(flow, now_us)
    return Referred(now_us + RESULT_US) if happened is Happened.NO_DOCUMENT else Idle()


def _extended(flow: Flow, now_us: int) -> Flow:
    if isinstance(flow, NeedsIdNumber | NeedsTicket | Collecting) and flow.extended < EXTENSIONS:
        return replace(flow, until_us=now_us + DOCUMENT_US, extended=flow.extended + 1)
    return flow
