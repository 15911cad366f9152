"""The promise of the shared look: text can be read on everything it stands on, in both themes."""

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).resolve().parents[2] / "config" / "look" / "tokens.css").read_text(encoding="utf-8")
PAIRS = [
    *(
        (ink, ground)
        for ink in ("ink", "ink-quiet", "link")
        for ground in ("page", "surface", "surface-quiet")
    ),
    *(
        (state, ground)
        for state in ("good", "wait", "bad", "off")
        for ground in ("page", "surface", f"{state}-field")
    ),
    *(("solid-ink", f"{state}-solid") for state in ("good", "wait", "bad", "off")),
    ("action-ink", "action"),
    ("action-ink", "action-press"),
]


def theme(name: str) -> dict[str, str]:
    light = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", TOKENS.split('[data-theme="dark"]')[0]))
    if name == "light":
        return light
    return light | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", TOKENS.split('[data-theme="dark"]')[1]))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_has_a_contrast_of_seven_to_one(name: str, text: str, ground: str) -> None:
    colours = theme(name)
    assert contrast(colours[text], colours[ground]) >= 7


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "surface"])
def test_edges_and_focus_can_be_seen(name: str, ground: str) -> None:
    colours = theme(name)
    assert contrast(colours["line-strong"], colours[ground]) >= 3
    assert contrast(colours["focus"], colours[ground]) >= 3
