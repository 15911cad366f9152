"""What goes wrong on a simulated day: crashes, restarts, set clocks, sleep, cut networks, twins."""

from dataclasses import dataclass
from typing import Final

from exam.clock import MINUTE_US, SECOND_US
from exam.clock_step import NOTED_US, StepChoice
from tests.soak.signals.day import Day
from tests.soak.signals.site import site
from web.console_clock import DecidedOtherwiseError, RoomsAwayError, TooFarBackError, TooNearError
from web.restart_doubt import BeforeLastSeenError

HOUR_US: Final = 60 * MINUTE_US
# By how much a board without its battery is behind.
YEARS_US: Final = 20 * 365 * 24 * HOUR_US
# Why a time cannot be taken over just now.
REFUSALS: Final = (TooFarBackError, TooNearError, RoomsAwayError, DecidedOtherwiseError)


@dataclass
class Troubles:
    """Draws the day's troubles, mostly around its signals."""

    day: Day

    def plan(self, most: int = 8) -> None:
        dice = self.day.dice
        kinds = [
            *(self.crash, self.crash, self.reboot, self.freeze, self.suspend),
            *(self.step, self.step, self.small_step, self.cut_off, self.cut_off),
            *(self.back_at_the_start, self.second_process, self.sleeping_player, self.reload, self.no_player),
            *(self.reboot_twice, self.reboot_and_adopt, self.set_in_doubt),
        ]
        for _ in range(dice.randint(0, most)):
            self.day.at(self._moment(), dice.choice(kinds))

    def _moment(self) -> int:
        """Near a start or an end, or anywhere."""
        dice = self.day.dice
        plan = dice.choice(self.day.sessions)
        if dice.random() < 0.7:
            near_us = dice.choice((plan.start_us, plan.start_us + plan.duration_us))
            return near_us + dice.randint(-20 * SECOND_US, 10 * SECOND_US)
        return plan.start_us + dice.randint(-60 * MINUTE_US, plan.duration_us)

    # ---- The machine ------------------------------------------------------------------------

    def crash(self) -> None:
        """The console's process dies and is started again, as the same machine's."""
        self._away(self.day.dice.randint(SECOND_US // 5, 90 * SECOND_US), self.day.machine.start)

    def back_at_the_start(self) -> None:
        """The console comes back just as the rooms have rung by themselves."""
        ahead_us = self.day.next_cue_us()
        if ahead_us is None or not self.day.machine.is_answering:
            return
        at_us = self.day.now_us + ahead_us
        away_us = SECOND_US + self.day.dice.randrange(2 * SECOND_US)
        self.day.at(at_us - SECOND_US, lambda: self._away(away_us, self.day.machine.start))

    def reboot(self) -> None:
        """The machine restarts; the clock on its board is a little wrong, was set meanwhile, or is dead."""
        dice = self.day.dice
        far_us = dice.choice((*(SECOND_US // 2,) * 3, MINUTE_US, HOUR_US, 5 * HOUR_US))
        error_us = -YEARS_US if dice.random() < 0.05 else dice.randint(-far_us, far_us)
        away_us = dice.choice((MINUTE_US, MINUTE_US, 4 * MINUTE_US, 40 * MINUTE_US))
        self._away(dice.randint(20 * SECOND_US, away_us), lambda: self._boot(error_us))

    def reboot_twice(self) -> None:
        """Power comes, goes and comes again within a minute, each time with another clock."""
        dice = self.day.dice
        errors = [dice.choice((0, dice.randint(-HOUR_US, HOUR_US), -YEARS_US)) for _ in range(2)]
        self._away(20 * SECOND_US, lambda: self._boot(errors[0]))
        away_us = dice.randint(5 * SECOND_US, 20 * SECOND_US)
        self.day.soon(
            21 * SECOND_US, 40 * SECOND_US, lambda: self._away(away_us, lambda: self._boot(errors[1]))
        )

    def reboot_and_adopt(self) -> None:
        """It comes back with a clock that is wrong, and the lead takes that over as soon as he is asked."""
        dice = self.day.dice
        error_us = dice.choice((-1, 1)) * dice.randint(2 * SECOND_US, 40 * MINUTE_US)

        def boot() -> None:
            self._boot(error_us)
            self.day.soon(SECOND_US, 2 * SECOND_US, lambda: self._adopt(tries=60))

        self._away(dice.randint(20 * SECOND_US, MINUTE_US), boot)

    def _adopt(self, tries: int) -> None:
        machine = self.day.machine
        step = machine.keeper.open_step() if machine.is_answering else None
        try:
            if step is not None:
                machine.keeper.decide(step.id, StepChoice.ADOPTED, site().accounts["lead"])
                self.day.count("clock_adopted_after_restart")
                self.day.take_clock_over()
                self._answering_again()
                return
        except REFUSALS:
            pass
        if tries:
            self.day.soon(SECOND_US, 2 * SECOND_US, lambda: self._adopt(tries - 1))

    def set_in_doubt(self) -> None:
        """The machine's clock is set while the time is in doubt, and the process is killed then."""
        dice = self.day.dice

        def boot() -> None:
            self._boot(dice.randint(-HOUR_US, HOUR_US))
            self.day.soon(SECOND_US // 2, 3 * SECOND_US, set_it)

        def set_it() -> None:
            self.day.machine.hardware.step_wall(dice.randint(-HOUR_US, HOUR_US))
            self._away(SECOND_US, self.day.machine.start)

        self._away(dice.randint(20 * SECOND_US, MINUTE_US), boot)

    def _boot(self, error_us: int) -> None:
        self.day.machine.reboot(error_us)
        if self.day.machine.doubt is None:
            self.day.settled()
        else:
            self.day.count("time_in_doubt")
            self.day.soon(MINUTE_US, 6 * MINUTE_US, self._look_at_a_watch)

    def _look_at_a_watch(self) -> None:
        """Nobody in the rooms has told the time yet: the lead says what it is, as exactly as watches are."""
        doubt = self.day.machine.doubt
        if doubt is None:
            return
        told_us = self.day.machine.continued_us + self.day.dice.randint(-SECOND_US, SECOND_US)
        try:
            doubt.settle(told_us - doubt.clock.boottime_us(), site().accounts["lead"])
        except BeforeLastSeenError:
            self.day.soon(2 * SECOND_US, 9 * SECOND_US, self._look_at_a_watch)
            return
        self.day.settled()
        self._answering_again()

    def _away(self, for_us: int, back: object) -> None:
        machine = self.day.machine
        if not machine.is_up or machine.is_asleep:
            return
        machine.is_up = False
        self.day.count("crash")

        def again() -> None:
            back()  # type: ignore[operator]
            self._answering_again()

        self.day.at(self.day.now_us + for_us, again)

    def freeze(self) -> None:
        """The process stands still, and goes on."""
        self._rest(self.day.dice.randint(SECOND_US // 2, 30 * SECOND_US), is_asleep=False)

    def suspend(self) -> None:
        """The machine sleeps: its running time goes on, its monotonic clock does not."""
        self._rest(self.day.dice.randint(SECOND_US, 30 * MINUTE_US), is_asleep=True)

    def _rest(self, for_us: int, *, is_asleep: bool) -> None:
        machine = self.day.machine
        if not machine.is_answering:
            return
        self.day.count("suspend" if is_asleep else "freeze")
        if is_asleep:
            machine.is_asleep = True
        else:
            machine.is_up = False

        def again() -> None:
            machine.is_asleep, machine.is_up = False, True
            self._answering_again()

        self.day.at(self.day.now_us + for_us, again)

    def _answering_again(self) -> None:
        self.day.tick_soon()
        self.day.wake()

    def step(self) -> None:
        """Somebody sets the machine's clock, by seconds or hours; perhaps somebody sets it right again."""
        dice = self.day.dice
        far_us = dice.choice((3 * SECOND_US, 30 * SECOND_US, 10 * MINUTE_US, HOUR_US, 5 * HOUR_US))
        by_us = dice.randint(-far_us, far_us)
        if abs(by_us) <= SECOND_US + NOTED_US:
            self.day.truth.followed_us += abs(by_us)
        self.day.machine.hardware.step_wall(by_us)
        self.day.count("clock_step", by_us / SECOND_US)
        self.day.tick_soon()
        if dice.random() < 0.3:
            self.day.soon(SECOND_US, 20 * MINUTE_US, lambda: self._step_back(by_us))
        else:
            self.day.soon(5 * SECOND_US, 10 * MINUTE_US, self._decide_in_time)

    def _step_back(self, by_us: int) -> None:
        self.day.machine.hardware.step_wall(-by_us)
        self.day.tick_soon()

    def small_step(self) -> None:
        """NTP corrects some tenths of a second."""
        by_us = self.day.dice.randint(-SECOND_US, SECOND_US)
        self.day.count("small_step", by_us / SECOND_US)
        self.day.machine.hardware.step_wall(by_us)
        self.day.truth.followed_us += abs(by_us) + NOTED_US
        self.day.tick_soon()

    def _decide_in_time(self) -> None:
        """At once, or at the worst moment: as the next signal is about to sound."""
        ahead_us = self.day.next_cue_us()
        if ahead_us is not None and self.day.dice.random() < 0.4:
            self.day.at(self.day.now_us + ahead_us - self.day.dice.randrange(SECOND_US), self.decide)
        else:
            self.decide()

    def decide(self) -> None:
        """The site lead says which clock is right, this time or that."""
        machine = self.day.machine
        if not machine.is_answering:
            self.day.soon(10 * SECOND_US, MINUTE_US, self.decide)
            return
        step = machine.keeper.open_step()
        if step is None:
            return
        choice = self.day.dice.choice((StepChoice.KEPT, StepChoice.ADOPTED))
        try:
            machine.keeper.decide(step.id, choice, site().accounts["lead"])
        except REFUSALS:
            self.day.soon(20 * SECOND_US, 90 * SECOND_US, self.decide)
            return
        self.day.count(f"clock_{choice}")
        if choice is StepChoice.ADOPTED:
            self.day.take_clock_over()
        self.day.wake()
        self.day.tick_soon()

    def second_process(self) -> None:
        """Another console on the same database, between look and lock."""
        if self.day.machine.is_answering:
            self.day.machine.second_process()
            self.day.judge.scan()
            self.day.count("second_process")

    # ---- Players ----------------------------------------------------------------------------

    def cut_off(self) -> None:
        """A room's network is gone for a while."""
        player = self._player()
        player.is_connected = False
        self.day.count("cut_off", player.room_id)  # type: ignore[attr-defined]
        for_us = self.day.dice.choice((5 * SECOND_US, 2 * MINUTE_US, HOUR_US))
        self.day.soon(for_us // 2, for_us, lambda: self._connect(player))

    def _connect(self, player: object) -> None:
        player.is_connected = True  # type: ignore[attr-defined]
        self.day.soon(0, 10 * SECOND_US, lambda: self.day.refresh(player))  # type: ignore[arg-type]

    def sleeping_player(self) -> None:
        """A tablet sleeps and wakes up without a measure."""
        player = self._player()
        for_us = self.day.dice.randint(2 * SECOND_US, 10 * MINUTE_US)
        player.is_connected = False
        self.day._rings[player.room_id] = -1

        def awake() -> None:
            player.sleep(for_us)
            self._connect(player)

        self.day.at(self.day.now_us + for_us, awake)
        self.day.count("player_slept", player.room_id)  # type: ignore[attr-defined]

    def reload(self) -> None:
        """A page is loaded again."""
        player = self._player()
        player.is_page = self.day.dice.random() < 0.5
        player.reload()
        self.day.soon(SECOND_US, 5 * SECOND_US, lambda: self.day.refresh(player))

    def no_player(self) -> None:
        """A device is switched off for good: only people can ring there."""
        if self.day.dice.random() < 0.3:
            self._player().is_there = False
            self.day.count("player_gone")

    def _player(self) -> object:  # type: ignore[override]
        return self.day.players[self.day.dice.choice(sorted(self.day.players))]
