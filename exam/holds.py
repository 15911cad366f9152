"""The life of a legal hold (封存) or restriction (限制处理): what two people together may make of it.

Pure. A legal hold keeps footage from the moment one person asks for it; a restriction closes it to
viewers only once a second person has confirmed. Both end only by two people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class HoldKind(StrEnum):
    """What is asked for."""

    LEGAL_HOLD = "legal_hold"
    RESTRICTION = "restriction"


class HoldStep(StrEnum):
    """What a person did about it."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    LIFT_PROPOSED = "lift_proposed"
    LIFT_REFUSED = "lift_refused"
    LIFTED = "lifted"


class HoldState(StrEnum):
    """Where it stands."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    LIFT_PROPOSED = "lift_proposed"
    WITHDRAWN = "withdrawn"
    LIFTED = "lifted"


class HoldError(Exception):
    """The step cannot be taken; the message says why, in Chinese, for the person who tried."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A step and who took it."""

    step: HoldStep
    account_id: int


_NEXT: Final[Mapping[tuple[HoldState | None, HoldStep], HoldState]] = {
    (None, HoldStep.PROPOSED): HoldState.PROPOSED,
    (HoldState.PROPOSED, HoldStep.CONFIRMED): HoldState.IN_FORCE,
    (HoldState.PROPOSED, HoldStep.WITHDRAWN): HoldState.WITHDRAWN,
    (HoldState.IN_FORCE, HoldStep.LIFT_PROPOSED): HoldState.LIFT_PROPOSED,
    (HoldState.LIFT_PROPOSED, HoldStep.LIFT_REFUSED): HoldState.IN_FORCE,
    (HoldState.LIFT_PROPOSED, HoldStep.LIFTED): HoldState.LIFTED,
}
# What one person began, another one ends. Refusing to lift a hold is the careful side: anybody may.
_NEEDS_ANOTHER: Final = frozenset({HoldStep.CONFIRMED, HoldStep.WITHDRAWN, HoldStep.LIFTED})
_OVER: Final = frozenset({HoldState.WITHDRAWN, HoldState.LIFTED})


def needs_another(step: HoldStep) -> bool:
    """Whether the step must be taken by another person than the step before it."""
    return step in _NEEDS_ANOTHER


def state_after(taken: Sequence[Taken]) -> HoldState:
    """Where the hold stands after these steps. Raises HoldError when one of them could not be taken."""
    state: HoldState | None = None
    for at, each in enumerate(taken):
        following = _NEXT.get((state, each.step))
        if following is None:
            raise HoldError("情况已变化，不能这样办理，请刷新页面。")
        if needs_another(each.step) and taken[at - 1].account_id == each.account_id:
            raise HoldError("须由另一人办理：提出和确认不能是同一账户。")
        state = following
    if state is None:
        raise HoldError("没有这项封存或限制。")
    return state


def keeps(state: HoldState) -> bool:
    """Whether footage must not be disposed of. Asking is enough to stop a disposal."""
    return state not in _OVER


def closes_to_viewers(kind: HoldKind, state: HoldState) -> bool:
    """Whether nobody may view or export: a confirmed restriction, until two people have lifted it."""
    return kind is HoldKind.RESTRICTION and state in {HoldState.IN_FORCE, HoldState.LIFT_PROPOSED}
