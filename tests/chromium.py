"""The Chromium of the tests: the engine that people's browsers have, without the windows around the pages.

Debian's `chromium` draws its own tabs and bars even when nobody sees them: opening a page costs it five
times the computing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

PROGRAM = "/usr/bin/chromium-headless-shell"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
SOUNDS_UNASKED = "--autoplay-policy=no-user-gesture-required"
# What a page shall show may come late on a machine that runs other tests; haste is measured in benchmarks.
PATIENCE_MS = 30_000


@contextmanager
def started_chromium(arguments: Sequence[str] = (*ARGUMENTS, SOUNDS_UNASKED)) -> Iterator[Browser]:
    """A Chromium of its own, closed afterwards."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=list(arguments))
        yield browser
        browser.close()
