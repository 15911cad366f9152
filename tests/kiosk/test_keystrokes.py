"""Every scanner mode decoded without loss, and people never taken for scanners: agent and page alike."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.keystrokes import (
    GRABBED_GUN,
    GRABBED_READER,
    MILLISECOND_US,
    SHARED,
    Framing,
    Stroke,
    Wedge,
    character_of,
    unit_of,
)
from tests.kiosk.stage import TICKET
from tests.kiosk.typing_devices import TYPISTS, Keyboard, Mode, Typist, modes

ROOT = Path(__file__).resolve().parent.parent.parent
MODES = modes()
KEYSTROKES = 10_000
PAGE = """
import { Wedge } from "%s";
let text = "";
for await (const part of process.stdin) text += part;
const told = JSON.parse(text).map(({ prefix, strokes }) => {
  const wedge = new Wedge(prefix);
  const heard = { scans: [], enters: 0, typed: "" };
  let last = 0;
  for (const [code, isDown, at, isRepeat] of strokes) {
    const what = wedge.stroke(code, isDown, at, isRepeat);
    heard.scans.push(...what.scans);
    heard.enters += what.enter ? 1 : 0;
    heard.typed += what.character ?? "";
    last = at;
  }
  heard.scans.push(...wedge.silence(last + 600));
  return heard;
});
console.log(JSON.stringify(told));
"""


def in_the_page(*cases: tuple[str, list[Stroke]]) -> list[dict[str, Any]]:
    """What wedge.js makes of each case."""
    sent = [
        {
            "prefix": prefix,
            "strokes": [
                [one.code, one.is_down, one.at_us / MILLISECOND_US, one.is_repeat] for one in strokes
            ],
        }
        for prefix, strokes in cases
    ]
    program = PAGE % (ROOT / "kiosk" / "static" / "wedge.js").as_uri()
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program],
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        check=True,
    )
    heard: list[dict[str, Any]] = json.loads(done.stdout)
    return heard


def in_the_agent(strokes: list[Stroke], framing: Framing) -> list[list[str]]:
    wedge = Wedge(framing)
    scans = [scan for stroke in strokes for scan in wedge.stroke(stroke)]
    return [list(scan) for scan in scans + wedge.silence(strokes[-1].at_us + 600 * MILLISECOND_US)]


@pytest.fixture(scope="module")
def page() -> dict[str, dict[str, Any]]:
    heard = in_the_page(*((mode.prefix, mode.keys.strokes) for mode in MODES))
    return {mode.name: one for mode, one in zip(MODES, heard, strict=True)}


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)
def test_no_mode_loses_or_garbles_a_scan(mode: Mode, page: dict[str, dict[str, Any]]) -> None:
    strokes = mode.keys.strokes
    assert in_the_agent(strokes, replace(SHARED, prefix=mode.prefix)) == mode.scans
    assert in_the_agent(strokes, GRABBED_READER) == mode.scans
    assert in_the_agent(strokes, GRABBED_GUN) == (mode.by_line or mode.scans)
    assert page[mode.name]["scans"] == mode.scans
    assert page[mode.name]["enters"] == mode.late_enters


@pytest.mark.parametrize("typist", TYPISTS, ids=lambda typist: typist.name)
def test_ten_thousand_keystrokes_of_a_person_are_no_scan(typist: Typist) -> None:
    strokes = typist.types(KEYSTROKES, seed=len(typist.name))
    assert in_the_agent(strokes, SHARED) == []
    (heard,) = in_the_page(("", strokes))
    assert heard["scans"] == []
    assert heard["enters"] > KEYSTROKES / 30
    assert len(heard["typed"]) > KEYSTROKES / 2


def test_a_held_key_and_a_quick_short_word_are_a_person() -> None:
    held = Keyboard().text("12").hold("Digit3", 30)
    short = Keyboard(gap_ms=5).text("12345\r")
    for keys in (held, short):
        assert in_the_agent(keys.strokes, SHARED) == []
        assert in_the_page(("", keys.strokes))[0]["scans"] == []


def test_a_person_who_types_the_prefix_is_believed() -> None:
    """The price of a prefix: it tells devices, not hands. People have no reason to type it."""
    keys = Keyboard(gap_ms=200).text("~K123456\r")
    assert in_the_agent(keys.strokes, replace(SHARED, prefix="~K")) == [["~K123456"]]


def test_a_grabbed_device_may_be_slow_and_short() -> None:
    assert in_the_agent(Keyboard(gap_ms=120).text("A1\r").strokes, GRABBED_GUN) == [["A1"]]


def test_after_lost_keys_nothing_of_that_scan_is_believed() -> None:
    wedge = Wedge(GRABBED_GUN)
    keys = Keyboard().text(TICKET[:5])
    lost_from = len(keys.strokes)
    keys.text(TICKET[7:] + "\r").pause(1000).text(TICKET + "\r")
    scans: list[tuple[str, ...]] = []
    for number, stroke in enumerate(keys.strokes):
        if number == lost_from:
            wedge.drop(stroke.at_us)
        scans += wedge.stroke(stroke)
    assert scans == [(TICKET,)]


def test_after_lost_keys_the_next_scan_is_read_even_when_nothing_else_came() -> None:
    wedge = Wedge(GRABBED_READER)
    wedge.drop(0)
    keys = Keyboard().text(TICKET + "\r").strokes
    assert [scan for stroke in keys for scan in wedge.stroke(stroke)] == []
    assert wedge.silence(keys[-1].at_us + 600 * MILLISECOND_US) == [(TICKET,)]


def test_a_flood_of_enters_is_bounded() -> None:
    keys = Keyboard(gap_ms=0.1).text("\r" * 10_000)
    assert in_the_agent(keys.strokes, GRABBED_READER) == []
    assert in_the_page(("", keys.strokes))[0]["scans"] == []


def test_keys_that_make_no_character_make_none() -> None:
    for code in ("F5", "ArrowUp", "NumLock", "Numpad", "KeyAA"):
        assert character_of(code, is_shifted=False) is None
    keys = Keyboard().press("F5").press("AltLeft", "KeyA").press("MetaLeft").text(TICKET + "\r")
    assert in_the_agent(keys.strokes, GRABBED_GUN) == [[TICKET]]


def test_numbers_that_are_no_character_are_left_out() -> None:
    assert [unit_of(number) for number in (0x110000, 0xDC00, 65, 0xE9)] == [None, None, "A", 0xE9]
    assert [unit_of(number) for number in (0x4E00, 0xB0A1, 0xB040)] == ["一", "啊", chr(0xB040)]
