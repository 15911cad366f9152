"""Where a person of each role can go: what the day itself needs at hand, everything else by its time of day.

Whoever has few entries sees them all in one row. For the site lead those of before the day, of afterwards and
of the site itself stand behind a word each, so that the row fits a tablet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# Word and endpoint of each entry, in the order of the day; logging in leads to the first.
DURING: Final = (
    ("全场一览", "overview.page"),
    ("巡视", "rounds.page"),
    ("监控墙", "wall.page"),
    ("我的考场", "proctor.choose"),
    ("签到", "check_in_desk.page"),
    ("存疑", "doubts.page"),
)
GROUPS: Final = (
    (
        "考前",
        (
            ("花名册", "roster_page.page"),
            ("摄像机检查", "preflight.page"),
            ("时钟核对", "clock_check.page"),
            ("声音", "players.page"),
            ("录像安排", "recording.page"),
            ("演练", "rehearsal.page"),
            ("考前核对单", "readiness.page"),
        ),
    ),
    (
        "考后",
        (
            ("录像回放", "playback.choose"),
            ("录像覆盖证明", "certificate.listing"),
            ("导出", "exports.page"),
            ("档案", "retention.batches"),
            ("外部锚定", "anchors.page"),
        ),
    ),
    (
        "考点",
        (
            ("账户", "accounts.listing"),
            ("签到机", "kiosks_page.page"),
            ("签到口令", "staff_pins.page"),
        ),
    ),
)
# Where logging in leads whoever has nothing to do on the day itself, before anything else.
HOMES: Final = ("roster_page.page", "accounts.listing")
# So many entries fit one row of a tablet; with more the groups are folded.
FITTING: Final = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One page that this person may open."""

    word: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Group:
    """Entries behind one word."""

    word: str
    entries: tuple[Entry, ...]

    def holds(self, endpoint: str | None) -> bool:
        """Whether the page shown is one of them."""
        return any(one.endpoint == endpoint for one in self.entries)


@dataclass(frozen=True, slots=True)
class Navigation:
    """What stands in the row, and what is folded behind it."""

    row: tuple[Entry, ...]
    groups: tuple[Group, ...] = ()


def navigation_for(may: Callable[[str], bool]) -> Navigation:
    """The entries whose endpoints may be used."""
    row = _allowed(DURING, may)
    groups = [Group(word, _allowed(entries, may)) for word, entries in GROUPS]
    everything = (*row, *(entry for group in groups for entry in group.entries))
    if len(everything) <= FITTING:
        return Navigation(everything)
    # A word that hides a single page would only cost a touch.
    alone = [entry for group in groups if len(group.entries) == 1 for entry in group.entries]
    return Navigation((*row, *alone), tuple(group for group in groups if len(group.entries) > 1))


def first_page(may: Callable[[str], bool]) -> str:
    """The endpoint where logging in leads. Raises StopIteration for whoever may open nothing."""
    during = (endpoint for _, endpoint in DURING)
    others = (endpoint for _, entries in GROUPS for _, endpoint in entries)
    return next(endpoint for endpoint in (*during, *HOMES, *others) if may(endpoint))


def _allowed(entries: tuple[tuple[str, str], ...], may: Callable[[str], bool]) -> tuple[Entry, ...]:
    return tuple(Entry(word, endpoint) for word, endpoint in entries if may(endpoint))
