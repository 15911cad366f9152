"""A learned form of ticket numbers (`exam.tickets`) in words that a person can compare with paper."""

import re
from typing import Final

_PART: Final = re.compile(r"\[([^\]]+)\]\{(\d+)\}|\\?(.)")
_KINDS: Final = {
    "0-9": "{}位数字",
    "A-Z": "{}位字母",
    "0-9A-Z": "{}位数字或字母",
    "0-9-": "{}位数字或连字符",
    "A-Z-": "{}位字母或连字符",
    "0-9A-Z-": "{}位数字、字母或连字符",
    "-": "{}个连字符",
}


def form_words(form: str) -> str:
    """The form in Chinese: what all numbers begin with, and what follows; several lengths with 或."""
    return "，或".join(_one_length(part) for part in form.split("|"))


def _one_length(form: str) -> str:
    fixed, parts, length = "", [], 0
    for kinds, times, letter in _PART.findall(form):
        if letter:
            fixed += letter
            length += 1
        else:
            parts.append(_KINDS[kinds].format(times))
            length += int(times)
    start = f"以{fixed}开头，后接" if fixed else ""
    return f"共{length}位：{start}{'、'.join(parts)}"
