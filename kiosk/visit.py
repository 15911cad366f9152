"""The states of the candidate screen and everything that can happen to it.

Plain values only; `kiosk.flow` says what follows from what. Times are of the monotonic clock, so a stepped
wall clock never cuts a candidate short.
"""

from dataclasses import dataclass
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
COLLECTED: Final = frozenset(
    {Outcome.NEED_NOTICE, Outcome.NEED_PHOTO, Outcome.NEED_BAG, Outcome.NEED_SIGNATURE}
)


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


@dataclass(frozen=True, slots=True)
class NoticeAccepted:
    """The candidate has agreed to the privacy notice of this version, which was on the screen."""

    version: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The strokes of the candidate's signature."""

    picture: Picture


class Happened(StrEnum):
    """What happens without saying more."""

    TICK = "tick"
    # Touches of the candidate.
    RESTART = "restart"
    MORE_TIME = "more_time"
    NO_DOCUMENT = "no_document"
    # Does not agree to the notice or the photo that is asked for.
    DECLINE = "decline"
    # The camera that takes photos gives none.
    NO_CAMERA = "no_camera"


Gift = PhotoTaken | PhotoUnusable | BagGiven | NoticeAccepted | Signed
Input = TicketRead | IdNumberGiven | NotUsable | Answered | Fitness | Gift | Happened
