"""Decisions that two people take together (两人决定): one proposes, another confirms or withdraws.

Pure. Nothing is decided by one person, and nothing that was decided is taken back: who changes his mind
decides anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from exam.disposal_approval import Act, takes_part


class Step(StrEnum):
    """What a person did about it."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class JointError(Exception):
    """The step cannot be taken; the message says why, in Chinese, for the person who tried."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A step and who took it."""

    step: Step
    act: Act


def require_possible(taken: Sequence[Taken], following: Taken) -> None:
    """Raises JointError unless this step may be taken by this person after the earlier ones."""
    if not following.act.has_badge:
        raise JointError("您的账户没有证卡号，不能确定您是谁，不能办理。")
    if (following.step is Step.PROPOSED) != (not taken) or len(taken) > 1:
        raise JointError("情况已变化，不能这样办理，请刷新页面。")
    if following.step is Step.CONFIRMED and takes_part(following.act, [each.act for each in taken]):
        raise JointError("须由另一人确认：提出和确认不能是同一人。")


def is_decided(steps: Sequence[Step]) -> bool:
    """Whether two people have decided it."""
    return Step.CONFIRMED in steps


def is_open(steps: Sequence[Step]) -> bool:
    """Whether it waits for the second person."""
    return list(steps) == [Step.PROPOSED]
