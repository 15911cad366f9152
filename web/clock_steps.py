"""The machine's clock was set while a session is on: the site lead says which clock is right (ADR 18)."""

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, abort, current_app, jsonify
from flask_login import current_user

from evidence.site_clock import load_contradiction, load_open_step
from exam.clock_step import StepChoice, can_adopt
from web.console_clock import (
    KEEPER_EXTENSION,
    DecidedOtherwiseError,
    RoomsAwayError,
    TooFarBackError,
    TooNearError,
)
from web.restart_doubt import is_hung_on
from web.services import ANY_TOPIC, services
from web.words import length_words

blueprint: Final = Blueprint("clock_steps", __name__)

CHOICES: Final = frozenset({StepChoice.KEPT, StepChoice.ADOPTED})
CONTRADICTED: Final = (
    "考场设备比重新启动后确认的时间{which}{length}，请核对手表。"
    "确认错了的，重新启动前开考的考场会{ends}{length}结束，请在“时间变更”中改正"
)
NEAR_WORDS: Final = "有信号即将发出，暂不能更换时间。请在信号发出后再按。"
AWAY_WORDS: Final = (
    "{rooms}的设备失去联系，会按原来的时间自行响铃，暂不能更换时间。"
    "请先恢复联系；在此之前请继续使用控制台的时间。"
)
FAR_WORDS: Final = "本机的日期不对，不能改用。请先把本机的日期和时间改正，改正后这条提示会自己消失。"
OVER_WORDS: Final = "情况已变化，请查看最新提示。"


@dataclass(frozen=True, slots=True)
class StepView:
    """The open question."""

    id: int
    apart_us: int

    @property
    def can_adopt(self) -> bool:
        """Whether the machine's time may be taken over at all."""
        return can_adopt(self.apart_us)

    @property
    def words(self) -> str:
        """How far the machine's clock is from the console's."""
        return f"{'快' if self.apart_us > 0 else '慢'}了{length_words(self.apart_us)}"


def contradiction_words() -> str:
    """What rooms say against the time that a person said after a restart, if an exam hangs on it."""
    with services().exam.read() as connection:
        apart_us = load_contradiction(connection)
        if not apart_us or not is_hung_on(connection, services().procedures, services().clock.wall_us()):
            return ""
    which, ends = ("快", "晚") if apart_us > 0 else ("慢", "早")
    return CONTRADICTED.format(which=which, ends=ends, length=length_words(apart_us))


def open_step_view() -> StepView | None:
    """What the site lead is asked about the clock; None: nothing."""
    with services().exam.read() as connection:
        step = load_open_step(connection)
    return None if step is None else StepView(step.id, step.apart_us)


@blueprint.post("/api/clock-steps/<int:step_id>/<choice>")
def decide(step_id: int, choice: str) -> tuple[Response, int]:
    """Keep the console's time, or take the machine's over."""
    if choice not in CHOICES:
        abort(404)
    keeper = current_app.extensions.get(KEEPER_EXTENSION)
    if keeper is None:
        abort(409)
    try:
        keeper.decide(step_id, StepChoice(choice), current_user.account_id)
    except TooFarBackError:
        return jsonify(error="too_far_back", advice=FAR_WORDS), 409
    except TooNearError:
        return jsonify(error="signal_near", advice=NEAR_WORDS), 409
    except RoomsAwayError as away:
        return jsonify(error="rooms_away", advice=AWAY_WORDS.format(rooms=away)), 409
    except DecidedOtherwiseError:
        return jsonify(error="decided", advice=OVER_WORDS), 409
    services().bus.publish(ANY_TOPIC)
    return jsonify(choice=choice), 200
