"""A room's player in a simulated day: the real rules of players over a clock and a network of its own."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from evidence.announcements import PlayedReport
from exam import playing
from exam.clock import SECOND_US
from exam.clock_change import ClockChange
from exam.playing import PlayerCue
from exam.server_time import Exchange, ServerTime

# A console whose time is this far from what the player believes was set: measure before anything sounds.
SET_US = SECOND_US


@dataclass(frozen=True, slots=True)
class Sound:
    """Something that came out of a loudspeaker at a true moment."""

    true_us: int
    room_id: int
    session_id: int
    cue: str
    occurrence: int
    key: str
    moment_us: int
    # When the player last heard of the console's plan, and the console of the player.
    told_us: int
    seen_us: int


@dataclass
class Player:
    """One player. Its monotonic clock stands still while it sleeps; what it remembers survives a reload."""

    room_id: int
    room_code: str
    born_us: int
    is_there: bool = True
    is_connected: bool = True
    # Loses its schedule in a reload (a page in a browser), or keeps it on disk (a speaker).
    is_page: bool = True
    told_us: int = 0
    seen_us: int = 0
    slept_us: int = 0
    cues: list[PlayerCue] = field(default_factory=list)
    time: ServerTime = field(default_factory=ServerTime)
    claimed: set[str] = field(default_factory=set)
    played: dict[str, int] = field(default_factory=dict)
    # By the console's clock of which name it was measured, and the report.
    unsent: list[tuple[str, PlayedReport]] = field(default_factory=list)

    def own_us(self, true_us: int) -> int:
        """Its monotonic clock."""
        return true_us - self.born_us - self.slept_us

    def server_us(self, true_us: int) -> int | None:
        """What it takes the console's time to be."""
        return self.time.now_us(self.own_us(true_us))

    def measure(self, true_us: int, server_us: int, way_us: int, name: str) -> None:
        """One exchange with the console, answered at this moment; the ways there and back may differ.

        When the console goes by another clock, what was noted by the one before is read shifted.
        """
        own_us = self.own_us(true_us)
        one = Exchange(own_us - way_us, server_us, own_us + way_us // 3, name)
        change = ClockChange.heard(self.time, one)
        if change is not None:
            self.played = {key: moment_us + change.shift_us for key, moment_us in self.played.items()}
            self.unsent = [_by_new_clock(change, clock, report) for clock, report in self.unsent]

    def take_schedule(self, true_us: int, told: dict[str, Any], way_us: int) -> None:
        """A fresh schedule; a console whose clock was set is measured anew first."""
        known_us = self.server_us(true_us)
        if known_us is None or abs(known_us - told["server_now_us"]) > SET_US:
            self.time.best = None
            self.measure(true_us, told["server_now_us"], way_us, told["clock"])
        self.cues = playing.read_schedule({**told, "test": None})
        self.told_us = true_us

    def sleep(self, duration_us: int) -> None:
        """The tablet's lid: its monotonic clock stands still, its measure is worthless afterwards."""
        self.slept_us += duration_us
        self.time.best = None

    def reload(self) -> None:
        """Everything but what it wrote down is gone."""
        self.time.best = None
        if self.is_page:
            self.cues = []

    def next_ring_us(self, true_us: int) -> int | None:
        """The true moment at which something may be to sound next; None while it knows of nothing."""
        server_us = self.server_us(true_us)
        if server_us is None or not self.is_there:
            return None
        ahead = [moment - server_us for moment in self._moments() if moment > server_us]
        return true_us + min(ahead) if ahead else None

    def ring(self, true_us: int) -> Iterator[Sound]:
        """Sound whatever its rules say is to sound now."""
        server_us = self.server_us(true_us)
        if server_us is None or not self.is_there:
            return
        for one in playing.due(self.cues, self.claimed, self.played, server_us, 0):
            self.claimed |= one.turn.keys
            for cue in one.turn.cues if one.silence is None else ():
                self.played[playing.claim_name(cue)] = server_us
                self.report(self._report(cue, server_us, true_us))
                assert cue.session_id is not None
                yield Sound(
                    true_us,
                    self.room_id,
                    cue.session_id,
                    cue.cue,
                    cue.occurrence,
                    cue.key,
                    one.turn.moment_us,
                    self.told_us,
                    self.seen_us,
                )

    def _moments(self) -> Iterator[int]:
        by_key = {cue.key: cue for cue in self.cues}
        for cue in self.cues:
            if cue.may_sound and playing.claim_name(cue) not in self.claimed:
                moment_us = playing.moment_us(cue, by_key, self.played)
                if moment_us is not None:
                    yield moment_us

    def _report(self, cue: PlayerCue, server_us: int, true_us: int) -> PlayedReport:
        return PlayedReport(
            session_id=cue.session_id or 0,
            room_id=self.room_id,
            cue_code=cue.cue,
            occurrence=cue.occurrence,
            player=f"player-{self.room_code}",
            started_at_us=server_us,
            ended_at_us=None,
            offset_us=0,
            uncertainty_us=self.time.error_us(self.own_us(true_us)),
        )

    def report(self, one: PlayedReport) -> None:
        """Leave it for the console."""
        self.unsent.append((self.time.best.clock if self.time.best else "", one))

    def ended(self, report: PlayedReport) -> PlayedReport:
        """The same, when the sound is over."""
        assert report.started_at_us is not None
        return replace(report, ended_at_us=report.started_at_us + 18 * SECOND_US)


def _by_new_clock(change: ClockChange, clock: str, report: PlayedReport) -> tuple[str, PlayedReport]:
    moved = change.of_report({**asdict(report), "clock": clock})
    return moved.pop("clock"), PlayedReport(**moved)
