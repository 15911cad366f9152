"""What axe objects to on a page in real Chromium."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parent.parent / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"tablet": (1280, 800), "phone": (390, 844), "wall": (1920, 1080)}
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
STILL = "Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => true)"
# What it does not object to is neither collected nor carried out of the browser.
VIOLATIONS = "axe.run({ resultTypes: ['violations'] }).then((found) => found.violations)"


def findings(page: Page) -> list[Any]:
    """Rule and place of everything that axe finds, once nothing on the page moves. Empty for a sound page."""
    page.evaluate(STILL)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(VIOLATIONS)
    return [(one["id"], node["target"], node["html"]) for one in found for node in one["nodes"]]


def is_sound(page: Page, name: str) -> None:
    """Asserts that axe finds nothing and that nothing sticks out to the side.

    With SCREENSHOTS set, the page is kept there as `name`.png, to be looked at.
    """
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def resized(page: Page, *sizes: str) -> Iterator[str]:
    """The page at one of SIZES after another, drawn anew: it is the same page on every screen."""
    for size in sizes:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(DRAWN)
        yield size
