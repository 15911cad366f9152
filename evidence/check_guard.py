"""The one place where the check meets what cannot be read: a part that fails is a finding, others follow."""

from collections.abc import Callable, Iterable, Iterator

from evidence.check_codes import Code, Finding


def guarded(where: str, step: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a part of the check finds, whatever it meets."""
    try:
        yield from step()
    except Exception as error:  # noqa: BLE001 - bytes that somebody changed can make any reader fail in any way
        words = " ".join(str(error).split())
        yield Finding(Code.UNREADABLE, f"{where}: {type(error).__name__}: {words}")
